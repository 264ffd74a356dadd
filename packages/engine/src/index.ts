import type { WebSocketOptions } from './options';
import type { SendData } from './payload';
import { WebSocketServer as ServerClass } from './server';
import type {
  VerifyClientCallback as CallbackOfVerifyClient,
  VerifyClientInfo as InfoOfVerifyClient,
  ServerOptions as OptionsOfServer,
} from './server-options';
import type { BinaryType as BinaryTypeName, SendOptions as OptionsOfSend } from './websocket';
import { WebSocket as WebSocketClass } from './websocket';

/** What `require('@upwire/engine')` is: the class, with everything else as its properties, as in `ws`. */
interface Statics {
  WebSocket: typeof WebSocketClass;
  WebSocketServer: typeof ServerClass;
  Server: typeof ServerClass;
}

const WebSocket: typeof WebSocketClass & Statics = Object.assign(WebSocketClass, {
  WebSocket: WebSocketClass,
  WebSocketServer: ServerClass,
  Server: ServerClass,
});

type WebSocket = WebSocketClass;

// Types under the names that code written for `ws` imports.
declare namespace WebSocket {
  export type WebSocket = WebSocketClass;
  export type WebSocketServer = ServerClass;
  export type Server = ServerClass;
  export type BinaryType = BinaryTypeName;
  export type ClientOptions = WebSocketOptions;
  export type SendOptions = OptionsOfSend;
  export type BufferLike = SendData;
  export type RawData = Buffer | ArrayBuffer | Buffer[];
  export type Data = string | RawData;
  export type ServerOptions = OptionsOfServer;
  export type VerifyClientCallback = CallbackOfVerifyClient;
  export type VerifyClientInfo = InfoOfVerifyClient;
}

export = WebSocket;

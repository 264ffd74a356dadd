import { WebSocket as WsWebSocket } from 'ws';
import { WebSocket } from '../../src/index';

/** A client of `ws` or of ours, by the types of `ws`. */
export interface ClientLibrary {
  readonly name: string;
  readonly WebSocket: typeof WsWebSocket;
}

export const wsClient: ClientLibrary = { name: 'ws', WebSocket: WsWebSocket };

export const upwireClient: ClientLibrary = {
  name: 'upwire',
  // Whether ours really stands in for the class of `ws` is what the tests that use this are there to find out.
  WebSocket: WebSocket as unknown as typeof WsWebSocket,
};

export const clientLibraries: readonly ClientLibrary[] = [wsClient, upwireClient];

export type WsClient = WsWebSocket;

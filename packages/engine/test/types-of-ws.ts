/**
 * Where the types of `@types/ws` and ours meet: what programs hand to libraries that are typed by the one, and what they
 * hand to us. Nothing here runs, see `types.ts`.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex, DuplexOptions } from 'node:stream';
import type * as WsModule from 'ws' with { 'resolution-mode': 'import' };
import type * as Ws from 'ws';
import type * as Upwire from '../src/index.mjs';

/** Compiles where the one type passes for the other. */
type Passes<From extends To, To> = [From, To];

/** Names that theirs has and ours lacks. */
type Missing<Theirs, Ours> = Exclude<keyof Theirs, keyof Ours>;
type Nothing<Names extends never> = Names;

// ---- our objects where those of `ws` are expected

export type Ours = [
  Passes<Upwire.WebSocket, Ws.WebSocket>,
  Passes<Upwire.WebSocketServer, Ws.WebSocketServer>,
  Passes<Upwire.Server, Ws.Server>,
  Passes<Upwire.Event, Ws.Event>,
  Passes<Upwire.MessageEvent, Ws.MessageEvent>,
  Passes<Upwire.CloseEvent, Ws.CloseEvent>,
  Passes<Upwire.ErrorEvent, Ws.ErrorEvent>,
  Passes<Upwire.RawData, Ws.RawData>,
  Passes<Upwire.Data, Ws.Data>,
  Passes<Upwire.AddressInfo, Ws.AddressInfo>,
];

// ---- their values where ours are expected

type Send = Upwire.WebSocket['send'];

export type Theirs = [
  Passes<Ws.PerMessageDeflateOptions, Upwire.PerMessageDeflateOptions>,
  Passes<Ws.EventListenerOptions, Upwire.EventListenerOptions>,
  Passes<Ws.VerifyClientCallbackSync, Upwire.VerifyClientCallbackSync>,
  Passes<Ws.VerifyClientCallbackAsync, Upwire.VerifyClientCallbackAsync>,
  // Their options, but for those that hold their classes.
  Passes<Omit<Ws.ServerOptions, 'WebSocket'>, Upwire.ServerOptions>,
  Passes<Omit<Ws.ClientOptions, 'finishRequest'>, Upwire.ClientOptions>,
  Passes<Parameters<Ws.WebSocket['send']>, Parameters<Send>>,
  Passes<Ws.RawData, Upwire.RawData>,
  Passes<Ws.Data, Upwire.Data>,
  Passes<Ws.CertMeta, Upwire.CertMeta>,
];

// ---- names

export type Names = [
  Nothing<Missing<Ws.WebSocket, Upwire.WebSocket>>,
  Nothing<Missing<typeof Ws.WebSocket, typeof Upwire.default>>,
  Nothing<Missing<Ws.Server, Upwire.Server>>,
  Nothing<Missing<Ws.ClientOptions, Upwire.ClientOptions>>,
  Nothing<Missing<Ws.ServerOptions, Upwire.ServerOptions>>,
  Nothing<Missing<Ws.PerMessageDeflateOptions, Upwire.PerMessageDeflateOptions>>,
  Nothing<Missing<Ws.WebSocketEventMap, Upwire.WebSocketEventMap>>,
  Nothing<Missing<Ws.MessageEvent, Upwire.MessageEvent>>,
  Nothing<Missing<Ws.CloseEvent, Upwire.CloseEvent>>,
  Nothing<Missing<Ws.ErrorEvent, Upwire.ErrorEvent>>,
  Nothing<Missing<typeof WsModule, typeof Upwire>>,
];

// ---- functions that libraries have

declare function takesTheirs(webSocket: Ws.WebSocket, request: IncomingMessage): void;
declare function servesTheirs(options: { server: Ws.Server<typeof Ws.WebSocket> }): void;
declare function streamsTheirs(webSocket: Ws.WebSocket, options?: DuplexOptions): Duplex;

export function libraries(
  server: Upwire.WebSocketServer,
  typed: Upwire.WebSocketServer<
    typeof Upwire.WebSocket,
    typeof IncomingMessage,
    { data: { user: string } }
  >,
): void {
  servesTheirs({ server: typed });
  server.on('connection', takesTheirs);
  server.on('connection', (webSocket) => {
    streamsTheirs(webSocket).pipe(process.stdout);
  });
  servesTheirs({ server });
}

// @ts-expect-error a check that cannot fail would be none
export type Control = [Passes<Ws.WebSocket, Upwire.WebSocket>];
// @ts-expect-error the same for names
export type ControlOfNames = [Nothing<Missing<Upwire.ServerOptions, Ws.ServerOptions>>];

import type { AddressInfo } from 'node:net';
import type { WebSocket as WsWebSocket } from 'ws';
import { WebSocketServer as WsWebSocketServer } from 'ws';
import { WebSocketServer } from '../../src/index';
import { RawClient } from './raw-client';

/** A package with the `ws` API. */
export interface Library {
  readonly name: string;
  readonly WebSocketServer: typeof WsWebSocketServer;
}

export const ws: Library = { name: 'ws', WebSocketServer: WsWebSocketServer };

export const upwire: Library = {
  name: 'upwire',
  // Whether ours really stands in for the class of `ws` is what the tests that use this are there to find out.
  WebSocketServer: WebSocketServer as unknown as typeof WsWebSocketServer,
};

export interface Pair {
  readonly server: WsWebSocketServer;
  /** The server's end. */
  readonly socket: WsWebSocket;
  /** The other end, which writes and reads bytes. */
  readonly client: RawClient;
}

export type Options = ConstructorParameters<typeof WsWebSocketServer>[0] & {
  // Newer than the types of `ws`.
  closeTimeout?: number;
  maxPendingAutoPongs?: number;
};

/** Starts a server on any free port. */
export async function listen(library: Library, options: Options = {}): Promise<WsWebSocketServer> {
  const server = new library.WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  return server;
}

/** The port that a server listens on. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`No port: ${address}`);
  return address.port;
}

/** Starts a server and connects a client to it; `prepare` sees the socket in the tick of its 'connection' event. */
export async function pair(
  library: Library,
  options: Options = {},
  prepare: (socket: WsWebSocket) => void = () => undefined,
  headers?: Record<string, string>,
): Promise<Pair> {
  const server = await listen(library, options);
  const opened = new Promise<WsWebSocket>((resolve) => {
    server.once('connection', (socket) => {
      prepare(socket);
      resolve(socket);
    });
  });
  const client = await RawClient.open(portOf(server), headers);
  return { server, socket: await opened, client };
}

/** Ends what a test has left open. */
export async function dispose({ server, client }: Pick<Pair, 'server' | 'client'>): Promise<void> {
  client.socket.destroy();
  for (const socket of server.clients ?? []) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
}

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ClientOptions } from '../../src/client-options';
import type { WebSocketBehavior } from '../../src/options';
import { WebSocketServer } from '../../src/server';
import type { ServerOptions } from '../../src/server-options';
import { WebSocket } from '../../src/websocket';
import { portOf } from './libraries';
import { RawClient } from './raw-client';
import type { Answer } from './raw-server';
import { RawServer } from './raw-server';

const cleanups: (() => unknown)[] = [];

/** Registers what is to be undone after the current test. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

// Every test file that uses the stage leaves it empty after each test.
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Closes a server with everything that is connected to it, whatever state it is in. */
export function strike(server: WebSocketServer): Promise<void> {
  for (const socket of server.clients ?? []) socket.terminate();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** A server of ours on any free port, gone after the test. */
export async function startServer(
  options: ServerOptions = {},
  behavior?: Partial<WebSocketBehavior>,
): Promise<WebSocketServer> {
  const server = new WebSocketServer(
    { port: 0, host: '127.0.0.1', ...options },
    undefined,
    behavior,
  );
  afterTest(() => strike(server));
  await once(server, 'listening');
  return server;
}

/** A client of bytes, gone after the test. */
export async function rawClient(server: Parameters<typeof portOf>[0]): Promise<RawClient> {
  const client = await RawClient.connect(portOf(server));
  afterTest(() => {
    client.socket.destroy();
    return client.closed;
  });
  return client;
}

/** What a server makes of one accepted handshake. */
export interface Connected {
  readonly server: WebSocketServer;
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly client: RawClient;
}

/** A server of ours and a client whose handshake it has accepted; `prepare` runs in its 'connection' listener. */
export async function connected(
  options: ServerOptions = {},
  prepare: (socket: WebSocket) => void = () => undefined,
  behavior?: Partial<WebSocketBehavior>,
  headers?: Record<string, string>,
): Promise<Connected> {
  const server = await startServer(options, behavior);
  const connection = new Promise<[WebSocket, IncomingMessage]>((resolve) => {
    server.once('connection', (socket: WebSocket, request: IncomingMessage) => {
      prepare(socket);
      resolve([socket, request]);
    });
  });
  const client = await RawClient.open(portOf(server), headers);
  afterTest(() => {
    client.socket.destroy();
    return client.closed;
  });
  const [socket, request] = await connection;
  return { server, socket, request, client };
}

/** Lets everything that is due run: promises, ticks, and what sockets have to tell. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A server of bytes, gone after the test. */
export async function startRawServer(answer: Answer): Promise<RawServer> {
  const server = await RawServer.listen(answer);
  afterTest(() => server.close());
  return server;
}

/** A client of ours, gone after the test, whatever becomes of it. */
export function startClient(url: string, options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(url, options);
  afterTest(() => {
    if (client.readyState === WebSocket.CONNECTING) client.on('error', () => undefined);
    client.terminate();
  });
  return client;
}

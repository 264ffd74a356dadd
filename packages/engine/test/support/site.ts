import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AnyServer, RouteKnowledge } from '../../src/upgrade/gate';
import { Gateway } from '../../src/upgrade/gateway';
import type { GatewayOptions } from '../../src/upgrade/options';
import type { Handshake, Route } from '../../src/upgrade/upgrade';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';
import type { FrameSpec } from './frames';
import { frame } from './frames';
import { RawClient, request } from './raw-client';

/** A framework in miniature: one function that answers every request. */
export type App = (request: IncomingMessage, response: ServerResponse) => void;

export interface SiteOptions extends GatewayOptions {
  /** What the framework knows of its routes beforehand. */
  readonly routes?: (request: IncomingMessage) => RouteKnowledge;
  /** Attaches other listeners before the gateway's. */
  readonly before?: (server: Server) => void;
  /** Attaches other listeners behind the gateway's. */
  readonly after?: (server: Server) => void;
}

/** A server with a gateway in front of an {@link App}. */
export interface Site {
  readonly server: Server;
  readonly gateway: Gateway;
  readonly port: number;
}

const cleanups: (() => unknown)[] = [];

/** Has something undone at the end of the test by {@link cleanUp}. */
export function later(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Undoes what a test has set up, the last thing first. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** Starts a server for an app. */
export async function openSite(app: App, options: SiteOptions = {}): Promise<Site> {
  const { routes = () => 'maybe', before, after, ...own } = options;
  const gateway = new Gateway({ dispatch: app, routes }, own);
  const server = createServer(app);
  before?.(server);
  gateway.attach(server);
  after?.(server);
  const port = await listen(server);
  later(() => {
    for (const webSocket of gateway.server.clients ?? []) webSocket.terminate();
  });
  return { server, gateway, port };
}

/** Listens on any free port; the server is closed at the end of the test. */
export async function listen(server: AnyServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

export function portOf(server: AnyServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}

/** A route whose errors fail the test unless it is told what to do with them. */
export function route(
  handle: (webSocket: WebSocket) => unknown,
  onError: Route['onError'] = unexpected,
): Route {
  return { authority: { secure: false, host: 'localhost' }, handle, onError };
}

function unexpected(error: unknown): void {
  process.emitWarning(`Unexpected in a test: ${String(error)}`);
}

/** An app that accepts every handshake and answers everything else with 404. */
export function accepting(
  handle: (webSocket: WebSocket, request: IncomingMessage) => unknown,
  onError?: Route['onError'],
): App {
  return (request, response) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) response.writeHead(404).end('nothing here');
    else upgrade.accept(route((webSocket) => handle(webSocket, request), onError));
  };
}

/** Calls `then` with what each request is as a handshake. */
export function withUpgrade(then: (upgrade: Handshake, response: ServerResponse) => void): App {
  return (request, response) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) response.end('a page');
    else then(upgrade, response);
  };
}

/** Connects a raw client, which goes away at the end of the test. */
export async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  later(() => client.socket.destroy());
  return client;
}

/** Connects, and sends a handshake. */
export async function knock(
  port: number,
  headers: Record<string, string | null> = {},
  line?: string,
): Promise<RawClient> {
  const client = await connect(port);
  client.write(request(headers, line));
  return client;
}

/** Sends a handshake and takes its 101. */
export async function enter(port: number, line?: string): Promise<RawClient> {
  const client = await knock(port, {}, line);
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
  return client;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The answer to the one request of a client, read until the server ends the connection. */
export async function answerOf(client: RawClient): Promise<Answer> {
  return parseAnswer(
    Buffer.concat([Buffer.from(await client.head(), 'latin1'), await client.rest()]),
  );
}

/** Takes an answer apart; its body may be chunked. */
export function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  const [line, ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((it) => [it.slice(0, it.indexOf(':')).toLowerCase(), it.slice(it.indexOf(':') + 2)]),
  );
  const raw = bytes.subarray(end + 4);
  const body = headers['transfer-encoding'] === 'chunked' ? unchunk(raw) : raw;
  return { status: Number(line.split(' ')[1]), headers, body: body.toString() };
}

function unchunk(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** A frame as a client sends it. */
export function masked(spec: FrameSpec): Buffer {
  return frame({ key: 0x0b1ade5c, ...spec });
}

/** A promise with the function that settles it. */
export function deferred<Value = void>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
} {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

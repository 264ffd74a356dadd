import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import type { Application } from 'express';
import express5 from 'express';
import express4 from 'express4';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { later, portOf } from '../../../engine/test/support/site';
import upwire from '../../src/index';

export type Express = typeof express5;
export type App = Application;

/**
 * Both major versions. What the tests use of them is alike, also where their types differ.
 *
 * The package finds Express 5, so that the routers of Express 4 get `ws` as those of any other copy do.
 */
export const VERSIONS: [name: string, express: Express][] = [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as Express],
];

export interface Site extends upwire.Instance<Application> {
  readonly server: Server;
  readonly port: number;
}

/** An application that listens on any free port until the end of the test. */
export async function openSite(
  express: Express,
  setUp: (app: Application, instance: upwire.Instance<Application>) => void,
  options?: upwire.Options,
): Promise<Site> {
  const instance = prepare(express, options);
  setUp(instance.app, instance);
  const server = instance.app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(server, instance);
  return { ...instance, server, port: portOf(server) };
}

/** An application with WebSocket routes, which listens to nobody yet. */
export function prepare(express: Express, options?: upwire.Options): upwire.Instance<Application> {
  const instance = upwire(express(), null, options);
  instance.applyTo(express.Router);
  return instance;
}

export function closeLater(server: Server, { getWss }: upwire.Instance<Application>): void {
  later(() => {
    server.close();
    server.closeAllConnections();
    for (const webSocket of getWss().clients ?? []) webSocket.terminate();
  });
}

/** The answer to a handshake. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of a refusal. */
  readonly body: string;
  /** Of an acceptance. */
  readonly client: Client;
}

/** A client of another library. */
export class Client {
  readonly webSocket: WebSocket;
  /** Code and reason of the end. */
  readonly closed: Promise<[code: number, reason: string]>;
  private readonly messages: string[] = [];
  private readonly waiting: ((message: string) => void)[] = [];

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    this.closed = new Promise((resolve) => {
      webSocket.once('close', (code, reason) => resolve([code, String(reason)]));
    });
    webSocket.on('message', (data) => {
      const resume = this.waiting.shift();
      if (resume === undefined) this.messages.push(String(data));
      else resume(String(data));
    });
    later(() => webSocket.terminate());
  }

  send(text: string): void {
    this.webSocket.send(text);
  }

  /** The next message. */
  async message(): Promise<string> {
    return this.messages.shift() ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Sends a message and takes the next one. */
  async ask(text: string): Promise<string> {
    this.send(text);
    return this.message();
  }
}

export interface DialOptions extends ClientOptions {
  readonly scheme?: 'ws' | 'wss';
  readonly subprotocols?: string[];
}

/** Tries to open a WebSocket. */
export async function dial(port: number, path: string, options: DialOptions = {}): Promise<Answer> {
  const { scheme = 'ws', subprotocols = [], ...own } = options;
  const webSocket = new WebSocket(`${scheme}://127.0.0.1:${port}${path}`, subprotocols, own);
  const client = new Client(webSocket);
  return new Promise((resolve, reject) => {
    webSocket.once('upgrade', ({ statusCode = 0, headers }) =>
      resolve({ status: statusCode, headers, body: '', client }),
    );
    webSocket.once('unexpected-response', async (_request, response: IncomingMessage) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body, client });
    });
    webSocket.on('error', reject);
  });
}

/** Opens a WebSocket. */
export async function open(port: number, path: string, options?: DialOptions): Promise<Client> {
  const { status, body, client } = await dial(port, path, options);
  if (status !== 101) throw new Error(`${path} was refused: ${status} ${body}`);
  return client;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Gets a page as a browser would. */
export async function get(port: number, path: string, init?: RequestInit): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

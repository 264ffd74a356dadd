import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { ClientOptions } from 'ws';
import { WebSocket } from 'ws';
import { CLOSE, TEXT } from '../../engine/test/support/frames';
import { RawClient, request } from '../../engine/test/support/raw-client';
import { later, masked } from '../../engine/test/support/site';
import type { Address } from './address';

/** A server's address; a mere port is HTTP on 127.0.0.1. */
export type Target = Address | number;

/** The answer to a handshake. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of a refusal. */
  readonly body: string;
  /** Of an acceptance. */
  readonly client: Client;
}

/** A client of another library. It goes away at the end of the test. */
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
  readonly subprotocols?: string[];
}

/** Tries to open a WebSocket. */
export async function dial(
  target: Target,
  path: string,
  options: DialOptions = {},
): Promise<Answer> {
  const { subprotocols = [], ...own } = options;
  const webSocket = new WebSocket(webSocketUrl(addressOfTarget(target), path), subprotocols, {
    rejectUnauthorized: false,
    ...own,
  });
  const client = new Client(webSocket);
  return new Promise((resolve, reject) => {
    webSocket.once('upgrade', ({ statusCode = 0, headers }) =>
      resolve({ status: statusCode, headers, body: '', client }),
    );
    webSocket.once('unexpected-response', (_request, response: IncomingMessage) => {
      textOf(response).then(
        (body) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, client }),
        reject,
      );
    });
    webSocket.on('error', reject);
  });
}

/** Opens a WebSocket. */
export async function open(target: Target, path: string, options?: DialOptions): Promise<Client> {
  const { status, body, client } = await dial(target, path, options);
  if (status !== 101) throw new Error(`${path} was refused: ${status} ${body}`);
  return client;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface PageRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Gets a page; follows no redirect. */
export async function get(target: Target, path: string, init: PageRequest = {}): Promise<Page> {
  const { transport, port, socketPath } = addressOfTarget(target);
  const options = {
    ...(socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath }),
    path,
    method: init.method ?? 'GET',
    // As browsers ask; the connection ends behind the answer all the same.
    headers: { Connection: 'keep-alive', ...init.headers },
    agent: false as const,
    rejectUnauthorized: false,
  };
  return new Promise((resolve, reject) => {
    const outgoing = transport === 'https' ? httpsRequest(options) : httpRequest(options);
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const headers = new Headers();
      const { rawHeaders } = response;
      for (let at = 0; at < rawHeaders.length; at += 2)
        headers.append(rawHeaders[at], rawHeaders[at + 1]);
      textOf(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers, body }),
        reject,
      );
    });
    outgoing.end();
  });
}

/** Connects a client of bytes, which goes away at the end of the test. */
export async function connectTo(target: Target): Promise<RawClient> {
  const { transport, port, socketPath } = addressOfTarget(target);
  const where = socketPath === undefined ? { host: '127.0.0.1', port } : { path: socketPath };
  const client =
    transport === 'https'
      ? await RawClient.over(
          connectSecurely({ ...where, rejectUnauthorized: false }),
          'secureConnect',
        )
      : await RawClient.over(connect(where));
  later(() => client.socket.destroy());
  return client;
}

/** Connects, and sends a handshake for a path. */
export async function knockAt(
  target: Target,
  path: string,
  headers: Record<string, string | null> = {},
): Promise<RawClient> {
  const client = await connectTo(target);
  client.write(request(headers, `GET ${path} HTTP/1.1`));
  return client;
}

/** Sends a handshake and takes its 101. */
export async function enterAt(target: Target, path: string): Promise<RawClient> {
  const client = await knockAt(target, path);
  const head = await client.head();
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`The handshake was refused: ${head}`);
  return client;
}

/** Opens a WebSocket, sends a message, and takes all that comes as frames, in hexadecimal digits, until the end. */
export async function framesBehind101(target: Target, path: string): Promise<string[]> {
  const client = await enterAt(target, path);
  client.write(masked({ opcode: TEXT, payload: 'hi' }));
  const frames: string[] = [];
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    frames.push(`${frame.first.toString(16)} ${frame.payload.toString('hex')}`);
    if (frame.first === 0x88) client.write(masked({ opcode: CLOSE, payload: frame.payload }));
  }
  return frames;
}

function addressOfTarget(target: Target): Address {
  return typeof target === 'number' ? { transport: 'http', port: target } : target;
}

function webSocketUrl({ transport, port, socketPath }: Address, path: string): string {
  if (socketPath !== undefined) return `ws+unix://${socketPath}:${path}`;
  return `${transport === 'https' ? 'wss' : 'ws'}://127.0.0.1:${port}${path}`;
}

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of message) text += chunk;
  return text;
}

/** The vocabulary of the opening handshake's part of the table. */
import type { ClientOptions } from '../../src/client-options';
import type { ServerOptions } from '../../src/server-options';
import { request } from '../support/raw-client';

/** Which of our servers: `WebSocketServer`, or the gateway in front of every adapter. */
export type ServerKind = 'server' | 'gateway';

/** What a raw client asks, and what it must be answered. */
export interface ServerHandshake {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly title: string;
  /** The request's bytes. */
  readonly request: string;
  /** Of a `WebSocketServer`. */
  readonly options?: ServerOptions;
  /** The status that each answers with; where one is missing, the case is not about it. */
  readonly status: Readonly<Partial<Record<ServerKind, number>>>;
  /** Headers of the answer, by names in lower case; `null` for one that must not be there. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** What our client asks, what a raw server answers, and what becomes of it. */
export interface ClientHandshake {
  readonly id: string;
  readonly clauses: readonly string[];
  readonly title: string;
  readonly protocols?: readonly string[];
  readonly options?: ClientOptions;
  /** What the request must say, line by line. */
  readonly asks?: readonly RegExp[];
  /** The answer's lines, without those that end it; `ACCEPT` stands for the value that the key asks for. */
  readonly answer?: readonly string[];
  /** What the client then is: open, with this subprotocol and these extensions, or failed with this error. */
  readonly outcome: ClientOutcome;
}

export type ClientOutcome =
  | { readonly protocol: string; readonly extensions: string }
  | { readonly error: string };

/** A handshake that each server accepts, but for some headers; `null` leaves one out. */
export const ask = request;

/** The same with another line behind the last header. */
export function askAlso(headers: Record<string, string | null>, ...lines: string[]): string {
  return request(headers).replace(/\r\n$/, `${lines.map((line) => `${line}\r\n`).join('')}\r\n`);
}

export const REQUEST_LINE = 'GET / HTTP/1.1';

/** The lines of a 101 that each client accepts. */
export const ACCEPTANCE: readonly string[] = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: ACCEPT',
];

/** The same with others in the place of those that begin alike, or behind them. */
export function acceptance(...lines: string[]): string[] {
  const name = (line: string): string => line.split(/[:\s]/, 1)[0].toLowerCase();
  const own = new Set(lines.map(name));
  const all = [...ACCEPTANCE.filter((line) => !own.has(name(line))), ...lines];
  const isStatus = (line: string): boolean => line.startsWith('HTTP/');
  return [...all.filter(isStatus), ...all.filter((line) => !isStatus(line))];
}

export const OPEN: ClientOutcome = { protocol: '', extensions: '' };

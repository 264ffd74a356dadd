import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { debuglog } from 'node:util';
import type { Refusal } from './handshake/refusal';
import { show } from './handshake/show';
import type { Role } from './protocol/connection';
import type { WebSocketServer } from './server';
import type { WebSocket } from './websocket';

/** What subscribers of the channel `upwire:open` are given: a WebSocket is open. */
export interface OpenMessage {
  readonly role: 'server' | 'client';
  readonly webSocket: WebSocket;
  /** Of a server's or gateway's WebSocket: its server. */
  readonly server: WebSocketServer | undefined;
  /** Of a server's or gateway's WebSocket: the request of its handshake. */
  readonly request: IncomingMessage | undefined;
}

/** What subscribers of the channel `upwire:close` are given: a WebSocket that was open has ended. */
export interface CloseMessage {
  readonly role: 'server' | 'client';
  readonly webSocket: WebSocket;
  readonly server: WebSocketServer | undefined;
  /** As `'close'` tells them, which may come later. */
  readonly code: number;
  readonly reason: string;
}

/** What subscribers of the channel `upwire:refuse` are given: a server or gateway has not let a client in. */
export interface RefuseMessage {
  readonly server: WebSocketServer;
  readonly request: IncomingMessage;
  /** Of the answer; `undefined` where a `wsClientError` listener is to give it. */
  readonly status: number | undefined;
  /** What the answer says, where it is ours: `''` where the application gave it. */
  readonly message: string;
  /** The clause that the request breaks, such as `RFC 6455 4.2.1 (5)`; `''` where it breaks none. */
  readonly rule: string;
}

/** What subscribers of the channel `upwire:error` are given. */
export interface ErrorMessage {
  /**
   * A fault of the peer, which has a `code`; the reason why a client could not connect; or what a listener, handler or
   * option function of the application's has thrown.
   */
  readonly error: unknown;
  readonly role: 'server' | 'client';
  /** `undefined` before there is one. */
  readonly webSocket: WebSocket | undefined;
  readonly server: WebSocketServer | undefined;
  /** Where there is no WebSocket yet, but a handshake. */
  readonly request: IncomingMessage | undefined;
}

// Subscribers are called at once. What one throws is the process's in a tick of its own, by Node.
const open = channel('upwire:open');
const close = channel('upwire:close');
const refuse = channel('upwire:refuse');
const error = channel('upwire:error');

/** Lines for `NODE_DEBUG=upwire`. */
const log = debuglog('upwire');

export function observeOpen(
  role: Role,
  webSocket: WebSocket,
  server: WebSocketServer | undefined,
  request: IncomingMessage | undefined,
): void {
  if (open.hasSubscribers) {
    open.publish({ role, webSocket, server, request } satisfies OpenMessage);
  }
  if (log.enabled) log('open %s %s', role, request ? pathOf(request) : addressOf(webSocket));
}

export function observeClose(
  role: Role,
  webSocket: WebSocket,
  server: WebSocketServer | undefined,
  code: number,
  reason: Buffer,
): void {
  if (close.hasSubscribers) {
    const text = reason.toString();
    close.publish({ role, webSocket, server, code, reason: text } satisfies CloseMessage);
  }
  if (log.enabled) log('close %s %d %s', role, code, show(reason.toString()));
}

/** @param status of the answer; `undefined` where it is the application's to give */
export function observeRefusal(
  server: WebSocketServer,
  request: IncomingMessage,
  status: number | undefined,
  refusal: Refusal | undefined,
): void {
  const { message = '', rule = '' } = refusal ?? {};
  if (refuse.hasSubscribers) {
    refuse.publish({ server, request, status, message, rule } satisfies RefuseMessage);
  }
  if (log.enabled) log('refuse %s %s %s %s', pathOf(request), status, show(message), rule);
}

export function observeError(message: ErrorMessage): void {
  if (error.hasSubscribers) error.publish(message);
  if (log.enabled) log('error %s %s', message.role, describeError(message.error));
}

/** Without its query, which may hold secrets. */
function pathOf({ url = '' }: IncomingMessage): string {
  return show(withoutQuery(url));
}

/** Without query and credentials. */
function addressOf({ url }: WebSocket): string {
  return url === undefined ? '' : withoutQuery(url).replace(/\/\/[^/@]*@/, '//');
}

function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return show(thrown);
  const { code } = thrown as NodeJS.ErrnoException;
  return code === undefined ? String(thrown) : `${String(thrown)} (${code})`;
}

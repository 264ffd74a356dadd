import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Header, Refusal } from './handshake/refusal';
import { refusalHeaders, serializeRefusal } from './handshake/refusal';
import { endLingering } from './io/linger';

/** How a handshake is answered: by the server itself on the bare socket, or by the framework's response. */
export interface HandshakeReply {
  /** The client's socket; `null` where it is gone. */
  readonly socket: Duplex | null;
  /** Answers anything but 101 and closes the connection. */
  refuse(refusal: Refusal): void;
  /**
   * Answers 101.
   *
   * @param headers the response's, in order
   * @param accepted called when the socket is free of the response; never, when the client has gone
   */
  accept(headers: readonly Header[], accepted: (socket: Duplex) => void): void;
}

const STATUS_LINE = 'HTTP/1.1 101 Switching Protocols';

/** Answers on the socket, as `ws` does: the 101 is written and the socket taken in the same tick. */
export class SocketReply implements HandshakeReply {
  readonly socket: Duplex;

  constructor(socket: Duplex) {
    this.socket = socket;
  }

  refuse(refusal: Refusal): void {
    if (this.socket.writable) endLingering(this.socket, serializeRefusal(refusal));
    else this.socket.destroy();
  }

  accept(headers: readonly Header[], accepted: (socket: Duplex) => void): void {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${STATUS_LINE}\r\n${lines.join('')}\r\n`, 'latin1');
    accepted(this.socket);
  }
}

/** What earlier middleware may have said of a body that our answer does not have (RFC 9112 6.1, 6.2). */
export const BODY_HEADERS: readonly string[] = [
  'Content-Length',
  'Content-Type',
  'Content-Encoding',
  'Transfer-Encoding',
  'Trailer',
  'ETag',
  'Last-Modified',
];

/** How a framework answers that has hooks of its own in front of its responses. */
export interface FrameworkAnswers {
  /**
   * Ends the response, whose status is 101 by then. The hooks may take their time, and may still make another answer
   * of it.
   * @defaultValue `response.end()`
   */
  readonly respond?: (() => void) | undefined;
  /**
   * Answers a refusal.
   * @defaultValue the same by the response itself
   */
  readonly refuse?:
    | ((status: number, headers: readonly Header[], body: string | Uint8Array) => void)
    | undefined;
}

/**
 * Answers by the framework's own response, so that whatever hooks into responses (sessions, loggers, security headers)
 * sees the 101 as an ordinary one. The socket is taken when the response has finished.
 */
export class ResponseReply implements HandshakeReply {
  private readonly response: ServerResponse;
  private readonly framework: FrameworkAnswers;

  constructor(response: ServerResponse, framework: FrameworkAnswers = {}) {
    this.response = response;
    this.framework = framework;
  }

  get socket(): Duplex | null {
    return this.response.socket;
  }

  refuse(refusal: Refusal): void {
    const { response, framework } = this;
    // Somebody else was faster, such as the handshake's time-out.
    if (response.headersSent || response.writableEnded) return;
    const { status, message, body = message } = refusal;
    answerOnce(response);
    if (framework.refuse !== undefined) {
      framework.refuse(status, refusalHeaders(refusal), body);
    } else {
      begin(response, status, refusalHeaders(refusal));
      response.end(body);
    }
  }

  accept(headers: readonly Header[], accepted: (socket: Duplex) => void): void {
    const { response, framework } = this;
    const { socket } = response;
    // The client has gone, and its response tells whoever wants to know; or somebody else was faster.
    if (socket === null || response.headersSent || response.writableEnded) return;
    answerOnce(response);
    response.once('finish', () => {
      // What hooks into responses may have made another answer of it.
      if (response.statusCode !== 101 || response.socket !== socket || socket.destroyed) return;
      releaseSocket(response);
      silence(response);
      accepted(socket);
    });
    if (framework.respond === undefined) {
      begin(response, 101, headers);
      response.end();
    } else {
      beginWithHead(response, headers);
      framework.respond();
    }
  }
}

/**
 * What the handshake or a refusal says of itself stands alone; others, cookies first of all, stand beside what the
 * application's middleware has set.
 */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  ...BODY_HEADERS.map((name) => name.toLowerCase()),
  'connection',
  'upgrade',
  'allow',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'sec-websocket-version',
]);

function begin(response: ServerResponse, status: number, headers: readonly Header[]): void {
  for (const name of BODY_HEADERS) response.removeHeader(name);
  response.statusCode = status;
  for (const [name, value] of headers) {
    if (SINGLE_HEADERS.has(name.toLowerCase())) response.setHeader(name, value);
    else response.appendHeader(name, value);
  }
}

/**
 * Begins a 101 at the last moment, when its head is written: until then the framework may make another answer of it,
 * which must not speak of an upgrade.
 */
function beginWithHead(response: ServerResponse, headers: readonly Header[]): void {
  const { writeHead } = response;
  response.statusCode = 101;
  const begins = (status: number, ...rest: unknown[]): ServerResponse => {
    response.writeHead = writeHead;
    if (status !== 101) return Reflect.apply(writeHead, response, [status, ...rest]);
    // Ours come last, for the head's own fields stand before those of the response.
    setFields(response, rest.at(-1));
    begin(response, 101, headers);
    return writeHead.call(response, 101);
  };
  // It takes whatever its overloads take.
  response.writeHead = begins as ServerResponse['writeHead'];
}

/** Sets fields as `writeHead` is given them: an object, or names and values in turn. */
export function setFields(response: ServerResponse, fields: unknown): void {
  if (Array.isArray(fields)) {
    const names = fields.filter((_, index) => index % 2 === 0);
    for (const name of names) response.removeHeader(name);
    for (const [index, name] of names.entries()) {
      response.appendHeader(name, fields[2 * index + 1]);
    }
  } else if (typeof fields === 'object' && fields !== null) {
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  }
}

/**
 * Takes the socket from a response that is over, as Node does of every response: `'close'` follows in the next tick.
 *
 * @returns the socket; `null` where it is gone
 */
export function releaseSocket(response: ServerResponse): Duplex | null {
  const { socket } = response;
  if (socket === null) return null;
  response.detachSocket(socket);
  process.nextTick(() => {
    response.destroyed = true;
    response.emit('close');
  });
  return socket;
}

const kAnswer = Symbol('upwire.answer');

type Method = (...args: unknown[]) => unknown;

/** An answer of ours. */
interface Answer {
  /** The response's methods, as they were before; `undefined` behind a 101: nothing more is sent, and nothing is refused. */
  readonly own: Readonly<Record<string, Method>> | undefined;
}

const SILENT: Answer = { own: undefined };

type AnsweredResponse = ServerResponse & { [kAnswer]?: Answer };

// Functions that all responses share, and assigned one by one: with closures of its own or in a loop, each response becomes
// an object of a kind of its own, which took a fifth of a handshake through Express (ADR 27).

function once(
  name: string,
  over: 'headersSent' | 'writableEnded',
  result: (response: ServerResponse) => unknown,
): Method {
  return function once(this: AnsweredResponse, ...args: unknown[]): unknown {
    const own = this[kAnswer]?.own;
    if (own === undefined || this[over]) return result(this);
    return Reflect.apply(own[name], this, args);
  };
}

const itself = (response: ServerResponse): unknown => response;
const nothing = (): unknown => undefined;
const setHeaderOnce = once('setHeader', 'headersSent', itself);
const appendHeaderOnce = once('appendHeader', 'headersSent', itself);
const removeHeaderOnce = once('removeHeader', 'headersSent', nothing);
const writeHeadOnce = once('writeHead', 'headersSent', itself);
const flushHeadersOnce = once('flushHeaders', 'headersSent', nothing);
const writeOnce = once('write', 'writableEnded', () => true);
const endOnce = once('end', 'writableEnded', itself);

/**
 * Makes a response that we answer, perhaps in the application's place and with that still at work, take a second answer
 * and send nothing of it. Node would throw, in whatever callback the application has come to by then.
 */
function answerOnce(response: AnsweredResponse): void {
  if (response[kAnswer] !== undefined) return;
  // They are called with just what they are given.
  const own = response as unknown as Record<string, Method>;
  const { setHeader, appendHeader, removeHeader, writeHead, flushHeaders, write, end } = own;
  const before = { setHeader, appendHeader, removeHeader, writeHead, flushHeaders, write, end };
  response[kAnswer] = { own: before };
  own.setHeader = setHeaderOnce;
  own.appendHeader = appendHeaderOnce;
  own.removeHeader = removeHeaderOnce;
  own.writeHead = writeHeadOnce;
  own.flushHeaders = flushHeadersOnce;
  own.write = writeOnce;
  own.end = endOnce;
}

const NOT_SENT: PropertyDescriptor = { value: false, configurable: true, writable: true };

/**
 * Makes a response whose 101 has left take whatever is written to it and send nothing: an error handler that answers
 * a failed WebSocket handler with a page must neither fail nor reach the frames.
 */
function silence(response: AnsweredResponse): void {
  if (response[kAnswer] !== undefined) response[kAnswer] = SILENT;
  Object.defineProperty(response, 'headersSent', NOT_SENT);
}

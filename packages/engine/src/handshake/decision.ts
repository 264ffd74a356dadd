import type { OutgoingHttpHeaders } from 'node:http';
import type { WebSocketOptions } from '../options';
import { isWebSocketOption } from '../options';
import type { Header, Refusal } from './refusal';
import { createRefusal, headerEntries, isSendable } from './refusal';
import { show } from './show';

/** `onUpgrade` accepts. */
export interface UpgradeAcceptance {
  /** What becomes `webSocket.data`. */
  data?: unknown;
  /** More headers of the 101. Those of the handshake itself are not to be changed. */
  headers?: OutgoingHttpHeaders | Headers | undefined;
  /**
   * One of the subprotocols that the client offers.
   * @defaultValue what `handleProtocols` picks, or the first one offered
   */
  protocol?: string | undefined;
  /** Options of this one WebSocket, which go before the server's. */
  options?: WebSocketOptions | undefined;
}

/** `onUpgrade` refuses, with an HTTP response. */
export interface UpgradeRefusal {
  /** 400 to 599, or with a `Location` 300 to 399, but not 304. */
  status: number;
  /** They go before those that every refusal has, but do not change how long the body is. */
  headers?: OutgoingHttpHeaders | Headers | undefined;
  /** Text is sent as `text/plain` unless the headers say otherwise. @defaultValue the status code's reason phrase */
  body?: string | Uint8Array | undefined;
}

/**
 * What `onUpgrade` may come to: `undefined` and `true` accept, `false` refuses with 403. A `Response` of the Web is a
 * refusal; its body is read.
 */
export type UpgradeDecision = undefined | boolean | UpgradeAcceptance | UpgradeRefusal | Response;

/** A checked {@link UpgradeAcceptance}. */
export interface Acceptance {
  readonly data: unknown;
  readonly headers: readonly Header[];
  readonly protocol: string | undefined;
  /** Their names are checked, their values are not. */
  readonly options: WebSocketOptions | undefined;
}

/** Nothing was said but that the client may come in. */
export const ACCEPTED: Acceptance = {
  data: undefined,
  headers: [],
  protocol: undefined,
  options: undefined,
};

const FORBIDDEN = createRefusal(403);

const ANSWERED = 'The option "onUpgrade" answered';
/** How an error begins that is about a part of the answer. */
const ACCEPTED_WITH = `${ANSWERED} the`;
const REFUSED_WITH = 'The option "onUpgrade" refused with the';

const ACCEPTANCE_NAMES: readonly string[] = ['data', 'headers', 'protocol', 'options'];
const REFUSAL_NAMES: readonly string[] = ['status', 'headers', 'body'];

/**
 * Reads a decision. Whatever is not clearly one lets nobody in.
 *
 * @param offered the subprotocols of the client
 * @returns the acceptance, or the refusal, or a promise of the refusal, which may reject
 * @throws TypeError or RangeError that says what is wrong with the answer
 */
export function readDecision(
  answer: unknown,
  offered: ReadonlySet<string>,
): Acceptance | Refusal | Promise<Refusal> {
  if (answer === undefined || answer === true) return ACCEPTED;
  if (answer === false) return FORBIDDEN;
  if (isResponse(answer)) return refusalOfResponse(answer);
  if (!isPlainObject(answer)) {
    // Not with its stack.
    const shown = answer instanceof Error ? String(answer) : show(answer);
    throw new TypeError(
      `${ANSWERED} ${shown}; it must be undefined, a boolean, a plain object or a Response`,
    );
  }
  const given = Object.entries(answer).filter(([, value]) => value !== undefined);
  const fields: Record<string, unknown> = Object.fromEntries(given);
  return 'status' in fields ? readRefusal(fields) : readAcceptance(fields, offered);
}

/** Whether a decision is a refusal. */
export function isRefusal(decision: Acceptance | Refusal): decision is Refusal {
  return 'status' in decision;
}

// ---- accepting

function readAcceptance(fields: Record<string, unknown>, offered: ReadonlySet<string>): Acceptance {
  checkNames(fields, ACCEPTANCE_NAMES);
  const { data, headers, protocol, options } = fields;
  if (protocol !== undefined && !(typeof protocol === 'string' && offered.has(protocol))) {
    throw new TypeError(
      `${ACCEPTED_WITH} protocol ${show(protocol)}, which the client did not offer (RFC 6455 4.2.2)`,
    );
  }
  if (options !== undefined) checkOptions(options);
  return { data, headers: acceptanceHeaders(headers), protocol, options };
}

/** What a 101 says of itself, or of a body that it does not have (RFC 9110 8.6, RFC 9112 6.1). */
const HANDSHAKE_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
]);

function acceptanceHeaders(headers: unknown): Header[] {
  const lines = linesOf(headers, ACCEPTED_WITH);
  const own = lines.find(([name]) => HANDSHAKE_HEADERS.has(name.toLowerCase()));
  if (own !== undefined) {
    throw new TypeError(`${ACCEPTED_WITH} header ${show(own[0])}, which is the handshake's own`);
  }
  return checkLines(lines, 0, ACCEPTED_WITH);
}

function checkOptions(options: unknown): asserts options is WebSocketOptions {
  if (!isPlainObject(options)) {
    throw new TypeError(`${ACCEPTED_WITH} options ${show(options)}; they must be a plain object`);
  }
  const unknown = Object.keys(options).find((name) => !isWebSocketOption(name));
  if (unknown === undefined) return;
  throw new TypeError(`${ACCEPTED_WITH} option ${show(unknown)}, which no WebSocket has`);
}

// ---- refusing

function readRefusal(fields: Record<string, unknown>): Refusal {
  checkNames(fields, REFUSAL_NAMES);
  const { status, body } = fields;
  const lines = linesOf(fields.headers, REFUSED_WITH);
  checkStatus(status, lines);
  if (body === undefined) {
    const refusal = createRefusal(status);
    return {
      ...refusal,
      headers: checkLines(lines, Buffer.byteLength(refusal.message), REFUSED_WITH),
    };
  }
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError(`${REFUSED_WITH} body ${show(body)}; it must be a string or a Uint8Array`);
  }
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
  if (!has(lines, 'content-type')) lines.unshift(['Content-Type', type]);
  return refusalWith(status, lines, Buffer.from(body));
}

function refusalWith(status: number, lines: Line[], body: Uint8Array): Refusal {
  return {
    status,
    message: '',
    body,
    headers: checkLines(lines, body.length, REFUSED_WITH),
    rule: '',
  };
}

function checkStatus(status: unknown, lines: Line[]): asserts status is number {
  if (typeof status === 'number' && Number.isInteger(status)) {
    if (status >= 400 && status <= 599) return;
    // RFC 9110 15.4.5: 304 speaks of a copy that the client has, and nobody has a copy of this.
    const redirects = status >= 300 && status <= 399 && status !== 304;
    if (redirects && has(lines, 'location')) return;
  }
  throw new RangeError(
    `${REFUSED_WITH} status code ${show(status)}; it must be 400 to 599, or 300 to 399 with a Location header`,
  );
}

/** What is about one connection and its framing, and not about the answer (RFC 9110 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

async function refusalOfResponse(response: Response): Promise<Refusal> {
  // Of a response that was fetched, the body is decoded, whatever its headers say.
  const fetched = response.url !== '';
  const lines = linesOf(response.headers, REFUSED_WITH).filter(([name]) => {
    const field = name.toLowerCase();
    return !HOP_BY_HOP.has(field) && !(fetched && field === 'content-encoding');
  });
  checkStatus(response.status, lines);
  return refusalWith(response.status, lines, new Uint8Array(await response.arrayBuffer()));
}

/** A `Response`, be it Node's own or that of a package. */
function isResponse(answer: unknown): answer is Response {
  if (typeof answer !== 'object' || answer === null) return false;
  const { status, headers, arrayBuffer }: Partial<Response> = answer;
  return (
    typeof status === 'number' && typeof arrayBuffer === 'function' && isHeadersOfTheWeb(headers)
  );
}

// ---- what both have

function checkNames(fields: object, names: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `${ANSWERED} an object with ${show(unknown)}; it has ${ACCEPTANCE_NAMES.join(', ')} to accept, ` +
      `or ${REFUSAL_NAMES.join(', ')} to refuse`,
  );
}

/** Of any realm. Anything else, such as an `Error`, would be taken for an acceptance that says nothing. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

type Line = [name: string, value: unknown];

function linesOf(headers: unknown, start: string): Line[] {
  if (headers === undefined) return [];
  if (isHeadersOfTheWeb(headers)) return [...headers];
  if (isPlainObject(headers)) return headerEntries(headers);
  const text = `${start} headers ${show(headers)}; they must be a plain object or Headers`;
  throw new TypeError(text);
}

function isHeadersOfTheWeb(headers: unknown): headers is Headers {
  return typeof (headers as Partial<Headers> | null | undefined)?.getSetCookie === 'function';
}

/** Nothing in a header can end its line or begin another. */
function checkLines(lines: Line[], length: number, start: string): Header[] {
  const wrong = lines.find(([name, value]) => !isSendable(name, value, length));
  if (wrong !== undefined) {
    const text = `${start} header ${show(wrong[0])}: ${show(wrong[1])}, which cannot be sent`;
    throw new TypeError(text);
  }
  return lines.map(([name, value]): Header => [name, String(value)]);
}

function has(lines: Line[], field: string): boolean {
  return lines.some(([name]) => name.toLowerCase() === field);
}

import { STATUS_CODES } from 'node:http';
import { show } from './show';
import { isFieldValue, isToken } from './tokens';

/** One line of a response's head. */
export type Header = readonly [name: string, value: string];

/** The answer to a handshake that is not accepted. */
export interface Refusal {
  /** The status code of the response, 200 to 599. */
  readonly status: number;
  /** The body of the response, unless there is {@link body}. */
  readonly message: string;
  /** The body as bytes. What they are, the headers say or nobody does. */
  readonly body?: Uint8Array | undefined;
  /** What the response says beside the headers every refusal has; see {@link refusalHeaders}. */
  readonly headers: readonly Header[];
  /** The clause that was broken, such as `RFC 6455 4.2.1 (5)`; `''` where no clause but the application refused. */
  readonly rule: string;
}

/** A refusal. Without a message, or with an empty one, its body is the status code's reason phrase. */
export function createRefusal(
  status: number,
  message = '',
  rule = '',
  headers: readonly Header[] = [],
): Refusal {
  return { status, message: message === '' ? reasonPhrase(status) : message, headers, rule };
}

/** `unknown` where the status code has no registered phrase, as in Node's own responses. */
function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? 'unknown';
}

/** An application's refusal and, where it could not be sent as it is, the reason why. */
export interface ApplicationRefusal {
  /** What to send: the application's refusal, or a bare 500. */
  readonly refusal: Refusal;
  /** The application's mistake, to be reported to it; `null` where there is none. */
  readonly error: TypeError | RangeError | null;
}

/**
 * The refusal an application asked for, as in `verifyClient`'s callback `(result, code, message, headers)`.
 * Nothing in it can end a line of the response's head or begin another. A wrong one throws nothing here, for a client
 * is waiting: the answer becomes 500 and the error comes with it.
 *
 * @param status - 200 to 599, default 401
 * @param message - the body, default the status code's reason phrase
 * @param headers - an object of strings, numbers and lists of them (a line each), default none; they win over those
 *   every refusal has, but do not change how long the body is
 * @param option - the option that asked for it, for the error text
 */
export function applicationRefusal(
  status: unknown,
  message: unknown,
  headers: unknown,
  option = 'verifyClient',
): ApplicationRefusal {
  const start = `The option "${option}" refused with the`;
  const code = status ?? 401;
  if (!isFinalStatus(code)) {
    const text = `${start} status code ${show(code)}; it must be an integer from 200 to 599`;
    return mistake(new RangeError(text));
  }
  const body = message ?? '';
  if (typeof body !== 'string') {
    const text = `${start} message ${show(body)}; it must be a string`;
    return mistake(new TypeError(text));
  }
  if (!isHeadersObject(headers)) {
    const text = `${start} headers ${show(headers)}; they must be a plain object`;
    return mistake(new TypeError(text));
  }
  const refusal = createRefusal(code, body);
  const lines = headerEntries(headers);
  const length = Buffer.byteLength(refusal.message);
  const wrong = lines.find(([name, value]) => !isSendable(name, value, length));
  if (wrong !== undefined) {
    const text = `${start} header ${show(wrong[0])}: ${show(wrong[1])}, which cannot be sent`;
    return mistake(new TypeError(text));
  }
  const own = lines.map(([name, value]): Header => [name, String(value)]);
  return { refusal: { ...refusal, headers: own }, error: null };
}

function mistake(error: TypeError | RangeError): ApplicationRefusal {
  return { refusal: createRefusal(500), error };
}

/** 1xx would not be the last answer (RFC 9110 15.2), and 101 would be the very opposite of a refusal. */
function isFinalStatus(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && code >= 200 && code <= 599;
}

/** A list, a `Map` or a `Headers` would lose its content when taken for an object of headers. */
function isHeadersObject(headers: unknown): headers is object | null | undefined {
  if (headers === undefined || headers === null) return true;
  return typeof headers === 'object' && !(Symbol.iterator in headers);
}

/** One entry for each line; a header that is `undefined` is none. */
export function headerEntries(
  headers: object | null | undefined,
): [name: string, value: unknown][] {
  const given = Object.entries(headers ?? {}).filter(([, values]) => values !== undefined);
  return given.flatMap(([name, values]: [string, unknown]) =>
    (Array.isArray(values) ? values : [values]).map((value): [string, unknown] => [name, value]),
  );
}

/** Whether a header is one, and leaves the length of the body as it is (RFC 9112 6.3). */
export function isSendable(name: string, value: unknown, length: number): boolean {
  if (typeof value !== 'string' && typeof value !== 'number') return false;
  if (!isToken(name) || !isFieldValue(String(value))) return false;
  const field = name.toLowerCase();
  if (field === 'content-length') return String(value) === String(length);
  return field !== 'transfer-encoding';
}

/**
 * The whole head of a refusal: `Connection: close`, `Content-Type`, `Content-Length`, then its own headers, which
 * win over the first two. The body is HTML, as `ws` sends it, only where it holds nothing that HTML would take for
 * markup; elsewhere it is plain text, so that what it quotes of a request stays text.
 */
export function refusalHeaders(refusal: Refusal): Header[] {
  const { message, body } = refusal;
  const type = /[<&]/.test(message) ? 'text/plain; charset=utf-8' : 'text/html';
  const common: Header[] = [
    ['Connection', 'close'],
    ...(body === undefined ? [['Content-Type', type] as const] : []),
    ['Content-Length', String(Buffer.byteLength(body ?? message))],
  ];
  const own = refusal.headers.filter(([name]) => name.toLowerCase() !== 'content-length');
  const named = new Set(own.map(([name]) => name.toLowerCase()));
  return [...common.filter(([name]) => !named.has(name.toLowerCase())), ...own];
}

/**
 * The bytes of a refusal, for a socket that no framework answers on: head in latin1, as Node writes it, body in
 * UTF-8. The socket is to be closed behind them.
 */
export function serializeRefusal(refusal: Refusal): Buffer {
  const lines = refusalHeaders(refusal).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `HTTP/1.1 ${refusal.status} ${reasonPhrase(refusal.status)}\r\n`;
  return Buffer.concat([
    Buffer.from(`${status}${lines.join('')}\r\n`, 'latin1'),
    Buffer.from(refusal.body ?? refusal.message),
  ]);
}

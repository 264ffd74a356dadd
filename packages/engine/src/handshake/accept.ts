import { hash } from 'node:crypto';
import { parseAuthority } from './authority';
import type { Header, Refusal } from './refusal';
import { createRefusal } from './refusal';
import type { HandshakeRequest } from './request';
import { headerLines, headerValue } from './request';
import { show } from './show';
import { parseSubprotocols } from './subprotocols';
import { isFieldValue, isToken, listIncludes } from './tokens';

/** RFC 6455 1.3: what a server that knows the protocol adds to the key. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** 16 bytes in base64. The four bits that the last character has to spare may be any, as in `ws`. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 4.2.2 (5) 4). */
export function acceptKey(key: string): string {
  // One call that makes no object takes a third of the time of `createHash`.
  return hash('sha1', key + ACCEPT_GUID, 'base64');
}

/** Whether `key` is base64 of 16 bytes (RFC 6455 4.2.1 (5)). */
export function isValidKey(key: string): boolean {
  return KEY.test(key);
}

/** One demand on a request and the answer to a request that does not meet it. */
interface Rule {
  readonly holds: (request: HandshakeRequest) => boolean;
  readonly refusal: Refusal;
}

/** The demands on an opening handshake, in the order in which they are looked at. */
export type HandshakePolicy = readonly Rule[];

/** The first demand of `policy` that `request` does not meet, as the answer to it; `null` when it meets all. */
export function checkHandshake(request: HandshakeRequest, policy: HandshakePolicy): Refusal | null {
  return policy.find((rule) => !rule.holds(request))?.refusal ?? null;
}

const isGet = ({ method }: HandshakeRequest): boolean => method === 'GET';

// RFC 9110 7.8: an Upgrade header in an HTTP/1.0 request means nothing.
const isHttp11 = ({ httpVersionMajor, httpVersionMinor }: HandshakeRequest): boolean =>
  httpVersionMajor === 1 && httpVersionMinor >= 1;

/** RFC 9112 3.2: exactly one, and a valid one. */
function hasHost(request: HandshakeRequest): boolean {
  const host = headerValue(request, 'host');
  return (
    host !== undefined && headerLines(request, 'host').length === 1 && parseAuthority(host) !== null
  );
}

/**
 * Behind an upgrade Node reads no body: its bytes would be taken for frames, and a proxy in front that does read it
 * would see the request end elsewhere. The lines count, not `headers`, which may lack the last ones.
 */
function hasNoBody(request: HandshakeRequest): boolean {
  return (
    headerLines(request, 'transfer-encoding').length === 0 &&
    headerLines(request, 'content-length').every((length) => /^0+$/.test(length))
  );
}

const upgradesToWebSocket = (request: HandshakeRequest): boolean =>
  listIncludes(headerValue(request, 'upgrade') ?? '', 'websocket');

const hasConnectionUpgrade = (request: HandshakeRequest): boolean =>
  listIncludes(headerValue(request, 'connection') ?? '', 'upgrade');

// Two lines (RFC 6455 11.3.1 forbids them) reach us joined by a comma, and so are no key.
const hasKey = (request: HandshakeRequest): boolean =>
  isValidKey(headerValue(request, 'sec-websocket-key') ?? '');

// Compared as text: `0xd`, `1.3e1`, `013` and `13, 13` are numbers or lists, but not a version (RFC 6455 11.3.5).
const hasVersion =
  (...versions: readonly string[]) =>
  (request: HandshakeRequest): boolean =>
    versions.includes(headerValue(request, 'sec-websocket-version') ?? '');

function rule(
  clause: string,
  holds: Rule['holds'],
  status: number,
  message: string,
  ...headers: Header[]
): Rule {
  return { holds, refusal: createRefusal(status, message, clause, headers) };
}

/**
 * The demands of `WebSocketServer.handleUpgrade`. The first four, with their order and texts, are those of `ws`;
 * then comes what the RFCs demand and `ws` does not, so that whatever both refuse gets the same answer.
 */
export const SERVER_POLICY: HandshakePolicy = [
  rule('RFC 6455 4.2.1 (1)', isGet, 405, 'Invalid HTTP method'),
  rule('RFC 6455 4.2.1 (3)', upgradesToWebSocket, 400, 'Invalid Upgrade header'),
  rule('RFC 6455 4.2.1 (5)', hasKey, 400, 'Missing or invalid Sec-WebSocket-Key header'),
  rule(
    'RFC 6455 4.2.1 (6)',
    hasVersion('13', '8'),
    400,
    'Missing or invalid Sec-WebSocket-Version header',
    ['Sec-WebSocket-Version', '13, 8'],
  ),
  rule('RFC 6455 4.2.1 (1)', isHttp11, 400, 'Invalid HTTP version'),
  rule('RFC 6455 4.2.1 (2)', hasHost, 400, 'Missing or invalid Host header'),
  rule('RFC 6455 4.2.1 (4)', hasConnectionUpgrade, 400, 'Invalid Connection header'),
  rule('RFC 9110 9.3.1', hasNoBody, 400, 'Unexpected request body'),
];

/** RFC 9110 15.5.22 and 7.8: a 426 names the protocol in `Upgrade`, and `Upgrade` in `Connection`. */
const UPGRADE_REQUIRED: readonly Header[] = [
  ['Connection', 'close, Upgrade'],
  ['Upgrade', 'websocket'],
];

/**
 * The demands of the adapters' gateway. HTTP/1.0 is 400 and not 505, which is about the major version alone
 * (RFC 9110 15.6.6). The version comes before the key, so that a client of an old draft learns what to speak.
 */
export const GATEWAY_POLICY: HandshakePolicy = [
  rule(
    'RFC 6455 4.2.1 (1)',
    isGet,
    405,
    'A WebSocket handshake is a GET request (RFC 6455 4.2.1)',
    ['Allow', 'GET'],
  ),
  rule('RFC 6455 4.2.1 (1)', isHttp11, 400, 'A WebSocket handshake is HTTP/1.1 (RFC 6455 4.2.1)'),
  rule(
    'RFC 6455 4.2.1 (2)',
    hasHost,
    400,
    'A WebSocket handshake has exactly one valid Host header (RFC 6455 4.2.1)',
  ),
  rule('RFC 9110 9.3.1', hasNoBody, 400, 'A WebSocket handshake has no body (RFC 9110 9.3.1)'),
  rule(
    'RFC 6455 4.2.1 (3)',
    upgradesToWebSocket,
    426,
    'A WebSocket handshake has the header Upgrade: websocket (RFC 6455 4.2.1)',
    ...UPGRADE_REQUIRED,
  ),
  rule(
    'RFC 6455 4.2.1 (4)',
    hasConnectionUpgrade,
    400,
    'A WebSocket handshake has the header Connection: Upgrade (RFC 6455 4.2.1)',
  ),
  rule(
    'RFC 6455 4.2.1 (6)',
    hasVersion('13'),
    426,
    'A WebSocket handshake has the header Sec-WebSocket-Version: 13 (RFC 6455 4.2.1)',
    ...UPGRADE_REQUIRED,
    ['Sec-WebSocket-Version', '13'],
  ),
  rule(
    'RFC 6455 4.2.1 (5)',
    hasKey,
    400,
    'A WebSocket handshake has a Sec-WebSocket-Key header of 16 bytes in base64 (RFC 6455 4.2.1)',
  ),
];

/** `shouldHandle` said no. */
export const NOT_HANDLED = createRefusal(400);

/** The answer to a `Sec-WebSocket-Protocol` header that cannot be read. */
export const INVALID_SUBPROTOCOLS = createRefusal(
  400,
  'Invalid Sec-WebSocket-Protocol header',
  'RFC 6455 4.2.1 (8)',
);

/** The answer to a `Sec-WebSocket-Extensions` header that cannot be read. */
export const INVALID_EXTENSIONS = createRefusal(
  400,
  'Invalid or unacceptable Sec-WebSocket-Extensions header',
  'RFC 6455 9.1',
);

/** The server is closing, or has closed. */
export const SERVER_CLOSED = createRefusal(503);

/** The subprotocols a request offers, none where it has no such header, or the answer to a header that is wrong. */
export function offeredSubprotocols(request: HandshakeRequest): Set<string> | Refusal {
  const header = headerValue(request, 'sec-websocket-protocol');
  if (header === undefined) return new Set();
  try {
    return parseSubprotocols(header);
  } catch {
    // The parser throws for the peer's fault alone, and that is what this answer says.
    return INVALID_SUBPROTOCOLS;
  }
}

/** What server and client have agreed on. */
export interface Agreement {
  /** One of the subprotocols the client offered; `false`, `''` or none for no header. */
  readonly subprotocol?: string | false;
  /** The value of `Sec-WebSocket-Extensions`; `''` or none for no header. */
  readonly extensions?: string;
}

/**
 * The headers of the 101 (RFC 6455 4.2.2 (5)), in the order of `ws`.
 *
 * @param request - one that {@link checkHandshake} has let pass
 * @throws TypeError when the request has no valid key, the subprotocol is not a token, or the extensions are not a
 *   field value: a line of the response must not end where the caller's text says so.
 */
export function acceptance(request: HandshakeRequest, agreement: Agreement = {}): Header[] {
  const key = headerValue(request, 'sec-websocket-key');
  if (key === undefined || !isValidKey(key)) {
    throw new TypeError(`A request with the Sec-WebSocket-Key ${show(key)} cannot be accepted`);
  }
  const headers: Header[] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptKey(key)],
  ];
  const { subprotocol, extensions } = agreement;
  if (subprotocol) {
    if (!isToken(subprotocol)) {
      throw new TypeError(`The subprotocol ${show(subprotocol)} is not a token`);
    }
    headers.push(['Sec-WebSocket-Protocol', subprotocol]);
  }
  if (extensions) {
    if (!isFieldValue(extensions)) {
      throw new TypeError(`The extensions ${show(extensions)} are not a header value`);
    }
    headers.push(['Sec-WebSocket-Extensions', extensions]);
  }
  return headers;
}

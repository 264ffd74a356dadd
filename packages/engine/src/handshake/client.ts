import { acceptKey } from './accept';
import { HandshakeError, HandshakeErrorCode } from './error';
import type { ExtensionParameters } from './extensions';
import { parseExtensions } from './extensions';
import type { HeaderSource } from './request';
import { headerLines } from './request';
import { isToken } from './tokens';

/** The versions of the protocol that a client can ask for; 8 is a draft that differs in the name of `Origin`. */
export const PROTOCOL_VERSIONS: readonly number[] = [8, 13];

/** An extension as the handshake sees it. */
export interface ExtensionOffer<Agreed> {
  /** The value of `Sec-WebSocket-Extensions`; `undefined` for no header. */
  readonly offer: string | undefined;
  /**
   * Takes the server's answer: the parameters of each time the extension stands in it, which is once.
   *
   * @throws Error when they are not what was offered; the handshake then fails
   */
  accept(answers: readonly ExtensionParameters[]): Agreed;
}

/** What a client asks for in its opening handshake. */
export interface HandshakeOffer<Agreed> {
  /** 16 random bytes in base64, of this one handshake (RFC 6455 4.1 (7)). */
  readonly key: string;
  readonly version: number;
  readonly subprotocols: ReadonlySet<string>;
  readonly extension: ExtensionOffer<Agreed>;
  readonly origin: string | undefined;
}

/** What client and server have agreed on. */
export interface HandshakeResult<Agreed> {
  /** One of those offered, or `''`. */
  readonly subprotocol: string;
  /** What the extension made of the answer; `undefined` where it is not in use. */
  readonly extension: Agreed | undefined;
}

/**
 * The subprotocols a client may ask for: unique tokens (RFC 6455 4.1 (10)).
 *
 * @throws SyntaxError as `ws` and browsers do
 */
export function checkSubprotocols(names: readonly unknown[]): Set<string> {
  const unique = new Set<string>();
  for (const name of names) {
    if (typeof name !== 'string' || !isToken(name) || unique.has(name)) {
      throw new SyntaxError('An invalid or duplicated subprotocol was specified');
    }
    unique.add(name);
  }
  return unique;
}

/**
 * The headers of an opening handshake (RFC 6455 4.1), in the order of `ws`. `Host` is left to whoever knows the
 * address.
 *
 * @throws RangeError for a version that is not spoken
 */
export function requestHeaders(offer: HandshakeOffer<unknown>): [name: string, value: string][] {
  const { key, version, subprotocols, extension, origin } = offer;
  checkVersion(version);
  const headers: [string, string][] = [
    ['Sec-WebSocket-Version', String(version)],
    ['Sec-WebSocket-Key', key],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
  ];
  if (extension.offer !== undefined) headers.push(['Sec-WebSocket-Extensions', extension.offer]);
  if (subprotocols.size > 0) headers.push(['Sec-WebSocket-Protocol', [...subprotocols].join(',')]);
  if (origin) headers.push([version === 13 ? 'Origin' : 'Sec-WebSocket-Origin', origin]);
  return headers;
}

/** @throws RangeError for a version that is not spoken */
export function checkVersion(version: unknown): asserts version is number {
  if (PROTOCOL_VERSIONS.includes(version as number)) return;
  throw new RangeError(
    `Unsupported protocol version: ${String(version)} ` +
      `(supported versions: ${PROTOCOL_VERSIONS.join(', ')})`,
  );
}

/** The server broke a rule of the handshake. */
function invalid(message: string, clause: string, options?: ErrorOptions): HandshakeError {
  return new HandshakeError(message, HandshakeErrorCode.INVALID, { ...options, clause });
}

/**
 * Judges the 101 that answers a handshake (RFC 6455 4.1, the server's response), in the order and with the texts of
 * `ws`. Its status and `Connection` are the HTTP parser's to check: without them there is no upgrade to judge.
 *
 * @throws HandshakeError
 */
export function checkResponse<Agreed>(
  response: HeaderSource,
  offer: HandshakeOffer<Agreed>,
): HandshakeResult<Agreed> {
  // (2) Exactly this protocol, in any case; several are refused.
  if (headerValueOf(response, 'upgrade')?.toLowerCase() !== 'websocket') {
    throw invalid('Invalid Upgrade header', 'RFC 6455 4.1 (2)');
  }
  // (4) Only who has read our key can have made this, so no cache and no other protocol's server has.
  if (headerValueOf(response, 'sec-websocket-accept') !== acceptKey(offer.key)) {
    throw invalid('Invalid Sec-WebSocket-Accept header', 'RFC 6455 4.1 (4)');
  }
  return {
    subprotocol: checkSubprotocol(response, offer.subprotocols),
    extension: checkExtensions(response, offer.extension),
  };
}

/** RFC 6455 4.1 (6), and 1.9: who asks for a subprotocol and gets none cannot know what is spoken. */
function checkSubprotocol(response: HeaderSource, offered: ReadonlySet<string>): string {
  const subprotocol = headerValueOf(response, 'sec-websocket-protocol');
  const clause = 'RFC 6455 4.1 (6)';
  if (subprotocol === undefined) {
    if (offered.size === 0) return '';
    throw invalid('Server sent no subprotocol', 'RFC 6455 1.9');
  }
  if (offered.size === 0) {
    throw invalid('Server sent a subprotocol but none was requested', clause);
  }
  if (offered.has(subprotocol)) return subprotocol;
  throw invalid('Server sent an invalid subprotocol', clause);
}

/** RFC 6455 4.1 (5), 9.1. */
function checkExtensions<Agreed>(
  response: HeaderSource,
  extension: ExtensionOffer<Agreed>,
): Agreed | undefined {
  const header = headerValueOf(response, 'sec-websocket-extensions');
  if (header === undefined) return undefined;
  if (extension.offer === undefined) {
    throw invalid(
      'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
      'RFC 6455 4.1 (5)',
    );
  }
  const answers = validly(() => parseExtensions(header));
  const [name, ...others] = Object.keys(answers);
  if (others.length > 0 || !(name in parseExtensions(extension.offer))) {
    throw invalid('Server indicated an extension that was not requested', 'RFC 6455 4.1 (5)');
  }
  // RFC 7692 5.1: an extension is agreed on once.
  if (answers[name].length > 1) throw invalidExtensions();
  return validly(() => extension.accept(answers[name]));
}

function validly<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw invalidExtensions(cause);
  }
}

function invalidExtensions(cause?: unknown): HandshakeError {
  return invalid('Invalid Sec-WebSocket-Extensions header', 'RFC 6455 9.1', { cause });
}

/**
 * The value of a header by all its lines. `headers` lacks those behind Node's `maxHeadersCount`, where a subprotocol
 * or an extension would go unseen.
 */
function headerValueOf(response: HeaderSource, name: string): string | undefined {
  const lines = headerLines(response, name);
  return lines.length === 0 ? undefined : lines.join(', ');
}

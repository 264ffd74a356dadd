import type { ClientRequest, ClientRequestArgs, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';
import type { PerMessageDeflateOptions } from './deflate/options';
import { checkVersion } from './handshake/client';
import { show } from './handshake/show';
import type { CreateConnection } from './io/connect';
import type { WebSocketOptions } from './options';
import { booleanOption } from './options';
import { integerOption } from './protocol/limits';
import type { WebSocket } from './websocket';

type OwnRequestOption = 'checkServerIdentity' | 'createConnection' | 'headers' | 'signal';

/** A certificate or key by the types of `@types/ws`. */
export type CertMeta = string | string[] | Buffer | Buffer[];

/**
 * Options of a client: those of every WebSocket, these, and all of `http.request` and `https.request` (`agent`, `auth`,
 * `lookup`, `localAddress`, `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`, …). The address decides about
 * `host`, `hostname`, `path`, `port`, `protocol` and `socketPath`, the handshake about `method` and `timeout`, whatever
 * is given for them. `undefined` is always the default.
 */
export interface ClientOptions extends WebSocketOptions, Omit<RequestOptions, OwnRequestOption> {
  /**
   * Start even while another handshake with the same host and port is under way. Without it, each waits for those
   * begun before it, for at most 10 s each (RFC 6455 4.1 (2)).
   * @defaultValue false
   */
  allowSimultaneousHandshakes?: boolean | undefined;
  /**
   * Decides whether a certificate is that of the host: returns `undefined` where it is, and an error where not.
   *
   * @param certificate Node's `PeerCertificate`; the other type is the one that `@types/ws` knows
   * @defaultValue `tls.checkServerIdentity`
   */
  checkServerIdentity?(
    host: string,
    certificate: PeerCertificate & CertMeta,
  ): Error | boolean | undefined;
  /**
   * Opens the connection: returns a stream, or calls back with one. Not called where an `agent` is given.
   * @defaultValue `net.connect`, or `tls.connect` with the host as `servername`
   */
  createConnection?(
    options: ClientRequestArgs,
    oncreate: (error?: Error | null, socket?: Duplex) => void,
  ): Duplex | null | undefined;
  /**
   * Sends the request in place of `request.end()`, which it must call; also for each redirect.
   */
  finishRequest?: ((request: ClientRequest, webSocket: WebSocket) => void) | undefined;
  /**
   * Follow redirects. `Authorization`, `Cookie` and the like go to another host, or from `wss:` to `ws:`, only where
   * there is a `'redirect'` listener, which may take them off; never does a host lead to a local socket.
   * @defaultValue false
   */
  followRedirects?: boolean | undefined;
  /**
   * Fills in the four bytes of a frame's masking key, synchronously; they must be unpredictable (RFC 6455 10.3).
   * @defaultValue random bytes of `node:crypto`
   */
  generateMask?: ((mask: Buffer) => void) | undefined;
  /**
   * Milliseconds that the handshake may take, connecting included, waiting for other handshakes not; anew for each
   * redirect. 0 is no limit.
   * @defaultValue 0
   */
  handshakeTimeout?: number | undefined;
  /** Headers of the request. Those of the handshake itself cannot be changed, `Host` can. */
  headers?: OutgoingHttpHeaders | undefined;
  /** 0 to 2^31 - 1. @defaultValue 10 */
  maxRedirects?: number | undefined;
  /** Value of `Origin`, or `Sec-WebSocket-Origin` in version 8. @defaultValue no header */
  origin?: string | undefined;
  /**
   * Offer to compress messages (RFC 7692).
   * @defaultValue true
   */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** Version of the protocol, 8 or 13. @defaultValue 13 */
  protocolVersion?: number | undefined;
  /** Subprotocols to ask for, the one liked best first; where none are given as an argument. */
  protocols?: string | string[] | undefined;
  /** Gives up the opening handshake; without effect once the connection is open. */
  signal?: AbortSignal | undefined;
}

/** The options as a handshake uses them. */
export interface CheckedClientOptions {
  readonly allowSimultaneousHandshakes: boolean;
  readonly createConnection: CreateConnection | undefined;
  readonly finishRequest: (request: ClientRequest, webSocket: WebSocket) => void;
  readonly followRedirects: boolean;
  readonly generateMask: ((mask: Buffer) => void) | undefined;
  readonly handshakeTimeout: number;
  readonly headers: Readonly<OutgoingHttpHeaders>;
  readonly maxRedirects: number;
  readonly origin: string | undefined;
  readonly protocolVersion: number;
  readonly signal: AbortSignal | undefined;
  /** What is handed to `http.request` as it is. */
  readonly request: RequestOptions;
}

const MAX_INTEGER = 2 ** 31 - 1;

/**
 * Checks what a client is given and fills in the defaults; `null` counts as not given.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function checkClientOptions(options: ClientOptions): CheckedClientOptions {
  const version = options.protocolVersion ?? 13;
  checkVersion(version);
  const { signal, headers } = options;
  return {
    allowSimultaneousHandshakes: flag(options, 'allowSimultaneousHandshakes'),
    createConnection: functionOption<CreateConnection>(options, 'createConnection'),
    finishRequest:
      functionOption<CheckedClientOptions['finishRequest']>(options, 'finishRequest') ?? endRequest,
    followRedirects: flag(options, 'followRedirects'),
    generateMask: functionOption<(mask: Buffer) => void>(options, 'generateMask'),
    handshakeTimeout: count(options, 'handshakeTimeout', 0, 'milliseconds'),
    headers: headersOption(headers),
    maxRedirects: count(options, 'maxRedirects', 10, 'redirects'),
    origin: originOption(options.origin),
    protocolVersion: version,
    signal: signalOption(signal),
    request: requestOptions(options),
  };
}

function endRequest(request: ClientRequest): void {
  request.end();
}

function flag(options: ClientOptions, name: keyof ClientOptions): boolean {
  return booleanOption(name, options[name] ?? undefined, false);
}

function count(
  options: ClientOptions,
  name: keyof ClientOptions,
  fallback: number,
  unit: string,
): number {
  return integerOption(name, options[name] ?? undefined, fallback, {
    min: 0,
    max: MAX_INTEGER,
    unit,
  });
}

function functionOption<Type>(options: ClientOptions, name: keyof ClientOptions): Type | undefined {
  const value = options[name] ?? undefined;
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`The "${name}" option must be a function, got ${show(value)}`);
  }
  // What it takes and answers cannot be seen before it is called.
  return value as Type | undefined;
}

function originOption(origin: unknown): string | undefined {
  if (origin === undefined || origin === null) return undefined;
  if (typeof origin === 'string') return origin;
  throw new TypeError(`The "origin" option must be a string, got ${show(origin)}`);
}

function signalOption(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) return undefined;
  if (signal instanceof EventTarget && 'aborted' in signal) return signal as AbortSignal;
  throw new TypeError(`The "signal" option must be an AbortSignal, got ${show(signal)}`);
}

/** A list, a `Map` or a `Headers` would lose its content when taken for an object of headers. */
function headersOption(headers: unknown): OutgoingHttpHeaders {
  if (headers === undefined || headers === null) return {};
  if (typeof headers !== 'object' || Symbol.iterator in headers) {
    throw new TypeError(`The "headers" option must be a plain object, got ${show(headers)}`);
  }
  // Names and values are Node's to check, which it does as the request is made.
  return headers as OutgoingHttpHeaders;
}

/** Takes away what the address and the handshake decide, so that no value of the caller's stays behind. */
function requestOptions(options: ClientOptions): RequestOptions {
  return {
    ...(options as RequestOptions),
    createConnection: undefined,
    headers: undefined,
    hostname: undefined,
    method: 'GET',
    protocol: undefined,
    // The deadline of the handshake is ours; a socket time-out would start anew with every byte.
    timeout: undefined,
    // Ours too: Node's would end the connection long after it has opened.
    signal: undefined,
  };
}

import { unescape as percentDecode } from 'node:querystring';
import { parseUrl } from './url';

/** Where a client connects to, as `http.request` wants it. */
export interface Address {
  /** The address in its `ws:`, `wss:` or `ws+unix:` form. */
  readonly href: string;
  /** Whether the connection is encrypted. */
  readonly secure: boolean;
  /** Path of a local socket, or `undefined` for a host on a network. */
  readonly socketPath: string | undefined;
  /** Host name or IP address without brackets; `''` for a local socket. */
  readonly host: string;
  readonly port: number;
  /** Path and query of the request. */
  readonly path: string;
  /** `user:password` out of the address. */
  readonly auth: string | undefined;
}

/** The default ports of RFC 6455 3. */
export const DEFAULT_PORT = { plain: 80, secure: 443 } as const;

const LOCAL = 'ws+unix:';

/** What each protocol of an address is turned into (RFC 6455 3; WHATWG WebSockets has `http:` and `https:` too). */
const PROTOCOLS: Readonly<Record<string, string>> = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
  [LOCAL]: LOCAL,
};

/**
 * Reads the address of a WebSocket: `ws:`, `wss:`, `http:` or `https:`, or a local socket as
 * `ws+unix:<socket>[:<path>]`. The `URL` that may be given is left as it is.
 *
 * @throws SyntaxError with the texts of `ws`
 */
export function parseAddress(address: string | URL): Address {
  const url = urlOf(String(address));
  const protocol = Object.hasOwn(PROTOCOLS, url.protocol) ? PROTOCOLS[url.protocol] : undefined;
  if (protocol === undefined) {
    throw new SyntaxError(
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    );
  }
  const local = protocol === LOCAL;
  if (local && url.pathname === '') throw new SyntaxError("The URL's pathname is empty");
  // RFC 6455 3: fragment identifiers mean nothing here and must not be used.
  if (url.hash !== '') throw new SyntaxError('The URL contains a fragment identifier');
  if (url.protocol !== protocol) url.protocol = protocol;
  const secure = protocol === 'wss:';
  const target = url.pathname + url.search;
  const [socket, path] = local ? splitTarget(target) : ['', target];
  return {
    href: url.href,
    secure,
    host: unbracketed(url.hostname),
    port: Number(url.port) || (secure ? DEFAULT_PORT.secure : DEFAULT_PORT.plain),
    // A URL may hold a percent sign that encodes nothing (`100%`); `percentDecode` leaves it alone.
    socketPath: local ? percentDecode(socket) : undefined,
    path,
    auth: credentials(url),
  };
}

/**
 * The address that a redirect leads to.
 *
 * @param location value of the `Location` header
 * @throws SyntaxError with the texts of `ws`; also for a redirect from a network to a local socket, where a stranger
 *   would choose which of this machine's own services is spoken to
 */
export function resolveRedirect(location: string, from: Address): Address {
  if (from.socketPath !== undefined && parseUrl(location) === null) {
    return resolveOnSocket(location, from);
  }
  const address = parseAddress(urlOf(location, from.href));
  if (address.socketPath !== undefined && from.socketPath === undefined) {
    throw new SyntaxError(`A redirect must not lead to a local socket: ${location}`);
  }
  return address;
}

/** A relative location keeps to the same local socket; `URL` would take it for the path of another one. */
function resolveOnSocket(location: string, from: Address): Address {
  const target = urlOf(location, `http://localhost${from.path}`);
  // `//host/path` leaves the socket for a host.
  if (target.origin !== 'http://localhost') return parseAddress(target);
  const url = new URL(from.href);
  url.pathname = `${splitTarget(url.pathname + url.search)[0]}:${target.pathname}`;
  url.search = target.search;
  url.hash = target.hash;
  return parseAddress(url);
}

/** Whether two addresses are one host and port, or one local socket. */
export function isSameRemote(one: Address, other: Address): boolean {
  return one.socketPath === other.socketPath && one.host === other.host && one.port === other.port;
}

function urlOf(text: string, base?: string): URL {
  const url = parseUrl(text, base);
  if (url === null) throw new SyntaxError(`Invalid URL: ${text}`);
  return url;
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

/** A local socket and the path of the request: they part at the first colon. */
function splitTarget(target: string): [socket: string, path: string] {
  const colon = target.indexOf(':');
  return colon === -1 ? [target, ''] : [target.slice(0, colon), target.slice(colon + 1)];
}

function credentials({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `${percentDecode(username)}:${percentDecode(password)}`;
}

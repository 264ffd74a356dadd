import { domainToASCII } from 'node:url';
import { parseUrl } from '../url';

/** A host with its port, as a `Host` header and an origin write it. */
export interface Authority {
  /** As it was written: any case, an IPv6 address with its brackets. */
  readonly host: string;
  /** 0 to 65535, or `null` where none was written. */
  readonly port: number | null;
}

/** RFC 3986 3.2.2, reg-name: unreserved, sub-delims and the characters of pct-encoded. IPv4 is one of these. */
const REGISTERED_NAME = /^[A-Za-z0-9\-._~!$&'()*+,;=%]+$/;

/** RFC 3986 3.2.2, IP-literal. What is between the brackets is left to whoever compares addresses. */
const IP_LITERAL = /^\[[0-9A-Fa-f:.]+\]$/;

const PORT = /^[0-9]*$/;

/**
 * Splits `host[:port]` (RFC 9110 7.2); `null` when it is anything else, a user name before an `@`
 * (RFC 9110 4.2.4) among them.
 */
export function parseAuthority(text: string): Authority | null {
  const colon = text.lastIndexOf(':');
  // The colons of an IPv6 address stand inside the brackets.
  const end = colon > text.lastIndexOf(']') ? colon : text.length;
  const host = text.slice(0, end);
  const digits = text.slice(end + 1);
  if (!REGISTERED_NAME.test(host) && !IP_LITERAL.test(host)) return null;
  if (!PORT.test(digits)) return null;
  const port = digits === '' ? null : Number(digits);
  return port !== null && port > 65535 ? null : { host, port };
}

/**
 * A host in the one spelling that can be compared: lower case, addresses in their shortest form.
 * `null` when it is none, is percent-encoded, or is longer than a name can be (RFC 1035 2.3.4).
 */
export function canonicalHost(host: string): string | null {
  // Decoding would turn `%2e` into a dot, and so one site's name into another's.
  if (host.length > 255 || host.includes('%')) return null;
  return parseUrl(`http://${host}`)?.hostname ?? null;
}

const NON_ASCII = /[\u0080-\uffff]/g;

/**
 * The host as a browser sends it (RFC 5891): where it was written in Unicode, its punycode. `''` when it is no host.
 */
export function asciiHost(host: string): string {
  const ascii = host.replace(NON_ASCII, 'x');
  if (ascii === host) return host;
  // Otherwise `domainToASCII` takes off a path or a port, and decodes `%41`.
  return canonicalHost(ascii) === null || !REGISTERED_NAME.test(ascii) ? '' : domainToASCII(host);
}

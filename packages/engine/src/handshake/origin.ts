import { asciiHost, canonicalHost, parseAuthority } from './authority';
import type { Refusal } from './refusal';
import { createRefusal } from './refusal';
import type { HandshakeRequest } from './request';
import { headerLines, headerValue } from './request';
import { show } from './show';

/**
 * Which pages may open a connection: `'*'` for all, a list of origins (`https://example.com`,
 * `https://*.example.com` for all its sub-domains but not itself), or a function that says `true` or `false` for the
 * value of the `Origin` header. Left out, it is the pages of the server itself.
 */
export type Origins<Request> =
  | '*'
  | readonly string[]
  | ((origin: string, request: Request) => boolean | Promise<boolean>);

/** Where a request was sent, as the framework sees it: behind a trusted proxy, what the proxy says. */
export interface OwnAuthority {
  /** Whether the client used TLS. */
  readonly secure: boolean;
  /** The host the client asked for, with the port where it is not the default, as in a `Host` header. */
  readonly host: string | undefined;
}

/** An origin in the one spelling that can be compared (RFC 6454 4). */
interface Origin {
  readonly scheme: string;
  readonly host: string;
  /** `null` where the scheme has no default and none was written. */
  readonly port: number | null;
}

/** A checked {@link Origins}. */
export type OriginPolicy<Request> =
  | { readonly kind: 'any' }
  | { readonly kind: 'same' }
  | {
      readonly kind: 'list';
      readonly exact: ReadonlySet<string>;
      readonly parents: readonly Origin[];
    }
  | {
      readonly kind: 'function';
      readonly allows: (origin: string, request: Request) => boolean | Promise<boolean>;
    };

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

/** RFC 6455 10.2 tells a server to look at the origin, 4.2.2 (4) to answer 403. */
const CLAUSE = 'RFC 6455 4.2.2 (4), 10.2';

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;

/** Reads `scheme://host[:port]` (RFC 6454 6.2); `null` when it is `null`, has a path, or is anything else. */
function parseOrigin(text: string): Origin | null {
  const end = text.indexOf('://');
  const written = text.slice(0, Math.max(end, 0));
  if (!SCHEME.test(written)) return null;
  const scheme = written.toLowerCase();
  const authority = parseAuthority(text.slice(end + 3));
  const host = authority && canonicalHost(authority.host);
  if (!authority || !host) return null;
  return { scheme, host, port: authority.port ?? DEFAULT_PORTS.get(scheme) ?? null };
}

function formatOrigin({ scheme, host, port }: Origin): string {
  const implied = port === null || port === DEFAULT_PORTS.get(scheme);
  return implied ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}

/**
 * Checks the option `origins` when the server is made.
 *
 * @throws TypeError naming the option and the value when it is none of the three, or the list has an entry that is
 *   not an origin. `null` cannot be listed: any page can make its origin that, in a sandboxed frame.
 */
export function createOriginPolicy<Request>(origins?: Origins<Request>): OriginPolicy<Request> {
  if (origins === undefined) return { kind: 'same' };
  if (origins === '*') return { kind: 'any' };
  if (typeof origins === 'function') return { kind: 'function', allows: origins };
  if (!Array.isArray(origins)) {
    throw new TypeError(
      `The option "origins" must be '*', a list of origins or a function, got ${show(origins)}`,
    );
  }
  const exact = new Set<string>();
  const parents: Origin[] = [];
  for (const entry of origins) {
    const { origin, wildcard } = parseEntry(entry);
    if (wildcard) parents.push(origin);
    else exact.add(formatOrigin(origin));
  }
  return { kind: 'list', exact, parents };
}

/** An entry of the list. Its host may be written in Unicode, where a browser sends punycode. */
function parseEntry(entry: unknown): { origin: Origin; wildcard: boolean } {
  if (typeof entry !== 'string') throw badEntry(entry);
  const [scheme, rest = ''] = entry.split('://', 2);
  const wildcard = rest.startsWith('*.');
  const authority = wildcard ? rest.slice(2) : rest;
  const colon = authority.search(/:[0-9]*$/);
  const host = authority.slice(0, colon === -1 ? authority.length : colon);
  // `*` is a character of a registered name, so one that is not the first label would match nothing.
  if (entry !== `${scheme}://${rest}` || host.includes('*')) throw badEntry(entry);
  const origin = parseOrigin(`${scheme}://${asciiHost(host)}${authority.slice(host.length)}`);
  if (origin === null || (wildcard && !hasSubdomains(origin.host))) throw badEntry(entry);
  return { origin, wildcard };
}

/** Not so for an IP address: what a sub-domain of it would be is not a host. */
function hasSubdomains(host: string): boolean {
  return canonicalHost(`sub.${host}`) !== null;
}

function badEntry(entry: unknown): TypeError {
  return new TypeError(
    `The option "origins" holds ${show(entry)}, which is not an origin such as ` +
      "'https://example.com' or 'https://*.example.com'",
  );
}

/**
 * Whether the page that sent the request may connect; `null` when it may. Cookies travel with a handshake from any
 * page (RFC 6455 10.2), so this stands between them and a page of someone else. A request without an origin is not
 * a browser's, and passes. The answer is a promise only where the option is a function that gives one.
 *
 * @param self - where the request was sent, by which the default decides
 * @param known - the request as the function is to be given it
 * @throws TypeError when the function answers neither `true` nor `false`. What the function itself throws goes
 *   through.
 */
export function checkOrigin<Request extends HandshakeRequest>(
  request: Request,
  policy: OriginPolicy<Request>,
  self: OwnAuthority,
  known: Request = request,
): Refusal | null | Promise<Refusal | null> {
  if (policy.kind === 'any') return null;
  // Draft 8 has a name of its own for it. No client sends both, so two of whatever kind are an attempt at confusion.
  const origins = [
    ...headerLines(request, 'origin'),
    ...headerLines(request, 'sec-websocket-origin'),
  ];
  if (origins.length === 0) return null;
  if (origins.length > 1) return refuse(origins.join(', '), 'it is more than one');
  const [text] = origins;
  if (policy.kind === 'same') return checkSameOrigin(text, self);
  if (policy.kind === 'list') {
    return isListed(parseOrigin(text), policy) ? null : refuse(text, 'it is not listed');
  }
  const answer = policy.allows(text, known);
  return typeof answer === 'object' && answer !== null
    ? Promise.resolve(answer).then((allowed) => checkAnswer(text, allowed))
    : checkAnswer(text, answer);
}

function checkAnswer(text: string, allowed: unknown): Refusal | null {
  if (typeof allowed !== 'boolean') {
    throw new TypeError(
      `The option "origins" answered ${show(allowed)} for ${show(text)}; it must be true or false`,
    );
  }
  return allowed ? null : refuse(text, 'it is not allowed');
}

function isListed(
  origin: Origin | null,
  { exact, parents }: Extract<OriginPolicy<never>, { kind: 'list' }>,
): boolean {
  if (origin === null) return false;
  if (exact.has(formatOrigin(origin))) return true;
  return parents.some(
    ({ scheme, host, port }) =>
      scheme === origin.scheme &&
      port === origin.port &&
      origin.host.endsWith(`.${host}`) &&
      origin.host.length > host.length + 1,
  );
}

function checkSameOrigin(text: string, { secure, host }: OwnAuthority): Refusal | null {
  const own = parseOrigin(`${secure ? 'https' : 'http'}://${host ?? ''}`);
  if (own === null) return refuse(text, 'the host of this server is not known');
  const origin = parseOrigin(text);
  if (origin !== null && formatOrigin(origin) === formatOrigin(own)) return null;
  const reason = `this server is ${formatOrigin(own)}`;
  // The one mistake everybody makes once: TLS ends at a proxy that the framework was not told to trust.
  const proxied = origin?.scheme === 'https' && own.scheme === 'http' && origin.host === own.host;
  return refuse(
    text,
    proxied ? `${reason} unless the framework trusts the proxy in front of it` : reason,
  );
}

function refuse(text: string, reason: string): Refusal {
  const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  return createRefusal(
    403,
    `The origin "${shown}" may not open a WebSocket here: ${reason}. The option "origins" allows others (RFC 6455 10.2)`,
    CLAUSE,
    [['Content-Type', 'text/plain; charset=utf-8']],
  );
}

/**
 * The origin a `verifyClient` is told, as `ws` does: `Sec-WebSocket-Origin` in draft 8, `Origin` in version 13.
 */
export function requestOrigin(request: HandshakeRequest): string | undefined {
  const version = headerValue(request, 'sec-websocket-version');
  return headerValue(request, version === '8' ? 'sec-websocket-origin' : 'origin');
}

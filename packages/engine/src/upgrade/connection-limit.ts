import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Header, Refusal } from '../handshake/refusal';
import { createRefusal } from '../handshake/refusal';
import { show } from '../handshake/show';
import { describe, integerOption } from '../protocol/limits';

/** How many WebSockets there may be at once. */
export interface ConnectionLimits<Request = IncomingMessage> {
  /** Altogether; one more gets a 503. @defaultValue no limit */
  total?: number | undefined;
  /** With the same key; one more gets a 429. @defaultValue no limit */
  perKey?: number | undefined;
  /**
   * Whose connection it is; `undefined` for one that `perKey` does not limit.
   * @defaultValue the client's address. An IPv6 address stands for its /64, which is what one customer has
   */
  key?: ((request: Request) => string | undefined) | undefined;
}

/** When a client may try again, in seconds: soon enough to find a place, too late to be a burden. */
const RETRY_AFTER: Header = ['Retry-After', '10'];

/** There are as many as there may be, but any of them may end. */
const FULL = createRefusal(503, 'Too many connections here; try again later', '', [RETRY_AFTER]);
/** The client has too many itself: waiting does not help, closing one does. */
const TOO_MANY = createRefusal(429, 'Too many connections from this client');

/** The place of one connection among those that are counted. */
export interface Place {
  /** Gives the place to somebody else; once. */
  leave(): void;
}

/** Counts connections, from the accepted handshake to the end of the WebSocket. */
export class ConnectionLimit {
  private readonly total: number;
  private readonly perKey: number;
  private readonly keyOf: ConnectionLimits['key'];
  private count = 0;
  private readonly counts = new Map<string, number>();

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(option: unknown) {
    const { total, perKey, key } = limitsOf(option);
    this.total = countOption('total', total);
    this.perKey = countOption('perKey', perKey);
    this.keyOf = keyOption(key, perKey);
  }

  /**
   * Takes a place for a connection.
   *
   * @param request as the application knows it
   * @param address the client's, where it is known
   * @throws TypeError where the option's function answers what is no key. What the function itself throws goes through
   */
  take(request: IncomingMessage, address: string | undefined): Place | Refusal {
    if (this.count >= this.total) return FULL;
    const key = this.perKey === Number.POSITIVE_INFINITY ? undefined : this.key(request, address);
    if (key === undefined) return this.place();
    const count = this.counts.get(key) ?? 0;
    if (count >= this.perKey) return TOO_MANY;
    this.counts.set(key, count + 1);
    return this.place(key);
  }

  private key(request: IncomingMessage, address: string | undefined): string | undefined {
    const { keyOf } = this;
    if (keyOf === undefined) return address === undefined ? undefined : networkOf(address);
    const key: unknown = keyOf(request);
    if (key === undefined || typeof key === 'string') return key;
    throw new TypeError(
      `The option "maxConnections.key" answered ${show(key)}; it must be a string or undefined`,
    );
  }

  private place(key?: string): Place {
    let left = false;
    this.count += 1;
    return {
      leave: () => {
        if (left) return;
        left = true;
        this.count -= 1;
        if (key !== undefined) this.leaveKey(key);
      },
    };
  }

  private leaveKey(key: string): void {
    const count = (this.counts.get(key) ?? 0) - 1;
    if (count > 0) this.counts.set(key, count);
    else this.counts.delete(key);
  }
}

function limitsOf(option: unknown): { total?: unknown; perKey?: unknown; key?: unknown } {
  if (typeof option === 'number') return { total: option };
  if (typeof option === 'object' && option !== null && !Array.isArray(option)) return option;
  throw new TypeError(
    `The "maxConnections" option must be a number or an object, got ${describe(option)}`,
  );
}

function countOption(name: string, value: unknown): number {
  const range = { min: 1, max: 2 ** 31 - 1, unit: 'connections' };
  return integerOption(`maxConnections.${name}`, value, Number.POSITIVE_INFINITY, range);
}

function keyOption(key: unknown, perKey: unknown): ConnectionLimits['key'] {
  if (key === undefined) return undefined;
  if (typeof key !== 'function') {
    throw new TypeError(`The "maxConnections.key" option must be a function, got ${describe(key)}`);
  }
  if (perKey === undefined) {
    throw new TypeError('The "maxConnections.key" option is for "perKey", which is missing');
  }
  // What it takes and answers cannot be seen before it is called.
  return key as ConnectionLimits['key'];
}

/** The part of an address that stands for a client: an IPv4 address itself, of an IPv6 address the first 64 bits. */
export function networkOf(address: string): string {
  const [plain] = address.split('%');
  if (!isIPv6(plain)) return address;
  // The URL parser writes an address in the one shortest form (RFC 5952), an embedded IPv4 address in hexadecimal.
  const { hostname } = new URL(`http://[${plain}]`);
  const [head, tail] = hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  const groups =
    tail === undefined ? head : [...head, ...zeros(8 - head.length - tail.length), ...tail];
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
  return isMapped ? ipv4Of(groups[6], groups[7]) : `${groups.slice(0, 4).join(':')}::/64`;
}

function zeros(count: number): string[] {
  return Array.from({ length: count }, () => '0');
}

/** RFC 4291 2.5.5.2: what a dual-stack server sees of an IPv4 client. */
function ipv4Of(high: string, low: string): string {
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((number) => [number >> 8, number & 0xff])
    .join('.');
}

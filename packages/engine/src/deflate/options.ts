import type { ZlibOptions } from 'node:zlib';
import { constants } from 'node:zlib';
import { describe } from '../protocol/limits';

/** Options of permessage-deflate (RFC 7692), as `ws` names them. `undefined` is always the default. */
export interface PerMessageDeflateOptions {
  /**
   * Whether the server compresses each message by itself (RFC 7692 7.1.1.1). `true` asks for it or imposes it;
   * `false` makes a server decline an offer that asks for it.
   */
  serverNoContextTakeover?: boolean | undefined;
  /**
   * Whether the client compresses each message by itself (RFC 7692 7.1.1.2). `true` announces it or imposes it;
   * `false` makes a client fail where a server imposes it.
   */
  clientNoContextTakeover?: boolean | undefined;
  /**
   * Size of the server's window as a power of two, 8 to 15 (RFC 7692 7.1.2.1). `false` makes a server decline an
   * offer that asks for one; `true` is the default: 15, or whatever the client asks for.
   */
  serverMaxWindowBits?: number | boolean | undefined;
  /**
   * Size of the client's window as a power of two, 8 to 15 (RFC 7692 7.1.2.2). `false` makes a client not support the
   * parameter; `true` is the default: 15, or whatever the server asks for.
   */
  clientMaxWindowBits?: number | boolean | undefined;
  /**
   * Messages of fewer bytes are not compressed where each message is compressed by itself.
   * @defaultValue 1024
   */
  threshold?: number | undefined;
  /**
   * Messages of all connections with these options that are on the thread pool at once; 0 is no limit. Small messages
   * never go there.
   * @defaultValue 10
   */
  concurrencyLimit?: number | undefined;
  /**
   * `level`, `memLevel`, `strategy` and `chunkSize` of `node:zlib`. The window is what was negotiated, and flushing
   * is what RFC 7692 says, so `windowBits`, `flush` and `finishFlush` have no effect, as in `ws`.
   * @defaultValue zlib's own: level 6, of which 3 takes less than half the time and makes chat messages a tenth larger
   */
  zlibDeflateOptions?: ZlibOptions | DeflateTuning | undefined;
  /** `chunkSize` of `node:zlib`; the others have no effect. */
  zlibInflateOptions?: ZlibOptions | undefined;
}

/** Options of zlib by the types of `@types/ws`. A dictionary is refused, in whatever form. */
export interface DeflateTuning extends Omit<ZlibOptions, 'dictionary'> {
  dictionary?: Buffer | Buffer[] | DataView | undefined;
}

/** How zlib compresses, but for the window. */
export interface Effort {
  readonly level: number;
  readonly memLevel: number;
  readonly strategy: number;
}

/** {@link PerMessageDeflateOptions}, checked. Connections that share this object share its `concurrencyLimit`. */
export interface ResolvedDeflateOptions {
  readonly serverNoContextTakeover: boolean | undefined;
  readonly clientNoContextTakeover: boolean | undefined;
  readonly serverMaxWindowBits: number | boolean;
  readonly clientMaxWindowBits: number | boolean;
  readonly threshold: number;
  /** `Infinity` where there is none. */
  readonly concurrencyLimit: number;
  readonly effort: Effort;
  /** Bytes of output that the thread pool hands over at once. */
  readonly deflateChunkSize: number;
  readonly inflateChunkSize: number;
}

/** Fewest and most bits of a window that can be negotiated (RFC 7692 7.1.2). */
export const MIN_WINDOW_BITS = 8;
export const MAX_WINDOW_BITS = 15;

const DEFAULT_THRESHOLD = 1024;
const DEFAULT_CONCURRENCY = 10;
/** Each chunk costs a round trip to the thread pool, and one is all that a bomb inflates beyond its limit. */
const DEFAULT_CHUNK_SIZE = 64 * 1024;
const MAX_CHUNK_SIZE = 16 * 1024 * 1024;

/** zlib's own default of `memLevel`. */
const DEFAULT_MEM_LEVEL = constants.Z_DEFAULT_MEMLEVEL;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function resolveDeflateOptions(
  options: PerMessageDeflateOptions | true = {},
): ResolvedDeflateOptions {
  const given = options === true ? {} : objectOption('perMessageDeflate', options);
  const deflate = zlibOptions('zlibDeflateOptions', given.zlibDeflateOptions);
  const inflate = zlibOptions('zlibInflateOptions', given.zlibInflateOptions);
  return {
    serverNoContextTakeover: takeoverOption(given, 'serverNoContextTakeover'),
    clientNoContextTakeover: takeoverOption(given, 'clientNoContextTakeover'),
    serverMaxWindowBits: windowOption(given, 'serverMaxWindowBits'),
    clientMaxWindowBits: windowOption(given, 'clientMaxWindowBits'),
    threshold: countOption('threshold', given.threshold, DEFAULT_THRESHOLD),
    concurrencyLimit:
      countOption('concurrencyLimit', given.concurrencyLimit, DEFAULT_CONCURRENCY) ||
      Number.POSITIVE_INFINITY,
    effort: resolveEffort(deflate),
    deflateChunkSize: chunkSize('zlibDeflateOptions', deflate),
    inflateChunkSize: chunkSize('zlibInflateOptions', inflate),
  };
}

function resolveEffort({ level, memLevel, strategy }: ZlibOptions): Effort {
  const name = (option: string): string => `zlibDeflateOptions.${option}`;
  return {
    level: rangeOption(name('level'), level, constants.Z_DEFAULT_COMPRESSION, -1, 9),
    memLevel: rangeOption(name('memLevel'), memLevel, DEFAULT_MEM_LEVEL, 1, 9),
    strategy: rangeOption(
      name('strategy'),
      strategy,
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_FIXED,
    ),
  };
}

function chunkSize(name: string, options: ZlibOptions): number {
  const { Z_MIN_CHUNK } = constants;
  const size = options.chunkSize;
  return rangeOption(`${name}.chunkSize`, size, DEFAULT_CHUNK_SIZE, Z_MIN_CHUNK, MAX_CHUNK_SIZE);
}

function zlibOptions(name: string, value: ZlibOptions | DeflateTuning | undefined): ZlibOptions {
  if (value === undefined) return {};
  const options = objectOption(name, value);
  // RFC 7692 7.2.1 starts from an empty window: no other peer could read what was compressed with a dictionary.
  if (options.dictionary !== undefined) {
    throw new TypeError(
      `The "${name}.dictionary" option is not possible with permessage-deflate (RFC 7692), got ${describe(options.dictionary)}`,
    );
  }
  // Without a dictionary the two are the same.
  return options as ZlibOptions;
}

/**
 * An object among the options.
 *
 * @throws TypeError for anything else
 */
export function objectOption<Options extends object>(name: string, value: Options): Options {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new TypeError(`The "${name}" option must be an object, got ${describe(value)}`);
}

function takeoverOption(
  options: PerMessageDeflateOptions,
  name: 'serverNoContextTakeover' | 'clientNoContextTakeover',
): boolean | undefined {
  const value: unknown = options[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw new TypeError(`The "${name}" option must be a boolean, got ${describe(value)}`);
}

function windowOption(
  options: PerMessageDeflateOptions,
  name: 'serverMaxWindowBits' | 'clientMaxWindowBits',
): number | boolean {
  const value: unknown = options[name];
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  if (typeof value !== 'number') {
    throw new TypeError(
      `The "${name}" option must be a number or a boolean, got ${describe(value)}`,
    );
  }
  return rangeOption(name, value, MAX_WINDOW_BITS, MIN_WINDOW_BITS, MAX_WINDOW_BITS);
}

/** A number of something; `Infinity` is one too. */
function countOption(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw new TypeError(`The "${name}" option must be a number, got ${describe(value)}`);
  }
  if (value !== Number.POSITIVE_INFINITY && !(Number.isInteger(value) && value >= 0)) {
    throw new RangeError(
      `The "${name}" option must be an integer that is not negative, or Infinity, got ${value}`,
    );
  }
  return value;
}

function rangeOption(
  name: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw new TypeError(`The "${name}" option must be a number, got ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(
      `The "${name}" option must be an integer from ${min} to ${max}, got ${value}`,
    );
  }
  return value;
}

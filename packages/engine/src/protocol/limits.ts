/** Largest value of a byte limit: what one `Buffer` holds on every supported Node. */
export const MAX_BYTES = 2 ** 31 - 1;

interface Limit {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

/**
 * Every limit of a connection, with its default and the reason for it. 0 turns a limit off where its range begins at 0.
 * `undefined` is always the default, never "no limit".
 */
export const Limits = {
  /**
   * A whole message, and each frame as it is announced. 100 MiB is the default of `ws`; the adapters set 1 MiB.
   * Even with 0 a message has to fit into one buffer.
   */
  maxPayload: { default: 100 * 1024 * 1024, min: 0, max: MAX_BYTES, unit: 'bytes' },
  /**
   * Frames in one message. Off: a fragment costs us no memory of its own, and a flood of tiny ones is cut by
   * `maxFramingOverhead`, so that a count is only for those who want one.
   */
  maxFragments: { default: 0, min: 0, max: MAX_BYTES, unit: 'frames' },
  /** Socket reads that make up one unfinished frame. Off, because they are copied together and none is kept. */
  maxBufferedChunks: { default: 0, min: 0, max: MAX_BYTES, unit: 'chunks' },
  /**
   * Bytes of frame headers that an unfinished message may cost beyond its own payload. An honest sender of 64-byte
   * fragments spends 6 bytes on 64 and never meets it; empty or one-byte fragments reach it after some 44,000 to 53,000.
   */
  maxFramingOverhead: { default: 256 * 1024, min: 0, max: MAX_BYTES, unit: 'bytes' },
  /** A compressed message on the wire. Off: `maxPayload` counts there, too. */
  maxCompressedPayload: { default: 0, min: 0, max: MAX_BYTES, unit: 'bytes' },
  /**
   * Bytes that one byte of a compressed message may become, messages of up to 64 KiB apart. Off, because DEFLATE ends at
   * 1032 by itself, and text that repeats itself honestly reaches hundreds.
   */
  maxInflationRatio: { default: 0, min: 0, max: MAX_BYTES, unit: 'times' },
  /** Automatic pongs that wait for a peer that pings without reading. 60 is the default of `ws`. */
  maxPendingAutoPongs: { default: 60, min: 0, max: MAX_BYTES, unit: 'pongs' },
  /** From sending our close frame to destroying the socket of a peer that does not finish the closing handshake. */
  closeTimeout: { default: 30_000, min: 1, max: MAX_BYTES, unit: 'milliseconds' },
  /** What waits to be sent to a peer that reads too slowly. Off as in `ws`; the adapters set 16 MiB. */
  maxBufferedAmount: { default: 0, min: 0, max: MAX_BYTES, unit: 'bytes' },
  /** Time without a message in either direction; then the connection is closed with 1001. */
  idleTimeout: { default: 0, min: 0, max: MAX_BYTES, unit: 'milliseconds' },
  /** Age of a connection; then it is closed with 1001, so that clients spread over the servers there are. */
  maxLifetime: { default: 0, min: 0, max: MAX_BYTES, unit: 'milliseconds' },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof Limits;
export type LimitOptions = { [Name in LimitName]?: number | undefined };
export type ResolvedLimits = { readonly [Name in LimitName]: number };

/**
 * Fills in the defaults and checks what is given.
 *
 * @param options an object that may carry limits among other things
 * @param defaults values that stand in for the built-in defaults (an adapter's own, or a server's)
 * @throws TypeError for a value that is not a number
 * @throws RangeError for a number that is no integer or out of range
 */
export function resolveLimits(options: LimitOptions, defaults: LimitOptions = {}): ResolvedLimits {
  const resolved: Partial<Record<LimitName, number>> = {};
  for (const name of Object.keys(Limits) as LimitName[]) {
    resolved[name] = integerOption(
      name,
      options[name],
      defaults[name] ?? Limits[name].default,
      Limits[name],
    );
  }
  // The loop has filled in every name.
  return resolved as ResolvedLimits;
}

/**
 * One number among the options.
 *
 * @returns the value, or the default where it is `undefined`
 * @throws TypeError for a value that is not a number
 * @throws RangeError for a number that is no integer or out of range
 */
export function integerOption(
  name: string,
  value: unknown,
  fallback: number,
  range: { readonly min: number; readonly max: number; readonly unit: string },
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') {
    throw new TypeError(`The "${name}" option must be a number, got ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < range.min || value > range.max) {
    throw new RangeError(
      `The "${name}" option must be an integer from ${range.min} to ${range.max} ${range.unit}, got ${value}`,
    );
  }
  return value;
}

/** A value as an error message shows it. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  return String(value);
}

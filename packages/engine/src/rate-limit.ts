import { describe, integerOption } from './protocol/limits';

/** How many messages a client may send. */
export interface RateLimit {
  /** Messages in each interval; 1 to 2^31 - 1. */
  messages: number;
  /** In milliseconds; 1 to 2^31 - 1. */
  interval: number;
  /** Messages at once, of a client that has been quiet. @defaultValue `messages` */
  burst?: number | undefined;
  /**
   * What becomes of a message that is too much: `'close'` closes the connection with 1008, `'drop'` lets the one message
   * go unheard, and `'delay'` reads no more until it is time for the next. Then the client feels back-pressure, and
   * nothing else of it is read either: its pings wait for their answer, and its close and its end to be seen.
   * @defaultValue 'close'
   */
  exceed?: 'close' | 'drop' | 'delay' | undefined;
}

/** A checked {@link RateLimit}. */
export interface CheckedRateLimit {
  /** Milliseconds in which one more message may come. */
  readonly spacing: number;
  /** Messages at once. */
  readonly burst: number;
  readonly exceed: 'close' | 'drop' | 'delay';
}

/** @throws TypeError or RangeError that names the option and the value */
export function checkRateLimit(option: unknown): CheckedRateLimit {
  if (typeof option !== 'object' || option === null || Array.isArray(option)) {
    throw new TypeError(`The "rateLimit" option must be an object, got ${describe(option)}`);
  }
  const { messages, interval, burst, exceed }: { [Name in keyof RateLimit]?: unknown } = option;
  const count = countOption('messages', messages, 'messages');
  const spacing = countOption('interval', interval, 'milliseconds') / count;
  return {
    spacing,
    burst: burst === undefined ? count : countOption('burst', burst, 'messages'),
    exceed: exceedOption(exceed),
  };
}

function countOption(name: string, value: unknown, unit: string): number {
  if (value === undefined) {
    throw new TypeError(`The "rateLimit.${name}" option must be a number, got undefined`);
  }
  return integerOption(`rateLimit.${name}`, value, 0, { min: 1, max: 2 ** 31 - 1, unit });
}

function exceedOption(value: unknown): 'close' | 'drop' | 'delay' {
  if (value === undefined) return 'close';
  if (value === 'close' || value === 'drop' || value === 'delay') return value;
  throw new TypeError(
    `The "rateLimit.exceed" option must be 'close', 'drop' or 'delay', got ${describe(value)}`,
  );
}

/**
 * A bucket of tokens, one for each message, which fills up at a steady rate. It is filled when somebody looks into it, so
 * that it needs no timer.
 */
export class TokenBucket {
  private readonly rate: CheckedRateLimit;
  private readonly now: () => number;
  /** Below 0 where some were taken in advance. */
  private tokens: number;
  private filledAt: number;

  /** @param now a monotonic clock in milliseconds */
  constructor(rate: CheckedRateLimit, now: () => number) {
    this.rate = rate;
    this.now = now;
    this.tokens = rate.burst;
    this.filledAt = now();
  }

  /** Takes a token. @returns whether there was one */
  take(): boolean {
    if (this.wait > 0) return false;
    this.tokens -= 1;
    return true;
  }

  /** Takes a token, in advance if there is none. */
  borrow(): void {
    this.fill();
    this.tokens -= 1;
  }

  /** Milliseconds until there is a token; 0 where there is one. */
  get wait(): number {
    this.fill();
    return Math.max(0, (1 - this.tokens) * this.rate.spacing);
  }

  private fill(): void {
    const now = this.now();
    const { spacing, burst } = this.rate;
    this.tokens = Math.min(burst, this.tokens + (now - this.filledAt) / spacing);
    this.filledAt = now;
  }
}

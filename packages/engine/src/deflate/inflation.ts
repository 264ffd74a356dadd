import type { ProtocolError } from '../protocol/errors';
import type { Inflater } from './coder';
import { isLeft } from './coder';
import { History, slide } from './history';
import type { CompressionLimits } from './limits';
import {
  dataFault,
  finalBlocksFault,
  INFLATE_ON_THREADS_FROM,
  INFLATED_IN_PLACE,
  inflationFault,
  isTooLong,
  lengthFault,
  MAX_FINAL_BLOCKS,
  mostInflated,
} from './limits';
import { MAX_WINDOW_BITS } from './options';
import type { Context, Holder } from './pool';
import { inflateContexts } from './pool';
import { discardInflater, lastingInflater, sharedInflater, synchronousMethod } from './synchronous';
import type { Limiter } from './threads';
import { InflateJob } from './threads';

export type InflateDone = (error: Error | null, bytes?: Buffer) => void;

const EMPTY = Buffer.alloc(0);

/** The incoming direction of a connection. */
export class Inflation implements Holder<Inflater> {
  context: Context<Inflater> | null = null;

  private readonly windowBits: number;
  /** What the next message may refer to; `null` where the peer compresses each message by itself. */
  private readonly history: History | null;
  private readonly limits: CompressionLimits;
  private readonly limiter: Limiter;
  private readonly chunkSize: number;
  /** The context has missed something that is remembered here: it is to be reset before its next use. */
  private stale = false;
  private job: InflateJob | null = null;
  private done: InflateDone | null = null;
  private closed = false;

  /** @param takeover whether a message may refer to those before it */
  constructor(
    windowBits: number,
    takeover: boolean,
    limits: CompressionLimits,
    limiter: Limiter,
    chunkSize: number,
  ) {
    this.windowBits = windowBits;
    this.history = takeover ? new History(2 ** windowBits) : null;
    this.limits = limits;
    this.limiter = limiter;
    this.chunkSize = chunkSize;
  }

  inflate(payload: Buffer, done: InflateDone): void {
    if (this.closed) {
      done(closedError());
      return;
    }
    if (isTooLong(this.limits, payload.length)) {
      done(lengthFault());
      return;
    }
    const most = mostInflated(this.limits, payload.length);
    if (payload.length < INFLATE_ON_THREADS_FROM) this.inflateHere(payload, most, done);
    else this.inflateOnThread(payload, most, done);
  }

  close(): void {
    const { job, done } = this;
    this.closed = true;
    this.job = null;
    this.done = null;
    this.history?.clear();
    inflateContexts.release(this);
    job?.cancel();
    done?.(closedError());
  }

  private inflateHere(payload: Buffer, most: number, done: InflateDone): void {
    let bytes: Buffer | null;
    try {
      bytes = this.inflateInPlace(payload, Math.min(most, INFLATED_IN_PLACE));
    } catch (error) {
      this.fail(error as Error, done);
      return;
    }
    if (bytes !== null) this.deliver(bytes, done);
    else if (most > INFLATED_IN_PLACE) this.inflateOnThread(payload, most, done);
    else this.fail(inflationFault(this.limits, payload.length), done);
  }

  /** Returns `null` for more than `most` bytes. */
  private inflateInPlace(payload: Buffer, most: number): Buffer | null {
    const inflater = this.inflater();
    const first = inflater.inflate(payload, 0, most);
    const bytes =
      first !== null && inflater.ended && isLeft(payload, inflater.end)
        ? this.inflateRest(inflater, payload, first, most)
        : first;
    // A stream that has ended reads nothing more, and one that was left alone is in the middle of a message.
    this.stale = inflater.ended || bytes === null;
    return bytes;
  }

  /** RFC 7692 7.2.3.4: behind a final block the message goes on, with the same window. */
  private inflateRest(
    inflater: Inflater,
    payload: Buffer,
    first: Buffer,
    most: number,
  ): Buffer | null {
    const before = this.history?.bytes() ?? EMPTY;
    const pieces = [first];
    let total = first.length;
    for (let finals = 1; inflater.ended && isLeft(payload, inflater.end); finals++) {
      if (finals > MAX_FINAL_BLOCKS) throw finalBlocksFault();
      inflater.reset(slide(before, pieces, this.windowSize));
      const piece = inflater.inflate(payload, inflater.end, most - total);
      if (piece === null) return null;
      pieces.push(piece);
      total += piece.length;
    }
    return Buffer.concat(pieces, total);
  }

  private get windowSize(): number {
    // Without context takeover, one decompressor with the largest window serves all.
    return 2 ** (this.history === null ? MAX_WINDOW_BITS : this.windowBits);
  }

  /** A decompressor that knows what came before. */
  private inflater(): Inflater {
    const { history, context } = this;
    if (context !== null) {
      inflateContexts.touch(context);
      if (this.stale && history !== null) context.coder.reset(history.bytes());
      return context.coder;
    }
    if (history !== null && synchronousMethod() === 'handle') return this.lendInflater(history);
    const inflater = sharedInflater();
    inflater.reset(history?.bytes() ?? EMPTY);
    return inflater;
  }

  private lendInflater(history: History): Inflater {
    const { windowBits } = this;
    const { coder } = inflateContexts.lend(this, String(windowBits), memory(windowBits), () =>
      lastingInflater(windowBits),
    );
    // It may have been another connection's, or this one's messages have passed it by.
    coder.reset(history.bytes());
    return coder;
  }

  private inflateOnThread(payload: Buffer, most: number, done: InflateDone): void {
    this.stale = true;
    this.done = done;
    const bits = this.history === null ? MAX_WINDOW_BITS : this.windowBits;
    this.job = new InflateJob(
      this.limiter,
      payload,
      bits,
      this.history?.bytes() ?? EMPTY,
      most,
      this.chunkSize,
      (error, bytes) => {
        this.job = null;
        this.done = null;
        if (error !== null) this.fail(error, done);
        else if (bytes !== null) this.deliver(bytes, done);
        else this.fail(inflationFault(this.limits, payload.length), done);
      },
    );
    this.limiter.add(this.job);
  }

  private deliver(bytes: Buffer, done: InflateDone): void {
    this.history?.append(bytes);
    done(null, bytes);
  }

  /** The connection fails, so nothing will be inflated any more. */
  private fail(error: Error, done: InflateDone): void {
    const fault = toFault(error);
    inflateContexts.release(this);
    if (fault.closeCode === 1011) discardInflater();
    done(fault);
  }
}

function toFault(error: Error): ProtocolError {
  // Our own faults come with a close code, zlib's errors without.
  return 'closeCode' in error ? (error as ProtocolError) : dataFault(error);
}

/** What `zconf.h` of zlib says a decompressor takes. */
function memory(windowBits: number): number {
  return 2 ** windowBits + 7 * 1024;
}

function closedError(): Error {
  return new Error('The inflate stream was closed while data was being processed');
}

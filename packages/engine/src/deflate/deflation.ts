import type { CompressionSettings, Deflater } from './coder';
import { TAIL } from './coder';
import { DEFLATE_ON_THREADS_FROM } from './limits';
import type { Context, Holder } from './pool';
import { deflateContexts } from './pool';
import { discardDeflater, lastingDeflater, sharedDeflater } from './synchronous';
import type { Limiter } from './threads';
import { DeflateJob } from './threads';
import { goesToThread } from './turn';

export type DeflateDone = (error: Error | null, bytes?: Uint8Array) => void;

/** The outgoing direction of a connection. */
export class Deflation implements Holder<Deflater> {
  context: Context<Deflater> | null = null;

  private readonly settings: CompressionSettings;
  private readonly takeover: boolean;
  private readonly threshold: number;
  private readonly limiter: Limiter;
  private readonly chunkSize: number;
  private job: DeflateJob | null = null;
  private done: DeflateDone | null = null;
  private closed = false;

  /** @param takeover whether a message may refer to those before it */
  constructor(
    settings: CompressionSettings,
    takeover: boolean,
    threshold: number,
    limiter: Limiter,
    chunkSize: number,
  ) {
    this.settings = settings;
    this.takeover = takeover;
    this.threshold = threshold;
    this.limiter = limiter;
    this.chunkSize = chunkSize;
  }

  compresses(length: number): boolean {
    return this.takeover || length >= this.threshold;
  }

  /** Where nothing of the messages before helps, a short message only grows. */
  compressesAlone(length: number): boolean {
    return length >= this.threshold;
  }

  /** Compresses a whole message for any connection with these settings: it refers to nothing before it. */
  deflateAlone(payload: Uint8Array): Buffer | Promise<Buffer> {
    if (payload.length === 0) return emptyBlock(true);
    if (payload.length >= DEFLATE_ON_THREADS_FROM) return this.deflateAloneOnThread(payload);
    try {
      return withoutTail(sharedDeflater(this.settings).deflate(payload));
    } catch (error) {
      discardDeflater(this.settings);
      throw error;
    }
  }

  deflate(payload: Uint8Array, fin: boolean, done: DeflateDone): void {
    if (this.closed) done(closedError());
    else if (payload.length === 0) done(null, emptyBlock(fin));
    else if (goesToThread(payload.length)) this.deflateOnThread(payload, fin, done);
    else this.deflateHere(payload, fin, done);
  }

  /** Forgets the messages before: a sender may do that at any time (RFC 7692 7.2.1). */
  reset(): void {
    this.context?.coder.reset();
  }

  close(): void {
    const { job, done } = this;
    this.closed = true;
    this.job = null;
    this.done = null;
    deflateContexts.release(this);
    job?.cancel();
    done?.(closedError());
  }

  private deflateHere(payload: Uint8Array, fin: boolean, done: DeflateDone): void {
    let bytes: Buffer;
    try {
      bytes = this.deflater().deflate(payload);
    } catch (error) {
      // Only for want of memory. What the compressor has read of the message, the peer will not get.
      this.release();
      done(error as Error);
      return;
    }
    done(null, fin ? withoutTail(bytes) : bytes);
  }

  private deflater(): Deflater {
    if (!this.takeover) return sharedDeflater(this.settings);
    if (this.context !== null) {
      deflateContexts.touch(this.context);
      return this.context.coder;
    }
    const { coder } = deflateContexts.lend(this, this.settings.key, memory(this.settings), () =>
      lastingDeflater(this.settings),
    );
    // It may have been another connection's.
    coder.reset();
    return coder;
  }

  private deflateOnThread(payload: Uint8Array, fin: boolean, done: DeflateDone): void {
    // So much new text fills most of a window: nothing is gained by taking the old one to the thread and back.
    this.reset();
    this.done = done;
    this.job = new DeflateJob(
      this.limiter,
      payload,
      this.settings,
      this.chunkSize,
      (error, bytes) => {
        this.job = null;
        this.done = null;
        if (bytes === null) done(error);
        else done(null, fin ? withoutTail(bytes) : bytes);
      },
    );
    this.limiter.add(this.job);
  }

  private deflateAloneOnThread(payload: Uint8Array): Promise<Buffer> {
    const { limiter, settings, chunkSize } = this;
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, bytes: Buffer | null): void => {
        if (bytes === null) reject(error);
        else resolve(withoutTail(bytes));
      };
      limiter.add(new DeflateJob(limiter, payload, settings, chunkSize, done));
    });
  }

  private release(): void {
    if (this.takeover) deflateContexts.release(this);
    else discardDeflater(this.settings);
  }
}

/** An empty message is one zero byte (RFC 7692 7.2.3.6), an empty fragment the whole empty block. */
function emptyBlock(fin: boolean): Buffer {
  return Buffer.from(fin ? [0x00] : [0x00, 0x00, 0x00, 0xff, 0xff]);
}

/** RFC 7692 7.2.1 step 3. */
function withoutTail(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length - TAIL.length);
}

/** What `zconf.h` of zlib says a compressor takes. */
function memory({ windowBits, memLevel }: CompressionSettings): number {
  return 2 ** (windowBits + 2) + 2 ** (memLevel + 9);
}

function closedError(): Error {
  return new Error('The deflate stream was closed while data was being processed');
}

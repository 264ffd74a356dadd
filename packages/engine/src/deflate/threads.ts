import { AsyncResource } from 'node:async_hooks';
import type { InflateRaw } from 'node:zlib';
import { createInflateRaw } from 'node:zlib';
import type { CompressionSettings, JobDone } from './coder';
import { cutShort, isLeft, isWhole, TAIL_AND_END } from './coder';
import { slide } from './history';
import { finalBlocksFault, MAX_FINAL_BLOCKS } from './limits';
import type { ThreadDeflater } from './thread-deflater';
import { borrowDeflater, returnDeflater } from './thread-deflater';

/** Starts jobs in order, so many at once. */
export class Limiter {
  private readonly limit: number;
  private running = 0;
  private readonly waiting = new Set<Job>();

  /** @param limit jobs at once; `Infinity` is no limit */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Jobs that wait for their turn. */
  get queued(): number {
    return this.waiting.size;
  }

  /** Jobs on the thread pool. */
  get active(): number {
    return this.running;
  }

  add(job: Job): void {
    this.waiting.add(job);
    this.next();
  }

  /** Takes out a job that has not started. */
  remove(job: Job): void {
    this.waiting.delete(job);
  }

  /** A job has ended. */
  free(): void {
    this.running--;
    this.next();
  }

  private next(): void {
    for (const job of this.waiting) {
      if (this.running >= this.limit) return;
      this.waiting.delete(job);
      this.running++;
      job.run();
    }
  }
}

/** The work on one message on the thread pool. */
export abstract class Job {
  protected over = false;
  private readonly limiter: Limiter;
  private readonly done: JobDone;
  /** Whoever else it waits for, it ends in the asynchronous context that it was made in. */
  private readonly origin = new AsyncResource('upwire.job');
  private started = false;

  constructor(limiter: Limiter, done: JobDone) {
    this.limiter = limiter;
    this.done = done;
  }

  /** Called by the limiter when it is this job's turn. */
  run(): void {
    this.start();
    this.started = true;
  }

  protected abstract start(): void;

  /**
   * Lets go of what {@link start} has taken. A chunk that zlib is at is finished, but nobody waits for it.
   *
   * @param free to be called when it is gone: another job may have the place
   */
  protected abstract release(free: () => void): void;

  /** Ends the job; `done` is not called any more. */
  cancel(): void {
    if (this.over) return;
    this.over = true;
    this.leave();
  }

  protected finish(error: Error | null, output: Buffer | null): void {
    if (this.over) return;
    this.over = true;
    try {
      this.origin.runInAsyncScope(this.done, undefined, error, output);
    } finally {
      this.leave();
    }
  }

  private leave(): void {
    if (this.started) this.release(() => this.limiter.free());
    else this.limiter.remove(this);
  }
}

/** Compresses a message into blocks that refer to nothing before it. */
export class DeflateJob extends Job {
  private readonly payload: Uint8Array;
  private readonly settings: CompressionSettings;
  private readonly chunkSize: number;
  private deflater!: ThreadDeflater;

  constructor(
    limiter: Limiter,
    payload: Uint8Array,
    settings: CompressionSettings,
    chunkSize: number,
    done: JobDone,
  ) {
    super(limiter, done);
    this.payload = payload;
    this.settings = settings;
    this.chunkSize = chunkSize;
  }

  protected start(): void {
    this.deflater = borrowDeflater(this.settings, this.chunkSize);
    this.deflater.deflate(this.payload, (error, output) => this.finish(error, output));
  }

  protected release(free: () => void): void {
    const { deflater } = this;
    if (deflater.idle) {
      returnDeflater(deflater);
      free();
    } else {
      deflater.close(free);
    }
  }
}

/** Inflates a message. */
export class InflateJob extends Job {
  private readonly windowBits: number;
  private readonly most: number;
  private readonly chunkSize: number;
  /** What is still to be read. */
  private payload: Buffer;
  private window: Buffer;
  private readonly pieces: Buffer[] = [];
  private total = 0;
  private finalBlocks = 0;
  private stream!: InflateRaw;

  /**
   * @param window what came before the message
   * @param most bytes that it may become
   */
  constructor(
    limiter: Limiter,
    payload: Buffer,
    windowBits: number,
    window: Buffer,
    most: number,
    chunkSize: number,
    done: JobDone,
  ) {
    super(limiter, done);
    this.payload = payload;
    this.windowBits = windowBits;
    this.window = window;
    this.most = most;
    this.chunkSize = chunkSize;
  }

  protected start(): void {
    const { windowBits, window, chunkSize, payload } = this;
    const dictionary = window.length > 0 ? window : undefined;
    const stream = createInflateRaw({ windowBits, dictionary, chunkSize });
    this.stream = stream;
    this.collect(stream, this.most - this.total);
    stream.write(payload);
    stream.end(TAIL_AND_END);
  }

  protected release(free: () => void): void {
    const { stream } = this;
    if (stream.closed) free();
    else stream.once('close', free).destroy();
  }

  /** Collects what a stream puts out, up to so many bytes. */
  private collect(stream: InflateRaw, most: number): void {
    const pieces: Buffer[] = [];
    let total = 0;
    stream.on('error', (error) => this.finish(error, null));
    stream.on('data', (piece: Buffer) => {
      pieces.push(piece);
      total += piece.length;
      if (total > most) this.finish(null, null);
    });
    stream.on('end', () => {
      if (this.over) return;
      this.total += total;
      for (const piece of pieces) this.pieces.push(piece);
      stream.destroy();
      this.goOn(stream.bytesWritten, pieces);
    });
  }

  /** RFC 7692 7.2.3.4: behind a final block the message goes on, with the same window. */
  private goOn(read: number, pieces: readonly Buffer[]): void {
    const { length } = this.payload;
    if (read > length && !isWhole(length, read)) {
      this.finish(cutShort(), null);
    } else if (!isLeft(this.payload, read)) {
      this.finish(null, Buffer.concat(this.pieces, this.total));
    } else if (++this.finalBlocks > MAX_FINAL_BLOCKS) {
      this.finish(finalBlocksFault(), null);
    } else {
      this.payload = this.payload.subarray(read);
      this.window = slide(this.window, pieces, 2 ** this.windowBits);
      this.start();
    }
  }
}

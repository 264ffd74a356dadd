import type { DeflateRaw } from 'node:zlib';
import { constants, createDeflateRaw } from 'node:zlib';
import { doOutside } from '../outside';
import type { CompressionSettings, JobDone } from './coder';
import { CONTEXT_IDLE, IDLE_THREAD_COMPRESSORS } from './limits';

const nobody: JobDone = () => undefined;

/** Compresses payloads on the thread pool, one at a time, into blocks that refer to nothing before them. */
export class ThreadDeflater {
  /** Two with the same key can take each other's place. */
  readonly key: string;
  /** Whether it waits for a payload. */
  idle = true;
  private readonly stream: DeflateRaw;
  private pieces: Buffer[] = [];
  private total = 0;
  private done: JobDone = nobody;

  constructor(settings: CompressionSettings, chunkSize: number) {
    const { windowBits, level, memLevel, strategy } = settings;
    this.key = keyOf(settings, chunkSize);
    // What each write ends with: a flush of its own would be another trip to the thread pool.
    const flush = constants.Z_SYNC_FLUSH;
    this.stream = doOutside(() =>
      createDeflateRaw({ windowBits, level, memLevel, strategy, chunkSize, flush }),
    );
    this.stream.on('data', (piece: Buffer) => {
      this.pieces.push(piece);
      this.total += piece.length;
    });
    this.stream.on('error', (error) => this.done(error, null));
  }

  deflate(payload: Uint8Array, done: JobDone): void {
    this.idle = false;
    this.done = done;
    this.stream.write(payload, (error) => {
      // Of a stream that is closed meanwhile, zlib still says that it is done.
      if (error) this.done(error, null);
      else if (!this.stream.destroyed) this.finish();
    });
  }

  /** Gives the memory back, as soon as zlib has finished what it is at. @param closed called when the stream is closed */
  close(closed?: () => void): void {
    const { stream } = this;
    if (closed !== undefined) {
      if (stream.closed) closed();
      else stream.once('close', closed);
    }
    stream.destroy();
  }

  private finish(): void {
    const { done } = this;
    const output = Buffer.concat(this.pieces, this.total);
    this.pieces = [];
    this.total = 0;
    this.done = nobody;
    this.stream.reset();
    this.idle = true;
    done(null, output);
  }
}

/** Those that nobody uses, the one used last at the end. */
const unused: ThreadDeflater[] = [];
let timer: NodeJS.Timeout | undefined;

/** A compressor for one payload, to be given to {@link returnDeflater} behind it: making one takes as long as 4 KiB. */
export function borrowDeflater(settings: CompressionSettings, chunkSize: number): ThreadDeflater {
  const key = keyOf(settings, chunkSize);
  const at = unused.findLastIndex((deflater) => deflater.key === key);
  return at === -1 ? new ThreadDeflater(settings, chunkSize) : unused.splice(at, 1)[0];
}

/** Keeps a compressor for the next payload, until none has been returned for a while. */
export function returnDeflater(deflater: ThreadDeflater): void {
  unused.push(deflater);
  if (unused.length > IDLE_THREAD_COMPRESSORS) unused.shift()?.close();
  // They keep no process alive.
  timer ??= doOutside(() => setTimeout(closeUnused, CONTEXT_IDLE).unref());
  timer.refresh();
}

/** Gives their memory back. */
export function closeUnused(): void {
  clearTimeout(timer);
  timer = undefined;
  for (const deflater of unused.splice(0)) deflater.close();
}

function keyOf({ key }: CompressionSettings, chunkSize: number): string {
  return `${key},${chunkSize}`;
}

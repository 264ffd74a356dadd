import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { CompressionSettings, Deflater, Inflater } from './coder';
import { cutShort, isWhole, TAIL_AND_END } from './coder';
import { History } from './history';

/**
 * Compresses by public functions of `node:zlib` alone, each call with a stream of its own. What was compressed before
 * is its dictionary, if it is to be remembered at all.
 */
export class DictionaryDeflater implements Deflater {
  private readonly settings: CompressionSettings;
  private readonly history: History | null;

  constructor(settings: CompressionSettings, lasting: boolean) {
    this.settings = settings;
    this.history = lasting ? new History(2 ** settings.windowBits) : null;
  }

  deflate(payload: Uint8Array): Buffer {
    const { windowBits, level, memLevel, strategy } = this.settings;
    const bytes = deflateRawSync(payload, {
      windowBits,
      level,
      memLevel,
      strategy,
      finishFlush: constants.Z_SYNC_FLUSH,
      dictionary: dictionary(this.history?.bytes()),
    });
    this.history?.append(payload);
    return bytes;
  }

  reset(): void {
    this.history?.clear();
  }

  close(): void {
    this.reset();
  }
}

/** With `info`, the functions of `node:zlib` return the stream too; the declarations do not know it. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Decompresses by public functions of `node:zlib` alone. It needs a reset before each message. */
export class DictionaryInflater implements Inflater {
  end = 0;
  ended = false;
  private readonly windowBits: number;
  private window: Uint8Array = Buffer.alloc(0);

  constructor(windowBits: number) {
    this.windowBits = windowBits;
  }

  inflate(payload: Uint8Array, start: number, most: number): Buffer | null {
    const input = Buffer.concat([payload.subarray(start), TAIL_AND_END]);
    const inflated = this.inflateAll(input, most);
    if (inflated === null || inflated.buffer.length > most) return null;
    const length = payload.length - start;
    const read = inflated.engine.bytesWritten;
    if (read > length && !isWhole(length, read)) throw cutShort();
    this.ended = read < input.length;
    this.end = start + Math.min(length, read);
    return inflated.buffer;
  }

  reset(window: Uint8Array): void {
    this.window = window;
  }

  close(): void {
    this.reset(Buffer.alloc(0));
  }

  private inflateAll(input: Buffer, most: number): Inflated | null {
    try {
      return inflateRawSync(input, {
        windowBits: this.windowBits,
        // zlib takes no limit of 0, which is what the message may have left.
        maxOutputLength: Math.max(most, 1),
        info: true,
        dictionary: dictionary(this.window),
      }) as unknown as Inflated;
    } catch (error) {
      if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') return null;
      throw error;
    }
  }
}

function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** zlib takes no empty dictionary. */
function dictionary(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : bytes;
}

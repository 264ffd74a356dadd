import { constants } from 'node:zlib';
import type { Agreement } from './negotiate';
import type { Effort, ResolvedDeflateOptions } from './options';

/** Compresses in the calling thread. */
export interface Deflater {
  /**
   * Compresses bytes, at least one, into whole blocks that refer to nothing before the last {@link reset}; their end
   * is an empty stored block, 00 00 FF FF.
   */
  deflate(payload: Uint8Array): Buffer;
  /** Forgets what was compressed. */
  reset(): void;
  /** Gives the memory back. */
  close(): void;
}

/** Decompresses in the calling thread. */
export interface Inflater {
  /**
   * Index of the first byte of the payload that the last {@link inflate} did not read, because a final block ended
   * the stream (RFC 7692 7.2.3.4).
   */
  readonly end: number;
  /** Whether the last {@link inflate} met a final block: before anything else comes a {@link reset}. */
  readonly ended: boolean;
  /**
   * Inflates a message from `start` to its end or to a final block.
   *
   * @returns `null` if it is more than `most` bytes
   * @throws zlib's error, also for a message that is cut short
   */
  inflate(payload: Uint8Array, start: number, most: number): Buffer | null;
  /** Begins anew, with these bytes as what came before. */
  reset(window: Uint8Array): void;
  /** Gives the memory back. */
  close(): void;
}

/** Told what came of work on the thread pool: `output` is `null` for a message that became larger than allowed. */
export type JobDone = (error: Error | null, output: Buffer | null) => void;

/** How a compressor is set up; two with the same `key` are the same object. */
export interface CompressionSettings extends Effort {
  readonly windowBits: number;
  readonly key: string;
}

/** What the sender of a compressed message has taken off (RFC 7692 7.2.1). */
export const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** {@link TAIL} and a final empty block: without an end, zlib does not notice that a stream is cut short. */
export const TAIL_AND_END = Buffer.from([...TAIL, 0x01, 0x00, 0x00, 0xff, 0xff]);

/**
 * Whether a stream that was given a payload and {@link TAIL_AND_END}, and has read all of the payload, ends where a
 * message may end: behind all, behind the payload, or behind the tail, which then belongs to a final block.
 *
 * @param length bytes of the payload
 * @param read bytes that were read of both
 */
export function isWhole(length: number, read: number): boolean {
  return read === length || read === length + TAIL.length || read === length + TAIL_AND_END.length;
}

/** The error of zlib for data that ends too early. */
export function cutShort(): Error {
  return Object.assign(new Error('unexpected end of file'), {
    errno: constants.Z_BUF_ERROR,
    code: 'Z_BUF_ERROR',
  });
}

const settingsByKey = new Map<string, CompressionSettings>();

/** The settings of a compressor with this window. At most some thousands exist, as each number has few values. */
export function compressionSettings(windowBits: number, effort: Effort): CompressionSettings {
  const { level, memLevel, strategy } = effort;
  const key = `${windowBits},${level},${memLevel},${strategy}`;
  let settings = settingsByKey.get(key);
  if (settings === undefined) {
    settings = Object.freeze({ windowBits, level, memLevel, strategy, key });
    settingsByKey.set(key, settings);
  }
  return settings;
}

/** The settings of the compressor that one side of a connection uses. */
export function settingsOf(
  agreement: Agreement,
  role: 'server' | 'client',
  options: ResolvedDeflateOptions,
): CompressionSettings {
  const { serverMaxWindowBits, clientMaxWindowBits } = agreement;
  const windowBits = role === 'server' ? serverMaxWindowBits : clientMaxWindowBits;
  return compressionSettings(windowBits, options.effort);
}

/**
 * Whether a part of a message is left behind a final block. One zero byte is not: it is the start of the empty block
 * that the sender has cut off (RFC 7692 7.2.3.4).
 */
export function isLeft(payload: Uint8Array, end: number): boolean {
  return end < payload.length && !(end === payload.length - 1 && payload[end] === 0);
}

import type { ProtocolError } from '../protocol/errors';
import { Faults, protocolError } from '../protocol/errors';
import { MAX_BYTES } from '../protocol/limits';

/** What a received message may cost. 0 turns a limit off, and so does `undefined` where it is allowed. */
export interface CompressionLimits {
  /** Bytes of an inflated message, and of a compressed one where `maxCompressedPayload` is not set. */
  readonly maxPayload: number;
  /** Bytes of a compressed message. */
  readonly maxCompressedPayload?: number | undefined;
  /**
   * Bytes that one compressed byte may become. DEFLATE itself ends at 1032, and repetitive text honestly reaches
   * hundreds, so a message of up to 64 KiB is free of it.
   */
  readonly maxInflationRatio?: number | undefined;
}

/**
 * Payloads from this size on are compressed on the thread pool. Below it the trip there and back costs more than the
 * compression itself, and blocks the event loop for longer.
 */
export const DEFLATE_ON_THREADS_FROM = 16 * 1024;
/** Smaller messages never go to the thread pool: the trip would cost the event loop more than they do. */
export const DEFLATE_IN_PLACE_BELOW = 4 * 1024;
/** Bytes that are compressed in place in one turn of the event loop: some 0.5 ms of it. What comes behind them goes to threads. */
export const DEFLATED_IN_A_TURN = 16 * 1024;
/** Compressed messages from this size on are inflated on the thread pool; inflating is several times faster. */
export const INFLATE_ON_THREADS_FROM = 32 * 1024;
/** A small message that becomes larger than this is inflated on the thread pool after all. */
export const INFLATED_IN_PLACE = 128 * 1024;
/**
 * Final blocks (BFINAL) in one message. Honest senders end each message or each flush with one (RFC 7692 7.2.3.4);
 * as each makes the decompressor start anew, two bytes of a message must not be able to buy one without end.
 */
export const MAX_FINAL_BLOCKS = 64;
/** Memory of all lasting compressors in the process; one with a 32 KiB window takes 256 KiB. */
export const DEFLATE_CONTEXTS_BYTES = 32 * 1024 * 1024;
/** Memory of all lasting decompressors in the process; one with a 32 KiB window takes 44 KiB. */
export const INFLATE_CONTEXTS_BYTES = 16 * 1024 * 1024;
/** A lasting context that nobody has used for one to two times this long gives its memory back, in milliseconds. */
export const CONTEXT_IDLE = 5_000;
/** Compressors of the thread pool that wait for the next message; one takes 256 KiB and a chunk of output by default. */
export const IDLE_THREAD_COMPRESSORS = 4;
/** Compressors that connections without context takeover share, one for each set of settings in use. */
export const SHARED_COMPRESSORS = 16;

/** Inflated size that no ratio forbids. */
const RATIO_FLOOR = 64 * 1024;

const RATIO = {
  code: 'WS_ERR_INFLATION_RATIO_EXCEEDED',
  closeCode: 1009,
  clause: 'maxInflationRatio (RFC 6455 10.4)',
  message: 'Max inflation ratio exceeded',
} as const;

const FINAL_BLOCKS = {
  code: 'WS_ERR_TOO_MANY_FINAL_BLOCKS',
  closeCode: 1008,
  clause: 'RFC 7692 7.2.3.4',
  message: 'Too many final DEFLATE blocks in one message',
} as const;

/** Whether a compressed message of this size may not even be looked at. */
export function isTooLong(limits: CompressionLimits, length: number): boolean {
  const most = limits.maxCompressedPayload || limits.maxPayload;
  return most > 0 && length > most;
}

/** Bytes that a message of this compressed size may become. */
export function mostInflated(limits: CompressionLimits, length: number): number {
  return Math.min(limits.maxPayload || MAX_BYTES, mostByRatio(limits, length));
}

function mostByRatio({ maxInflationRatio }: CompressionLimits, length: number): number {
  return maxInflationRatio
    ? Math.max(RATIO_FLOOR, Math.floor(maxInflationRatio * length))
    : Number.POSITIVE_INFINITY;
}

/** The fault of a message that would become more than {@link mostInflated}. */
export function inflationFault(limits: CompressionLimits, length: number): ProtocolError {
  const byRatio = mostByRatio(limits, length) < (limits.maxPayload || MAX_BYTES);
  return protocolError(byRatio ? RATIO : Faults.MESSAGE_LENGTH);
}

export function lengthFault(): ProtocolError {
  return protocolError(Faults.MESSAGE_LENGTH);
}

export function finalBlocksFault(): ProtocolError {
  return protocolError(FINAL_BLOCKS);
}

/**
 * zlib's error as what it means here: the peer sent no DEFLATE data, unless we ran out of memory. An error without a
 * code is V8's, which had none for the message.
 */
export function dataFault(error: Error): ProtocolError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'Z_MEM_ERROR';
  const closeCode = code === 'Z_MEM_ERROR' ? 1011 : 1007;
  return Object.assign(error, { code, closeCode, clause: 'RFC 7692 7.2.2' });
}

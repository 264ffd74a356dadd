import { headerSizeFrom, LengthFault, MAX_HEADER, readLength, readUint32 } from './frame';
import { rotateKey } from './mask';
import { FIN, LENGTH_BITS, MASK, OPCODE_BITS, Opcode } from './opcodes';

/**
 * Where a parser delivers. Each call answers whether to go on: `false` stops the parser right there, after a fault or
 * because the reader wants to wait.
 */
export interface FrameSink {
  /** The first two bytes of a frame: enough to tell whether it may come now. */
  onFrameStart(first: number, second: number): boolean;
  /** The length the header announces, before any of its bytes; or a {@link LengthFault}. */
  onFrameLength(length: number, headerSize: number): boolean;
  /**
   * The next part of the payload as it came, in the reader's own chunk; called once with an empty range for an empty frame.
   *
   * @param remaining bytes of this frame still to come; 0 ends the frame
   * @param key masks the part, from its first byte on; 0 where it is not masked
   */
  onPayload(chunk: Buffer, start: number, end: number, remaining: number, key: number): boolean;

  /**
   * The longest message, in bytes, that {@link onWholeMessage} may be called with for a whole frame that breaks no rule;
   * below 0 while it may not be called at all.
   */
  readonly wholeUpTo: number;
  /** Whether frames have to be masked (RFC 6455 5.1). */
  readonly expectsMask: boolean;
  /** In place of all other calls: a message of one frame, not compressed, that lies in one piece in the chunk. */
  onWholeMessage(opcode: number, chunk: Buffer, start: number, end: number, key: number): boolean;
}

const KEY_SIZE = 4;
const WHOLE_TEXT = FIN | Opcode.TEXT;
const WHOLE_BINARY = FIN | Opcode.BINARY;
const NO_SPILL = Buffer.alloc(0);

/**
 * Turns bytes into frames, however the bytes are cut. It parses in the caller's chunk, leaves it as it is, and keeps
 * nothing but a header that a cut left unfinished. Unmasking is the sink's: what has to be copied is unmasked on the way.
 */
export class FrameParser {
  /** Payload bytes of the current frame still to come; -1 while a header is being read. */
  private remaining = -1;
  /** Masking key of the next payload byte; 0 where the frame is not masked. */
  private key = 0;
  /** Header bytes kept from earlier chunks. Only made for a connection whose headers do get cut. */
  private spill = NO_SPILL;
  private spilled = 0;

  /**
   * Parses `chunk` from `start` on.
   *
   * @returns where it stopped: the chunk's length, or less when the sink said so
   */
  feed(chunk: Buffer, start: number, sink: FrameSink): number {
    const end = chunk.length;
    let at = start;
    while (at < end) {
      if (this.remaining < 0) {
        if (this.spilled === 0) {
          const next = wholeMessage(chunk, at, sink);
          if (next < 0) return ~next;
          if (next > at) {
            at = next;
            continue;
          }
        }
        at = this.spilled > 0 ? this.resumeHeader(chunk, at, sink) : this.header(chunk, at, sink);
        if (at < 0) return ~at;
        continue;
      }
      const stop = this.remaining < end - at ? at + this.remaining : end;
      const left = this.remaining - (stop - at);
      const { key } = this;
      if (left > 0) this.key = rotateKey(key, stop - at);
      this.remaining = left === 0 ? -1 : left;
      const from = at;
      at = stop;
      if (!sink.onPayload(chunk, from, stop, left, key)) return at;
    }
    return at;
  }

  /** Reads a header that begins in this chunk. @returns where it ends, or the complement of that to stop */
  private header(chunk: Buffer, at: number, sink: FrameSink): number {
    const available = chunk.length - at;
    if (available < 2) return this.keep(chunk, at);
    const second = chunk[at + 1];
    if (!sink.onFrameStart(chunk[at], second)) return ~(at + 2);
    const size = headerSizeFrom(second);
    if (available < size) return this.keep(chunk, at);
    return this.announce(chunk, at, size, at + size, sink);
  }

  /** Goes on with a header whose first bytes came in an earlier chunk. */
  private resumeHeader(chunk: Buffer, start: number, sink: FrameSink): number {
    const { spill } = this;
    let at = start;
    if (this.spilled === 1) {
      spill[this.spilled++] = chunk[at++];
      if (!sink.onFrameStart(spill[0], spill[1])) return ~at;
    }
    const size = headerSizeFrom(spill[1]);
    while (this.spilled < size && at < chunk.length) spill[this.spilled++] = chunk[at++];
    if (this.spilled < size) return at;
    this.spilled = 0;
    return this.announce(spill, 0, size, at, sink);
  }

  /** A whole header: tells its length, then goes on at `at`, where the payload begins. */
  private announce(header: Buffer, offset: number, size: number, at: number, sink: FrameSink) {
    const length = readLength(header, offset);
    if (!sink.onFrameLength(length, size)) return ~at;
    this.key = (header[offset + 1] & MASK) === 0 ? 0 : readUint32(header, offset + size - 4) | 0;
    if (length > 0) {
      this.remaining = length;
      return at;
    }
    this.remaining = -1;
    return sink.onPayload(header, 0, 0, 0, 0) ? at : ~at;
  }

  private keep(chunk: Buffer, at: number): number {
    if (this.spill === NO_SPILL) this.spill = Buffer.allocUnsafeSlow(MAX_HEADER);
    this.spilled = chunk.copy(this.spill, 0, at);
    return chunk.length;
  }
}

/**
 * Takes what nearly all frames are in one step: a whole message whose frame lies in one piece in the chunk and breaks no
 * rule. It saves half of the time that such a frame takes otherwise (ADR 27).
 *
 * @returns where the frame ends, or the complement of that to stop; `at` for any other frame
 */
function wholeMessage(chunk: Buffer, at: number, sink: FrameSink): number {
  const end = chunk.length;
  if (end - at < 2) return at;
  const first = chunk[at];
  const second = chunk[at + 1];
  if (first !== WHOLE_TEXT && first !== WHOLE_BINARY) return at;
  if (((second & MASK) !== 0) !== sink.expectsMask) return at;
  let length = second & LENGTH_BITS;
  let start = at + 2;
  if (length >= 126) {
    if (length === 127 || end - at < 4) return at;
    length = (chunk[start] << 8) | chunk[start + 1];
    if (length < 126) return at;
    start += 2;
  }
  let key = 0;
  if (sink.expectsMask) {
    start += KEY_SIZE;
    if (start > end) return at;
    key = readUint32(chunk, start - KEY_SIZE) | 0;
  }
  const stop = start + length;
  if (stop > end || length > sink.wholeUpTo) return at;
  return sink.onWholeMessage(first & OPCODE_BITS, chunk, start, stop, key) ? stop : ~stop;
}

import type { ProtocolError } from './errors';
import { Faults, protocolError } from './errors';
import { MAX_HEADER } from './frame';
import type { ResolvedLimits } from './limits';
import { MAX_BYTES } from './limits';
import { maskInto } from './mask';

const EMPTY = Buffer.alloc(0);
/** Smallest buffer that a message begins with: most fragmented messages fit and never grow. */
const FIRST_CAPACITY = 1024;

/**
 * How many times what is here a message may be announced as, to get all of its memory: a first read of 64 KiB earns 2 MiB.
 * What nobody has written to yet takes no memory of the machine's.
 */
const EARNS_ALL = 32;

/** The longest message, in bytes, that one frame may bring whatever its header; -1 where each has to be counted. */
export function longestWhole({ maxPayload, maxFramingOverhead }: ResolvedLimits): number {
  if (maxFramingOverhead > 0 && maxFramingOverhead < MAX_HEADER) return -1;
  return maxPayload > 0 ? maxPayload : MAX_BYTES;
}

/**
 * A message on its way in, from its first frame to its last.
 *
 * Payload goes into one growing buffer: a fragment or a socket read costs the bytes it brings and nothing else, and
 * nothing is reserved for bytes that were only announced.
 */
export class IncomingMessage {
  /** Opcode of the first frame, or 0 between messages. */
  opcode = 0;
  /** Whether the first frame had RSV1 set (RFC 7692 6). */
  compressed = false;

  private readonly limits: ResolvedLimits;
  /** Largest message in bytes. Even without `maxPayload` it has to fit into one buffer. */
  private readonly most: number;
  private announced = 0;
  /** Whether the frame being read is the last. */
  private last = false;
  private frames = 0;
  private headers = 0;
  private chunks = 0;
  /** The payload so far, up to {@link length}. */
  bytes = EMPTY;
  private used = 0;

  constructor(limits: ResolvedLimits) {
    this.limits = limits;
    this.most = limits.maxPayload > 0 ? limits.maxPayload : MAX_BYTES;
  }

  /** Whether the message waits for more frames. */
  get open(): boolean {
    return this.opcode !== 0;
  }

  /** Payload bytes kept so far. */
  get length(): number {
    return this.used;
  }

  /** Begins with the first frame of a message. */
  begin(opcode: number, compressed: boolean): void {
    this.opcode = opcode;
    this.compressed = compressed;
  }

  /**
   * Counts a frame by its header, before any of its payload is here.
   *
   * @param last whether it ends the message
   * @returns the limit it breaks
   */
  announce(length: number, headerSize: number, last: boolean): ProtocolError | undefined {
    const { maxFragments, maxFramingOverhead } = this.limits;
    this.last = last;
    this.announced += length;
    if (this.announced > this.most) return protocolError(Faults.MESSAGE_LENGTH);
    this.frames++;
    if (maxFragments > 0 && this.frames > maxFragments) {
      return protocolError(Faults.TOO_MANY_FRAGMENTS);
    }
    // Overhead is weighed against the payload it brought, so that only empty and near-empty fragments run into it.
    this.headers += headerSize;
    if (maxFramingOverhead > 0 && this.headers > maxFramingOverhead + this.announced) {
      return protocolError(Faults.TOO_MANY_FRAGMENTS);
    }
    this.chunks = 0;
    return undefined;
  }

  /**
   * Takes over the next part of the payload.
   *
   * @param key masks the part; 0 where it is not masked
   * @returns the limit it breaks
   */
  append(chunk: Buffer, start: number, end: number, key: number): ProtocolError | undefined {
    const { maxBufferedChunks } = this.limits;
    this.chunks++;
    if (maxBufferedChunks > 0 && this.chunks > maxBufferedChunks) {
      return protocolError(Faults.TOO_MANY_CHUNKS);
    }
    const needed = this.used + (end - start);
    if (needed > this.bytes.length) this.grow(needed);
    maskInto(chunk, start, end, this.bytes, this.used, key);
    this.used = needed;
    return undefined;
  }

  /** The payload kept so far; it belongs to the caller, and the next message gets a buffer of its own. */
  take(): Buffer {
    const payload =
      this.used === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.used);
    this.bytes = EMPTY;
    this.used = 0;
    return payload;
  }

  /** Ends the message; the next one starts from zero. */
  finish(): void {
    this.opcode = 0;
    this.compressed = false;
    this.announced = 0;
    this.frames = 0;
    this.headers = 0;
    this.chunks = 0;
  }

  private grow(needed: number): void {
    // Doubling keeps the copying linear. What was announced bounds it only once the last frame has told the whole size; when
    // a part of that is here, it gets all of its memory, so that most messages are never copied again.
    const doubled = Math.max(needed, 2 * this.bytes.length, FIRST_CAPACITY);
    const most = this.last ? this.announced : this.most;
    const capacity = this.last && EARNS_ALL * needed >= most ? most : Math.min(doubled, most);
    const larger = Buffer.allocUnsafe(capacity);
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}

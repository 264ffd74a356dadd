import { headerSize, MAX_HEADER, writeHeader } from '../protocol/frame';
import { maskInPlace, maskInto } from '../protocol/mask';
import { Slab } from '../protocol/memory';
import { MOST_UTF8_BYTES } from '../protocol/sender';

/** Frames up to this size are copied, header and payload together; above it, copying costs more than a second buffer. */
const COPY_UP_TO = 8 * 1024;
const SLAB_SIZE = 64 * 1024;
/** Memory that a batch takes for itself at a time while its transport is blocked. */
const OWN_SIZE = 16 * 1024;
/** Shared frames are joined up to this many bytes; above it, the system joins them for less. */
const JOIN_UP_TO = 64 * 1024;

/** Memory for headers and small frames, shared by all connections. It is only ever written forward, never reused. */
let slab = new Slab(SLAB_SIZE);

/** The shared frames that were joined last, and what they became: the next batch often has the same ones. */
let joinedParts: readonly Buffer[] = [];
let joined: Buffer = slab.bytes;

/** Lets go of the frames that were joined last: with the tick ends the chance that somebody else has got them. */
export function forgetJoined(): void {
  joinedParts = [];
  joined = slab.bytes;
}

/** Frames on their way into one write. */
export class Batch {
  /** Bytes of all frames. */
  bytes = 0;
  private readonly parts: Buffer[] = [];
  /** How many of the parts are shared with other batches. */
  private sharedParts = 0;
  /** The part being built: a range of the shared slab or of `own` memory, which the next small frame extends. */
  private tail: Buffer | undefined = undefined;
  private tailStart = 0;
  private tailEnd = 0;
  private own: Buffer | undefined = undefined;

  /**
   * Adds a frame. A payload of more than 8 KiB is not copied where it need not be masked.
   *
   * @param first FIN, the reserved bits and the opcode
   * @param waits whether the batch will wait: it must not keep a slab alive that other connections' frames share
   */
  add(first: number, payload: Uint8Array | string, key: number | undefined, waits: boolean): void {
    if (typeof payload !== 'string') this.addBytes(first, payload, key, waits);
    else if (payload.length * MOST_UTF8_BYTES <= COPY_UP_TO)
      this.addText(first, payload, key, waits);
    else this.addLongText(first, payload, key, waits);
  }

  /** Adds bytes that are framed already. */
  addFramed(frames: readonly Uint8Array[], size: number, waits: boolean): void {
    this.bytes += size;
    if (size > COPY_UP_TO) {
      this.closeTail();
      for (const part of frames) this.parts.push(view(part));
      return;
    }
    const tail = this.tailFor(size, waits);
    let at = this.tailEnd;
    for (const part of frames) {
      tail.set(part, at);
      at += part.length;
    }
    this.extendTail(tail, size);
  }

  /** Adds a frame whose bytes many batches share, and that never change. */
  addShared(frame: Buffer): void {
    this.bytes += frame.length;
    this.closeTail();
    this.parts.push(frame);
    this.sharedParts++;
  }

  /** The bytes to write, in order; the batch is of no use any more. */
  close(): readonly Buffer[] {
    this.closeTail();
    const { parts } = this;
    const joins = parts.length > 1 && this.sharedParts === parts.length && this.bytes <= JOIN_UP_TO;
    return joins ? [joinShared(parts)] : parts;
  }

  private addBytes(
    first: number,
    payload: Uint8Array,
    key: number | undefined,
    waits: boolean,
  ): void {
    const { length } = payload;
    const header = headerSize(length, key !== undefined);
    const size = header + length;
    this.bytes += size;
    if (length <= COPY_UP_TO) {
      const tail = this.tailFor(size, waits);
      fill(tail, this.tailEnd, first, payload, key);
      this.extendTail(tail, size);
      return;
    }
    if (key !== undefined) {
      this.closeTail();
      const frame = Buffer.allocUnsafeSlow(size);
      fill(frame, 0, first, payload, key);
      this.parts.push(frame);
      return;
    }
    const tail = this.tailFor(header, waits);
    writeHeader(tail, this.tailEnd, first, length, key);
    this.extendTail(tail, header);
    this.closeTail();
    // The sender's own memory, not copied: as with any stream, it must not change before the callback.
    this.parts.push(view(payload));
  }

  /**
   * Encodes text where it goes, so that its length is only known afterwards. The header is taken to be that of ASCII; text
   * that needs a longer one is encoded once more behind it.
   */
  private addText(first: number, text: string, key: number | undefined, waits: boolean): void {
    const masked = key !== undefined;
    const tail = this.tailFor(MAX_HEADER + text.length * MOST_UTF8_BYTES, waits);
    const start = this.tailEnd;
    const expected = start + headerSize(text.length, masked);
    const length = tail.write(text, expected);
    const begin = start + headerSize(length, masked);
    if (begin !== expected) tail.write(text, begin);
    writeHeader(tail, start, first, length, key);
    if (key !== undefined) maskInPlace(tail, begin, begin + length, key);
    const size = begin + length - start;
    this.bytes += size;
    this.extendTail(tail, size);
  }

  private addLongText(first: number, text: string, key: number | undefined, waits: boolean): void {
    const length = Buffer.byteLength(text);
    const size = headerSize(length, key !== undefined) + length;
    this.bytes += size;
    if (length <= COPY_UP_TO) {
      const tail = this.tailFor(size, waits);
      fillText(tail, this.tailEnd, first, text, length, key);
      this.extendTail(tail, size);
      return;
    }
    this.closeTail();
    const frame = Buffer.allocUnsafeSlow(size);
    fillText(frame, 0, first, text, length, key);
    this.parts.push(frame);
  }

  /** Memory in which the tail can be made `size` bytes longer. */
  private tailFor(size: number, waits: boolean): Buffer {
    return waits ? this.ownTail(size) : this.sharedTail(size);
  }

  private extendTail(tail: Buffer, size: number): void {
    this.tailEnd += size;
    if (tail === slab.bytes) slab.used = this.tailEnd;
  }

  /** Makes the tail end where the shared slab has `size` free bytes. */
  private sharedTail(size: number): Buffer {
    if (slab.used + size > SLAB_SIZE) slab = new Slab(SLAB_SIZE);
    const { bytes, used } = slab;
    if (this.tail !== bytes || this.tailEnd !== used) this.startTail(bytes, used);
    return bytes;
  }

  /** Makes the tail end where memory of this batch alone has `size` free bytes. */
  private ownTail(size: number): Buffer {
    const { tail } = this;
    if (tail !== undefined && tail === this.own && this.tailEnd + size <= tail.length) return tail;
    const memory = Buffer.allocUnsafeSlow(Math.max(size, OWN_SIZE));
    this.startTail(memory, 0);
    this.own = memory;
    return memory;
  }

  private startTail(memory: Buffer, at: number): void {
    this.closeTail();
    this.tail = memory;
    this.tailStart = at;
    this.tailEnd = at;
  }

  private closeTail(): void {
    if (this.tail === undefined) return;
    const { tail, tailStart, tailEnd } = this;
    const part =
      tail === slab.bytes
        ? slab.part(tailStart, tailEnd - tailStart)
        : tail.subarray(tailStart, tailEnd);
    this.parts.push(part);
    this.tail = undefined;
    this.own = undefined;
  }
}

/** The bytes of shared frames, which batches that have the same frames share in their turn. */
function joinShared(parts: readonly Buffer[]): Buffer {
  const same =
    parts.length === joinedParts.length &&
    parts.every((part, index) => part === joinedParts[index]);
  if (!same) {
    joinedParts = parts;
    joined = Buffer.concat(parts);
  }
  return joined;
}

function fill(
  target: Buffer,
  offset: number,
  first: number,
  payload: Uint8Array,
  key: number | undefined,
): void {
  const { length } = payload;
  const at = writeHeader(target, offset, first, length, key);
  if (key === undefined) target.set(payload, at);
  else maskInto(payload, 0, length, target, at, key);
}

function fillText(
  target: Buffer,
  offset: number,
  first: number,
  text: string,
  length: number,
  key: number | undefined,
): void {
  const at = writeHeader(target, offset, first, length, key);
  target.write(text, at, length);
  if (key !== undefined) maskInPlace(target, at, at + length, key);
}

function view(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

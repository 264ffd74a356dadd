import { headerSize, MAX_HEADER, writeHeader } from '../protocol/frame';
import { maskInPlace, maskInto } from '../protocol/mask';
import type { FrameWriter, WriteCallback } from '../protocol/sender';
import { MOST_UTF8_BYTES, socketClosed } from '../protocol/sender';
import { rethrow } from '../rethrow';

/** What an outbox needs of a stream; every `Duplex` has it. */
export interface Transport {
  readonly writableNeedDrain: boolean;
  readonly writableLength: number;
  readonly errored: Error | null;
  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  end(): void;
  destroy(): void;
}

/** Frames up to this size are copied into the slab, header and payload together; above it, copying costs more than a second buffer. */
const COPY_UP_TO = 16 * 1024;
const SLAB_SIZE = 64 * 1024;
/** Memory that an outbox takes for itself at a time while its transport is blocked. */
const OWN_SIZE = 16 * 1024;

/** Shared frames of one tick are joined up to this many bytes; above it, the system joins them for less. */
const JOIN_UP_TO = 64 * 1024;

/** Memory for headers and small frames, shared by all connections. It is only ever written forward, never reused. */
let slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
let slabUsed = 0;

/** Outboxes with frames of this tick. */
let dirty: Outbox[] = [];

/** The shared frames that were joined last, and what they became: the next outbox has often got the same ones. */
let joinedParts: readonly Buffer[] = [];
let joined = slab;

/** The bytes of shared frames, which outboxes that have got the same frames share in their turn. */
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

function forgetJoined(): void {
  joinedParts = [];
  joined = slab;
}

function flushDirty(): void {
  const outboxes = dirty;
  dirty = [];
  for (const outbox of outboxes) {
    try {
      outbox.flushTick();
    } catch (thrown) {
      // A stream that throws must not keep the frames of the others.
      rethrow(thrown);
    }
  }
  forgetJoined();
}

/**
 * Collects the frames of one tick and hands them to the transport in one write.
 *
 * While the transport takes no more, frames stay here and go out together when it drains.
 */
export class Outbox implements FrameWriter {
  /** Bytes of frames that the transport has not been given yet. */
  queuedBytes = 0;

  private readonly transport: Transport;
  private parts: Buffer[] = [];
  /** How many of the parts are shared with other outboxes. */
  private sharedParts = 0;
  /** The part being built: a range of the shared slab or of `own` memory, which the next small frame extends. */
  private tail: Buffer | undefined = undefined;
  private tailStart = 0;
  private tailEnd = 0;
  private own: Buffer | undefined = undefined;
  private callbacks: WriteCallback[] | undefined = undefined;
  /** Callbacks of writes that the transport has not confirmed, oldest first. */
  private inFlight: WriteCallback[][] | undefined = undefined;
  private corked = false;
  private scheduled = false;
  private ended = false;
  /** Whether the transport was destroyed before it had passed on what it was given. */
  private gaveUp = false;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  get blocked(): boolean {
    return this.transport.writableNeedDrain;
  }

  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void {
    if (this.ended) {
      if (callback !== undefined) process.nextTick(callback, socketClosed());
      return;
    }
    if (typeof payload === 'string' && payload.length * MOST_UTF8_BYTES <= COPY_UP_TO) {
      this.queued(this.copyText(first, payload, key), callback);
      return;
    }
    const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
    const header = headerSize(length, key !== undefined);
    if (length <= COPY_UP_TO) this.copyFrame(first, payload, length, header, key);
    else this.largeFrame(first, payload, length, header, key);
    this.queued(header + length, callback);
  }

  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    if (this.ended) {
      if (callback !== undefined) process.nextTick(callback, socketClosed());
      return;
    }
    let size = 0;
    for (const part of frames) size += part.length;
    if (size === 0) {
      if (callback !== undefined) process.nextTick(callback);
      return;
    }
    if (size <= COPY_UP_TO) {
      const tail = this.tailFor(size);
      let at = this.tailEnd;
      for (const part of frames) {
        tail.set(part, at);
        at += part.length;
      }
      this.extendTail(tail, size);
    } else {
      this.closeTail();
      for (const part of frames) {
        this.parts.push(Buffer.from(part.buffer, part.byteOffset, part.length));
      }
    }
    this.queued(size, callback);
  }

  writeShared(frame: Buffer, callback?: WriteCallback): void {
    if (this.ended) {
      if (callback !== undefined) process.nextTick(callback, socketClosed());
      return;
    }
    this.closeTail();
    this.parts.push(frame);
    this.sharedParts++;
    this.queued(frame.length, callback);
  }

  /** Keeps frames together until {@link uncork}: for the time one chunk is parsed. */
  cork(): void {
    this.corked = true;
  }

  uncork(): void {
    this.corked = false;
    this.flush();
  }

  /** The transport takes more again. */
  drained(): void {
    if (!this.corked) this.flush();
  }

  /** The turn of this outbox at the end of a tick. */
  flushTick(): void {
    this.scheduled = false;
    if (!this.corked) this.flush();
  }

  /** Writes what is queued and ends our side of the transport; frames that come later are refused. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.send();
    this.transport.end();
  }

  /** Gives the transport what is queued, which it may still send at once, and destroys it. */
  destroy(): void {
    this.ended = true;
    if (!this.blocked) this.send();
    if (this.transport.writableLength > 0) this.gaveUp = true;
    this.transport.destroy();
  }

  /** The transport is gone: every callback that still waits hears of it. */
  transportClosed(): void {
    this.ended = true;
    const batches = this.inFlight ?? [];
    if (this.callbacks !== undefined) batches.push(this.callbacks);
    this.inFlight = undefined;
    this.callbacks = undefined;
    this.parts = [];
    this.sharedParts = 0;
    this.tail = undefined;
    this.own = undefined;
    this.queuedBytes = 0;
    for (const batch of batches) settle(batch, socketClosed());
  }

  /** Counts what was queued, and sees to it that it is sent by the end of the tick. */
  private queued(bytes: number, callback: WriteCallback | undefined): void {
    this.queuedBytes += bytes;
    if (callback !== undefined) {
      if (this.callbacks === undefined) this.callbacks = [callback];
      else this.callbacks.push(callback);
    }
    if (!this.corked && !this.scheduled) {
      this.scheduled = true;
      if (dirty.push(this) === 1) process.nextTick(flushDirty);
    }
  }

  private flush(): void {
    if (!this.ended && !this.blocked) this.send();
  }

  private send(): void {
    if (this.queuedBytes === 0) return;
    this.closeTail();
    const { parts, transport } = this;
    const confirm = this.confirmation();
    const joins = this.sharedParts === parts.length && this.queuedBytes <= JOIN_UP_TO;
    this.parts = [];
    this.sharedParts = 0;
    this.queuedBytes = 0;
    if (parts.length === 1 || joins) {
      transport.write(parts.length === 1 ? parts[0] : joinShared(parts), confirm);
      return;
    }
    transport.cork();
    const last = parts.length - 1;
    for (let index = 0; index < last; index++) transport.write(parts[index]);
    transport.write(parts[last], confirm);
    transport.uncork();
  }

  /** The callback for a write that carries frames whose senders want to know. */
  private confirmation(): WriteCallback | undefined {
    const batch = this.callbacks;
    if (batch === undefined) return undefined;
    this.callbacks = undefined;
    if (this.inFlight === undefined) this.inFlight = [batch];
    else this.inFlight.push(batch);
    return (error) => {
      // A transport that closed has settled the batch already.
      const waiting = this.inFlight;
      if (waiting === undefined || !waiting.includes(batch)) return;
      waiting.splice(waiting.indexOf(batch), 1);
      settle(batch, error ?? this.loss());
    };
  }

  /** Why frames of a write that was reported as done are lost: Node says so of the write that a destroyed socket gives up. */
  private loss(): Error | undefined {
    return this.transport.errored ?? (this.gaveUp ? socketClosed() : undefined);
  }

  /**
   * Encodes text where it goes, so that its length is only known afterwards. The header is taken to be that of ASCII; text
   * that needs a longer one is encoded once more behind it.
   *
   * @returns the size of the frame
   */
  private copyText(first: number, text: string, key: number | undefined): number {
    const masked = key !== undefined;
    const tail = this.tailFor(MAX_HEADER + text.length * MOST_UTF8_BYTES);
    const start = this.tailEnd;
    const expected = start + headerSize(text.length, masked);
    const length = tail.write(text, expected);
    const begin = start + headerSize(length, masked);
    if (begin !== expected) tail.write(text, begin);
    writeHeader(tail, start, first, length, key);
    if (key !== undefined) maskInPlace(tail, begin, begin + length, key);
    const size = begin + length - start;
    this.extendTail(tail, size);
    return size;
  }

  private copyFrame(
    first: number,
    payload: Uint8Array | string,
    length: number,
    header: number,
    key: number | undefined,
  ): void {
    const size = header + length;
    const tail = this.tailFor(size);
    fill(tail, this.tailEnd, first, payload, length, key);
    this.extendTail(tail, size);
  }

  /** Memory in which the tail can be made `size` bytes longer. */
  private tailFor(size: number): Buffer {
    // A frame that waits must not keep a slab alive that other connections' frames share.
    return this.blocked ? this.ownTail(size) : this.sharedTail(size);
  }

  private extendTail(tail: Buffer, size: number): void {
    this.tailEnd += size;
    if (tail === slab) slabUsed = this.tailEnd;
  }

  /** Makes the tail end where the shared slab has `size` free bytes. */
  private sharedTail(size: number): Buffer {
    if (slabUsed + size > SLAB_SIZE) {
      slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
      slabUsed = 0;
    }
    if (this.tail !== slab || this.tailEnd !== slabUsed) this.startTail(slab, slabUsed);
    return slab;
  }

  /** Makes the tail end where memory of this outbox alone has `size` free bytes. */
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

  private largeFrame(
    first: number,
    payload: Uint8Array | string,
    length: number,
    header: number,
    key: number | undefined,
  ): void {
    this.closeTail();
    if (typeof payload === 'string' || key !== undefined) {
      const frame = Buffer.allocUnsafeSlow(header + length);
      fill(frame, 0, first, payload, length, key);
      this.parts.push(frame);
      return;
    }
    const head = Buffer.allocUnsafe(header);
    writeHeader(head, 0, first, length, key);
    // The sender's own memory, not copied: as with any stream, it must not change before the callback.
    this.parts.push(head, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  }

  private closeTail(): void {
    if (this.tail === undefined) return;
    this.parts.push(this.tail.subarray(this.tailStart, this.tailEnd));
    this.tail = undefined;
    this.own = undefined;
  }
}

function fill(
  target: Buffer,
  offset: number,
  first: number,
  payload: Uint8Array | string,
  length: number,
  key: number | undefined,
): void {
  const at = writeHeader(target, offset, first, length, key);
  if (typeof payload === 'string') {
    target.write(payload, at, length);
    if (key !== undefined) maskInPlace(target, at, at + length, key);
  } else if (key === undefined) {
    target.set(payload, at);
  } else {
    maskInto(payload, 0, length, target, at, key);
  }
}

function settle(batch: WriteCallback[], error: Error | undefined): void {
  for (const callback of batch) {
    try {
      callback(error);
    } catch (thrown) {
      // One sender's callback must not keep the next one from being told.
      rethrow(thrown);
    }
  }
}

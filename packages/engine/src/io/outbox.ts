import { doOutside } from '../outside';
import type { FrameWriter, WriteCallback } from '../protocol/sender';
import { socketClosed } from '../protocol/sender';
import { rethrow } from '../rethrow';
import type { Tally } from '../tally';
import { UNREAD } from '../tally';
import { Batch, forgetJoined } from './batch';

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

/** Outboxes with frames of this tick. */
let dirty: Outbox[] = [];

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

function flushLater(): void {
  process.nextTick(flushDirty);
}

/**
 * Collects the frames of one tick and hands them to the transport in one write.
 *
 * While the transport takes no more, frames stay here and go out together when it drains.
 */
export class Outbox implements FrameWriter {
  private readonly transport: Transport;
  private readonly tally: Tally;
  /** Frames that the transport has not been given yet. */
  private batch: Batch | undefined = undefined;
  private callbacks: WriteCallback[] | undefined = undefined;
  /** Callbacks of writes that the transport has not confirmed, oldest first. */
  private inFlight: WriteCallback[][] | undefined = undefined;
  private corked = false;
  private scheduled = false;
  private ended = false;
  /** Whether the transport was destroyed before it had passed on what it was given. */
  private gaveUp = false;

  constructor(transport: Transport, tally: Tally = UNREAD) {
    this.transport = transport;
    this.tally = tally;
  }

  get blocked(): boolean {
    return this.transport.writableNeedDrain;
  }

  /** Bytes of frames that the transport has not been given yet. */
  get queuedBytes(): number {
    return this.batch === undefined ? 0 : this.batch.bytes;
  }

  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void {
    if (this.refuses(callback)) return;
    this.batch ??= new Batch();
    this.batch.add(first, payload, key, this.blocked);
    this.queued(callback);
  }

  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    if (this.refuses(callback)) return;
    let size = 0;
    for (const part of frames) size += part.length;
    if (size === 0) {
      if (callback !== undefined) process.nextTick(callback);
      return;
    }
    this.batch ??= new Batch();
    this.batch.addFramed(frames, size, this.blocked);
    this.queued(callback);
  }

  writeShared(frame: Buffer, callback?: WriteCallback): void {
    if (this.refuses(callback)) return;
    this.batch ??= new Batch();
    this.batch.addShared(frame);
    this.queued(callback);
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
    this.batch = undefined;
    for (const batch of batches) settle(batch, socketClosed());
  }

  /** Whether it is too late, which the callback is told. */
  private refuses(callback: WriteCallback | undefined): boolean {
    if (this.ended && callback !== undefined) process.nextTick(callback, socketClosed());
    return this.ended;
  }

  /** Sees to it that what was queued is sent by the end of the tick. */
  private queued(callback: WriteCallback | undefined): void {
    if (callback !== undefined) {
      if (this.callbacks === undefined) this.callbacks = [callback];
      else this.callbacks.push(callback);
    }
    if (!this.corked && !this.scheduled) {
      this.scheduled = true;
      if (dirty.push(this) === 1) doOutside(flushLater);
    }
  }

  private flush(): void {
    if (!this.ended && !this.blocked) this.send();
  }

  private send(): void {
    const { batch, transport } = this;
    if (batch === undefined) return;
    this.batch = undefined;
    this.tally.bytesSent += batch.bytes;
    const parts = batch.close();
    const confirm = this.confirmation();
    if (parts.length === 1) {
      transport.write(parts[0], confirm);
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

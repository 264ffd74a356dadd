import type { Duplex } from 'node:stream';
import type { Connection } from '../protocol/connection';
import type { FrameWriter, WriteCallback } from '../protocol/sender';
import type { Tally } from '../tally';
import { UNREAD } from '../tally';
import { guard } from './guard';
import type { Pulse } from './heartbeat';
import { Outbox } from './outbox';

/** Whose socket it is. The connection is made after the binding, to which it writes. */
export interface BindingOwner {
  readonly connection: Connection;
}

const kBinding = Symbol('upwire.binding');

type BoundSocket = Duplex & { [kBinding]?: Binding };

/** What sockets have beyond a plain `Duplex`, where they have it. */
type MaybeSocket = Duplex & {
  setTimeout?: (milliseconds: number) => unknown;
  setNoDelay?: () => unknown;
};

/**
 * Binds a connection to a socket: the only file that touches a `Duplex` once the handshake is done.
 *
 * Its listeners are shared functions that find the binding on the socket, so that a connection costs no closures.
 */
export class Binding implements FrameWriter {
  readonly socket: Duplex;
  readonly outbox: Outbox;
  private readonly owner: BindingOwner;
  private readonly tally: Tally;
  /** Where the connection has a heartbeat. */
  pulse: Pulse | undefined = undefined;
  private over = false;
  private closeTimer: NodeJS.Timeout | undefined = undefined;

  constructor(socket: Duplex, owner: BindingOwner, tally: Tally = UNREAD) {
    this.socket = socket;
    this.owner = owner;
    this.tally = tally;
    this.outbox = new Outbox(socket, tally);
  }

  /** Starts to read; what was read behind the handshake comes first. */
  start(head: Buffer): void {
    const socket: MaybeSocket & BoundSocket = this.socket;
    socket[kBinding] = this;
    // The HTTP server's idle time-out is not ours, and a small frame must not wait for Nagle.
    socket.setTimeout?.(0);
    socket.setNoDelay?.();
    if (head.length > 0) socket.unshift(head);
    socket.on('close', onClose);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    guard(socket);
    // Its 'close' has been, or comes before this.
    if (socket.destroyed) process.nextTick(() => this.closed());
  }

  get blocked(): boolean {
    return this.outbox.blocked;
  }

  /** Bytes that have not left for the kernel, framing included. */
  get bufferedAmount(): number {
    return this.socket.writableLength + this.outbox.queuedBytes;
  }

  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void {
    this.outbox.write(first, payload, key, callback);
  }

  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    this.outbox.writeFramed(frames, callback);
  }

  writeShared(frame: Buffer, callback?: WriteCallback): void {
    this.outbox.writeShared(frame, callback);
  }

  end(): void {
    this.outbox.end();
  }

  destroy(): void {
    this.outbox.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  /** Parses what was held, then reads on. */
  resumeReading(): void {
    this.outbox.cork();
    this.owner.connection.resume();
    this.outbox.uncork();
    // A listener may have paused again, or the next message may be a compressed one.
    const { isSuspended, isInflating } = this.owner.connection;
    if (!isSuspended && !isInflating) this.socket.resume();
  }

  /** Destroys the socket if the closing handshake is not over in time. */
  startCloseTimer(milliseconds: number): void {
    if (this.over || this.closeTimer !== undefined) return;
    this.closeTimer = setTimeout(() => this.destroy(), milliseconds);
    this.closeTimer.unref();
  }

  receive(chunk: Buffer): void {
    this.pulse?.seen();
    this.tally.bytesReceived += chunk.length;
    this.outbox.cork();
    this.owner.connection.receive(chunk);
    this.outbox.uncork();
    // What is read now would only be kept.
    if (this.owner.connection.isInflating) this.socket.pause();
  }

  ended(): void {
    this.outbox.cork();
    this.owner.connection.receiveEnd();
    this.outbox.uncork();
  }

  closed(): void {
    if (this.over) return;
    this.over = true;
    const { socket } = this;
    clearTimeout(this.closeTimer);
    this.pulse?.stop();
    socket.off('close', onClose);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('drain', onDrain);
    this.outbox.transportClosed();
    // A paused socket may have read more than it delivered: the connection takes it when it knows that it is closing.
    // The 'error' listener stays: sockets may fail late.
    this.owner.connection.suspend();
    for (;;) {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) break;
      this.receive(chunk);
    }
    this.owner.connection.transportClosed();
  }
}

function bindingOf(socket: BoundSocket): Binding {
  // `start` sets it before it adds any of these listeners.
  return socket[kBinding] as Binding;
}

function onData(this: BoundSocket, chunk: Buffer): void {
  bindingOf(this).receive(chunk);
}

function onEnd(this: BoundSocket): void {
  bindingOf(this).ended();
}

function onDrain(this: BoundSocket): void {
  bindingOf(this).outbox.drained();
}

function onClose(this: BoundSocket): void {
  bindingOf(this).closed();
}

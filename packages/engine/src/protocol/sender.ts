import { rethrow } from '../rethrow';
import type { MessageCompression } from './compression';
import { FIN, isControl, OPCODE_BITS, Opcode, RSV1 } from './opcodes';
import type { OutgoingJob } from './outgoing';
import { OutgoingQueue } from './outgoing';
import type { PreparedMessage, WholeFrame } from './prepared';

/** Called when a frame has been handed to the transport, or with the reason why it never will be. */
export type WriteCallback = (error?: Error | null) => void;

/** Where a connection's frames go. */
export interface FrameWriter {
  /** Whether frames wait because the transport takes no more for now. */
  readonly blocked: boolean;
  /**
   * Queues one frame.
   *
   * @param first FIN, the reserved bits and the opcode
   * @param key masking key, or `undefined` where frames are not masked
   */
  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void;
  /** Queues bytes that are framed already. They must not change before the callback. */
  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void;
  /** Queues one frame whose bytes many connections share, and that never change. */
  writeShared(frame: Buffer, callback?: WriteCallback): void;
  /** Ends our side of the transport after what is queued. */
  end(): void;
  /** Ends the transport at once. */
  destroy(): void;
}

/** A payload that has to be read before it can be sent, such as a `Blob`. */
export interface UnreadPayload {
  readonly size: number;
  read(): Promise<Uint8Array>;
}

export type Payload = Uint8Array | string | UnreadPayload;

/** Who wants to know of what cannot be sent. */
export interface SenderOwner {
  /** A message could not be read or compressed, and the transport has been ended without it. */
  onUnsendable(error: Error): void;
}

/**
 * The sending half of a connection: which frame a message becomes, and that frames leave in the order in which they were
 * sent, also behind one that is still being compressed or read.
 */
export class MessageSender {
  private readonly writer: FrameWriter;
  /** Four fresh unpredictable bytes (RFC 6455 5.3); `undefined` where frames are not masked. */
  private readonly maskingKey: (() => number) | undefined;
  private readonly compression: MessageCompression | undefined;
  private readonly owner: SenderOwner | undefined;
  /** Only made for a connection that has to wait for a payload. */
  private queue: OutgoingQueue | undefined = undefined;
  /** Whether a message is being sent in fragments: the next frame continues it. */
  private fragmented = false;
  /** Whether the message being sent is compressed: its first fragment decides (RFC 7692 6). */
  private compressed = false;
  /** Messages that others have begun, which may not stand between the fragments of ours (RFC 6455 5.4). */
  private behindFragments: OutgoingJob[] | undefined = undefined;
  private closed = false;

  constructor(
    writer: FrameWriter,
    maskingKey: (() => number) | undefined,
    compression: MessageCompression | undefined,
    owner?: SenderOwner,
  ) {
    this.writer = writer;
    this.maskingKey = maskingKey;
    this.compression = compression;
    this.owner = owner;
  }

  /** Whether a frame leaves at once, and not behind one that is still being compressed or read. */
  get idle(): boolean {
    return this.queue === undefined || this.queue.idle;
  }

  /** Payload bytes that wait to be compressed or read, or behind such. */
  get queuedBytes(): number {
    const queued = this.queue === undefined ? 0 : this.queue.bytes;
    return this.behindFragments === undefined ? queued : queued + bytesOf(this.behindFragments);
  }

  /** Sends a message, or with `fin` false a fragment of one; the first fragment decides on opcode and compression. */
  message(
    payload: Payload,
    binary: boolean,
    fin: boolean,
    compress: boolean,
    callback?: WriteCallback,
  ): void {
    const { compression } = this;
    const starts = !this.fragmented;
    const opcode = starts ? (binary ? Opcode.BINARY : Opcode.TEXT) : Opcode.CONTINUATION;
    if (starts) {
      this.compressed = compress && (compression?.compresses(payloadLength(payload)) ?? false);
    }
    this.fragmented = !fin;
    const first = (fin ? FIN : 0) | opcode | (starts && this.compressed ? RSV1 : 0);
    const deflates = this.compressed ? compression : undefined;
    if (deflates === undefined && !isUnread(payload)) this.frame(first, payload, callback);
    else this.prepareFrame(first, payload, fin, deflates, callback);
    if (fin && this.behindFragments !== undefined) this.sendBehindFragments(this.behindFragments);
  }

  /** Sends a message that was prepared for many, in its turn. */
  prepared(message: PreparedMessage, callback?: WriteCallback): void {
    if (this.fragmented) {
      const { length } = message.payload;
      this.waitForFragments(length, () => this.prepared(message, callback), callback);
      return;
    }
    const frame = this.frameOf(message);
    if (frame instanceof Promise) this.awaitFrame(frame, message, callback);
    else if (this.idle) this.writeWhole(frame, callback);
    else this.line(frame.payload.length, () => this.writeWhole(frame, callback), callback);
  }

  /** Sends one frame as it is, in its turn. */
  frame(first: number, payload: Payload, callback?: WriteCallback): void {
    if (isUnread(payload)) this.prepareFrame(first, payload, true, undefined, callback);
    else if (this.idle) this.write(first, payload, callback);
    else this.line(payloadLength(payload), () => this.write(first, payload, callback), callback);
  }

  /** Sends bytes that are framed already, in their turn. */
  framed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    const waits = this.fragmented && beginsMessage(frames);
    if (this.idle && !waits) {
      this.writeFramed(frames, callback);
      return;
    }
    const bytes = frames.reduce((sum, part) => sum + part.length, 0);
    if (waits) this.waitForFragments(bytes, () => this.framed(frames, callback), callback);
    else this.line(bytes, () => this.writeFramed(frames, callback), callback);
  }

  /** Ends our side of the transport after everything that was sent. */
  end(): void {
    if (this.queue === undefined || this.queue.idle) {
      this.writer.end();
      return;
    }
    const end = (): void => this.writer.end();
    this.queue.push({
      bytes: 0,
      run: (done) => {
        end();
        done();
      },
      abandon: end,
    });
  }

  /** The transport is gone: nothing that waits will be sent. */
  close(): void {
    this.closed = true;
    // The queue first: what is being compressed ends with an error, and nothing must begin after it.
    this.queue?.abandon(socketClosed());
    for (const job of this.behindFragments?.splice(0) ?? []) job.abandon(socketClosed());
    this.compression?.close();
  }

  private waitForFragments(
    bytes: number,
    send: () => void,
    callback: WriteCallback | undefined,
  ): void {
    this.behindFragments ??= [];
    this.behindFragments.push(outgoingJob(bytes, send, callback));
  }

  /** The fragmented message is over: what has waited for that may go. */
  private sendBehindFragments(jobs: OutgoingJob[]): void {
    this.behindFragments = undefined;
    for (const job of jobs) job.run(nothing);
  }

  /** Lines up behind frames that are not ready. */
  private line(bytes: number, write: () => void, callback: WriteCallback | undefined): void {
    this.queue?.push(outgoingJob(bytes, write, callback));
  }

  private write(first: number, payload: Uint8Array | string, callback?: WriteCallback): void {
    this.writer.write(first, payload, this.maskingKey?.(), callback);
  }

  private writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    if (frames.length > 0 && (frames[0][0] & RSV1) !== 0) this.compression?.sentElsewhere();
    this.writer.writeFramed(frames, callback);
  }

  /** The one frame of a prepared message, compressed where that is worth it. */
  private frameOf(message: PreparedMessage): WholeFrame | Promise<WholeFrame> {
    const { compression } = this;
    if (compression === undefined || !message.compress) return message.plain;
    if (!compression.compressesAlone(message.payload.length)) return message.plain;
    try {
      return message.compressedBy(compression);
    } catch {
      // For want of memory; a message may always be sent as it is (RFC 7692 6).
      return message.plain;
    }
  }

  private awaitFrame(
    frame: Promise<WholeFrame>,
    message: PreparedMessage,
    callback: WriteCallback | undefined,
  ): void {
    this.queue ??= new OutgoingQueue();
    this.queue.push({
      bytes: message.payload.length,
      run: (done) => {
        const finish = (ready: WholeFrame): void => {
          if (this.closed) refuse(callback, socketClosed());
          else this.writeWhole(ready, callback);
          done();
        };
        frame.then(finish, () => finish(message.plain)).then(undefined, rethrow);
      },
      abandon: (error) => refuse(callback, error),
    });
  }

  private writeWhole(frame: WholeFrame, callback: WriteCallback | undefined): void {
    if ((frame.first & RSV1) !== 0) this.compression?.sentElsewhere();
    if (this.maskingKey === undefined) this.writer.writeShared(frame.unmasked, callback);
    else this.write(frame.first, frame.payload, callback);
  }

  /** Sends a frame whose payload is not ready: it is read, compressed or both first. */
  private prepareFrame(
    first: number,
    payload: Payload,
    fin: boolean,
    compression: MessageCompression | undefined,
    callback: WriteCallback | undefined,
  ): void {
    let task = isUnread(payload) ? READING : COMPRESSING;
    const job: OutgoingJob = {
      bytes: payloadLength(payload),
      run: (done) => {
        const finish = (error: Error | null, bytes?: Uint8Array): void => {
          if (this.closed) refuse(callback, socketClosed(task));
          else if (bytes === undefined) this.failed(error, callback);
          else this.write(first, bytes, callback);
          done();
        };
        const compress = (bytes: Uint8Array): void => {
          if (this.closed || compression === undefined) {
            finish(null, bytes);
            return;
          }
          task = COMPRESSING;
          compression.deflate(bytes, fin, finish);
        };
        if (isUnread(payload)) payload.read().then(compress, finish);
        else compress(typeof payload === 'string' ? Buffer.from(payload) : payload);
      },
      abandon: (error) => refuse(callback, error),
    };
    this.queue ??= new OutgoingQueue();
    this.queue.push(job);
  }

  /** What cannot be read or compressed cannot be sent, and a message half sent cannot be taken back. */
  private failed(error: Error | null, callback: WriteCallback | undefined): void {
    const failure = error ?? new Error('The message could not be compressed');
    this.writer.destroy();
    refuse(callback, failure);
    this.owner?.onUnsendable(failure);
  }
}

// What a message may be going through when the transport ends; the texts are those of `ws`.
const READING = 'while the blob was being read';
const COMPRESSING = 'while data was being compressed';

/** The error of a frame that the transport ended before. */
export function socketClosed(when = 'before the data was written'): Error {
  return Object.assign(new Error(`The socket was closed ${when}`), {
    code: 'WS_ERR_SOCKET_CLOSED',
  });
}

/** Tells a sender that its frame will never leave; a callback that throws must not keep the next from being told. */
function refuse(callback: WriteCallback | undefined, error: Error): void {
  try {
    callback?.(error);
  } catch (thrown) {
    rethrow(thrown);
  }
}

/** A job that is done as soon as it runs. */
function outgoingJob(
  bytes: number,
  send: () => void,
  callback: WriteCallback | undefined,
): OutgoingJob {
  return {
    bytes,
    run: (done) => {
      send();
      done();
    },
    abandon: (error) => refuse(callback, error),
  };
}

function nothing(): void {
  // Whoever runs a job that is done at once need not be told.
}

function bytesOf(jobs: readonly OutgoingJob[]): number {
  return jobs.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Whether frames that were made elsewhere begin with the first one of a data message. */
function beginsMessage(frames: readonly Uint8Array[]): boolean {
  if (frames.length === 0 || frames[0].length === 0) return false;
  const opcode = frames[0][0] & OPCODE_BITS;
  return !isControl(opcode) && opcode !== Opcode.CONTINUATION;
}

function isUnread(payload: Payload): payload is UnreadPayload {
  return typeof payload !== 'string' && !(payload instanceof Uint8Array);
}

/** Bytes that a payload takes on the wire, without its header. */
export function payloadLength(payload: Payload): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  return isUnread(payload) ? payload.size : payload.byteLength;
}

/** Bytes that a character of JavaScript's, half a surrogate pair included, takes in UTF-8 at most. */
export const MOST_UTF8_BYTES = 3;

/** At least {@link payloadLength}, without looking at the text. */
export function mostPayloadLength(payload: Payload): number {
  return typeof payload === 'string' ? payload.length * MOST_UTF8_BYTES : payloadLength(payload);
}

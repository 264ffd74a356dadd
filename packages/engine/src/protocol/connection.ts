import { CloseCode, decodeClose, encodeClose } from './close';
import type { ProtocolError } from './errors';
import { NOT_ASCII } from './mask';
import { FIN, Opcode } from './opcodes';
import type { PreparedMessage } from './prepared';
import type { MessageHandler, ReaderOptions, ReaderOwner, Role } from './reader';
import { FrameReader } from './reader';
import type { FrameWriter, Payload, SenderOwner, WriteCallback } from './sender';
import { MessageSender } from './sender';
import type { Transition } from './state';
import { nextState, State } from './state';

export type { Role };

/** What a connection tells. */
export interface ConnectionHandler extends MessageHandler {
  /** A ping, already answered; the payload is a copy. */
  onPing(payload: Buffer): void;
  /** A pong; the payload is a copy. */
  onPong(payload: Buffer): void;
  /** The peer broke the protocol or a limit: the connection is failing and no further message will come. */
  onFault(error: ProtocolError): void;
  /** A message of ours could not be read or compressed: the connection ends without it. */
  onUnsendable(error: Error): void;
  /** The state has changed. */
  onState(state: State): void;
  /** What had to wait for a message to be inflated has been parsed: reading may go on. */
  onReadable(): void;
}

export interface ConnectionOptions extends ReaderOptions {
  /** Answer pings (RFC 6455 5.5.2). */
  readonly autoPong: boolean;
  /** Four fresh unpredictable bytes as one integer (RFC 6455 5.3, 10.3); only a client has it. */
  readonly maskingKey?: (() => number) | undefined;
}

const EMPTY = Buffer.alloc(0);

/**
 * One established WebSocket connection as a state machine: bytes in, calls out. It knows no socket, timer, clock or
 * randomness.
 */
export class Connection implements ReaderOwner, SenderOwner {
  /** Code of the peer's close frame; 1005 where it had none, 1006 until one has come. */
  closeCode: number = CloseCode.ABNORMAL;
  /** Reason of the peer's close frame. */
  closeReason: Buffer = EMPTY;
  closeSent = false;
  closeReceived = false;

  private readonly options: ConnectionOptions;
  private readonly writer: FrameWriter;
  private readonly reader: FrameReader;
  private readonly sender: MessageSender;
  private readonly handler: ConnectionHandler;
  private current: 1 | 2 | 3 = State.OPEN;
  /** Whether bytes are still of interest: not after a close frame or a fault. */
  private reading = true;
  private suspended = false;
  private draining = false;
  /** What was read but not parsed when the reader wanted to wait. */
  private held: Buffer | undefined = undefined;
  /** Automatic pongs that could not leave at once and have not left yet. */
  private pendingPongs = 0;
  /** Takes one off. Only made for a connection that has had such pongs. */
  private pongWritten: WriteCallback | undefined = undefined;
  /** Whether a message is being inflated: what follows it waits. */
  private inflating = false;
  /** What happened to the transport while a message was being inflated. */
  private transportEvent: 'ended' | 'closed' | undefined = undefined;

  constructor(options: ConnectionOptions, writer: FrameWriter, handler: ConnectionHandler) {
    this.options = options;
    this.writer = writer;
    this.handler = handler;
    this.reader = new FrameReader(options, handler, this);
    this.sender = new MessageSender(
      writer,
      options.role === 'client' ? options.maskingKey : undefined,
      options.compression,
      this,
    );
  }

  get state(): State {
    return this.current;
  }

  get role(): Role {
    return this.options.role;
  }

  /** Whether permessage-deflate was agreed on. */
  get compression(): boolean {
    return this.reader.compression;
  }

  /** Payload bytes that wait to be compressed or read before they are framed. */
  get queuedBytes(): number {
    return this.sender.queuedBytes;
  }

  // ---- bytes in

  /** Takes what the transport has read; the chunk is the connection's from now on. */
  receive(chunk: Buffer): void {
    if (!this.reading) return;
    if (this.inflating || (this.suspended && !this.draining)) {
      this.held = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
      return;
    }
    const stop = this.reader.read(chunk);
    if (stop < chunk.length && this.reading) this.held = chunk.subarray(stop);
  }

  /** Stops after the current frame; what is received from now on is kept. */
  suspend(): void {
    this.suspended = true;
  }

  get isSuspended(): boolean {
    return this.suspended;
  }

  /** Whether a message is being inflated: what is received meanwhile has to be kept, so that nothing more should be read. */
  get isInflating(): boolean {
    return this.inflating;
  }

  /** Goes on where {@link suspend} stopped. */
  resume(): void {
    this.suspended = false;
    const held = this.held;
    this.held = undefined;
    if (held !== undefined) this.receive(held);
  }

  /** The peer will send no more bytes; without a close frame before, that is an abnormal end (RFC 6455 7.1.5). */
  receiveEnd(): void {
    this.drain();
    if (this.inflating) {
      this.transportEvent ??= 'ended';
      return;
    }
    this.reading = false;
    this.transition('transportEnded');
    this.sender.end();
  }

  /** The transport is gone, for whatever reason. What it had read is still delivered, while CLOSING. */
  transportClosed(): void {
    this.transition('transportEnded');
    this.drain();
    if (this.inflating) {
      this.transportEvent = 'closed';
      return;
    }
    this.reading = false;
    this.sender.close();
    this.transition('transportClosed');
  }

  /** Delivers what is held, suspended or not: the transport's end comes after everything that was read. */
  private drain(): void {
    this.draining = true;
    this.resume();
  }

  // ---- the reader's calls

  /** @internal */
  get goesOn(): boolean {
    return this.reading && !this.inflating && (!this.suspended || this.draining);
  }

  /** @internal Delivers a compressed message, at once or when it is inflated; what follows it waits until then. */
  inflate(payload: Buffer, binary: boolean): void {
    let later = false;
    this.inflating = true;
    this.options.compression?.inflate(payload, (error, bytes) => {
      this.inflating = false;
      if (bytes === undefined) this.failInflating(error);
      else this.reader.deliver(bytes, 0, bytes.length, binary, NOT_ASCII);
      if (later) this.afterInflating();
    });
    later = true;
  }

  /** @internal */
  onControl(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === Opcode.CLOSE) {
      this.receiveClose(bytes, start, end);
      return;
    }
    const payload = start === end ? EMPTY : Buffer.from(bytes.subarray(start, end));
    if (opcode === Opcode.PONG) {
      this.handler.onPong(payload);
      return;
    }
    if (!this.options.autoPong || this.answerPing(payload)) this.handler.onPing(payload);
  }

  /** @internal RFC 6455 7.1.7 "Fail the WebSocket Connection". */
  fail(error: ProtocolError): false {
    this.reading = false;
    const tells = this.current === State.OPEN;
    this.transition('failed');
    if (tells) this.sendClose(encodeClose(error.closeCode));
    this.sender.end();
    this.handler.onFault(error);
    return false;
  }

  // ---- the sender's call

  onUnsendable(error: Error): void {
    this.transition('failed');
    this.handler.onUnsendable(error);
  }

  // ---- calls in

  /**
   * Sends a message, or with `fin` false a fragment of one; the first fragment decides between text and binary.
   * Only an OPEN connection sends.
   */
  send(
    payload: Payload,
    binary: boolean,
    fin: boolean,
    callback?: WriteCallback,
    compress = true,
  ): void {
    this.sender.message(payload, binary, fin, compress, callback);
  }

  /** Sends a message that was prepared for many. Only an OPEN connection sends. */
  sendPrepared(message: PreparedMessage, callback?: WriteCallback): void {
    this.sender.prepared(message, callback);
  }

  /** Sends frames that were made elsewhere, as they are. Only an OPEN connection sends. */
  sendFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    this.sender.framed(frames, callback);
  }

  /** Sends a ping of at most 125 bytes. */
  ping(payload: Payload, callback?: WriteCallback): void {
    this.sender.frame(FIN | Opcode.PING, payload, callback);
  }

  /** Sends a pong of at most 125 bytes. */
  pong(payload: Payload, callback?: WriteCallback): void {
    this.sender.frame(FIN | Opcode.PONG, payload, callback);
  }

  /**
   * Sends a close frame, once (RFC 6455 5.5.1); nothing is sent after it. Does nothing unless the connection is OPEN,
   * and does not look at its arguments then: a second, careless close() is no reason to throw.
   *
   * @throws TypeError or RangeError for a code or reason that no close frame may carry
   */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.current === State.OPEN) this.sendClose(encodeClose(code, reason));
  }

  // ---- inflating

  private failInflating(error: Error | null): void {
    if (error !== null && 'closeCode' in error) this.fail(error as ProtocolError);
    else this.reading = false;
  }

  private afterInflating(): void {
    if (!this.suspended || this.draining) this.resume();
    if (this.inflating) return;
    if (!this.suspended) this.handler.onReadable();
    const event = this.transportEvent;
    if (event === undefined) return;
    this.transportEvent = undefined;
    if (event === 'closed') this.transportClosed();
    else this.receiveEnd();
  }

  // ---- control frames

  /** RFC 6455 5.5.2, 5.5.3: a pong with the ping's payload, unless we are closing. @returns false when the peer was cut */
  private answerPing(payload: Buffer): boolean {
    if (this.current !== State.OPEN) return true;
    if (!this.writer.blocked && this.sender.idle) {
      this.pong(payload);
      return true;
    }
    // Pongs only pile up behind a transport that takes no more (a peer that pings without reading) or a slow message.
    const { maxPendingAutoPongs } = this.options.limits;
    if (maxPendingAutoPongs > 0 && this.pendingPongs >= maxPendingAutoPongs) {
      this.reading = false;
      this.transition('failed');
      this.writer.destroy();
      return false;
    }
    this.pendingPongs++;
    this.pongWritten ??= () => {
      this.pendingPongs--;
    };
    this.pong(payload, this.pongWritten);
    return true;
  }

  private receiveClose(bytes: Buffer, start: number, end: number): void {
    const close = decodeClose(bytes, start, end, !this.options.skipUTF8Validation);
    if (close instanceof Error) {
      this.fail(close);
      return;
    }
    // RFC 6455 5.5.1: whatever follows a close frame is not to be looked at.
    this.reading = false;
    this.closeReceived = true;
    this.closeCode = close.code;
    this.closeReason = close.reason;
    const answers = this.current === State.OPEN;
    this.transition('closeReceived');
    if (answers) this.sendClose(bytes.subarray(start, end));
    else this.finishClose();
  }

  // ---- closing

  private sendClose(payload: Uint8Array): void {
    this.closeSent = true;
    this.sender.frame(FIN | Opcode.CLOSE, payload);
    this.transition('closeSent');
    this.finishClose();
  }

  /** RFC 6455 7.1.1: the server closes the transport first; a client waits for it, so that no client holds TIME_WAIT. */
  private finishClose(): void {
    if (this.closeSent && this.closeReceived && this.options.role === 'server') this.sender.end();
  }

  private transition(transition: Transition): void {
    const state = nextState(this.current, transition);
    if (state === this.current) return;
    this.current = state;
    this.handler.onState(state);
  }
}

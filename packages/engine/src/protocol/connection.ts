import { CloseCode, decodeClose, encodeClose } from './close';
import type { MessageCompression } from './compression';
import type { ProtocolError } from './errors';
import { Faults, protocolError } from './errors';
import type { ResolvedLimits } from './limits';
import { maskInPlace, NOT_ASCII } from './mask';
import { IncomingMessage, longestWhole } from './message';
import { FIN, isControl, OPCODE_BITS, Opcode, RSV1 } from './opcodes';
import type { FrameSink } from './parser';
import { FrameParser } from './parser';
import type { PreparedMessage } from './prepared';
import type { FrameContext } from './rules';
import { frameFault, lengthFault } from './rules';
import type { FrameWriter, Payload, SenderOwner, WriteCallback } from './sender';
import { MessageSender } from './sender';
import type { Transition } from './state';
import { nextState, State } from './state';
import { copyUnmasked } from './unmask';
import { isUtf8Range, Utf8Validator } from './utf8';

export type Role = 'server' | 'client';

/** What a connection tells. */
export interface ConnectionHandler {
  /**
   * A message: `bytes[start..end)`, checked to be UTF-8 where it is text. The bytes are the handler's to keep, but for text
   * that it decodes at once: that may lie among others in the chunk that was read, which it would keep alive.
   */
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void;
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

export interface ConnectionOptions {
  readonly role: Role;
  readonly limits: ResolvedLimits;
  /** Answer pings (RFC 6455 5.5.2). */
  readonly autoPong: boolean;
  /** Deliver text and close reasons unchecked. */
  readonly skipUTF8Validation: boolean;
  /** Whether the handler makes a string of text at once, so that its bytes need not be kept. */
  readonly decodesText?: boolean | undefined;
  /** Four fresh unpredictable bytes as one integer (RFC 6455 5.3, 10.3); only a client has it. */
  readonly maskingKey?: (() => number) | undefined;
  /** permessage-deflate, where it was agreed on. */
  readonly compression?: MessageCompression | undefined;
}

const EMPTY = Buffer.alloc(0);
/**
 * A message that fills less than this share of the chunk that was read, 1 KiB of the usual 64 KiB, is copied out of it, so that
 * the chunk can go. To copy larger ones as well would take a third of the time of 1 KiB; who keeps messages for later copies
 * what it keeps.
 */
const COPY_BELOW_SHARE = 64;

/**
 * One established WebSocket connection as a state machine: bytes in, calls out. It knows no socket, timer, clock or
 * randomness.
 */
export class Connection implements FrameSink, FrameContext, SenderOwner {
  /** Code of the peer's close frame; 1005 where it had none, 1006 until one has come. */
  closeCode: number = CloseCode.ABNORMAL;
  /** Reason of the peer's close frame. */
  closeReason: Buffer = EMPTY;
  closeSent = false;
  closeReceived = false;

  private readonly options: ConnectionOptions;
  /** RFC 6455 5.1: a client masks every frame, a server masks none. */
  readonly expectsMask: boolean;
  private readonly writer: FrameWriter;
  private readonly sender: MessageSender;
  private readonly handler: ConnectionHandler;
  private current: 1 | 2 | 3 = State.OPEN;
  private readonly parser = new FrameParser();
  /** Only made for a connection that gets messages in several frames or several chunks. */
  private message: IncomingMessage | undefined = undefined;
  private text: Utf8Validator | undefined = undefined;
  /** First byte of the frame being read. */
  private first = 0;
  /** Whether bytes are still of interest: not after a close frame or a fault. */
  private reading = true;
  private suspended = false;
  private draining = false;
  /** What was read but not parsed when the reader wanted to wait. */
  private held: Buffer | undefined = undefined;
  private control: Buffer | undefined = undefined;
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
    this.expectsMask = options.role === 'server';
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

  get messageOpen(): boolean {
    return this.message?.open === true;
  }

  get wholeUpTo(): number {
    return this.messageOpen ? -1 : longestWhole(this.options.limits);
  }

  private get incoming(): IncomingMessage {
    this.message ??= new IncomingMessage(this.options.limits);
    return this.message;
  }

  get compression(): boolean {
    return this.options.compression !== undefined;
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
    const stop = this.parser.feed(chunk, 0, this);
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

  // ---- the parser's calls

  onFrameStart(first: number, second: number): boolean {
    const fault = frameFault(first, second, this);
    if (fault !== undefined) return this.fail(fault);
    this.first = first;
    return true;
  }

  onFrameLength(length: number, headerSize: number): boolean {
    if (length < 0) return this.fail(lengthFault(length));
    const opcode = this.first & OPCODE_BITS;
    if (isControl(opcode)) return true;
    const message = this.incoming;
    if (opcode !== Opcode.CONTINUATION) {
      message.begin(opcode, (this.first & RSV1) !== 0);
    }
    const fault = message.announce(length, headerSize, (this.first & FIN) !== 0);
    return fault === undefined || this.fail(fault);
  }

  onPayload(chunk: Buffer, start: number, end: number, remaining: number, key: number): boolean {
    if (isControl(this.first & OPCODE_BITS)) {
      maskInPlace(chunk, start, end, key);
      this.controlPayload(chunk, start, end, remaining);
    } else {
      const message = this.incoming;
      const last = remaining === 0 && (this.first & FIN) !== 0;
      if (last && message.length === 0) this.lastFrame(message, chunk, start, end, key);
      else this.partOfMessage(message, chunk, start, end, key, last);
    }
    return this.goesOn;
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

  // ---- data frames

  /** The parser's: a message that lies in one piece in the chunk, and is not compressed. */
  onWholeMessage(opcode: number, chunk: Buffer, start: number, end: number, key: number): boolean {
    const binary = opcode === Opcode.BINARY;
    const length = end - start;
    if (!binary && this.options.decodesText === true) {
      const seen = maskInPlace(chunk, start, end, key);
      this.deliver(chunk, start, end, binary, seen);
    } else if (isSmallPart(chunk, length)) {
      const { bytes, seen } = copyUnmasked(chunk, start, end, key);
      this.deliver(bytes, 0, length, binary, seen);
    } else {
      const seen = maskInPlace(chunk, start, end, key);
      // One look for the check and for the handler: it takes longer than either.
      this.deliver(chunk.subarray(start, end), 0, length, binary, seen);
    }
    return this.goesOn;
  }

  /** @param seen all of its bytes joined by OR */
  private deliver(bytes: Buffer, start: number, end: number, binary: boolean, seen: number): void {
    if (binary || this.validWhole(bytes, start, end, seen)) {
      this.handler.onMessage(bytes, start, end, binary);
    }
  }

  /** Whether the next frame may be parsed at once. */
  private get goesOn(): boolean {
    return this.reading && !this.inflating && (!this.suspended || this.draining);
  }

  /** The last frame of a message that has no payload before it; it lies in one piece in the chunk. */
  private lastFrame(
    message: IncomingMessage,
    chunk: Buffer,
    start: number,
    end: number,
    key: number,
  ): void {
    const { opcode, compressed } = message;
    message.finish();
    if (!compressed) {
      this.onWholeMessage(opcode, chunk, start, end, key);
      return;
    }
    maskInPlace(chunk, start, end, key);
    this.inflate(chunk.subarray(start, end), opcode === Opcode.BINARY);
  }

  private partOfMessage(
    message: IncomingMessage,
    chunk: Buffer,
    start: number,
    end: number,
    key: number,
    last: boolean,
  ): void {
    const { compressed, length } = message;
    const binary = message.opcode === Opcode.BINARY;
    const fault = message.append(chunk, start, end, key);
    if (fault !== undefined) {
      this.fail(fault);
      return;
    }
    if (!binary && !compressed && !this.validPart(message, length, last)) return;
    if (!last) return;
    const payload = message.take();
    message.finish();
    if (compressed) this.inflate(payload, binary);
    else this.handler.onMessage(payload, 0, payload.length, binary);
  }

  /** Delivers a compressed message, at once or when it is inflated; what follows it waits until then. */
  private inflate(payload: Buffer, binary: boolean): void {
    let later = false;
    this.inflating = true;
    this.options.compression?.inflate(payload, (error, bytes) => {
      this.inflating = false;
      if (bytes === undefined) this.failInflating(error);
      else if (binary || this.validWhole(bytes, 0, bytes.length, NOT_ASCII)) {
        this.handler.onMessage(bytes, 0, bytes.length, binary);
      }
      if (later) this.afterInflating();
    });
    later = true;
  }

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

  /** @param seen all of its bytes joined by OR */
  private validWhole(bytes: Buffer, start: number, end: number, seen: number): boolean {
    if ((seen & NOT_ASCII) === 0 || this.options.skipUTF8Validation) return true;
    if (isUtf8Range(bytes, start, end)) return true;
    return this.fail(protocolError(Faults.UTF8));
  }

  /**
   * RFC 6455 8.1: text fails at its first bad byte, wherever frames and reads are cut.
   *
   * @param from where in the message the part begins that has come last
   */
  private validPart(message: IncomingMessage, from: number, last: boolean): boolean {
    if (this.options.skipUTF8Validation) return true;
    this.text ??= new Utf8Validator();
    if (from === 0) this.text.reset();
    const { bytes, length } = message;
    if (this.text.push(bytes, from, length) && (!last || this.text.complete)) return true;
    return this.fail(protocolError(Faults.UTF8));
  }

  // ---- control frames

  private controlPayload(chunk: Buffer, start: number, end: number, remaining: number): void {
    if (remaining > 0 || this.control !== undefined) {
      const part = chunk.subarray(start, end);
      // A copy even of a single part: control payloads are small and must not keep the chunk alive.
      this.control = Buffer.concat(this.control === undefined ? [part] : [this.control, part]);
      if (remaining > 0) return;
      chunk = this.control;
      start = 0;
      end = chunk.length;
      this.control = undefined;
    }
    const opcode = this.first & OPCODE_BITS;
    if (opcode === Opcode.CLOSE) {
      this.receiveClose(chunk, start, end);
      return;
    }
    const payload = start === end ? EMPTY : Buffer.from(chunk.subarray(start, end));
    if (opcode === Opcode.PONG) {
      this.handler.onPong(payload);
      return;
    }
    if (!this.options.autoPong || this.answerPing(payload)) this.handler.onPing(payload);
  }

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

  /** RFC 6455 7.1.7 "Fail the WebSocket Connection". @returns false, which stops the parser */
  private fail(error: ProtocolError): false {
    this.reading = false;
    const tells = this.current === State.OPEN;
    this.transition('failed');
    if (tells) this.sendClose(encodeClose(error.closeCode));
    this.sender.end();
    this.handler.onFault(error);
    return false;
  }

  private transition(transition: Transition): void {
    const state = nextState(this.current, transition);
    if (state === this.current) return;
    this.current = state;
    this.handler.onState(state);
  }
}

/** Whether a payload is so small a part of the chunk that was read that it must not keep the chunk alive. */
function isSmallPart(chunk: Buffer, length: number): boolean {
  const size = length * COPY_BELOW_SHARE;
  // Where a chunk's memory is takes longer to tell than its length.
  return size < chunk.length || size < chunk.buffer.byteLength;
}

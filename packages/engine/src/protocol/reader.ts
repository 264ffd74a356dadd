import type { MessageCompression } from './compression';
import type { ProtocolError } from './errors';
import { Faults, protocolError } from './errors';
import type { ResolvedLimits } from './limits';
import { maskInPlace, NOT_ASCII } from './mask';
import { IncomingMessage, longestWhole } from './message';
import { FIN, isControl, OPCODE_BITS, Opcode, RSV1 } from './opcodes';
import type { FrameSink } from './parser';
import { FrameParser } from './parser';
import type { FrameContext } from './rules';
import { frameFault, lengthFault } from './rules';
import { copyUnmasked } from './unmask';
import { isUtf8Range, Utf8Validator } from './utf8';

export type Role = 'server' | 'client';

export interface ReaderOptions {
  readonly role: Role;
  readonly limits: ResolvedLimits;
  /** Deliver text and close reasons unchecked. */
  readonly skipUTF8Validation: boolean;
  /** Whether the handler makes a string of text at once, so that its bytes need not be kept. */
  readonly decodesText?: boolean | undefined;
  /** permessage-deflate, where it was agreed on. */
  readonly compression?: MessageCompression | undefined;
}

/** Takes messages. */
export interface MessageHandler {
  /**
   * A message: `bytes[start..end)`, checked to be UTF-8 where it is text. The bytes are the handler's to keep, but for text
   * that it decodes at once: that may lie among others in the chunk that was read, which it would keep alive.
   */
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void;
}

/** Whose frames they are. */
export interface ReaderOwner {
  /** Whether the next frame may be parsed at once. */
  readonly goesOn: boolean;
  /** A compressed message, which comes back by {@link FrameReader.deliver}. */
  inflate(payload: Buffer, binary: boolean): void;
  /** A control frame, whose payload `bytes[start..end)` is to be copied by whoever keeps it. */
  onControl(opcode: number, bytes: Buffer, start: number, end: number): void;
  /** A rule or a limit is broken. @returns false, which stops the parser */
  fail(error: ProtocolError): false;
}

/**
 * A message that fills less than this share of the chunk that was read, 1 KiB of the usual 64 KiB, is copied out of it, so that
 * the chunk can go. To copy larger ones as well would take a third of the time of 1 KiB; who keeps messages for later copies
 * what it keeps.
 */
const COPY_BELOW_SHARE = 64;

/** Makes messages and control frames of the bytes that come, by the rules of RFC 6455 5 and 8.1. */
export class FrameReader implements FrameSink, FrameContext {
  /** RFC 6455 5.1: a client masks every frame, a server masks none. */
  readonly expectsMask: boolean;
  private readonly options: ReaderOptions;
  private readonly handler: MessageHandler;
  private readonly owner: ReaderOwner;
  private readonly parser = new FrameParser();
  /** Only made for a connection that gets messages in several frames or several chunks. */
  private message: IncomingMessage | undefined = undefined;
  private text: Utf8Validator | undefined = undefined;
  /** First byte of the frame being read. */
  private first = 0;
  /** What has come of a control frame that was cut. */
  private control: Buffer | undefined = undefined;

  constructor(options: ReaderOptions, handler: MessageHandler, owner: ReaderOwner) {
    this.options = options;
    this.handler = handler;
    this.owner = owner;
    this.expectsMask = options.role === 'server';
  }

  /** Takes what was read, which is the reader's from now on. @returns where it stopped: the length, unless told to */
  read(chunk: Buffer): number {
    return this.parser.feed(chunk, 0, this);
  }

  /** @param seen all of its bytes joined by OR */
  deliver(bytes: Buffer, start: number, end: number, binary: boolean, seen: number): void {
    if (binary || this.validWhole(bytes, start, end, seen)) {
      this.handler.onMessage(bytes, start, end, binary);
    }
  }

  // ---- what the rules ask for

  get messageOpen(): boolean {
    return this.message?.open === true;
  }

  get compression(): boolean {
    return this.options.compression !== undefined;
  }

  get wholeUpTo(): number {
    return this.messageOpen ? -1 : longestWhole(this.options.limits);
  }

  // ---- the parser's calls

  onFrameStart(first: number, second: number): boolean {
    const fault = frameFault(first, second, this);
    if (fault !== undefined) return this.owner.fail(fault);
    this.first = first;
    return true;
  }

  onFrameLength(length: number, headerSize: number): boolean {
    if (length < 0) return this.owner.fail(lengthFault(length));
    const opcode = this.first & OPCODE_BITS;
    if (isControl(opcode)) return true;
    const message = this.incoming;
    if (opcode !== Opcode.CONTINUATION) {
      message.begin(opcode, (this.first & RSV1) !== 0);
    }
    const fault = message.announce(length, headerSize, (this.first & FIN) !== 0);
    return fault === undefined || this.owner.fail(fault);
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
    return this.owner.goesOn;
  }

  /** A message that lies in one piece in the chunk, and is not compressed. */
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
    return this.owner.goesOn;
  }

  // ---- data frames

  private get incoming(): IncomingMessage {
    this.message ??= new IncomingMessage(this.options.limits);
    return this.message;
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
    this.owner.inflate(chunk.subarray(start, end), opcode === Opcode.BINARY);
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
      this.owner.fail(fault);
      return;
    }
    if (!binary && !compressed && !this.validPart(message, length, last)) return;
    if (!last) return;
    const payload = message.take();
    message.finish();
    if (compressed) this.owner.inflate(payload, binary);
    else this.handler.onMessage(payload, 0, payload.length, binary);
  }

  /** @param seen all of its bytes joined by OR */
  private validWhole(bytes: Buffer, start: number, end: number, seen: number): boolean {
    if ((seen & NOT_ASCII) === 0 || this.options.skipUTF8Validation) return true;
    if (isUtf8Range(bytes, start, end)) return true;
    return this.owner.fail(protocolError(Faults.UTF8));
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
    return this.owner.fail(protocolError(Faults.UTF8));
  }

  // ---- control frames

  private controlPayload(chunk: Buffer, start: number, end: number, remaining: number): void {
    const opcode = this.first & OPCODE_BITS;
    if (remaining === 0 && this.control === undefined) {
      this.owner.onControl(opcode, chunk, start, end);
      return;
    }
    const part = chunk.subarray(start, end);
    // A copy even of a single part: control payloads are small and must not keep the chunk alive.
    const whole = Buffer.concat(this.control === undefined ? [part] : [this.control, part]);
    this.control = remaining > 0 ? whole : undefined;
    if (remaining === 0) this.owner.onControl(opcode, whole, 0, whole.length);
  }
}

/** Whether a payload is so small a part of the chunk that was read that it must not keep the chunk alive. */
function isSmallPart(chunk: Buffer, length: number): boolean {
  const size = length * COPY_BELOW_SHARE;
  // Where a chunk's memory is takes longer to tell than its length.
  return size < chunk.length || size < chunk.buffer.byteLength;
}

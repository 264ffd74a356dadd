import { maskInPlace } from '../../../src/protocol/mask';
import type { FrameSink } from '../../../src/protocol/parser';
import { FrameParser } from '../../../src/protocol/parser';
import type { Choices } from '../choices';
import { cutBytes, frameBytes } from '../frames';
import type { Target } from '../target';
import { Finding } from '../target';

/** Marks of what a list of numbers goes on with. */
const START = -100;
const LENGTH = -101;
const PAYLOAD = -102;

/** Adds bytes to a hash, so that long payloads need not be kept. */
function hashBytes(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let next = hash;
  for (let at = start; at < end; at++) next = (Math.imul(next, 31) + bytes[at]) | 0;
  return next;
}

/** Writes down what a parser tells, and at times wants to wait. */
class Sink implements FrameSink {
  readonly told: number[] = [];
  /** A fault of a length ends the connection, and with it the parser's work. */
  over = false;
  private readonly pauses: number;
  private hash = 0;
  private read = 0;
  private parts = 0;

  /** @param pauses after how many parts it wants to wait; 0 for never */
  constructor(pauses: number) {
    this.pauses = pauses;
  }

  readonly expectsMask = true;
  readonly wholeUpTo = Number.MAX_SAFE_INTEGER;

  onFrameStart(first: number, second: number): boolean {
    this.told.push(START, first, second);
    this.hash = 0;
    this.read = 0;
    return true;
  }

  onFrameLength(length: number, headerSize: number): boolean {
    this.told.push(LENGTH, length, headerSize);
    this.over = length < 0;
    return length >= 0;
  }

  onPayload(chunk: Buffer, start: number, end: number, remaining: number, key: number): boolean {
    maskInPlace(chunk, start, end, key);
    this.hash = hashBytes(this.hash, chunk, start, end);
    this.read += end - start;
    if (remaining === 0) this.told.push(PAYLOAD, this.read, this.hash);
    return this.goesOn();
  }

  /** Told as the three calls that it stands for. */
  onWholeMessage(opcode: number, chunk: Buffer, start: number, end: number, key: number): boolean {
    maskInPlace(chunk, start, end, key);
    const length = end - start;
    this.told.push(START, 0x80 | opcode, 0x80 | Math.min(length, 126));
    this.told.push(LENGTH, length, length < 126 ? 6 : 8);
    this.told.push(PAYLOAD, length, hashBytes(0, chunk, start, end));
    return this.goesOn();
  }

  private goesOn(): boolean {
    return this.pauses === 0 || ++this.parts % this.pauses !== 0;
  }
}

/** The same by RFC 6455 5.2 alone, from bytes that are all there. */
function decode(bytes: Buffer): number[] {
  const told: number[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const second = bytes[at + 1];
    told.push(START, bytes[at], second);
    const form = second & 127;
    const extended = form === 127 ? 8 : form === 126 ? 2 : 0;
    const header = 2 + extended + (second >= 128 ? 4 : 0);
    if (at + header > bytes.length) return told;
    const length = lengthOf(bytes, at + 2, form);
    told.push(LENGTH, length, header);
    if (length < 0) return told;
    at += header;
    if (at + length > bytes.length) return told;
    let hash = 0;
    for (let index = 0; index < length; index++) {
      const mask = second >= 128 ? bytes[at - 4 + (index % 4)] : 0;
      hash = (Math.imul(hash, 31) + (bytes[at + index] ^ mask)) | 0;
    }
    told.push(PAYLOAD, length, hash);
    at += length;
  }
  return told;
}

function lengthOf(bytes: Buffer, at: number, form: number): number {
  if (form < 126) return form;
  if (form === 126) return bytes.readUInt16BE(at) < 126 ? -1 : bytes.readUInt16BE(at);
  const length = bytes.readBigUInt64BE(at);
  if (length >= 2n ** 63n) return -2;
  if (length >= 2n ** 53n) return -3;
  return length < 65_536n ? -1 : Number(length);
}

function parse(chunks: readonly Buffer[], pauses: number): number[] {
  const parser = new FrameParser();
  const sink = new Sink(pauses);
  for (const chunk of chunks) {
    let at = 0;
    do {
      const stop = parser.feed(chunk, at, sink);
      if (stop < at || stop > chunk.length) throw new Finding('stopped elsewhere', at, stop);
      at = stop;
      if (sink.over) return sink.told;
    } while (at < chunk.length);
  }
  return sink.told;
}

function expectEqual(what: string, actual: readonly number[], expected: readonly number[]): void {
  const { length } = expected;
  let at = actual.length === length ? 0 : -1;
  while (at >= 0 && at < length && actual[at] === expected[at]) at++;
  if (at !== length) throw new Finding(`${what} differs`, actual, expected);
}

/** Bytes in the chunks of a socket against bytes that are all there: the same frames, in the same order. */
export const parser: Target = {
  name: 'parser',
  share: 40,
  run(choices: Choices): void {
    const pauses = choices.oneIn(3) ? 1 + choices.below(3) : 0;
    const bytes = frameBytes(choices, { masked: choices.oneIn(2) });
    const expected = decode(bytes);
    const chunks = cutBytes(choices, bytes);
    expectEqual('in chunks', parse(chunks, pauses), expected);
    expectEqual('in one', parse([bytes], pauses), expected);
  },
};

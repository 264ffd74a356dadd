import { constants, deflateRawSync } from 'node:zlib';
import type { Choices } from './choices';

/** What bytes of frames are made of. */
export interface FrameMix {
  /** Whether frames should be masked. */
  readonly masked: boolean;
  /** Whether messages may be compressed. */
  readonly compression?: boolean;
}

const OPCODES = [1, 2, 0, 1, 2, 0, 0, 9, 10, 1, 2, 0, 8, 9];
const TEXTS = ['', 'Hello', 'aä€😀', '€€€', 'x'.repeat(124)].map((text) => Buffer.from(text));
const BAD_TEXTS = ['ff', 'c0af', 'eda080', 'f4908080', 'e282', '80', 'c3'].map((text) =>
  Buffer.from(text, 'hex'),
);
/** Payloads of close frames: codes that may be sent, that may not, and reasons. */
const CLOSES = [
  '',
  '03e8',
  '03e9',
  '03ed',
  '03ee',
  '03f3',
  '03f7',
  '0bb8',
  '1387',
  '1388',
  '03',
  '03e8c3',
  '03e8e282ac',
].map((text) => Buffer.from(text, 'hex'));
const LONG = Buffer.alloc(70_000, 'The quick brown fox. ');
const LONG_LENGTHS = [125, 126, 127, 200, 1000, 4096, 65_535, 65_536];
const COMPRESSED = [
  ...[...TEXTS, LONG.subarray(0, 1000), Buffer.alloc(5000)].map((bytes) =>
    deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
  ),
  deflateRawSync(Buffer.from('Hello')),
  ...BAD_TEXTS.map((bytes) =>
    deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
  ),
];

let scratch = Buffer.alloc(256 * 1024);
let size = 0;

/** Some frames, most of which may come and some of which may not, at times with bytes changed, lost or added. */
export function frameBytes(choices: Choices, mix: FrameMix): Buffer {
  size = 0;
  const count = 1 + choices.below(8);
  for (let index = 0; index < count && choices.more; index++) addFrame(choices, mix);
  if (choices.oneIn(4)) disturb(choices);
  return Buffer.from(scratch.subarray(0, size));
}

function addFrame(choices: Choices, mix: FrameMix): void {
  const opcode = choices.oneIn(32) ? choices.below(16) : choices.pick(OPCODES);
  const fin = opcode > 7 ? !choices.oneIn(32) : !choices.oneIn(3);
  let rsv = choices.oneIn(48) ? choices.below(8) : 0;
  let payload = payloadOf(choices, opcode);
  if (mix.compression && (opcode === 1 || opcode === 2) && choices.oneIn(2)) {
    rsv = 4;
    payload = choices.oneIn(6) ? payload : choices.pick(COMPRESSED);
  }
  const masked = mix.masked !== choices.oneIn(64);
  write(choices, (fin ? 0x80 : 0) | (rsv << 4) | opcode, payload, masked);
}

function payloadOf(choices: Choices, opcode: number): Uint8Array {
  if (opcode === 8 && !choices.oneIn(4)) return choices.pick(CLOSES);
  if (choices.oneIn(160)) return LONG.subarray(0, choices.pick(LONG_LENGTHS));
  if (choices.oneIn(24)) return choices.pick(BAD_TEXTS);
  return choices.oneIn(2) ? choices.take(choices.below(24)) : choices.pick(TEXTS);
}

function write(choices: Choices, first: number, payload: Uint8Array, masked: boolean): void {
  const { length } = payload;
  reserve(length + 14);
  const form = choices.oneIn(48) ? choices.below(3) : length < 126 ? 0 : length < 65_536 ? 1 : 2;
  const announced = choices.oneIn(48) ? choices.below(300) : length;
  const mask = masked ? 0x80 : 0;
  scratch[size++] = first;
  if (form === 0) scratch[size++] = mask | (announced & 0x7f);
  else if (form === 1) {
    scratch[size++] = mask | 126;
    size = scratch.writeUInt16BE(announced & 0xffff, size);
  } else {
    scratch[size++] = mask | 127;
    size = scratch.writeUInt32BE(choices.oneIn(8) ? 0x80_00_00_00 >>> choices.below(14) : 0, size);
    size = scratch.writeUInt32BE(announced, size);
  }
  const at = size;
  if (!masked) scratch.set(payload, size);
  else {
    for (let index = 0; index < 4; index++) scratch[size++] = choices.byte();
    for (let index = 0; index < length; index++) {
      scratch[size + index] = payload[index] ^ scratch[at + (index & 3)];
    }
  }
  size += length;
}

function disturb(choices: Choices): void {
  for (let times = 1 + choices.below(3); times > 0 && size > 0; times--) {
    const at = choices.below(size);
    switch (choices.below(4)) {
      case 0:
        scratch[at] ^= 1 << choices.below(8);
        break;
      case 1:
        scratch[at] = choices.byte();
        break;
      case 2:
        size = at;
        break;
      default:
        reserve(1);
        scratch.copyWithin(at + 1, at, size++);
    }
  }
}

function reserve(length: number): void {
  if (size + length > scratch.length) {
    scratch = Buffer.concat([scratch, Buffer.alloc(scratch.length + length)]);
  }
}

/** Copies of bytes, cut where the choices say. */
export function cutBytes(choices: Choices, bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  const small = choices.oneIn(2);
  for (let at = 0; at < bytes.length; ) {
    // Not thousands of chunks of a long payload.
    const end =
      small && bytes.length < 2000 ? 1 + choices.below(16) : 1 + choices.below(bytes.length);
    chunks.push(Buffer.from(bytes.subarray(at, at + end)));
    at += end;
    if (!choices.more) {
      if (at < bytes.length) chunks.push(Buffer.from(bytes.subarray(at)));
      break;
    }
  }
  return chunks;
}

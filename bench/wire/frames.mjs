// Frames by the picture of RFC 6455 5.2, and none of the engines' own code: a benchmark must not measure one peer with
// the mistakes of another.
import { deflateRawSync } from 'node:zlib';
import { isBinary, payload } from './payloads.mjs';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;

/** What clients mask with here; no zeros, for peers may leave those out. */
const maskingKey = Buffer.from([0x9d, 0x37, 0xc2, 0x5a]);

function headerOf(first, length, mask) {
  if (length < 126) return Buffer.from([first, mask | length]);
  if (length < 65_536) return Buffer.from([first, mask | 126, length >> 8, length & 255]);
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = mask | 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/**
 * One whole message as one frame.
 *
 * @param {number} opcode
 * @param {Buffer} bytes
 * @param {{ masked?: boolean, compressed?: boolean }} [options] `compressed` sets RSV1 and no more
 */
export function frame(opcode, bytes, { masked = false, compressed = false } = {}) {
  const first = 0x80 | (compressed ? 0x40 : 0) | opcode;
  const header = headerOf(first, bytes.length, masked ? 0x80 : 0);
  if (!masked) return Buffer.concat([header, bytes]);
  const scrambled = bytes.map((byte, index) => byte ^ maskingKey[index & 3]);
  return Buffer.concat([header, maskingKey, scrambled]);
}

const opcodeOf = (spec) => (isBinary(spec) ? BINARY : TEXT);

/** A message as a client sends it. */
export function clientFrame(spec, variant) {
  return frame(opcodeOf(spec), payload(spec, variant), { masked: true });
}

/** The same as a server sends it. */
export function serverFrame(spec, variant) {
  return frame(opcodeOf(spec), payload(spec, variant));
}

/** A message as a client sends it that compresses each by itself, which any context can inflate (RFC 7692 7.2.1). */
export function deflatedClientFrame(spec, variant) {
  const flushed = deflateRawSync(payload(spec, variant), { finishFlush: 2 });
  return frame(opcodeOf(spec), flushed.subarray(0, -4), { masked: true, compressed: true });
}

/** Close with 1000. */
export const closeFrame = (masked) => frame(CLOSE, Buffer.from([3, 232]), { masked });

/** `count` times the same bytes in one buffer. */
export function repeated(bytes, count) {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

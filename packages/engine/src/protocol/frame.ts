import { maskInto } from './mask';
import { LENGTH_BITS, MASK } from './opcodes';

/** Longest frame header in bytes: two, a 64-bit length and a masking key (RFC 6455 5.2). */
export const MAX_HEADER = 14;

/** Bytes of the header of a frame whose payload has `length` bytes. */
export function headerSize(length: number, masked: boolean): number {
  const size = length < 126 ? 2 : length < 0x10000 ? 4 : 10;
  return masked ? size + 4 : size;
}

/** Bytes of the whole header, told from its second byte alone. */
export function headerSizeFrom(second: number): number {
  const form = second & LENGTH_BITS;
  const size = form < 126 ? 2 : form === 126 ? 4 : 10;
  return (second & MASK) === 0 ? size : size + 4;
}

/**
 * Writes a frame header with the shortest of the three length forms (RFC 6455 5.2: "the minimal number of bytes MUST be used").
 *
 * @param first FIN, the reserved bits and the opcode, as they lie in the first byte
 * @param length of the payload, in bytes
 * @param key masking key, or `undefined` for a frame that is not masked
 * @returns where the payload begins
 */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  first: number,
  length: number,
  key: number | undefined,
): number {
  const masked = key === undefined ? 0 : MASK;
  let at = offset;
  target[at++] = first;
  if (length < 126) {
    target[at++] = masked | length;
  } else if (length < 0x10000) {
    target[at++] = masked | 126;
    target[at++] = length >>> 8;
    target[at++] = length & 0xff;
  } else {
    target[at++] = masked | 127;
    at = writeUint32(target, at, Math.floor(length / 0x100000000));
    at = writeUint32(target, at, length >>> 0);
  }
  return key === undefined ? at : writeUint32(target, at, key);
}

/** The payload lengths that a header can carry but must not. */
export const LengthFault = { NON_MINIMAL: -1, TOP_BIT: -2, UNSAFE: -3 } as const;

/**
 * Reads the payload length of the header that begins at `offset`; the header must be there as far as its length goes.
 *
 * @returns the length in bytes, or one of {@link LengthFault}
 */
export function readLength(bytes: Uint8Array, offset: number): number {
  const form = bytes[offset + 1] & LENGTH_BITS;
  if (form < 126) return form;
  if (form === 126) {
    const length = (bytes[offset + 2] << 8) | bytes[offset + 3];
    return length < 126 ? LengthFault.NON_MINIMAL : length;
  }
  const high = readUint32(bytes, offset + 2);
  const low = readUint32(bytes, offset + 6);
  // RFC 6455 5.2: "the most significant bit MUST be 0".
  if (high > 0x7fffffff) return LengthFault.TOP_BIT;
  if (high > 0x1fffff) return LengthFault.UNSAFE;
  const length = high * 0x100000000 + low;
  return length < 0x10000 ? LengthFault.NON_MINIMAL : length;
}

/** Reads four bytes as an unsigned number, the most significant first. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] << 24) |
      (bytes[offset + 1] << 16) |
      (bytes[offset + 2] << 8) |
      bytes[offset + 3]) >>>
    0
  );
}

function writeUint32(target: Uint8Array, offset: number, value: number): number {
  target[offset] = value >>> 24;
  target[offset + 1] = (value >>> 16) & 0xff;
  target[offset + 2] = (value >>> 8) & 0xff;
  target[offset + 3] = value & 0xff;
  return offset + 4;
}

/**
 * A whole frame in a buffer of its own.
 *
 * @param first FIN, the reserved bits and the opcode
 * @param key masking key; the payload given is copied, never changed
 */
export function encodeFrame(first: number, payload: Uint8Array, key?: number): Buffer {
  const frame = Buffer.allocUnsafe(headerSize(payload.length, key !== undefined) + payload.length);
  const at = writeHeader(frame, 0, first, payload.length, key);
  if (key === undefined) frame.set(payload, at);
  else maskInto(payload, 0, payload.length, frame, at, key);
  return frame;
}

import type { SimdMask } from './mask-simd';
import { createSimdMask } from './mask-simd';

/**
 * Masking (RFC 6455 5.3): byte i of the payload is XORed with byte i mod 4 of the masking key.
 *
 * A key is one 32-bit integer, its first byte the most significant, so that a connection keeps it in a single field
 * and a payload that arrives in pieces only has to rotate it.
 */

/** Below this many bytes the loop is faster than the way into WebAssembly and back. */
const SIMD_FROM = 192;

/** `null` until a payload is long enough for it. */
let simd: SimdMask | undefined | null = null;

/** The key for the bytes that follow `count` masked ones. */
export function rotateKey(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}

/** Masks or unmasks `bytes[start..end)` where they lie. */
export function maskInPlace(bytes: Uint8Array, start: number, end: number, key: number): void {
  // An all-zero key leaves every byte as it is.
  if (key !== 0) maskInto(bytes, start, end, bytes, start, key);
}

/** Writes the masked `source[start..end)` to `target` at `offset`; the source is left as it is, unless it is the target. */
export function maskInto(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): void {
  if (end - start >= SIMD_FROM) {
    if (key === 0) {
      target.set(source.subarray(start, end), offset);
      return;
    }
    if (simd === null) simd = createSimdMask();
    if (simd !== undefined) {
      maskBySimd(simd, source, start, end, target, offset, key);
      return;
    }
  }
  maskByLoop(source, start, end, target, offset, key);
}

function maskBySimd(
  { memory, mask }: SimdMask,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): void {
  const lowestFirst = swapBytes(key);
  let from = start;
  let to = offset;
  while (from < end) {
    const size = Math.min(memory.length, end - from);
    memory.set(source.subarray(from, from + size));
    mask(size, lowestFirst);
    target.set(memory.subarray(0, size), to);
    // The memory is a whole number of keys long, so that the key needs no rotating.
    from += size;
    to += size;
  }
}

function swapBytes(key: number): number {
  return (key >>> 24) | ((key >>> 8) & 0xff00) | ((key << 8) & 0xff0000) | (key << 24);
}

function maskByLoop(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): void {
  const a = key >>> 24;
  const b = (key >>> 16) & 0xff;
  const c = (key >>> 8) & 0xff;
  const d = key & 0xff;
  let from = start;
  let to = offset;
  // Four bytes a turn: the key's bytes stay in registers and no index is taken modulo 4.
  for (const last = end - 3; from < last; from += 4, to += 4) {
    target[to] = source[from] ^ a;
    target[to + 1] = source[from + 1] ^ b;
    target[to + 2] = source[from + 2] ^ c;
    target[to + 3] = source[from + 3] ^ d;
  }
  if (from < end) target[to] = source[from] ^ a;
  if (from + 1 < end) target[to + 1] = source[from + 1] ^ b;
  if (from + 2 < end) target[to + 2] = source[from + 2] ^ c;
}

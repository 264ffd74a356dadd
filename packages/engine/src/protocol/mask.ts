import type { SimdMask } from './mask-simd';
import { createSimdMask } from './mask-simd';
import { maskWords } from './mask-words';
import { wordsOf } from './memory';

/**
 * Masking (RFC 6455 5.3): byte i of the payload is XORed with byte i mod 4 of the masking key.
 *
 * A key is one 32-bit integer, its first byte the most significant, so that a connection keeps it in a single field
 * and a payload that arrives in pieces only has to rotate it.
 */

/** From this many bytes on, the way into WebAssembly and back costs less than it saves (ADR 27). */
const SIMD_FROM = 512;
/** The same where words are of no use, because those of source and target begin at different bytes. */
const UNALIGNED_SIMD_FROM = 192;
/** From this many bytes on, words are masked in less time than it takes to look at memory as words (ADR 27). */
const WORDS_FROM = 128;
/** Where so many bytes lie around a shorter payload, there will be others that the same look serves. */
const SHARED_FROM = 512;
/** Below this many bytes, a loop over them is as fast as anything. */
const LOOP_BELOW = 16;

/** `null` until a payload is long enough for it. */
let simd: SimdMask | undefined | null = null;

/** The key for the bytes that follow `count` masked ones. */
export function rotateKey(key: number, count: number): number {
  const bits = (count & 3) << 3;
  return bits === 0 ? key : (key << bits) | (key >>> (32 - bits));
}

/**
 * Masks or unmasks `bytes[start..end)` where they lie.
 *
 * @returns as {@link maskInto} does
 */
export function maskInPlace(bytes: Uint8Array, start: number, end: number, key: number): number {
  return maskInto(bytes, start, end, bytes, start, key);
}

/**
 * Writes the masked `source[start..end)` to `target` at `offset`; the source is left as it is, unless it is the target.
 *
 * @returns a number with {@link NOT_ASCII} bits in it if one of the bytes written is none of ASCII; they may be set for
 * ASCII as well, where nobody looked
 */
export function maskInto(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): number {
  const size = end - start;
  if (size < SIMD_FROM) {
    const seen = maskShort(source, start, end, target, offset, key);
    if (seen !== UNALIGNED) return seen;
  }
  if (simd === null) simd = createSimdMask();
  if (simd === undefined) return maskByLoop(source, start, end, target, offset, key);
  // An all-zero key leaves every byte as it is.
  if (key !== 0) return maskBySimd(simd, source, start, end, target, offset, key);
  if (source !== target) target.set(source.subarray(start, end), offset);
  return NOT_ASCII;
}

/** What {@link maskShort} answers where it has done nothing; no bytes joined by OR are more than 32 bits. */
const UNALIGNED = 2 ** 32;

function maskShort(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): number {
  const size = end - start;
  if (size >= WORDS_FROM || (size >= LOOP_BELOW && source.length >= SHARED_FROM)) {
    const read = wordsOf(source);
    const written = target === source ? read : wordsOf(target);
    if (((read.base + start - written.base - offset) & 3) === 0) {
      return maskWords(read, start, end, written, offset, key);
    }
    if (size >= UNALIGNED_SIMD_FROM) return UNALIGNED;
  }
  return maskByLoop(source, start, end, target, offset, key);
}

/** The bits of {@link maskInto}'s answer that a byte beyond ASCII sets. */
export const NOT_ASCII = 0x80808080 | 0;

function maskBySimd(
  { memory, mask }: SimdMask,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  offset: number,
  key: number,
): number {
  const lowestFirst = swapBytes(key);
  let beyond = 0;
  let from = start;
  let to = offset;
  while (from < end) {
    const size = Math.min(memory.length, end - from);
    memory.set(source.subarray(from, from + size));
    beyond |= mask(size, lowestFirst);
    target.set(memory.subarray(0, size), to);
    // The memory is a whole number of keys long, so that the key needs no rotating.
    from += size;
    to += size;
  }
  return beyond === 0 ? 0 : NOT_ASCII;
}

/** The key as a word whose lowest byte is its first. */
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
): number {
  const a = key >>> 24;
  const b = (key >>> 16) & 0xff;
  const c = (key >>> 8) & 0xff;
  const d = key & 0xff;
  let seen = 0;
  let from = start;
  let to = offset;
  // Four bytes a turn: the key's bytes stay in registers and no index is taken modulo 4.
  for (const last = end - 3; from < last; from += 4, to += 4) {
    const first = source[from] ^ a;
    const second = source[from + 1] ^ b;
    const third = source[from + 2] ^ c;
    const fourth = source[from + 3] ^ d;
    seen |= first | second | third | fourth;
    target[to] = first;
    target[to + 1] = second;
    target[to + 2] = third;
    target[to + 3] = fourth;
  }
  if (from < end) seen |= target[to] = source[from] ^ a;
  if (from + 1 < end) seen |= target[to + 1] = source[from + 1] ^ b;
  if (from + 2 < end) seen |= target[to + 2] = source[from + 2] ^ c;
  return seen;
}

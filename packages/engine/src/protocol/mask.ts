/**
 * Masking (RFC 6455 5.3): byte i of the payload is XORed with byte i mod 4 of the masking key.
 *
 * A key is one 32-bit integer, its first byte the most significant, so that a connection keeps it in a single field
 * and a payload that arrives in pieces only has to rotate it.
 */

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

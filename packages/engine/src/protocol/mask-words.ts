import type { Words } from './memory';

/** A key, as its bytes and as the word that the machine sees in them. */
const keyBytes = new Uint8Array(4);
const keyWord = new Int32Array(keyBytes.buffer);

/**
 * Masks four bytes at a time, which is three times as fast as byte by byte: writes the masked `source[start..end)` to
 * `target` at `offset`, which must be as far from the border of a word.
 *
 * @param key its first byte the most significant
 * @returns all bytes written, joined by OR as the bytes of words
 */
export function maskWords(
  source: Words,
  start: number,
  end: number,
  target: Words,
  offset: number,
  key: number,
): number {
  const head = Math.min(-(source.base + start) & 3, end - start);
  const count = (end - start - head) >> 2;
  const tail = head + (count << 2);
  for (let index = 0; index < 4; index++) keyBytes[index] = byteOf(key, head + index);
  const from = (source.base + start + head) >> 2;
  const to = (target.base + offset + head) >> 2;
  let seen = xorWords(source.words, from, target.words, to, count, keyWord[0]);
  for (let index = 0; index < head; index++) {
    seen |= target.bytes[offset + index] = source.bytes[start + index] ^ byteOf(key, index);
  }
  for (let index = tail; index < end - start; index++) {
    seen |= target.bytes[offset + index] = source.bytes[start + index] ^ byteOf(key, index);
  }
  return seen;
}

function xorWords(
  source: Int32Array,
  from: number,
  target: Int32Array,
  to: number,
  count: number,
  key: number,
): number {
  let seen = 0;
  let index = 0;
  // Four a turn takes half the time of one a turn.
  for (const last = count - 3; index < last; index += 4) {
    const a = source[from + index] ^ key;
    const b = source[from + index + 1] ^ key;
    const c = source[from + index + 2] ^ key;
    const d = source[from + index + 3] ^ key;
    seen |= a | b | c | d;
    target[to + index] = a;
    target[to + index + 1] = b;
    target[to + index + 2] = c;
    target[to + index + 3] = d;
  }
  for (; index < count; index++) seen |= target[to + index] = source[from + index] ^ key;
  return seen;
}

function byteOf(key: number, index: number): number {
  return (key >>> (24 - ((index & 3) << 3))) & 0xff;
}

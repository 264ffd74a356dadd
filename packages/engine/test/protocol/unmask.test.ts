import fc from 'fast-check';
import { maskInPlace, NOT_ASCII } from '../../src/protocol/mask';
import { Slab, wordsOf } from '../../src/protocol/memory';
import { copyUnmasked } from '../../src/protocol/unmask';
import { pattern, toHex } from '../support/bytes';

const KEY = 0x37fa213d;

/** A chunk with a masked payload in it. */
function masked(payload: Uint8Array, start: number, key: number, around: number): Buffer {
  const chunk = Buffer.alloc(start + payload.length + around, 0xee);
  chunk.set(payload, start);
  maskInPlace(chunk, start, start + payload.length, key);
  return chunk;
}

describe('copyUnmasked', () => {
  test('copies what was masked, wherever it lies, and leaves the chunk as it is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.nat(20),
        fc.integer(),
        fc.constantFrom(0, 700),
        (payload, start, key, around) => {
          const chunk = masked(payload, start, key, around);
          const before = toHex(chunk);
          const { bytes } = copyUnmasked(chunk, start, start + payload.length, key);
          expect(toHex(bytes)).toBe(toHex(payload));
          expect(toHex(chunk)).toBe(before);
        },
      ),
    );
  });

  test.each([2048, 2049, 8192, 70_000])('copies %i bytes', (length) => {
    const payload = pattern(length);
    const chunk = masked(payload, 8, KEY, 0);
    expect(copyUnmasked(chunk, 8, 8 + length, KEY).bytes.equals(payload)).toBe(true);
  });

  test('no copy is ever written over', () => {
    const copies: Buffer[] = [];
    for (let count = 0; count < 300; count++) {
      const chunk = masked(Buffer.alloc(100, count), 6, KEY, 0);
      copies.push(copyUnmasked(chunk, 6, 106, KEY).bytes);
    }
    for (const [count, copy] of copies.entries()) {
      expect(copy.equals(Buffer.alloc(100, count))).toBe(true);
    }
  });

  test.each([8, 40, 200, 300])('of %i bytes of ASCII it tells that they are', (length) => {
    const ascii = masked(Buffer.alloc(length, 'a'), 8, KEY, 600);
    expect(copyUnmasked(ascii, 8, 8 + length, KEY).seen & NOT_ASCII).toBe(0);
  });

  test('one byte that is none of ASCII is seen wherever it is', () => {
    for (const length of [1, 5, 17, 40, 133]) {
      for (let at = 0; at < length; at++) {
        const payload = Buffer.alloc(length, 'a');
        payload[at] = 0x80;
        const chunk = masked(payload, 7, KEY, 600);
        expect(copyUnmasked(chunk, 7, 7 + length, KEY).seen & NOT_ASCII).not.toBe(0);
      }
    }
  });
});

test('a part of a memory is a Buffer on it', () => {
  const slab = new Slab(16);
  const part = slab.part(4, 3);
  expect(Buffer.isBuffer(part)).toBe(true);
  part.fill(0x61);
  expect(slab.bytes.toString('latin1', 4, 7)).toBe('aaa');
});

test('the words of what was asked for last are at hand, those before are looked up again', () => {
  const [first, second, third] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(8)];
  const known = wordsOf(first);
  expect(wordsOf(first)).toBe(known);
  expect(wordsOf(second).bytes).toBe(second);
  expect(wordsOf(first)).toBe(known);
  wordsOf(second);
  wordsOf(third);
  expect(wordsOf(first)).not.toBe(known);
  expect(wordsOf(first)).toEqual(known);
});

import { maskWords } from '../../src/protocol/mask-words';
import { wordsOf } from '../../src/protocol/memory';
import { pattern, toHex } from '../support/bytes';

const KEY = 0x37fa213d;
const OCTETS = [0x37, 0xfa, 0x21, 0x3d];

describe('maskWords()', () => {
  test('masks every length from every place in a word, and not one byte more', () => {
    for (let start = 0; start < 8; start++) {
      for (let length = 0; length < 24; length++) {
        const source = pattern(start + length);
        const target = Buffer.alloc(40, 0xee);
        const offset = 4 + (start & 3);
        const place = (byte: Buffer, at: number) => (byte.byteOffset + at) & 3;
        // As far from the border of a word, wherever the two buffers lie.
        const shift = (place(source, start) - place(target, offset)) & 3;
        maskWords(wordsOf(source), start, start + length, wordsOf(target), offset + shift, KEY);
        const expected = Buffer.alloc(40, 0xee);
        for (let index = 0; index < length; index++) {
          expected[offset + shift + index] = source[start + index] ^ OCTETS[index % 4];
        }
        expect(toHex(target)).toBe(toHex(expected));
      }
    }
  });

  test.each([0, 1, 5, 8, 21, 22])('tells of a byte beyond ASCII at %i', (at) => {
    const text = Buffer.alloc(23, 'a');
    const seenWith = (byte: number): number => {
      const bytes = Buffer.from(text);
      bytes[at] = byte;
      return maskWords(wordsOf(bytes), 0, 23, wordsOf(bytes), 0, 0);
    };
    expect(seenWith(0x80) & 0x80808080).not.toBe(0);
    expect(seenWith(0x7f) & 0x80808080).toBe(0);
  });
});

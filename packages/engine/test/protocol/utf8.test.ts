import fc from 'fast-check';
import { isUtf8Range, Utf8Validator } from '../../src/protocol/utf8';
import { cut, hex, slices } from '../support/bytes';
import { anyText } from '../support/text';

/** Long enough that the checks hand it to Node. */
const LONG = 'The quick brown fox jumps over ';

/** Whole and well-formed (RFC 3629 4). */
const VALID: [string, string][] = [
  ['nothing', ''],
  ['ASCII', '48656c6c6f'],
  ['NUL and DEL', '007f'],
  ['the first of two bytes', 'c280'],
  ['the last of two bytes', 'dfbf'],
  ['the first of three bytes', 'e0a080'],
  ['the last before the surrogates', 'ed9fbf'],
  ['the first behind the surrogates', 'ee8080'],
  ['the last of three bytes', 'efbfbf'],
  ['the first of four bytes', 'f0908080'],
  ['the last of all, U+10FFFF', 'f48fbfbf'],
  ['a byte order mark', 'efbbbf'],
  ['the Greek word of Autobahn 6.4', 'cebae1bdb9cf83cebcceb5'],
  ['four-byte characters in a row', 'f09f9880f09f9881'],
];

/** Bad bytes, and how many bytes of them are read until no valid text can have them. */
const INVALID: [string, string, number][] = [
  ['a continuation byte alone', '80', 1],
  ['the last continuation byte alone', 'bf', 1],
  ['an overlong slash in two bytes', 'c0af', 1],
  ['C1', 'c1bf', 1],
  ['F5', 'f5808080', 1],
  ['FE', 'fe', 1],
  ['FF', 'ff', 1],
  ['two bytes without the second', 'c241', 2],
  ['two bytes whose second is a lead', 'c2c2', 2],
  ['an overlong form in three bytes', 'e09fbf', 2],
  ['three bytes without the third', 'e1bd41', 3],
  ['the first surrogate', 'eda080', 2],
  ['the last surrogate', 'edbfbf', 2],
  ['an overlong form in four bytes', 'f08fbfbf', 2],
  ['four bytes without the fourth', 'f0908041', 4],
  ['the first beyond U+10FFFF', 'f4908080', 2],
];

/** Well-formed as far as it goes, but cut off. */
const OPEN: [string, string][] = [
  ['one of two', 'c2'],
  ['one of three', 'e1'],
  ['two of three', 'e1bd'],
  ['two of three, the narrow low border', 'e0a0'],
  ['one of four', 'f0'],
  ['two of four', 'f090'],
  ['three of four', 'f09080'],
  ['three of four, the high border', 'f48fbf'],
];

/** Behind what the case is put: nothing, a few bytes, and enough that Node is asked. */
const PREFIXES = ['', 'ab', LONG, `${LONG}\u20ac`, LONG.repeat(3)];

describe('isUtf8Range', () => {
  test.each(VALID)('takes %s', (_name, digits) => {
    for (const prefix of PREFIXES) {
      const bytes = Buffer.concat([hex('ff'), Buffer.from(prefix), hex(digits), hex('ff')]);
      expect(isUtf8Range(bytes, 1, bytes.length - 1)).toBe(true);
    }
  });

  test.each<[string, string, number?]>([...INVALID, ...OPEN])('refuses %s', (_name, digits) => {
    for (const prefix of PREFIXES) {
      const bytes = Buffer.concat([hex('ff'), Buffer.from(prefix), hex(digits), hex('ff')]);
      expect(isUtf8Range(bytes, 1, bytes.length - 1)).toBe(false);
    }
  });

  test('remembers nothing of the call before', () => {
    expect(isUtf8Range(hex('e1bd'), 0, 2)).toBe(false);
    expect(isUtf8Range(hex('b9'), 0, 1)).toBe(false);
    expect(isUtf8Range(hex('c3a9'), 0, 2)).toBe(true);
  });
});

describe('Utf8Validator', () => {
  /** Pushes piece after piece. @returns how many bytes it took to fail, or 0 */
  function failsAfter(pieces: Buffer[]): number {
    const validator = new Utf8Validator();
    let bytes = 0;
    for (const piece of pieces) {
      bytes += piece.length;
      if (!validator.push(piece, 0, piece.length)) return bytes;
    }
    return 0;
  }

  test.each(VALID)('takes %s, however it is cut', (_name, digits) => {
    for (const prefix of PREFIXES) {
      const bytes = Buffer.concat([Buffer.from(prefix), hex(digits)]);
      for (let place = 0; place <= bytes.length; place++) {
        const validator = new Utf8Validator();
        for (const piece of cut(bytes, place)) {
          expect(validator.push(piece, 0, piece.length)).toBe(true);
        }
        expect(validator.complete).toBe(true);
      }
    }
  });

  test.each(INVALID)('fails at the first bad byte of %s', (_name, digits, place) => {
    for (const prefix of PREFIXES) {
      const good = Buffer.from(prefix);
      const bytes = Buffer.concat([good, hex(digits), Buffer.from(LONG)]);
      expect(failsAfter(slices(bytes, 1))).toBe(good.length + place);
      expect(failsAfter(cut(bytes, good.length))).toBe(bytes.length);
      expect(failsAfter(cut(bytes, good.length + place))).toBe(good.length + place);
      if (good.length + place > 1)
        expect(failsAfter(cut(bytes, good.length + place - 1))).toBe(bytes.length);
    }
  });

  test.each(OPEN)('waits for the rest of %s', (_name, digits) => {
    for (const prefix of PREFIXES) {
      const bytes = Buffer.concat([Buffer.from(prefix), hex(digits)]);
      const validator = new Utf8Validator();
      expect(validator.push(bytes, 0, bytes.length)).toBe(true);
      expect(validator.complete).toBe(false);
      expect(failsAfter([bytes, Buffer.from(`x${LONG}`)])).toBe(bytes.length + 1 + LONG.length);
    }
  });

  test('looks at its range only', () => {
    expect(new Utf8Validator().push(hex('ff41ff'), 1, 2)).toBe(true);
  });

  test('forgets an open sequence on reset', () => {
    const validator = new Utf8Validator();
    validator.push(hex('e0'), 0, 1);
    validator.reset();
    expect(validator.complete).toBe(true);
    // After E0 alone, 80 would be out of range; after C4 it is not.
    expect(validator.push(hex('c480'), 0, 2)).toBe(true);
    expect(validator.complete).toBe(true);
  });
});

describe('properties', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      anyText(60).map((text) => Buffer.from(text)),
    ),
    { maxLength: 8 },
  );

  function decodes(bytes: Uint8Array): boolean {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  }

  test('isUtf8Range agrees with TextDecoder', () => {
    fc.assert(
      fc.property(pieces, (pieces) => {
        const bytes = Buffer.concat(pieces);
        expect(isUtf8Range(bytes, 0, bytes.length)).toBe(decodes(bytes));
      }),
    );
  });

  test('so does the validator over any cuts', () => {
    fc.assert(
      fc.property(pieces, (pieces) => {
        const validator = new Utf8Validator();
        const taken = pieces.every((piece) => validator.push(Buffer.from(piece), 0, piece.length));
        expect(taken && validator.complete).toBe(decodes(Buffer.concat(pieces)));
      }),
    );
  });
});

import fc from 'fast-check';
import { maskInPlace, maskInto, NOT_ASCII, rotateKey } from '../../src/protocol/mask';
import { hex, pattern, toHex } from '../support/bytes';

const KEY = 0x37fa213d;

/** RFC 6455 5.3 to the letter: "octet i of the transformed data is the XOR of octet i of the original with octet at index i modulo 4 of the masking key". */
function maskedBySpecification(bytes: Uint8Array, key: number): Buffer {
  const octets = [key >>> 24, (key >>> 16) & 0xff, (key >>> 8) & 0xff, key & 0xff];
  return Buffer.from(bytes.map((byte, index) => byte ^ octets[index % 4]));
}

describe('maskInPlace', () => {
  test('turns Hello into the bytes of RFC 6455 5.7', () => {
    const bytes = Buffer.from('Hello');
    maskInPlace(bytes, 0, 5, KEY);
    expect(toHex(bytes)).toBe('7f9f4d5158');
  });

  test.each([
    [0, ''],
    [1, '37'],
    [2, '37fa'],
    [3, '37fa21'],
    [4, '37fa213d'],
    [5, '37fa213d37'],
    [6, '37fa213d37fa'],
    [7, '37fa213d37fa21'],
    [8, '37fa213d37fa213d'],
    [9, '37fa213d37fa213d37'],
  ])('masks %i bytes and not one more', (length, expected) => {
    const bytes = Buffer.alloc(length + 4);
    maskInPlace(bytes, 2, 2 + length, KEY);
    expect(toHex(bytes)).toBe(`0000${expected}0000`);
  });

  test('masks with a key that is negative as a 32-bit integer', () => {
    const bytes = Buffer.alloc(5);
    maskInPlace(bytes, 0, 5, 0xfffefdfc | 0);
    expect(toHex(bytes)).toBe('fffefdfcff');
  });

  test('leaves the bytes as they are under an all-zero key', () => {
    const bytes = Buffer.from('Hello');
    maskInPlace(bytes, 0, 5, 0);
    expect(bytes.toString()).toBe('Hello');
  });
});

test.each([5, 200, 600])('%i bytes stay as they are under an all-zero key', (length) => {
  const bytes = pattern(length);
  maskInPlace(bytes, 0, length, 0);
  expect(toHex(bytes)).toBe(toHex(pattern(length)));
});

test.each([5, 200, 600, 1000, 70_000])('tells whether %i bytes have become ASCII', (length) => {
  const text = Buffer.alloc(length + 1, 'text');
  const masked = maskedBySpecification(text, KEY);
  expect(maskInPlace(Buffer.from(masked), 0, length, KEY) & NOT_ASCII).toBe(0);
  for (const at of [0, length >> 1, length - 1]) {
    const other = Buffer.from(masked);
    other[at] ^= 0x80;
    expect(maskInPlace(other, 0, length, KEY) & NOT_ASCII).not.toBe(0);
  }
});

describe('maskInto', () => {
  test('leaves the source as it is and writes nothing around the target', () => {
    const source = Buffer.from('xHellox');
    const target = Buffer.alloc(9, 0xee);
    maskInto(source, 1, 6, target, 2, KEY);
    expect(source.toString()).toBe('xHellox');
    expect(toHex(target)).toBe('eeee7f9f4d5158eeee');
  });

  test('copies under an all-zero key', () => {
    const target = Buffer.alloc(3);
    maskInto(hex('010203'), 0, 3, target, 0, 0);
    expect(toHex(target)).toBe('010203');
  });
});

describe('rotateKey', () => {
  test.each([
    [0, 0x37fa213d],
    [1, 0xfa213d37],
    [2, 0x213d37fa],
    [3, 0x3d37fa21],
    [4, 0x37fa213d],
    [65_537, 0xfa213d37],
  ])('after %i bytes', (count, expected) => {
    expect(rotateKey(KEY, count) >>> 0).toBe(expected);
  });
});

describe('properties', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const key = fc.integer({ min: 0, max: 0xffffffff });

  test('masking is what the specification says', () => {
    fc.assert(
      fc.property(bytes, key, (plain, key) => {
        const masked = Buffer.from(plain);
        maskInPlace(masked, 0, masked.length, key);
        expect(masked).toEqual(maskedBySpecification(plain, key));
      }),
    );
  });

  test('masking twice gives the bytes back', () => {
    fc.assert(
      fc.property(bytes, key, (plain, key) => {
        const twice = Buffer.from(plain);
        maskInPlace(twice, 0, twice.length, key);
        maskInPlace(twice, 0, twice.length, key);
        expect(toHex(twice)).toBe(toHex(plain));
      }),
    );
  });

  test('masking in pieces with a rotated key equals masking at once', () => {
    fc.assert(
      fc.property(key, fc.nat(64), fc.nat(64), (key, first, second) => {
        const whole = pattern(first + second);
        const pieces = pattern(first + second);
        maskInPlace(whole, 0, whole.length, key);
        maskInPlace(pieces, 0, first, key);
        maskInPlace(pieces, first, pieces.length, rotateKey(key, first));
        expect(toHex(pieces)).toBe(toHex(whole));
      }),
    );
  });
});

describe('long payloads', () => {
  const SIZES = [191, 192, 193, 255, 256, 1000, 4095, 65_535, 65_536, 65_537, 131_072, 200_003];

  test.each(SIZES)('of %i bytes are masked like short ones, and nothing around them', (size) => {
    const source = pattern(size + 7);
    const before = Buffer.from(source);
    const target = Buffer.alloc(size + 11, 0xee);
    for (const key of [KEY, 0xfffefdfc | 0, 0x80000001 | 0, 1]) {
      maskInto(source, 3, 3 + size, target, 5, key);
      const expected = maskedBySpecification(source.subarray(3, 3 + size), key);
      expect(target.subarray(5, 5 + size).equals(expected)).toBe(true);
      expect(toHex(target.subarray(0, 5))).toBe('eeeeeeeeee');
      expect(toHex(target.subarray(5 + size))).toBe('eeeeeeeeeeee');
      expect(source.equals(before)).toBe(true);
    }
  });

  test.each(SIZES)('of %i bytes are masked where they lie', (size) => {
    const bytes = pattern(size + 7);
    const expected = maskedBySpecification(bytes.subarray(3, 3 + size), KEY);
    maskInPlace(bytes, 3, 3 + size, KEY);
    expect(bytes.subarray(3, 3 + size).equals(expected)).toBe(true);
    expect(toHex(bytes.subarray(0, 3))).toBe(toHex(pattern(3)));
    expect(toHex(bytes.subarray(3 + size))).toBe(toHex(pattern(size + 7).subarray(3 + size)));
  });

  test('are masked by the loop where there is no WebAssembly', () => {
    jest.isolateModules(() => {
      jest.replaceProperty(globalThis as { WebAssembly?: object }, 'WebAssembly', undefined);
      const { maskInPlace: byLoop } = jest.requireActual('../../src/protocol/mask');
      const bytes = pattern(100_000);
      const expected = maskedBySpecification(bytes, KEY);
      byLoop(bytes, 0, bytes.length, KEY);
      expect(bytes.equals(expected)).toBe(true);
      jest.restoreAllMocks();
    });
  });
});

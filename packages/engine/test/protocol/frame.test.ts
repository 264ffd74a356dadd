import fc from 'fast-check';
import {
  encodeFrame,
  headerSize,
  headerSizeFrom,
  LengthFault,
  MAX_HEADER,
  readLength,
  readUint32,
  writeHeader,
} from '../../src/protocol/frame';
import { hex, pattern, toHex } from '../support/bytes';
import { frame, TEXT } from '../support/frames';

const KEY = 0x37fa213d;

describe('writeHeader', () => {
  test.each([
    ['nothing', 0, undefined, '8100'],
    ['the longest of the 7-bit form', 125, undefined, '817d'],
    ['the shortest of the 16-bit form', 126, undefined, '817e 007e'],
    ['the longest of the 16-bit form', 65_535, undefined, '817e ffff'],
    ['the shortest of the 64-bit form', 65_536, undefined, '817f 0000000000010000'],
    ['the last 32-bit length', 2 ** 32 - 1, undefined, '817f 00000000ffffffff'],
    ['beyond 32 bits', 2 ** 32 + 5, undefined, '817f 0000000100000005'],
    ['the longest a number holds', 2 ** 53 - 1, undefined, '817f 001fffffffffffff'],
    ['nothing, masked', 0, KEY, '8180 37fa213d'],
    ['the longest of the 7-bit form, masked', 125, KEY, '81fd 37fa213d'],
    ['the shortest of the 16-bit form, masked', 126, KEY, '81fe 007e 37fa213d'],
    ['the shortest of the 64-bit form, masked', 65_536, KEY, '81ff 0000000000010000 37fa213d'],
    ['a negative key', 1, 0xfffefdfc | 0, '8181 fffefdfc'],
    ['an all-zero key, which is still announced', 1, 0, '8181 00000000'],
  ])('%s', (_name, length, key, expected) => {
    const target = Buffer.alloc(MAX_HEADER + 2, 0xee);
    const end = writeHeader(target, 1, 0x81, length, key);
    expect(toHex(target.subarray(1, end))).toBe(expected.replaceAll(' ', ''));
    expect(end - 1).toBe(headerSize(length, key !== undefined));
    expect(target[0]).toBe(0xee);
    expect(target.subarray(end).every((byte) => byte === 0xee)).toBe(true);
  });

  test('passes the first byte through', () => {
    const target = Buffer.alloc(2);
    writeHeader(target, 0, 0x4a, 3, undefined);
    expect(toHex(target)).toBe('4a03');
  });
});

describe('header sizes', () => {
  test.each([
    [0, 2],
    [125, 2],
    [126, 4],
    [65_535, 4],
    [65_536, 10],
    [2 ** 53 - 1, 10],
  ])('%i bytes of payload need %i, and four more where they are masked', (length, size) => {
    expect(headerSize(length, false)).toBe(size);
    expect(headerSize(length, true)).toBe(size + 4);
  });

  test.each([
    [0x00, 2],
    [0x7d, 2],
    [0x7e, 4],
    [0x7f, 10],
    [0x80, 6],
    [0xfd, 6],
    [0xfe, 8],
    [0xff, 14],
  ])('the second byte %i tells a header of %i bytes', (second, size) => {
    expect(headerSizeFrom(second)).toBe(size);
  });
});

describe('readLength', () => {
  test.each([
    ['0', '8100', 0],
    ['125', '817d', 125],
    ['125, masked', '81fd', 125],
    ['126', '817e 007e', 126],
    ['65,535', '817e ffff', 65_535],
    ['65,536', '817f 0000000000010000', 65_536],
    ['2^31', '817f 0000000080000000', 2 ** 31],
    ['2^32 + 1', '817f 0000000100000001', 2 ** 32 + 1],
    ['2^53 - 1', '817f 001fffffffffffff', 2 ** 53 - 1],
    ['0 in 16 bits', '817e 0000', LengthFault.NON_MINIMAL],
    ['125 in 16 bits', '817e 007d', LengthFault.NON_MINIMAL],
    ['0 in 64 bits', '817f 0000000000000000', LengthFault.NON_MINIMAL],
    ['125 in 64 bits', '817f 000000000000007d', LengthFault.NON_MINIMAL],
    ['65,535 in 64 bits', '817f 000000000000ffff', LengthFault.NON_MINIMAL],
    ['2^53', '817f 0020000000000000', LengthFault.UNSAFE],
    ['2^63 - 1', '817f 7fffffffffffffff', LengthFault.UNSAFE],
    ['2^63', '817f 8000000000000000', LengthFault.TOP_BIT],
    ['2^64 - 1', '817f ffffffffffffffff', LengthFault.TOP_BIT],
  ])('%s', (_name, header, expected) => {
    // Not at the beginning, and with bytes behind that are none of its business.
    expect(readLength(Buffer.concat([hex('ff'), hex(header), hex('ff')]), 1)).toBe(expected);
  });

  test('the faults are no lengths', () => {
    for (const fault of Object.values(LengthFault)) expect(fault).toBeLessThan(0);
  });
});

test('readUint32 reads an unsigned number, the most significant byte first', () => {
  expect(readUint32(hex('00 01020304'), 1)).toBe(0x01020304);
  expect(readUint32(hex('fffefdfc'), 0)).toBe(0xfffefdfc);
});

describe('encodeFrame', () => {
  test.each([
    ['a text, RFC 6455 5.7', 0x81, 'Hello', undefined, '8105 48656c6c6f'],
    ['a masked text, RFC 6455 5.7', 0x81, 'Hello', KEY, '8185 37fa213d 7f9f4d5158'],
    ['a first fragment, RFC 6455 5.7', 0x01, 'Hel', undefined, '0103 48656c'],
    ['a last fragment, RFC 6455 5.7', 0x80, 'lo', undefined, '8002 6c6f'],
    ['a ping, RFC 6455 5.7', 0x89, 'Hello', undefined, '8905 48656c6c6f'],
    ['a masked pong, RFC 6455 5.7', 0x8a, 'Hello', KEY, '8a85 37fa213d 7f9f4d5158'],
    ['an empty frame', 0x88, '', undefined, '8800'],
    ['an empty masked frame', 0x88, '', KEY, '8880 37fa213d'],
  ])('%s', (_name, first, payload, key, expected) => {
    expect(toHex(encodeFrame(first, Buffer.from(payload), key))).toBe(expected.replaceAll(' ', ''));
  });

  test.each([256, 65_536])(
    '%i bytes of binary, as in RFC 6455 5.7, with their header in front',
    (length) => {
      const payload = pattern(length);
      const header = length === 256 ? '827e0100' : '827f0000000000010000';
      expect(toHex(encodeFrame(0x82, payload))).toBe(header + toHex(payload));
    },
  );

  test('does not change the payload it is given', () => {
    const payload = Buffer.from('Hello');
    encodeFrame(0x81, payload, KEY);
    expect(payload.toString()).toBe('Hello');
  });
});

describe('properties', () => {
  const length = fc.oneof(
    fc.nat(200),
    fc.integer({ min: 65_500, max: 65_600 }),
    fc.nat(Number.MAX_SAFE_INTEGER),
  );
  const key = fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined });

  test('a header tells the length, the key and the size that were written', () => {
    fc.assert(
      fc.property(length, key, fc.nat(255), (length, key, first) => {
        const header = Buffer.alloc(MAX_HEADER);
        const size = writeHeader(header, 0, first, length, key);
        expect(header[0]).toBe(first);
        expect(headerSizeFrom(header[1])).toBe(size);
        expect(readLength(header, 0)).toBe(length);
        if (key !== undefined) expect(readUint32(header, size - 4)).toBe(key);
      }),
    );
  });

  test('a frame is what the picture in RFC 6455 5.2 says', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), key, (payload, key) => {
        const expected = frame({ opcode: TEXT, payload, key });
        expect(toHex(encodeFrame(0x81, payload, key))).toBe(toHex(expected));
      }),
    );
  });
});

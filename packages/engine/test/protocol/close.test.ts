import fc from 'fast-check';
import {
  CloseCode,
  decodeClose,
  encodeClose,
  isValidCloseCode,
  MAX_REASON,
} from '../../src/protocol/close';
import { hex, toHex } from '../support/bytes';
import { anyText } from '../support/text';

describe('isValidCloseCode', () => {
  test('allows 1000-1003, 1007-1014 and 3000-4999, of all codes that fit in two bytes', () => {
    const valid = Array.from({ length: 0x10000 }, (_, code) => code).filter(isValidCloseCode);
    expect(valid.slice(0, 12)).toEqual([
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    ]);
    expect(valid.slice(12)).toEqual(Array.from({ length: 2000 }, (_, index) => 3000 + index));
  });

  test.each([-1000, 1000.5, 1e9, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (code) => {
    expect(isValidCloseCode(code)).toBe(false);
  });

  test('allows every named code but the two that are never on the wire', () => {
    const refused = Object.values(CloseCode).filter((code) => !isValidCloseCode(code));
    expect(refused).toEqual([1005, 1006]);
  });
});

describe('encodeClose', () => {
  const euro = '\u20ac';

  test.each<[string, number | undefined, string | Uint8Array | undefined, string]>([
    ['nothing', undefined, undefined, ''],
    ['a reason without a code, which is dropped', undefined, 'bye', ''],
    ['a code', 1000, undefined, '03e8'],
    ['the largest code', 4999, undefined, '1387'],
    ['an empty reason', 1000, '', '03e8'],
    ['empty bytes', 1000, new Uint8Array(0), '03e8'],
    ['a reason', 1001, 'bye', '03e9627965'],
    ['a reason in bytes', 1001, Buffer.from('bye'), '03e9627965'],
    ['a reason of more bytes than characters', 1001, euro, '03e9e282ac'],
    ['a surrogate without its other half', 1001, '\ud800', '03e9efbfbd'],
    ['a view', 3000, new Uint8Array([1, 98, 2]).subarray(1, 2), '0bb862'],
    ['123 bytes', 1000, 'a'.repeat(123), `03e8${'61'.repeat(123)}`],
    ['123 bytes in 41 characters', 1000, euro.repeat(41), `03e8${'e282ac'.repeat(41)}`],
  ])('%s', (_name, code, reason, payload) => {
    expect(toHex(encodeClose(code, reason))).toBe(payload);
  });

  test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_536, 1000.5, Number.NaN])(
    'refuses the code %d',
    (code) => {
      expect(() => encodeClose(code)).toThrow(
        new TypeError('First argument must be a valid error code number'),
      );
    },
  );

  test.each(['1000', null, {}, 1000n])('refuses %p for a code', (code) => {
    expect(() => encodeClose(code as number)).toThrow(
      new TypeError('First argument must be a valid error code number'),
    );
  });

  test.each([1, null, {}, ['a'], new DataView(new ArrayBuffer(1))])(
    'refuses %p for a reason',
    (reason) => {
      expect(() => encodeClose(1000, reason as string)).toThrow(
        new TypeError('Second argument must be a string or a Uint8Array'),
      );
    },
  );

  test.each([
    ['124 bytes', 'a'.repeat(MAX_REASON + 1)],
    ['124 bytes in an array', new Uint8Array(MAX_REASON + 1)],
    ['126 bytes in 42 characters', euro.repeat(42)],
  ])('refuses a reason of %s', (_name, reason) => {
    expect(() => encodeClose(1000, reason)).toThrow(
      new RangeError('The message must not be greater than 123 bytes'),
    );
  });
});

describe('decodeClose', () => {
  test.each([
    ['nothing', '', 1005, ''],
    ['a code', '03e8', 1000, ''],
    ['a code and a reason', '03e9627965', 1001, 'bye'],
    ['a reason beyond ASCII', '0bb8e282ac', 3000, '\u20ac'],
    ['the longest reason', `1387${'61'.repeat(123)}`, 4999, 'a'.repeat(123)],
  ])('%s', (_name, payload, code, reason) => {
    const bytes = hex(`ff ${payload} ff`);
    expect(decodeClose(bytes, 1, bytes.length - 1, true)).toEqual({
      code,
      reason: Buffer.from(reason),
    });
  });

  test.each([
    [
      'one byte',
      '03',
      'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
      'Invalid WebSocket frame: invalid payload length 1',
    ],
    [
      'a code that is not for the wire',
      '03ed',
      'WS_ERR_INVALID_CLOSE_CODE',
      'Invalid WebSocket frame: invalid status code 1005',
    ],
    [
      'a code below 1000',
      '0000',
      'WS_ERR_INVALID_CLOSE_CODE',
      'Invalid WebSocket frame: invalid status code 0',
    ],
    [
      'the largest number',
      'ffff',
      'WS_ERR_INVALID_CLOSE_CODE',
      'Invalid WebSocket frame: invalid status code 65535',
    ],
    [
      'a reason that is not UTF-8',
      '03e8c0af',
      'WS_ERR_INVALID_UTF8',
      'Invalid WebSocket frame: invalid UTF-8 sequence',
    ],
    [
      'a reason cut off inside a character',
      '03e8e282',
      'WS_ERR_INVALID_UTF8',
      'Invalid WebSocket frame: invalid UTF-8 sequence',
    ],
    [
      'a long reason whose last byte is bad',
      `03e8${'61'.repeat(122)}ff`,
      'WS_ERR_INVALID_UTF8',
      'Invalid WebSocket frame: invalid UTF-8 sequence',
    ],
  ])('%s is a fault', (_name, payload, code, message) => {
    const bytes = hex(payload);
    expect(decodeClose(bytes, 0, bytes.length, true)).toMatchObject({ code, message });
  });

  test('does not look at the reason where it is told not to', () => {
    expect(decodeClose(hex('03e8c0af'), 0, 4, false)).toEqual({ code: 1000, reason: hex('c0af') });
  });

  test('copies the reason: the bytes may be reused', () => {
    const bytes = hex('03e8626965');
    const close = decodeClose(bytes, 0, 5, true);
    bytes.fill(0);
    expect(close).toEqual({ code: 1000, reason: Buffer.from('bie') });
  });
});

test('property: what is encoded is decoded', () => {
  const code = fc.integer({ min: 1000, max: 4999 }).filter(isValidCloseCode);
  // At most 30 characters of at most four bytes.
  const reason = anyText(30);
  fc.assert(
    fc.property(code, reason, (code, reason) => {
      const payload = encodeClose(code, reason);
      expect(payload.length).toBeLessThanOrEqual(125);
      expect(decodeClose(payload, 0, payload.length, true)).toEqual({
        code,
        reason: Buffer.from(reason),
      });
    }),
  );
});

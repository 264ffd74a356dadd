import {
  compressionSettings,
  cutShort,
  isLeft,
  isWhole,
  settingsOf,
  TAIL,
  TAIL_AND_END,
} from '../../src/deflate/coder';
import { resolveDeflateOptions } from '../../src/deflate/options';
import { hex, toHex } from '../support/bytes';
import { agreed } from '../support/deflate';

const effort = { level: 1, memLevel: 8, strategy: 0 };

test('what a sender takes off, and the end that zlib wants to see', () => {
  expect([toHex(TAIL), toHex(TAIL_AND_END)]).toEqual(['0000ffff', '0000ffff010000ffff']);
});

test.each([
  ['the payload', 7, true],
  ['the tail', 11, true],
  ['all', 16, true],
  ['the tail not whole', 10, false],
  ['the end not whole', 15, false],
])('a message of 7 bytes that was read with %s is whole: %j', (_name, read, expected) => {
  expect(isWhole(7, read)).toBe(expected);
});

test('data that is cut short has the error of zlib', () => {
  expect(cutShort()).toMatchObject({
    message: 'unexpected end of file',
    errno: -5,
    code: 'Z_BUF_ERROR',
  });
});

test.each([
  ['nothing', '0102', 2, false],
  ['the byte of an empty block', '0100', 1, false],
  ['another byte', '0101', 1, true],
  ['two bytes', '010000', 1, true],
])('behind a final block, %s is left: %s from %i is %j', (_name, payload, end, expected) => {
  expect(isLeft(hex(payload), end)).toBe(expected);
});

describe('settings', () => {
  test('the same values are the same object, which nobody can change', () => {
    const settings = compressionSettings(12, effort);
    expect(settings).toEqual({ windowBits: 12, ...effort, key: '12,1,8,0' });
    expect(compressionSettings(12, { ...effort })).toBe(settings);
    expect(compressionSettings(13, effort)).not.toBe(settings);
    expect(compressionSettings(12, { ...effort, level: 2 })).not.toBe(settings);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test('are those of the own side', () => {
    const agreement = agreed({ serverMaxWindowBits: 9, clientMaxWindowBits: 11 });
    const options = resolveDeflateOptions({ zlibDeflateOptions: { level: 7 } });
    expect(settingsOf(agreement, 'server', options)).toMatchObject({ windowBits: 9, level: 7 });
    expect(settingsOf(agreement, 'client', options)).toMatchObject({ windowBits: 11, level: 7 });
  });
});

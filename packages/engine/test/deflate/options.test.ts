import { constants } from 'node:zlib';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import { resolveDeflateOptions } from '../../src/deflate/options';

describe('resolveDeflateOptions', () => {
  const defaults = {
    serverNoContextTakeover: undefined,
    clientNoContextTakeover: undefined,
    serverMaxWindowBits: true,
    clientMaxWindowBits: true,
    threshold: 1024,
    concurrencyLimit: 10,
    effort: { level: -1, memLevel: 8, strategy: 0 },
    deflateChunkSize: 65536,
    inflateChunkSize: 65536,
  };

  test.each([[true], [{}], [undefined]] as const)('%j is all defaults', (options) => {
    expect(resolveDeflateOptions(options)).toEqual(defaults);
  });

  test('undefined is the default for each option', () => {
    const options: PerMessageDeflateOptions = {
      serverNoContextTakeover: undefined,
      clientNoContextTakeover: undefined,
      serverMaxWindowBits: undefined,
      clientMaxWindowBits: undefined,
      threshold: undefined,
      concurrencyLimit: undefined,
      zlibDeflateOptions: undefined,
      zlibInflateOptions: undefined,
    };
    expect(resolveDeflateOptions(options)).toEqual(defaults);
  });

  test('all options', () => {
    expect(
      resolveDeflateOptions({
        serverNoContextTakeover: true,
        clientNoContextTakeover: false,
        serverMaxWindowBits: 8,
        clientMaxWindowBits: false,
        threshold: 0,
        concurrencyLimit: 1,
        zlibDeflateOptions: {
          level: 9,
          memLevel: 1,
          strategy: constants.Z_FIXED,
          chunkSize: 64,
          windowBits: 10,
        },
        zlibInflateOptions: { chunkSize: 1024 },
      }),
    ).toEqual({
      serverNoContextTakeover: true,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 8,
      clientMaxWindowBits: false,
      threshold: 0,
      concurrencyLimit: 1,
      effort: { level: 9, memLevel: 1, strategy: 4 },
      deflateChunkSize: 64,
      inflateChunkSize: 1024,
    });
  });

  test.each([0, Number.POSITIVE_INFINITY])(
    'a concurrencyLimit of %d is none',
    (concurrencyLimit) => {
      expect(resolveDeflateOptions({ concurrencyLimit }).concurrencyLimit).toBe(
        Number.POSITIVE_INFINITY,
      );
    },
  );

  const window = (name: string): string => `The "${name}" option must be an integer from 8 to 15`;

  test.each([
    ['serverMaxWindowBits', 7, RangeError, `${window('serverMaxWindowBits')}, got 7`],
    ['serverMaxWindowBits', 16, RangeError, `${window('serverMaxWindowBits')}, got 16`],
    ['clientMaxWindowBits', 9.5, RangeError, `${window('clientMaxWindowBits')}, got 9.5`],
    ['clientMaxWindowBits', Number.NaN, RangeError, `${window('clientMaxWindowBits')}, got NaN`],
    [
      'clientMaxWindowBits',
      '9',
      TypeError,
      'The "clientMaxWindowBits" option must be a number or a boolean, got "9"',
    ],
    [
      'serverNoContextTakeover',
      1,
      TypeError,
      'The "serverNoContextTakeover" option must be a boolean, got 1',
    ],
    [
      'clientNoContextTakeover',
      null,
      TypeError,
      'The "clientNoContextTakeover" option must be a boolean, got null',
    ],
    ['threshold', '1kb', TypeError, 'The "threshold" option must be a number, got "1kb"'],
    [
      'threshold',
      -1,
      RangeError,
      'The "threshold" option must be an integer that is not negative, or Infinity, got -1',
    ],
    [
      'concurrencyLimit',
      Number.NaN,
      RangeError,
      'The "concurrencyLimit" option must be an integer that is not negative, or Infinity, got NaN',
    ],
    [
      'zlibDeflateOptions',
      { level: 10 },
      RangeError,
      'The "zlibDeflateOptions.level" option must be an integer from -1 to 9, got 10',
    ],
    [
      'zlibDeflateOptions',
      { memLevel: 0 },
      RangeError,
      'The "zlibDeflateOptions.memLevel" option must be an integer from 1 to 9, got 0',
    ],
    [
      'zlibDeflateOptions',
      { strategy: 5 },
      RangeError,
      'The "zlibDeflateOptions.strategy" option must be an integer from 0 to 4, got 5',
    ],
    [
      'zlibDeflateOptions',
      { level: '1' },
      TypeError,
      'The "zlibDeflateOptions.level" option must be a number, got "1"',
    ],
    [
      'zlibInflateOptions',
      { chunkSize: 63 },
      RangeError,
      'The "zlibInflateOptions.chunkSize" option must be an integer from 64 to 16777216, got 63',
    ],
    [
      'zlibInflateOptions',
      { dictionary: Buffer.from('x') },
      TypeError,
      'The "zlibInflateOptions.dictionary" option is not possible with permessage-deflate (RFC 7692), got an object',
    ],
    [
      'zlibDeflateOptions',
      9,
      TypeError,
      'The "zlibDeflateOptions" option must be an object, got 9',
    ],
  ])('%s: %j is refused', (name, value, kind, message) => {
    const resolve = () => resolveDeflateOptions({ [name]: value } as PerMessageDeflateOptions);
    expect(resolve).toThrow(kind);
    expect(resolve).toThrow(message);
  });

  test.each([
    [null, 'null'],
    [[], 'an array'],
    ['yes', '"yes"'],
    [false, 'false'],
  ])('%j instead of options is refused', (options, shown) => {
    expect(() => resolveDeflateOptions(options as PerMessageDeflateOptions)).toThrow(
      new TypeError(`The "perMessageDeflate" option must be an object, got ${shown}`),
    );
  });
});

import type { LimitName, LimitOptions } from '../../src/protocol/limits';
import { integerOption, Limits, resolveLimits, describe as show } from '../../src/protocol/limits';

const DEFAULTS = {
  maxPayload: 104_857_600,
  maxFragments: 0,
  maxBufferedChunks: 0,
  maxFramingOverhead: 262_144,
  maxCompressedPayload: 0,
  maxInflationRatio: 0,
  maxPendingAutoPongs: 60,
  closeTimeout: 30_000,
  maxBufferedAmount: 0,
  idleTimeout: 0,
  maxLifetime: 0,
};

describe('resolveLimits', () => {
  test('gives the defaults where nothing is said', () => {
    expect(resolveLimits({})).toEqual(DEFAULTS);
  });

  test('gives the default for undefined, never "no limit"', () => {
    const options: LimitOptions = {};
    for (const name of Object.keys(DEFAULTS)) options[name as LimitName] = undefined;
    expect(resolveLimits(options)).toEqual(DEFAULTS);
  });

  test('takes what is given and leaves other options alone', () => {
    const options = { maxPayload: 5, closeTimeout: 1, path: '/chat' };
    expect(resolveLimits(options)).toEqual({ ...DEFAULTS, maxPayload: 5, closeTimeout: 1 });
  });

  test('what is given comes before the defaults that are given, and these before the built-in ones', () => {
    const limits = resolveLimits({ maxPayload: 5 }, { maxPayload: 6, maxFragments: 7 });
    expect(limits).toEqual({ ...DEFAULTS, maxPayload: 5, maxFragments: 7 });
  });

  test.each(Object.keys(DEFAULTS) as LimitName[])('%s: both ends of its range', (name) => {
    const { min, max } = Limits[name];
    expect(min).toBe(name === 'closeTimeout' ? 1 : 0);
    expect(max).toBe(2_147_483_647);
    expect(resolveLimits({ [name]: min })[name]).toBe(min);
    expect(resolveLimits({ [name]: max })[name]).toBe(max);
    expect(() => resolveLimits({ [name]: min - 1 })).toThrow(RangeError);
    expect(() => resolveLimits({ [name]: max + 1 })).toThrow(RangeError);
  });
});

describe('what is refused', () => {
  test.each<[LimitName, number, string]>([
    [
      'maxPayload',
      -1,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    [
      'maxPayload',
      3 * 2 ** 30,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got 3221225472',
    ],
    [
      'maxPayload',
      Number.NaN,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got NaN',
    ],
    [
      'maxPayload',
      Number.POSITIVE_INFINITY,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got Infinity',
    ],
    [
      'maxFragments',
      1.5,
      'The "maxFragments" option must be an integer from 0 to 2147483647 frames, got 1.5',
    ],
    [
      'maxBufferedChunks',
      -1,
      'The "maxBufferedChunks" option must be an integer from 0 to 2147483647 chunks, got -1',
    ],
    [
      'maxPendingAutoPongs',
      -1,
      'The "maxPendingAutoPongs" option must be an integer from 0 to 2147483647 pongs, got -1',
    ],
    [
      'closeTimeout',
      0,
      'The "closeTimeout" option must be an integer from 1 to 2147483647 milliseconds, got 0',
    ],
  ])('%s: %d', (name, value, message) => {
    expect(() => resolveLimits({ [name]: value })).toThrow(new RangeError(message));
  });

  test.each<[unknown, string]>([
    ['1mb', '"1mb"'],
    [null, 'null'],
    [true, 'true'],
    [1n, '1'],
    [{}, 'an object'],
    [[1], 'an array'],
    [() => 1, 'a function'],
  ])('%p is no number', (value, shown) => {
    expect(() => resolveLimits({ maxPayload: value as number })).toThrow(
      new TypeError(`The "maxPayload" option must be a number, got ${shown}`),
    );
  });
});

test('integerOption speaks of the option, range and unit it is given', () => {
  const range = { min: 10, max: 20, unit: 'apples' };
  expect(integerOption('basket', undefined, 15, range)).toBe(15);
  expect(integerOption('basket', 20, 15, range)).toBe(20);
  expect(() => integerOption('basket', 21, 15, range)).toThrow(
    new RangeError('The "basket" option must be an integer from 10 to 20 apples, got 21'),
  );
});

test('describe shows a symbol and undefined too', () => {
  expect(show(Symbol('s'))).toBe('Symbol(s)');
  expect(show(undefined)).toBe('undefined');
});

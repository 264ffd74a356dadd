import { compressionSettings } from '../../src/deflate/coder';
import { DictionaryDeflater, DictionaryInflater } from '../../src/deflate/dictionary';
import { HandleDeflater, HandleInflater } from '../../src/deflate/handle';
import { SHARED_COMPRESSORS } from '../../src/deflate/limits';
import {
  discardDeflater,
  discardInflater,
  lastingDeflater,
  lastingInflater,
  setSynchronousMethod,
  sharedDeflater,
  sharedDeflaterCount,
  sharedInflater,
  synchronousMethod,
} from '../../src/deflate/synchronous';
import { expectBytes, text } from '../support/deflate';

const settings = (level: number, windowBits = 15) =>
  compressionSettings(windowBits, { level, memLevel: 8, strategy: 0 });

afterEach(() => setSynchronousMethod(undefined));

test('handles are the method where they work', () => {
  expect(synchronousMethod()).toBe('handle');
});

describe.each([
  ['handle', HandleDeflater, HandleInflater],
  ['dictionary', DictionaryDeflater, DictionaryInflater],
] as const)('by %s', (method, Deflater, Inflater) => {
  beforeEach(() => setSynchronousMethod(method));

  test('the coders are of the method', () => {
    expect(synchronousMethod()).toBe(method);
    expect(sharedDeflater(settings(1))).toBeInstanceOf(Deflater);
    expect(sharedInflater()).toBeInstanceOf(Inflater);
    const lasting = lastingDeflater(settings(1));
    expect(lasting).toBeInstanceOf(Deflater);
    lasting.close();
  });

  test('a shared compressor remembers nothing', () => {
    const bytes = sharedDeflater(settings(1)).deflate(text(2000));
    expectBytes(sharedDeflater(settings(1)).deflate(text(2000)), bytes);
  });

  test('a lasting one does', () => {
    const lasting = lastingDeflater(settings(1));
    const { length } = lasting.deflate(text(2000));
    expect(lasting.deflate(text(2000)).length).toBeLessThan(length / 5);
    lasting.close();
  });

  test('one for each set of settings, and no more than there may be', () => {
    expect(sharedDeflaterCount()).toBe(0);
    const first = sharedDeflater(settings(1, 9));
    expect(sharedDeflater(settings(1, 9))).toBe(first);
    const close = jest.spyOn(first, 'close');
    for (let level = 1; level <= 9; level++) sharedDeflater(settings(level, 10));
    for (let level = 1; level < SHARED_COMPRESSORS - 9; level++) {
      sharedDeflater(settings(level, 11));
    }
    expect([sharedDeflaterCount(), close.mock.calls.length]).toEqual([SHARED_COMPRESSORS, 0]);
    sharedDeflater(settings(9, 12));
    expect([sharedDeflaterCount(), close.mock.calls.length]).toEqual([SHARED_COMPRESSORS, 1]);
    expect(sharedDeflater(settings(1, 9))).not.toBe(first);
  });

  test('one that has failed is closed, and the next is another', () => {
    const [deflater, inflater] = [sharedDeflater(settings(1)), sharedInflater()];
    const closes = [jest.spyOn(deflater, 'close'), jest.spyOn(inflater, 'close')];
    discardDeflater(settings(1));
    discardInflater();
    // There is nothing left to close.
    discardDeflater(settings(1));
    discardInflater();
    expect(closes.map((close) => close.mock.calls.length)).toEqual([1, 1]);
    expect(sharedDeflater(settings(1))).not.toBe(deflater);
    expect(sharedInflater()).not.toBe(inflater);
    expect(sharedInflater()).toBe(sharedInflater());
  });
});

test('a decompressor that remembers is a handle', () => {
  const inflater = lastingInflater(15);
  expect(inflater).toBeInstanceOf(HandleInflater);
  inflater.close();
});

import { AsyncLocalStorage } from 'node:async_hooks';
import zlib from 'node:zlib';
import { compressionSettings } from '../../src/deflate/coder';
import { CONTEXT_IDLE, IDLE_THREAD_COMPRESSORS } from '../../src/deflate/limits';
import { borrowDeflater, closeUnused, returnDeflater } from '../../src/deflate/thread-deflater';
import { expectBytes, inflateStream, text } from '../support/deflate';
import { useFakeTimeouts } from '../support/timeouts';

// Functions of the real module cannot be replaced.
jest.mock('node:zlib', () => ({ ...jest.requireActual('node:zlib') }));

const settings = compressionSettings(15, { level: 6, memLevel: 8, strategy: 0 });
const others = compressionSettings(9, { level: 6, memLevel: 8, strategy: 0 });

afterEach(() => {
  closeUnused();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

function deflate(deflater = borrowDeflater(settings, 1024), payload = text(20_000)) {
  return new Promise<Buffer>((resolve, reject) => {
    deflater.deflate(payload, (error, output) => {
      if (output === null) reject(error);
      else resolve(output);
    });
  });
}

describe('ThreadDeflater', () => {
  test('refers to nothing before a payload', async () => {
    const deflater = borrowDeflater(settings, 1024);
    expect(deflater.idle).toBe(true);
    const first = deflate(deflater);
    expect(deflater.idle).toBe(false);
    expectBytes(inflateStream([(await first).subarray(0, -4)]), text(20_000));
    expect(deflater.idle).toBe(true);
    await deflate(deflater, text(30_000));
    expectBytes(await deflate(deflater), await first);
    deflater.close();
  });

  test('is told to close while the thread pool is at it', async () => {
    const deflater = borrowDeflater(settings, 1024);
    const done = jest.fn();
    deflater.deflate(text(20_000), done);
    await new Promise<void>((resolve) => deflater.close(resolve));
    // Closed it is at once, when it is closed.
    const closed = jest.fn();
    deflater.close(closed);
    expect(closed).toHaveBeenCalledTimes(1);
    // By then zlib has told of the first as well.
    const later = borrowDeflater(settings, 1024);
    await deflate(later, text(500_000));
    later.close();
    expect(done).not.toHaveBeenCalled();
  });

  test('keeps the asynchronous storage of nobody', async () => {
    const storage = new AsyncLocalStorage<string>();
    const deflater = storage.run('the first', () => borrowDeflater(settings, 1024));
    const seen = await storage.run('the second', () => {
      return new Promise((resolve) => {
        deflater.deflate(text(20_000), () => resolve(storage.getStore()));
      });
    });
    expect(seen).toBeUndefined();
    deflater.close();
  });

  test('tells the error of zlib', async () => {
    const error = new Error('insufficient memory');
    const create = zlib.createDeflateRaw;
    jest
      .spyOn(zlib, 'createDeflateRaw')
      .mockImplementation((options) => create(options).destroy(error));
    await expect(deflate()).rejects.toBe(error);
  });
});

describe('a compressor that was returned', () => {
  test('is lent again, where the settings are the same', () => {
    const deflater = borrowDeflater(settings, 1024);
    returnDeflater(deflater);
    const other = borrowDeflater(others, 1024);
    const larger = borrowDeflater(settings, 2048);
    expect([other === deflater, larger === deflater]).toEqual([false, false]);
    expect(borrowDeflater(settings, 1024)).toBe(deflater);
    // It is lent to one at a time.
    const second = borrowDeflater(settings, 1024);
    expect(second).not.toBe(deflater);
    for (const it of [other, larger, second, deflater]) it.close();
  });

  test('is closed when more have come behind it than are kept', () => {
    const all = Array.from({ length: IDLE_THREAD_COMPRESSORS + 1 }, () =>
      borrowDeflater(settings, 1024),
    );
    const close = jest.spyOn(all[0], 'close');
    for (const deflater of all) returnDeflater(deflater);
    expect(close).toHaveBeenCalledTimes(1);
    const again = all.map(() => borrowDeflater(settings, 1024));
    expect(again.slice(0, -1)).toEqual(all.slice(1).toReversed());
    for (const deflater of again) deflater.close();
  });

  test('is closed when it was not needed for a while', () => {
    useFakeTimeouts();
    const deflater = borrowDeflater(settings, 1024);
    const close = jest.spyOn(deflater, 'close');
    returnDeflater(deflater);
    jest.advanceTimersByTime(CONTEXT_IDLE - 1);
    expect(close).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(close).toHaveBeenCalledTimes(1);
  });

  test('stays as long as others are', () => {
    useFakeTimeouts();
    const deflater = borrowDeflater(settings, 1024);
    const close = jest.spyOn(deflater, 'close');
    for (let turn = 0; turn < 4; turn++) {
      returnDeflater(deflater);
      jest.advanceTimersByTime(CONTEXT_IDLE / 2);
      expect(borrowDeflater(settings, 1024)).toBe(deflater);
    }
    expect(close).not.toHaveBeenCalled();
    deflater.close();
  });
});

import zlib from 'node:zlib';
import { compressionSettings } from '../../src/deflate/coder';
import { HandleDeflater, HandleInflater, handlesWork } from '../../src/deflate/handle';
import { setSynchronousMethod, synchronousMethod } from '../../src/deflate/synchronous';
import { hex, toHex } from '../support/bytes';
import { expectBytes, text } from '../support/deflate';

const settings = compressionSettings(15, { level: -1, memLevel: 8, strategy: 0 });

/** Runs with a method of every handle replaced or gone. */
function withMethod(name: 'writeSync' | 'reset', replacement: unknown, run: () => void): void {
  // The declarations of Node do not name what is private.
  const stream = zlib.createInflateRaw() as unknown as { readonly _handle: object };
  let prototype: object = stream._handle;
  while (!Object.hasOwn(prototype, name)) prototype = Object.getPrototypeOf(prototype) as object;
  const original = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  Object.defineProperty(prototype, name, { ...original, value: replacement });
  try {
    run();
  } finally {
    Object.defineProperty(prototype, name, original);
  }
}

describe('handlesWork', () => {
  test('on the supported versions of Node', () => {
    expect(handlesWork()).toBe(true);
    setSynchronousMethod(undefined);
    expect(synchronousMethod()).toBe('handle');
  });

  test.each([
    ['a method is gone', 'writeSync', undefined],
    ['a method does nothing', 'writeSync', (): void => undefined],
    [
      'a method throws',
      'reset',
      (): never => {
        throw new Error('no more');
      },
    ],
    ['reset does not reset', 'reset', (): void => undefined],
  ] as const)('not if %s', (_name, method, replacement) => {
    withMethod(method, replacement, () => {
      expect(handlesWork()).toBe(false);
      setSynchronousMethod(undefined);
      expect(synchronousMethod()).toBe('dictionary');
    });
    setSynchronousMethod(undefined);
  });
});

test('handlesWork: not if faults go unnoticed', () => {
  const { inflate } = HandleInflater.prototype;
  const spy = jest.spyOn(HandleInflater.prototype, 'inflate');
  spy.mockImplementation(function (this: HandleInflater, payload, start, most) {
    try {
      return inflate.call(this, payload, start, most);
    } catch {
      return Buffer.alloc(0);
    }
  });
  expect(handlesWork()).toBe(false);
  spy.mockRestore();
  expect(handlesWork()).toBe(true);
});

describe('HandleDeflater', () => {
  test('more than the output buffer holds', () => {
    const deflater = new HandleDeflater(
      compressionSettings(15, { level: 0, memLevel: 8, strategy: 0 }),
    );
    for (const size of [60_000, 65_000, 65_531, 65_526, 65_536, 300_000]) {
      deflater.reset();
      const bytes = deflater.deflate(text(size));
      expect(toHex(bytes.subarray(-4))).toBe('0000ffff');
      expectBytes(
        zlib.inflateRawSync(bytes, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
        text(size),
      );
    }
    deflater.close();
  });
});

describe('HandleInflater', () => {
  test('goes on after an error once it was reset', () => {
    const inflater = new HandleInflater(15);
    expect(() => inflater.inflate(hex('ffff'), 0, 100)).toThrow('invalid block type');
    inflater.reset(Buffer.alloc(0));
    expect(String(inflater.inflate(hex('f248cdc9c90700'), 0, 5))).toBe('Hello');
    expect([inflater.ended, inflater.end]).toEqual([false, 7]);
    inflater.close();
  });

  test('exactly as many bytes as allowed, and one less', () => {
    const inflater = new HandleInflater(15);
    const deflater = new HandleDeflater(settings);
    for (const size of [5, 65_535, 65_536, 65_537, 131_072]) {
      deflater.reset();
      const message = deflater.deflate(text(size)).subarray(0, -4);
      inflater.reset(Buffer.alloc(0));
      expectBytes(inflater.inflate(message, 0, size) ?? Buffer.alloc(0), text(size));
      inflater.reset(Buffer.alloc(0));
      expect(inflater.inflate(message, 0, size - 1)).toBeNull();
    }
    inflater.close();
    deflater.close();
  });

  test('a whole window is what came before', () => {
    const window = text(32_768, 5);
    const compressed = zlib.deflateRawSync(window, {
      dictionary: window,
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
    });
    const inflater = new HandleInflater(15);
    inflater.reset(window);
    const bytes = inflater.inflate(compressed.subarray(0, -4), 0, window.length);
    expectBytes(bytes ?? Buffer.alloc(0), window);
    inflater.close();
  });
});

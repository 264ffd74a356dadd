import { AsyncLocalStorage } from 'node:async_hooks';
import type { InflateRaw } from 'node:zlib';
import zlib, { deflateRawSync } from 'node:zlib';
import { compressionSettings } from '../../src/deflate/coder';
import { DeflateJob, InflateJob, Limiter } from '../../src/deflate/threads';
import { hex } from '../support/bytes';
import { expectBytes, inflateStream, text } from '../support/deflate';

// Functions of the real module cannot be replaced.
jest.mock('node:zlib', () => ({ ...jest.requireActual('node:zlib') }));

const settings = compressionSettings(15, { level: 1, memLevel: 8, strategy: 0 });
const EMPTY: Buffer = Buffer.alloc(0);

afterEach(() => jest.restoreAllMocks());

/** Adds a job and tells its number when it is done. */
function add(limiter: Limiter, number: number, ended: number[]): [DeflateJob, Promise<void>] {
  let job: DeflateJob | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    job = new DeflateJob(limiter, text(50_000), settings, 65536, (error, bytes) => {
      ended.push(number);
      if (bytes === null) reject(error);
      else resolve(expectBytes(inflateStream([bytes.subarray(0, -4)]), text(50_000)));
    });
    limiter.add(job);
  });
  return [job as DeflateJob, promise];
}

describe('Limiter', () => {
  test.each([1, 3])('runs %i at once, in order', async (limit) => {
    const limiter = new Limiter(limit);
    const ended: number[] = [];
    const jobs = Array.from({ length: 8 }, (_, index) => add(limiter, index, ended)[1]);
    expect([limiter.active, limiter.queued]).toEqual([limit, 8 - limit]);
    await Promise.all(jobs);
    expect(ended.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    if (limit === 1) expect(ended).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('Infinity is no limit', async () => {
    const limiter = new Limiter(Number.POSITIVE_INFINITY);
    const jobs = Array.from({ length: 20 }, (_, index) => add(limiter, index, [])[1]);
    expect([limiter.active, limiter.queued]).toEqual([20, 0]);
    await Promise.all(jobs);
  });

  test('goes on past jobs that were cancelled, waiting or running', async () => {
    const limiter = new Limiter(1);
    const ended: number[] = [];
    const jobs = Array.from({ length: 4 }, (_, index) => add(limiter, index, ended));
    for (const index of [0, 2, 2]) jobs[index][0].cancel();
    await Promise.all([jobs[1][1], jobs[3][1]]);
    jobs[1][0].cancel();
    expect(ended).toEqual([1, 3]);
    await add(limiter, 4, ended)[1];
    expect(ended).toEqual([1, 3, 4]);
    // The place of the last one is free once its stream has closed.
    while (limiter.active > 0) await new Promise(setImmediate);
    expect(limiter.queued).toBe(0);
  });
});

test('each job ends in the asynchronous context that it was made in, whoever it waited for', async () => {
  const storage = new AsyncLocalStorage<string>();
  const limiter = new Limiter(1);
  const seen: unknown[] = [];
  const message = deflateRawSync(text(1000));
  const jobs = ['one', 'two', 'three'].map((name, index) =>
    storage.run(name, () => {
      return new Promise<void>((resolve) => {
        const done = () => resolve(void seen.push([name, storage.getStore()]));
        limiter.add(
          index === 1
            ? new InflateJob(limiter, message, 15, EMPTY, 1000, 64, done)
            : new DeflateJob(limiter, text(50_000), settings, 65536, done),
        );
      });
    }),
  );
  await Promise.all(jobs);
  expect(seen).toEqual(['one', 'two', 'three'].map((name) => [name, name]));
});

describe('InflateJob', () => {
  const inflate = (payload: Buffer, window = EMPTY, most = 1e9, chunkSize = 64): Promise<unknown> =>
    new Promise((resolve) => {
      const limiter = new Limiter(1);
      limiter.add(
        new InflateJob(limiter, payload, 15, window, most, chunkSize, (error, bytes) =>
          resolve(error ?? bytes),
        ),
      );
    });

  test.each([
    ['a message', 'f248cdc9c90700', 'Hello'],
    ['a message that ends in a final block', 'f348cdc9c9070000', 'Hello'],
    ['the same without the byte for an empty block', 'f348cdc9c90700', 'Hello'],
    ['two final blocks', 'f348cdc9c90700f348cdc9c9070000', 'HelloHello'],
    ['a final block that ends with the tail', '01', ''],
    ['nothing', '00', ''],
  ])('%s', async (_name, bytes, expected) => {
    expect(String(await inflate(hex(bytes)))).toBe(expected);
  });

  test.each([
    ['without its end', 'f248cdc9c9'],
    ['without its empty block', '000500faff48656c6c6f'],
    ['in a final block that the tail would end', '4b'],
  ])('a message cut short %s', async (_name, bytes) => {
    expect(await inflate(hex(bytes))).toMatchObject({
      code: expect.stringMatching(/^Z_(?:BUF|DATA)_ERROR$/),
    });
  });

  test('behind a window', async () => {
    const window = text(32_768);
    const payload = Buffer.concat([deflateRawSync(window, { dictionary: window }), hex('00')]);
    const output = await inflate(payload, window, 1e9, 16_384);
    expectBytes(output as Buffer, window);
  });

  test('as many bytes as allowed, over final blocks too', async () => {
    const message = hex('f348cdc9c90700f348cdc9c9070000');
    expect(String(await inflate(message, EMPTY, 10))).toBe('HelloHello');
    expect(await inflate(message, EMPTY, 9)).toBeNull();
    expect(await inflate(message, EMPTY, 4)).toBeNull();
  });

  test('in many pieces', async () => {
    const output = await inflate(deflateRawSync(Buffer.alloc(200_000)), EMPTY, 1e9, 64);
    expect(output).toHaveLength(200_000);
  });
});

describe('a job that is over hears nothing more of its stream', () => {
  /** Hands over the stream of the next job as it is made. */
  function onStream(seen: (stream: InflateRaw) => void): jest.SpyInstance {
    const create = zlib.createInflateRaw;
    return jest.spyOn(zlib, 'createInflateRaw').mockImplementationOnce((options) => {
      const stream = create(options);
      seen(stream);
      return stream;
    });
  }

  test('cancelled between the last byte and the end', async () => {
    const limiter = new Limiter(1);
    const done = jest.fn();
    // Behind the first of its two final blocks, a job goes on with another stream.
    const message = hex('f348cdc9c90700f348cdc9c9070000');
    const job = new InflateJob(limiter, message, 15, EMPTY, 100, 64, done);
    let ended = jest.fn();
    const create = onStream((stream) => {
      const { push } = stream;
      ended = jest.fn();
      stream.on('end', ended);
      stream.push = (chunk, encoding) => {
        const more = push.call(stream, chunk, encoding);
        if (chunk === null) job.cancel();
        return more;
      };
    });
    limiter.add(job);
    while (limiter.active > 0) await new Promise(setImmediate);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(create).toHaveBeenCalledTimes(1);
    expect(done).not.toHaveBeenCalled();
  });

  test('that has more to say than was allowed', async () => {
    const limiter = new Limiter(1);
    const done = jest.fn();
    const pieces: number[] = [];
    let stream: InflateRaw | undefined;
    onStream((made) => {
      stream = made;
      made.on('data', (piece: Buffer) => pieces.push(piece.length));
      made.pause();
    });
    const message = deflateRawSync(Buffer.alloc(1000));
    limiter.add(new InflateJob(limiter, message, 15, EMPTY, 10, 64, done));
    while ((stream?.readableLength ?? 0) < 1000) await new Promise(setImmediate);
    stream?.resume();
    while (limiter.active > 0) await new Promise(setImmediate);
    expect(pieces.length).toBeGreaterThan(1);
    expect(done.mock.calls).toEqual([[null, null]]);
  });
});

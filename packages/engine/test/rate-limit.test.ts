import { checkRateLimit, TokenBucket } from '../src/rate-limit';

describe('checkRateLimit', () => {
  test.each<[unknown, new (message: string) => Error, string]>([
    [5, TypeError, 'The "rateLimit" option must be an object, got 5'],
    [null, TypeError, 'The "rateLimit" option must be an object, got null'],
    [[], TypeError, 'The "rateLimit" option must be an object, got an array'],
    [{}, TypeError, 'The "rateLimit.messages" option must be a number, got undefined'],
    [{ messages: 5 }, TypeError, 'The "rateLimit.interval" option must be a number, got undefined'],
    [
      { messages: 0, interval: 1 },
      RangeError,
      'The "rateLimit.messages" option must be an integer from 1 to 2147483647 messages, got 0',
    ],
    [
      { messages: 1, interval: 0.5 },
      RangeError,
      'The "rateLimit.interval" option must be an integer from 1 to 2147483647 milliseconds, got 0.5',
    ],
    [
      { messages: 1, interval: '1s' },
      TypeError,
      'The "rateLimit.interval" option must be a number, got "1s"',
    ],
    [
      { messages: 1, interval: 1, burst: -1 },
      RangeError,
      'The "rateLimit.burst" option must be an integer from 1 to 2147483647 messages, got -1',
    ],
    [
      { messages: 1, interval: 1, exceed: 'wait' },
      TypeError,
      `The "rateLimit.exceed" option must be 'close', 'drop' or 'delay', got "wait"`,
    ],
  ])('%p throws', (option, type, message) => {
    expect(() => checkRateLimit(option)).toThrow(type);
    expect(() => checkRateLimit(option)).toThrow(message);
  });

  test('fills in the defaults', () => {
    expect(checkRateLimit({ messages: 10, interval: 1000 })).toEqual({
      spacing: 100,
      burst: 10,
      exceed: 'close',
    });
    expect(checkRateLimit({ messages: 10, interval: 1000, burst: 3, exceed: 'delay' })).toEqual({
      spacing: 100,
      burst: 3,
      exceed: 'delay',
    });
  });
});

describe('TokenBucket', () => {
  let time = 0;
  const bucketOf = (messages: number, interval: number, burst?: number) =>
    new TokenBucket(checkRateLimit({ messages, interval, burst }), () => time);

  beforeEach(() => {
    time = 1e9;
  });

  /** How many tokens there are at once. */
  function takeAll(bucket: TokenBucket): number {
    let count = 0;
    while (bucket.take()) count += 1;
    return count;
  }

  test('is full at first', () => {
    expect(takeAll(bucketOf(5, 1000))).toBe(5);
    expect(takeAll(bucketOf(5, 1000, 8))).toBe(8);
    expect(takeAll(bucketOf(5, 1000, 1))).toBe(1);
  });

  test.each([3, 7, 30, 100, 997])(
    'has all of %i messages at once, whatever their spacing',
    (messages) => {
      expect(takeAll(bucketOf(messages, 1000))).toBe(messages);
    },
  );

  test('fills up at its rate, and no sooner', () => {
    const bucket = bucketOf(10, 1000);
    takeAll(bucket);
    expect(bucket.wait).toBe(100);
    time += 99;
    expect(bucket.take()).toBe(false);
    expect(bucket.wait).toBeCloseTo(1);
    time += 1;
    expect(bucket.wait).toBe(0);
    expect(takeAll(bucket)).toBe(1);
    time += 350;
    expect(takeAll(bucket)).toBe(3);
    time += 50;
    expect(takeAll(bucket)).toBe(1);
  });

  test('holds no more than a burst, however quiet the client has been', () => {
    const bucket = bucketOf(10, 1000, 3);
    takeAll(bucket);
    time += 1e9;
    expect(takeAll(bucket)).toBe(3);
  });

  test('lets through what its rate says over a long time', () => {
    const bucket = bucketOf(3, 1000);
    let count = 0;
    for (let step = 0; step < 100_000; step++) {
      if (bucket.take()) count += 1;
      time += 1;
    }
    expect(count).toBeGreaterThanOrEqual(301);
    expect(count).toBeLessThanOrEqual(303);
  });

  test('refusing costs nothing', () => {
    const bucket = bucketOf(1, 1000);
    bucket.take();
    for (let tries = 0; tries < 100; tries++) expect(bucket.take()).toBe(false);
    time += 1000;
    expect(bucket.take()).toBe(true);
  });

  test('what is borrowed is waited for', () => {
    const bucket = bucketOf(2, 1000);
    bucket.borrow();
    expect(bucket.wait).toBe(0);
    bucket.borrow();
    expect(bucket.wait).toBe(500);
    bucket.borrow();
    expect(bucket.wait).toBe(1000);
    time += 1000;
    expect(bucket.wait).toBe(0);
    expect(takeAll(bucket)).toBe(1);
  });
});

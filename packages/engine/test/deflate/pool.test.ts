import type { Holder } from '../../src/deflate/pool';
import { ContextPool } from '../../src/deflate/pool';

class Coder {
  closed = false;
  close(): void {
    this.closed = true;
  }
}

const make = (): Coder => new Coder();
const holder = (): Holder<Coder> => ({ context: null });

describe('ContextPool', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('lends until the memory is used, then takes from who has not used it for longest', () => {
    const pool = new ContextPool<Coder>(300, 1000);
    const [one, two, three, four] = [holder(), holder(), holder(), holder()];
    const coders = [one, two, three].map((each) => pool.lend(each, 'a', 100, make).coder);
    expect([pool.size, pool.bytes]).toEqual([3, 300]);
    if (one.context !== null) pool.touch(one.context);
    expect(pool.lend(four, 'a', 100, make).coder).toBe(coders[1]);
    expect(two.context).toBeNull();
    expect(four.context?.coder).toBe(coders[1]);
    expect(coders.map(({ closed }) => closed)).toEqual([false, false, false]);
    expect([pool.size, pool.bytes]).toEqual([3, 300]);
  });

  test('closes those that do not fit', () => {
    const pool = new ContextPool<Coder>(300, 1000);
    const holders = [holder(), holder(), holder()];
    const coders = holders.map((each) => pool.lend(each, 'a', 100, make).coder);
    const large = holder();
    const { coder } = pool.lend(large, 'b', 200, make);
    expect(coders).not.toContain(coder);
    expect(coders.map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(holders.map(({ context }) => context !== null)).toEqual([false, false, true]);
    expect([pool.size, pool.bytes]).toEqual([2, 300]);
  });

  test('lends even one that is larger than the pool', () => {
    const pool = new ContextPool<Coder>(300, 1000);
    pool.lend(holder(), 'a', 100, make);
    const { coder } = pool.lend(holder(), 'b', 1000, make);
    expect([coder.closed, pool.size, pool.bytes]).toEqual([false, 1, 1000]);
  });

  test('takes back', () => {
    const pool = new ContextPool<Coder>(300, 1000);
    const one = holder();
    const { coder } = pool.lend(one, 'a', 100, make);
    pool.release(one);
    pool.release(one);
    expect([coder.closed, one.context, pool.size, pool.bytes]).toEqual([true, null, 0, 0]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('closes what nobody has used for a while', () => {
    const pool = new ContextPool<Coder>(300, 1000);
    const [idle, busy] = [holder(), holder()];
    const first = pool.lend(idle, 'a', 100, make).coder;
    const second = pool.lend(busy, 'a', 100, make).coder;
    for (let round = 0; round < 5; round++) {
      if (busy.context !== null) pool.touch(busy.context);
      jest.advanceTimersByTime(1000);
      expect([first.closed, second.closed]).toEqual([round > 0, false]);
    }
    expect([idle.context, pool.size, pool.bytes]).toEqual([null, 1, 100]);
    jest.advanceTimersByTime(1000);
    expect([second.closed, busy.context, pool.size, pool.bytes]).toEqual([true, null, 0, 0]);
    expect(jest.getTimerCount()).toBe(0);
    // And it begins again.
    const third = pool.lend(busy, 'a', 100, make).coder;
    jest.advanceTimersByTime(2000);
    expect([third.closed, pool.size]).toEqual([true, 0]);
  });

  test('keeps no process alive', () => {
    jest.useRealTimers();
    const interval = jest.spyOn(globalThis, 'setInterval');
    const pool = new ContextPool<Coder>(300, 1000);
    const one = holder();
    pool.lend(one, 'a', 100, make);
    expect(interval).toHaveBeenCalledTimes(1);
    expect((interval.mock.results[0].value as NodeJS.Timeout).hasRef()).toBe(false);
    pool.release(one);
    interval.mockRestore();
  });
});

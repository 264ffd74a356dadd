import { History, slide } from '../../src/deflate/history';
import { pattern } from '../support/bytes';

describe('History', () => {
  test.each([1, 7, 256, 1000])('keeps the last %i bytes, however they come', (size) => {
    for (const steps of [
      [1],
      [3, 5],
      [size],
      [size - 1, 1],
      [size + 1],
      [2 * size + 3, 2],
      [0, 1],
    ]) {
      const history = new History(size);
      const all = pattern(6 * size + 50);
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const step = steps[turn % steps.length];
        history.append(all.subarray(at, at + step));
        at = Math.min(at + step, all.length);
        const expected = all.subarray(Math.max(0, at - size), at);
        const { length } = history;
        if (length !== expected.length || !history.bytes().equals(expected)) {
          throw new Error(`Steps of ${steps}: wrong bytes after ${at}`);
        }
      }
      expect(history.length).toBe(size);
    }
  });

  test('what it hands out is a copy', () => {
    for (const size of [4, 5]) {
      const history = new History(size);
      history.append(Buffer.from('abcd'));
      history.bytes().fill(0);
      expect(String(history.bytes())).toBe('abcd');
    }
  });

  test('begins anew after clear', () => {
    const history = new History(4);
    history.append(Buffer.from('abcdef'));
    history.clear();
    expect(history.bytes()).toHaveLength(0);
    history.append(Buffer.from('xy'));
    expect(String(history.bytes())).toBe('xy');
    history.append(Buffer.from('z12'));
    expect(String(history.bytes())).toBe('yz12');
  });
});

test('slide', () => {
  const pieces = ['cd', '', 'efg'].map((piece) => Buffer.from(piece));
  expect(String(slide(Buffer.from('ab'), pieces, 4))).toBe('defg');
  expect(String(slide(Buffer.from('ab'), pieces, 100))).toBe('abcdefg');
  expect(String(slide(Buffer.from('ab'), [], 1))).toBe('b');
});

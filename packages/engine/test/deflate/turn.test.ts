import { setImmediate as turn } from 'node:timers/promises';
import { goesToThread } from '../../src/deflate/turn';

const KIB = 1024;

afterEach(() => turn());

test('large messages go to the thread pool', () => {
  expect(goesToThread(16 * KIB)).toBe(true);
});

test('messages of medium size do so when much has been compressed in this turn of the event loop', async () => {
  expect([8, 8, 8, 4].map((size) => goesToThread(size * KIB))).toEqual([false, false, true, true]);
  await turn();
  expect(goesToThread(8 * KIB)).toBe(false);
});

test('small messages never do', () => {
  const all = Array.from({ length: 40 }, () => goesToThread(KIB));
  expect(all).not.toContain(true);
});

import { isThenable } from '../src/thenable';

test.each<[unknown, boolean]>([
  [Promise.resolve(), true],
  [undefined, false],
  [null, false],
  [{}, false],
  ['then', false],
])('isThenable(%p) is %p', (value, expected) => {
  expect(isThenable(value)).toBe(expected);
});

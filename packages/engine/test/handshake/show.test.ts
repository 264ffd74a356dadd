import { show } from '../../src/handshake/show';

describe('show', () => {
  test.each([
    ["a'b", '"a\'b"'],
    ['a\r\nb\0', "'a\\r\\nb\\x00'"],
    ['a'.repeat(102), `'${'a'.repeat(100)}'... 2 more characters`],
    [0, '0'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ password: 'secret' }, '[Object]'],
    [['secret'], '[Array]'],
    [Promise.resolve('secret'), '[Promise]'],
    [new Map([['a', 1]]), '[Map]'],
  ])('%j', (value, text) => {
    expect(show(value)).toBe(text);
  });
});

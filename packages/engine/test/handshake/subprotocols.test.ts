import fc from 'fast-check';
import ws from 'ws';
import {
  checkSubprotocolChoice,
  parseSubprotocols,
  selectSubprotocol,
} from '../../src/handshake/subprotocols';
import { expectProportion } from '../support/proportion';

// `@types/ws` does not know the helper.
const { subprotocol: reference } = ws as unknown as {
  subprotocol: { parse: (header: string) => Set<string> };
};

/** The names, or the error's class and text. */
function outcome(parse: (header: string) => Set<string>, header: string): string[] | string {
  try {
    return [...parse(header)];
  } catch (error) {
    return String(error);
  }
}

describe('parseSubprotocols', () => {
  test.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['b , \ta\t,c', ['b', 'a', 'c']],
    ['A,a', ['A', 'a']],
    ['__proto__, constructor, toString', ['__proto__', 'constructor', 'toString']],
  ])('%j', (header, names) => {
    expect([...parseSubprotocols(header)]).toEqual(names);
  });

  test.each([
    ['', 'Unexpected end of input'],
    ['a ', 'Unexpected end of input'],
    ['a,', 'Unexpected end of input'],
    ['a, ', 'Unexpected end of input'],
    ['a,a ', 'Unexpected end of input'],
    [' a', 'Unexpected character at index 0'],
    [',', 'Unexpected character at index 0'],
    ['a,,b', 'Unexpected character at index 2'],
    ['a, ,b', 'Unexpected character at index 3'],
    ['a b', 'Unexpected character at index 2'],
    ['a/b', 'Unexpected character at index 1'],
    ['a,a;', 'Unexpected character at index 3'],
    ['a\r\n', 'Unexpected character at index 1'],
    ['aé', 'Unexpected character at index 1'],
    ['a,b,a', 'The "a" subprotocol is duplicated'],
    ['a,a,', 'The "a" subprotocol is duplicated'],
    ['constructor,constructor', 'The "constructor" subprotocol is duplicated'],
  ])('%j: %s', (header, message) => {
    expect(() => parseSubprotocols(header)).toThrow(new SyntaxError(message));
  });

  test('is what ws makes of any header', () => {
    const piece = fc.constantFrom('a', 'b', 'A', ',', ' ', '\t', ';', '"', '\\', '\0', '\n', 'é');
    const header = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(header, (text) => {
        expect(outcome(parseSubprotocols, text)).toEqual(outcome(reference.parse, text));
      }),
      { numRuns: 5000 },
    );
  });

  test('1 MiB of names takes a time in proportion', () => {
    expectProportion((size) => {
      const names = Array.from({ length: size / 8 }, (_, index) => String(index).padStart(7, '0'));
      expect(parseSubprotocols(names.join(',')).size).toBe(names.length);
    });
  });
});

describe('selectSubprotocol', () => {
  const offered = new Set(['a', 'b', 'c']);
  const request = { url: '/' };

  test.each([undefined, null])('with %s it is the first offered', (choice) => {
    expect(selectSubprotocol(offered, choice, request)).toBe('a');
    expect(selectSubprotocol(new Set<string>(), choice, request)).toBe(false);
  });

  test("a list goes by the server's order", () => {
    expect(selectSubprotocol(offered, ['x', 'c', 'a'], request)).toBe('c');
    expect(selectSubprotocol(offered, ['x'], request)).toBe(false);
    expect(selectSubprotocol(offered, [], request)).toBe(false);
    expect(selectSubprotocol(new Set(['__proto__']), ['__proto__'], request)).toBe('__proto__');
  });

  test('a function is given the offer and the request', () => {
    const choice = jest.fn((names: Set<string>) => [...names][1]);
    expect(selectSubprotocol(offered, choice, request)).toBe('b');
    expect(choice).toHaveBeenCalledTimes(1);
    expect(choice).toHaveBeenCalledWith(offered, request);
  });

  test('a function is not asked when nothing was offered', () => {
    const choice = jest.fn(() => 'a');
    expect(selectSubprotocol(new Set<string>(), choice, request)).toBe(false);
    expect(choice).not.toHaveBeenCalled();
  });

  test.each([false, '', null, undefined] as const)('a function may answer %j', (answer) => {
    expect(selectSubprotocol(offered, () => answer, request)).toBe(false);
  });

  test('a name that was not offered is the mistake of the function', () => {
    expect(() => selectSubprotocol(offered, () => 'x\r\nSet-Cookie: a=1', request)).toThrow(
      new TypeError(
        'The option "handleProtocols" answered \'x\\r\\nSet-Cookie: a=1\', which the client did not offer ' +
          '(RFC 6455 4.2.2)',
      ),
    );
    expect(() => selectSubprotocol(offered, () => 'x', request, 'subprotocols')).toThrow(
      /^The option "subprotocols" answered 'x', /,
    );
  });

  test('nor does adding the name to the set help', () => {
    const choice = (names: Set<string>): string => {
      names.add('x');
      return 'x';
    };
    expect(() => selectSubprotocol(offered, choice, request)).toThrow(TypeError);
    expect([...offered]).toEqual(['a', 'b', 'c']);
  });

  test('a promise is no name', () => {
    const choice = (async () => 'a') as unknown as () => string;
    expect(() => selectSubprotocol(offered, choice, request)).toThrow(
      /^The option "handleProtocols" answered \[Promise\], /,
    );
  });

  test('what the function throws goes through', () => {
    const error = new Error('no');
    const choice = (): string => {
      throw error;
    };
    expect(() => selectSubprotocol(offered, choice, request)).toThrow(error);
  });
});

describe('checkSubprotocolChoice', () => {
  test.each([[[]], [['a', 'b']], [() => 'a']])('takes %p', (choice) => {
    expect(checkSubprotocolChoice(choice, 'subprotocols')).toBeUndefined();
  });

  test.each([
    ['a', 'The option "subprotocols" must be a list of subprotocols or a function, got \'a\''],
    [null, 'The option "subprotocols" must be a list of subprotocols or a function, got null'],
    [
      new Set(['a']),
      'The option "subprotocols" must be a list of subprotocols or a function, got [Set]',
    ],
    [[1], 'The option "subprotocols" holds 1, which is not a token (RFC 6455 11.3.4)'],
    [['a', ''], 'The option "subprotocols" holds \'\', which is not a token (RFC 6455 11.3.4)'],
    [['a, b'], 'The option "subprotocols" holds \'a, b\', which is not a token (RFC 6455 11.3.4)'],
    [['a', 'a'], 'The option "subprotocols" holds \'a\' twice'],
  ])('refuses %p', (choice, message) => {
    expect(() => checkSubprotocolChoice(choice, 'subprotocols')).toThrow(new TypeError(message));
  });
});

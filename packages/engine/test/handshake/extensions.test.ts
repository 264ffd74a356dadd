import fc from 'fast-check';
import ws from 'ws';
import type { ExtensionOffers, FormattableOffers } from '../../src/handshake/extensions';
import { formatExtensions, parseExtensions } from '../../src/handshake/extensions';
import { expectProportion } from '../support/proportion';

// `@types/ws` does not know the helper.
const { extension: reference } = ws as unknown as {
  extension: { parse: (header: string) => object; format: (offers: object) => string };
};

/** What was read, as text that shows each object's prototype, or the error's class and text. */
function outcome(parse: (header: string) => object, header: string): string {
  try {
    return JSON.stringify(parse(header), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? [Object.getPrototypeOf(value), Object.entries(value)]
        : value,
    );
  } catch (error) {
    return String(error);
  }
}

describe('parseExtensions', () => {
  test.each([
    ['a', '{"a":[{}]}'],
    ['a,b', '{"a":[{}],"b":[{}]}'],
    ['a, a', '{"a":[{},{}]}'],
    ['a;b', '{"a":[{"b":[true]}]}'],
    ['a \t;\t b=1', '{"a":[{"b":["1"]}]}'],
    ['a; b; b=2; b="3"', '{"a":[{"b":[true,"2","3"]}]}'],
    ['a; b=1, c; d, a; e', '{"a":[{"b":["1"]},{"e":[true]}],"c":[{"d":[true]}]}'],
    ['a;b="c" , d', '{"a":[{"b":["c"]}],"d":[{}]}'],
    ['a;b="\\c\\d"', '{"a":[{"b":["cd"]}]}'],
    ['a;b="c\\d";e="f"', '{"a":[{"b":["cd"],"e":["f"]}]}'],
    [
      'permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate',
      '{"permessage-deflate":[{"client_max_window_bits":[true],"server_max_window_bits":["10"]},{}]}',
    ],
  ])('%j', (header, json) => {
    expect(JSON.stringify(parseExtensions(header))).toBe(json);
  });

  test('names of Object.prototype are names like any other', () => {
    const offers = parseExtensions('__proto__; __proto__=1; constructor, toString, __proto__');
    expect(Object.getPrototypeOf(offers)).toBeNull();
    expect(Object.keys(offers)).toEqual(['__proto__', 'toString']);
    const [[, [first, second]]] = Object.entries(offers);
    expect(Object.getPrototypeOf(first)).toBeNull();
    expect(Object.entries(first)).toEqual([
      ['__proto__', ['1']],
      ['constructor', [true]],
    ]);
    expect(Object.entries(second)).toEqual([]);
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test.each([
    ['', 'Unexpected end of input'],
    ['a ', 'Unexpected end of input'],
    ['a,', 'Unexpected end of input'],
    ['a;', 'Unexpected end of input'],
    ['a;b=', 'Unexpected end of input'],
    ['a;b="', 'Unexpected end of input'],
    ['a;b="c\\', 'Unexpected end of input'],
    ['a;b="c" ', 'Unexpected end of input'],
    [' a', 'Unexpected character at index 0'],
    ['"a"', 'Unexpected character at index 0'],
    ['a=1', 'Unexpected character at index 1'],
    ['a b', 'Unexpected character at index 2'],
    ['a;;b', 'Unexpected character at index 2'],
    ['a;b =1', 'Unexpected character at index 4'],
    ['a;b= 1', 'Unexpected character at index 4'],
    ['a;b=""', 'Unexpected character at index 5'],
    ['a;b="\\""', 'Unexpected character at index 6'],
    ['a;b="c d"', 'Unexpected character at index 6'],
    ['a;b="c"d', 'Unexpected character at index 7'],
    ['a\r\nb', 'Unexpected character at index 1'],
  ])('%j: %s', (header, message) => {
    expect(() => parseExtensions(header)).toThrow(new SyntaxError(message));
  });

  test('is what ws makes of any header', () => {
    const piece = fc.constantFrom(
      'a',
      'b1',
      '__proto__',
      ',',
      ', ',
      ';',
      '; ',
      '=',
      '"',
      '\\',
      ' ',
      '\t',
      '\0',
      '\n',
      'é',
      '="c"',
      '="\\d"',
      '=e',
      '; f',
      'constructor',
    );
    const header = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(header, (text) => {
        expect(outcome(parseExtensions, text)).toBe(outcome(reference.parse, text));
      }),
      { numRuns: 5000 },
    );
  });

  test.each<[string, (size: number) => string]>([
    ['members', (size) => 'a,'.repeat(size / 2)],
    ['parameters', (size) => `a${';b'.repeat(size / 2)}`],
    ['escapes', (size) => `a;b="${'\\c'.repeat(size / 2)}"`],
    ['quotes', (size) => `a;b=${'"'.repeat(size)}`],
    ['spaces', (size) => `a;${' '.repeat(size)}`],
  ])('1 MiB of %s takes a time in proportion', (_name, header) => {
    expectProportion((size) => outcome(parseExtensions, header(size)));
  });
});

describe('formatExtensions', () => {
  test.each([
    [{}, ''],
    [{ a: {} }, 'a'],
    [{ a: [{}, {}] }, 'a, a'],
    [{ a: [] }, ''],
    [{ a: { b: true } }, 'a; b'],
    [{ a: [{ b: [true, 'c', 10] }, { d: 'e' }], f: [{}] }, 'a; b; b=c; b=10, a; d=e, f'],
    [
      { 'permessage-deflate': { server_no_context_takeover: true, client_max_window_bits: 15 } },
      'permessage-deflate; server_no_context_takeover; client_max_window_bits=15',
    ],
  ] as [FormattableOffers, string][])('%j is %j', (offers, header) => {
    expect(formatExtensions(offers)).toBe(header);
  });

  test.each([
    [{ 'a b': {} }, "The extension 'a b' cannot be written: 'a b' is not a token (RFC 6455 9.1)"],
    [
      { a: { 'b;': true } },
      "The extension 'a' cannot be written: 'b;' is not a token (RFC 6455 9.1)",
    ],
    [{ a: { b: '' } }, "The extension 'a' cannot be written: '' is not a token (RFC 6455 9.1)"],
    [
      { a: { b: 'c\r\nd' } },
      "The extension 'a' cannot be written: 'c\\r\\nd' is not a token (RFC 6455 9.1)",
    ],
    [
      { a: { b: false } },
      "The extension 'a' cannot be written: false is not a token (RFC 6455 9.1)",
    ],
  ])('%j throws', (offers, message) => {
    expect(() => formatExtensions(offers as FormattableOffers)).toThrow(new TypeError(message));
  });

  const token = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', 'permessage-deflate'),
    fc.constantFrom('a', 'B', '0', '-', 'x.y', "!#$%&'*+^_`|~"),
  );
  const value = fc.oneof(fc.constant(true as const), token);
  const parameters = fc.dictionary(token, fc.array(value, { minLength: 1, maxLength: 3 }), {
    noNullPrototype: true,
    maxKeys: 3,
  });
  const offers = fc.dictionary(token, fc.array(parameters, { minLength: 1, maxLength: 3 }), {
    minKeys: 1,
    noNullPrototype: true,
    maxKeys: 3,
  });

  test('writes what ws writes', () => {
    fc.assert(
      fc.property(offers, (written) => {
        expect(formatExtensions(written)).toBe(reference.format(written));
      }),
      { numRuns: 1000 },
    );
  });

  test('what is written reads back', () => {
    fc.assert(
      fc.property(offers, (written) => {
        const read = parseExtensions(formatExtensions(written));
        expect(contents(read)).toBe(contents(written));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Names and values without the objects around them, whose prototypes differ. */
function contents(offers: ExtensionOffers): string {
  const entries = Object.entries(offers).map(([name, list]) => [name, list.map(Object.entries)]);
  return JSON.stringify(entries);
}

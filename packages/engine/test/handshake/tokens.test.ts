import {
  FieldReader,
  isFieldValue,
  isToken,
  isTokenCode,
  listIncludes,
} from '../../src/handshake/tokens';
import { expectProportion } from '../support/proportion';

/** The text of the error that `work` throws. */
function fault(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('tokens', () => {
  test('the token characters are the 77 of RFC 9110 5.6.2', () => {
    const characters = Array.from({ length: 65536 }, (_, code) => code)
      .filter(isTokenCode)
      .map((code) => String.fromCharCode(code))
      .join('');
    expect(characters).toBe(
      "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~",
    );
    expect(isTokenCode(Number.NaN)).toBe(false);
  });

  test.each([
    ['a', true],
    ['chat.v2+json', true],
    ['__proto__', true],
    ['constructor', true],
    ['', false],
    ['a b', false],
    ['a,b', false],
    ['"a"', false],
    ['a\r\nb', false],
    ['a\n', false],
    ['é', false],
    ['\u{1f600}', false],
  ])('isToken(%j) is %s', (value, expected) => {
    expect(isToken(value)).toBe(expected);
  });

  test.each([
    ['', true],
    ['a b\tc', true],
    ['permessage-deflate; client_max_window_bits="15"', true],
    ['\x80\xff é', true],
    ['a\rb', false],
    ['a\n', false],
    ['\r\nSet-Cookie: a=1', false],
    ['\0', false],
    ['\x1b', false],
    ['\x7f', false],
    ['\u0100', false],
    ['\u{1f600}', false],
  ])('isFieldValue(%j) is %s', (value, expected) => {
    expect(isFieldValue(value)).toBe(expected);
  });
});

describe('listIncludes', () => {
  test.each([
    'websocket',
    'WebSocket',
    'h2c, websocket',
    'websocket,h2c',
    ' \t websocket \t , h2c',
    ',, ,websocket,,',
    'h2c , WEBSOCKET',
  ])('%j has websocket', (list) => {
    expect(listIncludes(list, 'websocket')).toBe(true);
  });

  test.each([
    '',
    ',',
    'h2c',
    'websocket/13',
    'websockets',
    'xwebsocket',
    'web socket',
    '"websocket"',
    'websocket;q=1',
    'websoc\u212Aet',
    'websocket\n',
  ])('%j does not', (list) => {
    expect(listIncludes(list, 'websocket')).toBe(false);
  });
});

describe('FieldReader', () => {
  test('reads token, separator, quoted token', () => {
    const reader = new FieldReader('a \t;\t b="\\c\\d",e');
    expect(reader.token()).toBe('a');
    expect(reader.separator(',;')).toBe(';');
    expect(reader.token()).toBe('b');
    expect(reader.take('"')).toBe(false);
    expect(reader.take('=')).toBe(true);
    expect(reader.tokenOrQuotedToken()).toBe('cd');
    expect(reader.separator(',;')).toBe(',');
    expect(reader.tokenOrQuotedToken()).toBe('e');
    expect(reader.separator(',;')).toBe('');
    expect(reader.separator(',;')).toBe('');
  });

  test.each([
    ['', 'Unexpected end of input'],
    [' a', 'Unexpected character at index 0'],
    ['"a"', 'Unexpected character at index 0'],
    ['\u0100', 'Unexpected character at index 0'],
  ])('token of %j: %s', (text, message) => {
    expect(fault(() => new FieldReader(text).token())).toBe(message);
  });

  test.each([
    ['', 'Unexpected end of input'],
    ['"', 'Unexpected end of input'],
    ['"a', 'Unexpected end of input'],
    ['"a\\', 'Unexpected end of input'],
    ['""', 'Unexpected character at index 1'],
    ['"\\""', 'Unexpected character at index 2'],
    ['"a\\\\"', 'Unexpected character at index 3'],
    ['"a b"', 'Unexpected character at index 2'],
    ['"a\r\n"', 'Unexpected character at index 2'],
  ])('tokenOrQuotedToken of %j: %s', (text, message) => {
    expect(fault(() => new FieldReader(text).tokenOrQuotedToken())).toBe(message);
  });

  test.each([
    [' ', 'Unexpected end of input'],
    ['a', 'Unexpected character at index 0'],
    [' \ta', 'Unexpected character at index 2'],
  ])('separator of %j: %s', (text, message) => {
    expect(fault(() => new FieldReader(text).separator(','))).toBe(message);
  });

  test('takes nothing but a string', () => {
    expect(() => new FieldReader(undefined as unknown as string)).toThrow(
      new TypeError('The header must be a string, got undefined'),
    );
  });
});

describe('1 MiB takes a time in proportion', () => {
  const member = (text: string) => listIncludes(text, 'websocket');
  const field = (text: string) =>
    fault(() => {
      const reader = new FieldReader(text);
      reader.token();
      reader.separator(',;');
      reader.tokenOrQuotedToken();
      reader.separator(',;');
    });

  test.each<[string, (size: number) => unknown]>([
    ['a list of commas', (size) => member(','.repeat(size))],
    ['a list of spaces', (size) => member(' '.repeat(size))],
    ['a list of spaces and commas', (size) => member(' ,'.repeat(size / 2))],
    ['a list of one long member', (size) => member('a'.repeat(size))],
    ['a field value', (size) => isFieldValue(`${'a '.repeat(size / 2)}\n`)],
    ['a token', (size) => isToken(`${'a'.repeat(size)} `)],
    ['white space behind a token', (size) => field(`a${' '.repeat(size)}`)],
    ['white space behind a comma', (size) => field(`a,${' '.repeat(size)}`)],
    ['a quoted string of escapes', (size) => field(`a;"${'\\a'.repeat(size / 2)}"x`)],
    ['quotes', (size) => field(`a;${'"'.repeat(size)}`)],
    ['a quoted string without an end', (size) => field(`a;"${'a'.repeat(size)}`)],
  ])('%s', (_name, work) => {
    expectProportion(work);
  });
});

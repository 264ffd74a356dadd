import type { Refusal } from '../../src/handshake/refusal';
import {
  applicationRefusal,
  createRefusal,
  refusalHeaders,
  serializeRefusal,
} from '../../src/handshake/refusal';
import { show } from '../../src/handshake/show';

describe('createRefusal', () => {
  test('holds what it was given', () => {
    expect(createRefusal(405, 'No', 'RFC 6455 4.2.1 (1)', [['Allow', 'GET']])).toEqual({
      status: 405,
      message: 'No',
      headers: [['Allow', 'GET']],
      rule: 'RFC 6455 4.2.1 (1)',
    });
  });

  test.each([
    [400, 'Bad Request'],
    [503, 'Service Unavailable'],
    [499, 'unknown'],
  ])('%i without a message says %j', (status, message) => {
    expect(createRefusal(status)).toEqual({ status, message, headers: [], rule: '' });
    expect(createRefusal(status, '').message).toBe(message);
  });
});

describe('serializeRefusal', () => {
  test.each<[string, Refusal, string]>([
    [
      'the form of ws',
      createRefusal(405, 'Invalid HTTP method'),
      'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 19\r\n\r\nInvalid HTTP method',
    ],
    [
      'its own headers stand behind',
      createRefusal(400, 'No', '', [['Sec-WebSocket-Version', '13, 8']]),
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 2\r\nSec-WebSocket-Version: 13, 8\r\n\r\nNo',
    ],
    [
      'its own headers win, but for the length',
      createRefusal(426, 'No', '', [
        ['connection', 'close, Upgrade'],
        ['CONTENT-TYPE', 'application/json'],
        ['content-length', '99'],
      ]),
      'HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\nconnection: close, Upgrade\r\n' +
        'CONTENT-TYPE: application/json\r\n\r\nNo',
    ],
    [
      'a status without a phrase',
      createRefusal(499),
      'HTTP/1.1 499 unknown\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 7\r\n\r\nunknown',
    ],
    [
      'markup is plain text',
      createRefusal(403, '<script>alert(1)</script>'),
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 25\r\n\r\n<script>alert(1)</script>',
    ],
    [
      'so is a character reference',
      createRefusal(403, 'a &lt; b'),
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 8\r\n\r\na &lt; b',
    ],
  ])('%s', (_name, refusal, text) => {
    expect(serializeRefusal(refusal).toString('latin1')).toBe(text);
  });

  test('the head is latin1, the body UTF-8, the length in bytes', () => {
    const bytes = serializeRefusal(createRefusal(400, 'zażółć €', '', [['X-Name', 'é']]));
    expect(bytes.toString('latin1')).toContain('Content-Length: 14\r\nX-Name: \xe9\r\n\r\n');
    expect(bytes.subarray(-14)).toEqual(Buffer.from('zażółć €'));
  });
});

describe('refusalHeaders', () => {
  test('are those of the bytes', () => {
    expect(refusalHeaders(createRefusal(405, 'No', '', [['Allow', 'GET']]))).toEqual([
      ['Connection', 'close'],
      ['Content-Type', 'text/html'],
      ['Content-Length', '2'],
      ['Allow', 'GET'],
    ]);
  });
});

describe('applicationRefusal', () => {
  test.each<[string, unknown, unknown, unknown, Omit<Refusal, 'rule'>]>([
    [
      'nothing',
      undefined,
      undefined,
      undefined,
      { status: 401, message: 'Unauthorized', headers: [] },
    ],
    ['null', null, null, null, { status: 401, message: 'Unauthorized', headers: [] }],
    ['a status', 404, undefined, undefined, { status: 404, message: 'Not Found', headers: [] }],
    ['the least', 200, '', {}, { status: 200, message: 'OK', headers: [] }],
    [
      'a body of several lines',
      400,
      'one\r\nSet-Cookie: two\n',
      {},
      { status: 400, message: 'one\r\nSet-Cookie: two\n', headers: [] },
    ],
    ['the greatest', 599, 'Gone\tfar €', {}, { status: 599, message: 'Gone\tfar €', headers: [] }],
    [
      'headers',
      429,
      'Later',
      { 'Retry-After': 5, 'Set-Cookie': ['a=1', 'b=2'], 'Content-Length': '5', 'X-Name': 'é' },
      {
        status: 429,
        message: 'Later',
        headers: [
          ['Retry-After', '5'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['Content-Length', '5'],
          ['X-Name', 'é'],
        ],
      },
    ],
    [
      'a header that is undefined',
      400,
      'No',
      { 'X-Name': undefined, Allow: 'GET' },
      { status: 400, message: 'No', headers: [['Allow', 'GET']] },
    ],
    [
      'a header of any name',
      400,
      'No',
      JSON.parse('{"__proto__": "a", "constructor": "b"}'),
      {
        status: 400,
        message: 'No',
        headers: [
          ['__proto__', 'a'],
          ['constructor', 'b'],
        ],
      },
    ],
  ])('%s', (_name, status, message, headers, refusal) => {
    expect(applicationRefusal(status, message, headers)).toEqual({
      refusal: { ...refusal, rule: '' },
      error: null,
    });
  });

  const internal: Refusal = {
    status: 500,
    message: 'Internal Server Error',
    headers: [],
    rule: '',
  };

  test.each([101, 100, 199, 600, 0, -1, 401.5, Number.NaN, '401', [401]])(
    'the status code %p becomes 500',
    (status) => {
      const { refusal, error } = applicationRefusal(status, undefined, undefined);
      expect(refusal).toEqual(internal);
      expect(error).toBeInstanceOf(RangeError);
      const shown = typeof status === 'number' ? String(status) : show(status);
      expect(error?.message).toBe(
        `The option "verifyClient" refused with the status code ${shown}; it must be an integer from 200 to 599`,
      );
    },
  );

  test.each([
    [5, '5'],
    [{ error: 'no' }, '[Object]'],
  ])('the message %j becomes 500', (message, shown) => {
    const { refusal, error } = applicationRefusal(401, message, undefined);
    expect(refusal).toEqual(internal);
    expect(error).toEqual(
      new TypeError(
        `The option "verifyClient" refused with the message ${shown}; it must be a string`,
      ),
    );
    expect(error).toBeInstanceOf(TypeError);
  });

  const headers = new Headers({ 'X-Name': 'a' });
  test.each([
    ['text', 'X-Name: a', "'X-Name: a'"],
    ['a list', ['X-Name: a'], '[Array]'],
    ['a Map', new Map([['X-Name', 'a']]), '[Map]'],
    ['Headers', headers, show(headers)],
    ['a function', () => ({}), '[Function (anonymous)]'],
  ])('%s for headers becomes 500', (_name, headers, shown) => {
    const { refusal, error } = applicationRefusal(401, 'No', headers);
    expect(refusal).toEqual(internal);
    expect(error?.message).toBe(
      `The option "verifyClient" refused with the headers ${shown}; they must be a plain object`,
    );
    expect(error).toBeInstanceOf(TypeError);
  });

  test.each<[object, string]>([
    [{ 'X-Name': 'a\r\nSet-Cookie: b' }, "'X-Name': 'a\\r\\nSet-Cookie: b'"],
    [{ 'X-Name': ['a', 'b\n'] }, "'X-Name': 'b\\n'"],
    [{ 'X-Name': 'Ā' }, "'X-Name': 'Ā'"],
    [{ 'X-Name': { a: 1 } }, "'X-Name': [Object]"],
    [{ 'X-Name': true }, "'X-Name': true"],
    [{ 'X Name': 'a' }, "'X Name': 'a'"],
    [{ 'X-Name: a\r\nY': 'a' }, "'X-Name: a\\r\\nY': 'a'"],
    [{ '': 'a' }, "'': 'a'"],
    [{ 'content-length': 3 }, "'content-length': 3"],
    [{ 'Transfer-Encoding': 'chunked' }, "'Transfer-Encoding': 'chunked'"],
  ])('the headers %p become 500', (headers, shown) => {
    const { refusal, error } = applicationRefusal(401, 'No', headers, 'onUpgrade');
    expect(refusal).toEqual(internal);
    expect(error?.message).toBe(
      `The option "onUpgrade" refused with the header ${shown}, which cannot be sent`,
    );
    expect(error).toBeInstanceOf(TypeError);
  });
});

import { isRefusal, readDecision } from '../../src/handshake/decision';
import { serializeRefusal } from '../../src/handshake/refusal';

const offered = new Set(['chat', 'super.chat']);
const read = (answer: unknown) => readDecision(answer, offered);

/** The bytes of the refusal that an answer comes to. */
async function bytesOf(answer: unknown): Promise<string> {
  const decision = await read(answer);
  if (!isRefusal(decision)) throw new Error('It was accepted');
  return serializeRefusal(decision).toString('latin1');
}

describe('accepting', () => {
  const nothing = { data: undefined, headers: [], protocol: undefined, options: undefined };

  test.each([
    ['undefined', undefined, nothing],
    ['true', true, nothing],
    ['an object that says nothing', {}, nothing],
    ['an object without a prototype', Object.create(null), nothing],
    [
      'undefined for everything',
      {
        data: undefined,
        headers: undefined,
        protocol: undefined,
        options: undefined,
        status: undefined,
      },
      nothing,
    ],
    ['data', { data: 0 }, { ...nothing, data: 0 }],
    ['a protocol', { protocol: 'super.chat' }, { ...nothing, protocol: 'super.chat' }],
    ['options', { options: { maxPayload: 5 } }, { ...nothing, options: { maxPayload: 5 } }],
    [
      'headers',
      { headers: { 'Set-Cookie': ['a=1', 'b=2'], 'X-Number': 5, 'X-None': undefined } },
      {
        ...nothing,
        headers: [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-Number', '5'],
        ],
      },
    ],
    [
      'Headers',
      {
        headers: new Headers([
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-A', 'b'],
        ]),
      },
      {
        ...nothing,
        headers: [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-a', 'b'],
        ],
      },
    ],
  ])('with %s', (_name, answer, acceptance) => {
    expect(read(answer)).toEqual(acceptance);
  });

  const OWN = [
    'Connection',
    'Content-Length',
    'SEC-WEBSOCKET-ACCEPT',
    'Sec-WebSocket-Extensions',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Version',
    'Transfer-Encoding',
    'upgrade',
  ];
  test.each(OWN)('not with the header %s', (name) => {
    expect(() => read({ headers: { [name]: 'x' } })).toThrow(
      new TypeError(
        `The option "onUpgrade" answered the header '${name}', which is the handshake's own`,
      ),
    );
  });

  test.each([
    ['b\r\nSet-Cookie: c=1', `'b\\r\\nSet-Cookie: c=1'`],
    ['b\n', `'b\\n'`],
    ['\u0100', `'\u0100'`],
    [true, 'true'],
    [null, 'null'],
  ])('not with the header value %p', (value, shown) => {
    expect(() => read({ headers: { 'X-A': value } })).toThrow(
      new TypeError(
        `The option "onUpgrade" answered the header 'X-A': ${shown}, which cannot be sent`,
      ),
    );
  });

  test.each([
    [
      'a header name that is none',
      { headers: { 'X A': 'b' } },
      `header 'X A': 'b', which cannot be sent`,
    ],
    [
      'a list',
      { headers: [['a', 'b']] },
      'headers [Array]; they must be a plain object or Headers',
    ],
    ['a Map', { headers: new Map() }, 'headers Map(0) {}; they must be a plain object or Headers'],
    [
      'a protocol that was not offered',
      { protocol: 'other' },
      `protocol 'other', which the client did not offer (RFC 6455 4.2.2)`,
    ],
    [
      'no protocol',
      { protocol: '' },
      `protocol '', which the client did not offer (RFC 6455 4.2.2)`,
    ],
    [
      'a protocol that is no string',
      { protocol: ['chat'] },
      'protocol [Array], which the client did not offer (RFC 6455 4.2.2)',
    ],
    ['options that are none', { options: 5 }, 'options 5; they must be a plain object'],
    [
      'an option that no WebSocket has',
      { options: { maxPaylod: 5 } },
      `option 'maxPaylod', which no WebSocket has`,
    ],
    ['an option of a server', { options: { path: '/' } }, `option 'path', which no WebSocket has`],
  ])('not with %s', (_name, answer, text) => {
    expect(() => read(answer)).toThrow(
      new TypeError(`The option "onUpgrade" answered the ${text}`),
    );
  });
});

describe('what is no decision lets nobody in', () => {
  test.each([
    [null, 'null'],
    [0, '0'],
    ['', `''`],
    ['yes', `'yes'`],
    [new Error('no'), 'Error: no'],
    [[true], '[Array]'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new (class Acceptance {})(), 'Acceptance {}'],
    [() => true, '[Function (anonymous)]'],
  ])('%p', (answer, shown) => {
    expect(() => read(answer)).toThrow(
      new TypeError(
        `The option "onUpgrade" answered ${shown}; it must be undefined, a boolean, a plain object or a Response`,
      ),
    );
  });

  test.each([
    [{ stauts: 401 }, 'stauts'],
    [{ status: 401, data: 1 }, 'data'],
    [{ body: 'no' }, 'body'],
  ])('%p', (answer, name) => {
    expect(() => read(answer)).toThrow(
      new TypeError(
        `The option "onUpgrade" answered an object with '${name}'; it has data, headers, protocol, options to accept, ` +
          'or status, headers, body to refuse',
      ),
    );
  });
});

describe('refusing', () => {
  const CLOSE = 'Connection: close\r\n';

  test.each([
    [
      'false',
      false,
      `HTTP/1.1 403 Forbidden\r\n${CLOSE}Content-Type: text/html\r\nContent-Length: 9\r\n\r\nForbidden`,
    ],
    [
      'a status',
      { status: 429 },
      `HTTP/1.1 429 Too Many Requests\r\n${CLOSE}Content-Type: text/html\r\nContent-Length: 17\r\n\r\nToo Many Requests`,
    ],
    [
      'headers',
      { status: 401, headers: { 'WWW-Authenticate': 'Bearer', 'Set-Cookie': ['a=1', 'b=2'] } },
      `HTTP/1.1 401 Unauthorized\r\n${CLOSE}Content-Type: text/html\r\nContent-Length: 12\r\n` +
        'WWW-Authenticate: Bearer\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nUnauthorized',
    ],
    [
      'text, which is never markup',
      { status: 400, body: '<b>no</b>\r\nnever' },
      `HTTP/1.1 400 Bad Request\r\n${CLOSE}Content-Length: 16\r\n` +
        'Content-Type: text/plain; charset=utf-8\r\n\r\n<b>no</b>\r\nnever',
    ],
    [
      'text of a type of its own',
      { status: 400, body: '{}', headers: { 'content-type': 'application/json' } },
      `HTTP/1.1 400 Bad Request\r\n${CLOSE}Content-Length: 2\r\ncontent-type: application/json\r\n\r\n{}`,
    ],
    [
      'bytes',
      { status: 599, body: Uint8Array.of(0, 255) },
      `HTTP/1.1 599 unknown\r\n${CLOSE}Content-Length: 2\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n\0\xff',
    ],
    [
      'an empty body',
      { status: 404, body: '' },
      `HTTP/1.1 404 Not Found\r\n${CLOSE}Content-Length: 0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n`,
    ],
    [
      'a redirect',
      { status: 307, headers: { Location: '/login' } },
      `HTTP/1.1 307 Temporary Redirect\r\n${CLOSE}Content-Type: text/html\r\nContent-Length: 18\r\n` +
        'Location: /login\r\n\r\nTemporary Redirect',
    ],
    [
      'a length that is right',
      { status: 400, body: 'no', headers: { 'Content-Length': 2 } },
      `HTTP/1.1 400 Bad Request\r\n${CLOSE}Content-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nno`,
    ],
  ])('with %s', async (_name, answer, bytes) => {
    expect(await bytesOf(answer)).toBe(bytes);
  });

  test.each([[200], [204], [299], [304], [600], [101], [400.5], ['401'], [null]])(
    'not with the status %p',
    (status) => {
      const shown = typeof status === 'string' ? `'${status}'` : status;
      expect(() => read({ status, headers: { Location: '/' } })).toThrow(
        new RangeError(
          `The option "onUpgrade" refused with the status code ${shown}; it must be 400 to 599, or 300 to 399 with a Location header`,
        ),
      );
    },
  );

  test.each([
    [
      'a redirect to nowhere',
      { status: 302 },
      'status code 302; it must be 400 to 599, or 300 to 399 with a Location header',
    ],
    [
      'a body that is none',
      { status: 400, body: { error: 'no' } },
      'body [Object]; it must be a string or a Uint8Array',
    ],
    [
      'a header that ends its line',
      { status: 400, headers: { 'X-A': 'b\r\nX-B: c' } },
      `header 'X-A': 'b\\r\\nX-B: c', which cannot be sent`,
    ],
    [
      'a length that is wrong',
      { status: 400, headers: { 'Content-Length': 5 } },
      `header 'Content-Length': 5, which cannot be sent`,
    ],
    [
      'an encoding of the transfer',
      { status: 400, headers: { 'Transfer-Encoding': 'chunked' } },
      `header 'Transfer-Encoding': 'chunked', which cannot be sent`,
    ],
    [
      'headers that are none',
      { status: 400, headers: 'X-A: b' },
      `headers 'X-A: b'; they must be a plain object or Headers`,
    ],
  ])('not with %s', (_name, answer, text) => {
    expect(() => read(answer)).toThrow(`The option "onUpgrade" refused with the ${text}`);
  });
});

describe('a Response', () => {
  const CLOSE = 'Connection: close\r\n';

  test.each([
    [
      'text',
      () => new Response('no', { status: 403 }),
      `HTTP/1.1 403 Forbidden\r\n${CLOSE}Content-Length: 2\r\ncontent-type: text/plain;charset=UTF-8\r\n\r\nno`,
    ],
    [
      'JSON',
      () => Response.json({ error: 'no' }, { status: 401, headers: { 'x-a': 'b' } }),
      `HTTP/1.1 401 Unauthorized\r\n${CLOSE}Content-Length: 14\r\ncontent-type: application/json\r\nx-a: b\r\n\r\n{"error":"no"}`,
    ],
    [
      'nothing',
      () => new Response(null, { status: 503 }),
      `HTTP/1.1 503 Service Unavailable\r\n${CLOSE}Content-Length: 0\r\n\r\n`,
    ],
    [
      'a redirect',
      () => Response.redirect('http://localhost/login', 303),
      `HTTP/1.1 303 See Other\r\n${CLOSE}Content-Length: 0\r\nlocation: http://localhost/login\r\n\r\n`,
    ],
    [
      'a stream',
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Uint8Array.of(1, 2));
              controller.enqueue(Uint8Array.of(3));
              controller.close();
            },
          }),
          { status: 500, headers: { 'content-encoding': 'x' } },
        ),
      `HTTP/1.1 500 Internal Server Error\r\n${CLOSE}Content-Length: 3\r\ncontent-encoding: x\r\n\r\n\x01\x02\x03`,
    ],
    [
      'what is about a connection, which is left out',
      () =>
        new Response('no', {
          status: 400,
          headers: {
            connection: 'keep-alive',
            'keep-alive': 'timeout=5',
            'transfer-encoding': 'chunked',
            'content-length': '99',
            upgrade: 'h2c',
            'content-type': 'text/plain',
          },
        }),
      `HTTP/1.1 400 Bad Request\r\n${CLOSE}Content-Length: 2\r\ncontent-type: text/plain\r\n\r\nno`,
    ],
  ])('of %s', async (_name, response, bytes) => {
    expect(await bytesOf(response())).toBe(bytes);
  });

  test('that was fetched has its body decoded, and says so', async () => {
    const response = new Response('no', { status: 400, headers: { 'content-encoding': 'gzip' } });
    Object.defineProperty(response, 'url', { value: 'http://localhost/auth' });
    expect(await bytesOf(response)).not.toContain('gzip');
  });

  test.each([
    ['that says yes', () => new Response('yes'), 'status code 200'],
    ['of an error', () => Response.error(), 'status code 0'],
    ['of a redirect to nowhere', () => new Response(null, { status: 302 }), 'status code 302'],
  ])('%s is no refusal', async (_name, response, text) => {
    await expect(read(response())).rejects.toThrow(
      new RangeError(
        `The option "onUpgrade" refused with the ${text}; it must be 400 to 599, or 300 to 399 with a Location header`,
      ),
    );
  });

  test('whose body has been read is none', async () => {
    const response = new Response('no', { status: 403 });
    await response.text();
    await expect(read(response)).rejects.toThrow('Body is unusable');
  });
});

import { createHash } from 'node:crypto';
import type { HandshakePolicy } from '../../src/handshake/accept';
import {
  acceptance,
  acceptKey,
  checkHandshake,
  GATEWAY_POLICY,
  INVALID_EXTENSIONS,
  INVALID_SUBPROTOCOLS,
  isValidKey,
  NOT_HANDLED,
  offeredSubprotocols,
  SERVER_CLOSED,
  SERVER_POLICY,
} from '../../src/handshake/accept';
import type { Header } from '../../src/handshake/refusal';
import { serializeRefusal } from '../../src/handshake/refusal';
import type { HandshakeRequest } from '../../src/handshake/request';

/** The key of RFC 6455 1.3 and its answer. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

type Changes = Partial<Omit<HandshakeRequest, 'headers'>> & { headers?: Record<string, unknown> };

/** A request that every policy lets pass, but for the changes; `undefined` takes a header away. */
function request({ headers, ...changes }: Changes = {}): HandshakeRequest {
  return {
    method: 'GET',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    headers: {
      host: 'example.com',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': KEY,
      'sec-websocket-version': '13',
      ...headers,
    } as HandshakeRequest['headers'],
    ...changes,
  };
}

describe('acceptKey', () => {
  test('the example of RFC 6455 1.3', () => {
    expect(acceptKey(KEY)).toBe(ACCEPT);
  });

  test('is SHA-1 of key and GUID', () => {
    const key = Buffer.alloc(16, 0xff).toString('base64');
    const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    expect(acceptKey(key)).toBe(hash.digest('base64'));
  });
});

describe('isValidKey', () => {
  test.each([
    [KEY, true],
    ['AAAAAAAAAAAAAAAAAAAAAA==', true],
    ['+/+/+/+/+/+/+/+/+/+/+w==', true],
    // The last character's spare bits are set: other decoders read the same 16 bytes.
    ['AAAAAAAAAAAAAAAAAAAAAB==', true],
    ['', false],
    ['AAAAAAAAAAAAAAAAAAAA', false],
    ['AAAAAAAAAAAAAAAAAAAAAA=', false],
    ['AAAAAAAAAAAAAAAAAAAAAAA=', false],
    ['AAAAAAAAAAAAAAAAAAAAAAAA', false],
    ['AAAAAAAAAAAAAAAAAAAAA-==', false],
    [` ${KEY}`, false],
    [`${KEY}\n`, false],
    [`${KEY}, ${KEY}`, false],
    ['A'.repeat(1 << 20), false],
  ])('%.40j: %s', (key, valid) => {
    expect(isValidKey(key)).toBe(valid);
  });
});

/** What each demand is tried with. A demand that only one policy has is in both lists all the same. */
const PASSING: [string, Changes][] = [
  ['the least', {}],
  ['an Upgrade list', { headers: { upgrade: 'h2c, WebSocket' } }],
  ['a Connection list', { headers: { connection: 'keep-alive, upgrade' } }],
  ['HTTP/1.2', { httpVersionMinor: 2 }],
  ['an empty body', { headers: { 'content-length': '0' } }],
  ['an IPv6 host', { headers: { host: '[::1]:8080' } }],
  ['one Host line', { rawHeaders: ['HOST', 'example.com'] }],
];

type Case = [name: string, changes: Changes, rule: string];

const METHOD: Case[] = [
  ['POST', { method: 'POST' }, 'RFC 6455 4.2.1 (1)'],
  ['get', { method: 'get' }, 'RFC 6455 4.2.1 (1)'],
  ['CONNECT', { method: 'CONNECT' }, 'RFC 6455 4.2.1 (1)'],
  ['no method', { method: undefined }, 'RFC 6455 4.2.1 (1)'],
];
const HTTP: Case[] = [
  ['HTTP/1.0', { httpVersionMinor: 0 }, 'RFC 6455 4.2.1 (1)'],
  ['HTTP/0.9', { httpVersionMajor: 0, httpVersionMinor: 9 }, 'RFC 6455 4.2.1 (1)'],
  ['HTTP/2.0', { httpVersionMajor: 2, httpVersionMinor: 0 }, 'RFC 6455 4.2.1 (1)'],
  [
    'no HTTP version',
    { httpVersionMajor: undefined, httpVersionMinor: undefined },
    'RFC 6455 4.2.1 (1)',
  ],
];
const HOST: Case[] = [
  ['no host', { headers: { host: undefined } }, 'RFC 6455 4.2.1 (2)'],
  ['an empty host', { headers: { host: '' } }, 'RFC 6455 4.2.1 (2)'],
  ['a host with a path', { headers: { host: 'a/b' } }, 'RFC 6455 4.2.1 (2)'],
  ['a host with a user', { headers: { host: 'a@b' } }, 'RFC 6455 4.2.1 (2)'],
  ['two hosts in a line', { headers: { host: 'a, b' } }, 'RFC 6455 4.2.1 (2)'],
  ['two Host lines', { rawHeaders: ['Host', 'a', 'host', 'b'] }, 'RFC 6455 4.2.1 (2)'],
  [
    'a host behind maxHeadersCount',
    { headers: { host: undefined }, rawHeaders: ['Host', 'a'] },
    'RFC 6455 4.2.1 (2)',
  ],
];
const BODY: Case[] = [
  ['Content-Length: 1', { headers: { 'content-length': '1' } }, 'RFC 9110 9.3.1'],
  ['Content-Length: 0, 5', { headers: { 'content-length': '0, 5' } }, 'RFC 9110 9.3.1'],
  ['an empty Content-Length', { headers: { 'content-length': '' } }, 'RFC 9110 9.3.1'],
  ['chunks', { headers: { 'transfer-encoding': 'chunked' } }, 'RFC 9110 9.3.1'],
  ['an empty Transfer-Encoding', { headers: { 'transfer-encoding': '' } }, 'RFC 9110 9.3.1'],
  ['a length behind maxHeadersCount', { rawHeaders: ['Content-Length', '5'] }, 'RFC 9110 9.3.1'],
  ['chunks behind it', { rawHeaders: ['Transfer-Encoding', 'chunked'] }, 'RFC 9110 9.3.1'],
];
const UPGRADE: Case[] = [
  ['no Upgrade', { headers: { upgrade: undefined } }, 'RFC 6455 4.2.1 (3)'],
  ['h2c', { headers: { upgrade: 'h2c' } }, 'RFC 6455 4.2.1 (3)'],
  ['websocket/13', { headers: { upgrade: 'websocket/13' } }, 'RFC 6455 4.2.1 (3)'],
];
const CONNECTION: Case[] = [
  ['no Connection', { headers: { connection: undefined } }, 'RFC 6455 4.2.1 (4)'],
  ['keep-alive', { headers: { connection: 'keep-alive' } }, 'RFC 6455 4.2.1 (4)'],
  ['Upgraded', { headers: { connection: 'Upgraded' } }, 'RFC 6455 4.2.1 (4)'],
];
const KEYS: Case[] = [
  ['no key', { headers: { 'sec-websocket-key': undefined } }, 'RFC 6455 4.2.1 (5)'],
  ['15 bytes', { headers: { 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAA' } }, 'RFC 6455 4.2.1 (5)'],
  ['two keys', { headers: { 'sec-websocket-key': `${KEY}, ${KEY}` } }, 'RFC 6455 4.2.1 (5)'],
];
const VERSION: Case[] = [
  ['no version', { headers: { 'sec-websocket-version': undefined } }, 'RFC 6455 4.2.1 (6)'],
  ...['', '7', '0xd', '1.3e1', '013', '13 ', '+13', '13.0', '13, 13', '13, 8', '١٣'].map(
    (version): Case => [
      `version ${JSON.stringify(version)}`,
      { headers: { 'sec-websocket-version': version } },
      'RFC 6455 4.2.1 (6)',
    ],
  ),
  ['a number', { headers: { 'sec-websocket-version': 13 } }, 'RFC 6455 4.2.1 (6)'],
];

/** Every case of `cases` gets this one answer. */
function answers(
  policy: HandshakePolicy,
  cases: Case[],
  status: number,
  message: string,
  headers: Header[] = [],
): void {
  test.each(cases)(`%s: ${status} ${message}`, (_name, changes, rule) => {
    expect(checkHandshake(request(changes), policy)).toEqual({ status, message, headers, rule });
  });
}

describe('the policy of the ws API', () => {
  test.each(PASSING)('lets %s pass', (_name, changes) => {
    expect(checkHandshake(request(changes), SERVER_POLICY)).toBeNull();
  });

  test('lets draft 8 pass', () => {
    const changes = { headers: { 'sec-websocket-version': '8' } };
    expect(checkHandshake(request(changes), SERVER_POLICY)).toBeNull();
  });

  answers(SERVER_POLICY, METHOD, 405, 'Invalid HTTP method');
  answers(SERVER_POLICY, UPGRADE, 400, 'Invalid Upgrade header');
  answers(SERVER_POLICY, KEYS, 400, 'Missing or invalid Sec-WebSocket-Key header');
  answers(SERVER_POLICY, VERSION, 400, 'Missing or invalid Sec-WebSocket-Version header', [
    ['Sec-WebSocket-Version', '13, 8'],
  ]);
  answers(SERVER_POLICY, HTTP, 400, 'Invalid HTTP version');
  answers(SERVER_POLICY, HOST, 400, 'Missing or invalid Host header');
  answers(SERVER_POLICY, CONNECTION, 400, 'Invalid Connection header');
  answers(SERVER_POLICY, BODY, 400, 'Unexpected request body');

  test('the order is that of ws, then what ws does not look at', () => {
    expect(inOrder(SERVER_POLICY)).toEqual([
      'Invalid HTTP method',
      'Invalid Upgrade header',
      'Missing or invalid Sec-WebSocket-Key header',
      'Missing or invalid Sec-WebSocket-Version header',
      'Invalid HTTP version',
      'Missing or invalid Host header',
      'Invalid Connection header',
      'Unexpected request body',
    ]);
  });

  test('the bytes of an answer', () => {
    const refusal = checkHandshake(request(VERSION[0][1]), SERVER_POLICY);
    expect(refusal && serializeRefusal(refusal).toString()).toBe(
      'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 47\r\nSec-WebSocket-Version: 13, 8\r\n\r\n' +
        'Missing or invalid Sec-WebSocket-Version header',
    );
  });
});

/** The answers to a request in which everything is wrong, which is put right one refused thing after the other. */
function inOrder(policy: HandshakePolicy): string[] {
  const right = request();
  const wrong: HandshakeRequest = {
    method: 'PUT',
    httpVersionMajor: 1,
    httpVersionMinor: 0,
    headers: { 'content-length': '5' },
  };
  const repairs: [RegExp, Partial<HandshakeRequest>, HandshakeRequest['headers']][] = [
    [/method|GET/, { method: 'GET' }, {}],
    [/HTTP version|HTTP.1\.1/, { httpVersionMinor: 1 }, {}],
    [/Host/, {}, { host: right.headers.host }],
    [/body/, {}, { 'content-length': undefined }],
    [/Connection/, {}, { connection: right.headers.connection }],
    [/Upgrade/, {}, { upgrade: right.headers.upgrade }],
    [/Version/, {}, { 'sec-websocket-version': '13' }],
    [/Key/, {}, { 'sec-websocket-key': KEY }],
  ];
  const messages: string[] = [];
  let current = wrong;
  for (;;) {
    const refusal = checkHandshake(current, policy);
    if (refusal === null) return messages;
    messages.push(refusal.message);
    const repair = repairs.find(([pattern]) => pattern.test(refusal.message));
    if (repair === undefined || messages.length > repairs.length) throw new Error(refusal.message);
    current = { ...current, ...repair[1], headers: { ...current.headers, ...repair[2] } };
  }
}

describe('the policy of the gateway', () => {
  test.each(PASSING)('lets %s pass', (_name, changes) => {
    expect(checkHandshake(request(changes), GATEWAY_POLICY)).toBeNull();
  });

  const messages = {
    method: 'A WebSocket handshake is a GET request (RFC 6455 4.2.1)',
    http: 'A WebSocket handshake is HTTP/1.1 (RFC 6455 4.2.1)',
    host: 'A WebSocket handshake has exactly one valid Host header (RFC 6455 4.2.1)',
    body: 'A WebSocket handshake has no body (RFC 9110 9.3.1)',
    upgrade: 'A WebSocket handshake has the header Upgrade: websocket (RFC 6455 4.2.1)',
    connection: 'A WebSocket handshake has the header Connection: Upgrade (RFC 6455 4.2.1)',
    version: 'A WebSocket handshake has the header Sec-WebSocket-Version: 13 (RFC 6455 4.2.1)',
    key: 'A WebSocket handshake has a Sec-WebSocket-Key header of 16 bytes in base64 (RFC 6455 4.2.1)',
  };
  const required: Header[] = [
    ['Connection', 'close, Upgrade'],
    ['Upgrade', 'websocket'],
  ];
  const draft8: Case = [
    'draft 8',
    { headers: { 'sec-websocket-version': '8' } },
    'RFC 6455 4.2.1 (6)',
  ];

  answers(GATEWAY_POLICY, METHOD, 405, messages.method, [['Allow', 'GET']]);
  answers(GATEWAY_POLICY, HTTP, 400, messages.http);
  answers(GATEWAY_POLICY, HOST, 400, messages.host);
  answers(GATEWAY_POLICY, BODY, 400, messages.body);
  answers(GATEWAY_POLICY, UPGRADE, 426, messages.upgrade, required);
  answers(GATEWAY_POLICY, CONNECTION, 400, messages.connection);
  answers(GATEWAY_POLICY, [...VERSION, draft8], 426, messages.version, [
    ...required,
    ['Sec-WebSocket-Version', '13'],
  ]);
  answers(GATEWAY_POLICY, KEYS, 400, messages.key);

  test('the order', () => {
    expect(inOrder(GATEWAY_POLICY)).toEqual(Object.values(messages));
  });

  test('the bytes of an answer', () => {
    const refusal = checkHandshake(request(draft8[1]), GATEWAY_POLICY);
    expect(refusal && serializeRefusal(refusal).toString()).toBe(
      'HTTP/1.1 426 Upgrade Required\r\nContent-Type: text/html\r\nContent-Length: 79\r\n' +
        'Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n' +
        `${messages.version}`,
    );
  });
});

describe('the other answers', () => {
  test.each([
    [NOT_HANDLED, 400, 'Bad Request', ''],
    [SERVER_CLOSED, 503, 'Service Unavailable', ''],
    [INVALID_SUBPROTOCOLS, 400, 'Invalid Sec-WebSocket-Protocol header', 'RFC 6455 4.2.1 (8)'],
    [
      INVALID_EXTENSIONS,
      400,
      'Invalid or unacceptable Sec-WebSocket-Extensions header',
      'RFC 6455 9.1',
    ],
  ])('%p', (refusal, status, message, rule) => {
    expect(refusal).toEqual({ status, message, headers: [], rule });
  });
});

describe('offeredSubprotocols', () => {
  test.each([
    [undefined, []],
    ['b, a', ['b', 'a']],
    [['a'], []],
  ])('%j', (header, names) => {
    const offered = offeredSubprotocols(request({ headers: { 'sec-websocket-protocol': header } }));
    expect(offered).toEqual(new Set(names));
  });

  test.each(['', 'a, a', 'a,', 'a b'])('%j is refused', (header) => {
    const offered = offeredSubprotocols(request({ headers: { 'sec-websocket-protocol': header } }));
    expect(offered).toBe(INVALID_SUBPROTOCOLS);
  });
});

describe('acceptance', () => {
  const least: Header[] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', ACCEPT],
  ];

  test.each([undefined, {}, { subprotocol: false, extensions: '' }, { subprotocol: '' }] as const)(
    'with %j agreed',
    (agreement) => {
      expect(acceptance(request(), agreement)).toEqual(least);
    },
  );

  test('with all agreed', () => {
    const agreement = { subprotocol: 'chat', extensions: 'permessage-deflate; a="b"' };
    expect(acceptance(request(), agreement)).toEqual([
      ...least,
      ['Sec-WebSocket-Protocol', 'chat'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; a="b"'],
    ]);
  });

  test.each([
    ['a\r\nSet-Cookie: b=1', "The subprotocol 'a\\r\\nSet-Cookie: b=1' is not a token"],
    ['a b', "The subprotocol 'a b' is not a token"],
    ['a, b', "The subprotocol 'a, b' is not a token"],
  ])('not with the subprotocol %j', (subprotocol, message) => {
    expect(() => acceptance(request(), { subprotocol })).toThrow(new TypeError(message));
  });

  test.each([
    ['a\r\nSet-Cookie: b=1', "The extensions 'a\\r\\nSet-Cookie: b=1' are not a header value"],
    ['a\0', "The extensions 'a\\x00' are not a header value"],
  ])('not with the extensions %j', (extensions, message) => {
    expect(() => acceptance(request(), { extensions })).toThrow(new TypeError(message));
  });

  test.each([
    [undefined, 'undefined'],
    ['x', "'x'"],
  ])('not with the key %j', (key, shown) => {
    const headers = { 'sec-websocket-key': key };
    expect(() => acceptance(request({ headers }))).toThrow(
      new TypeError(`A request with the Sec-WebSocket-Key ${shown} cannot be accepted`),
    );
  });
});

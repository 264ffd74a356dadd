/** RFC 6455 4.2: the opening handshake as a server reads and answers it. */
import type { ServerHandshake } from '../handshake-case';
import { ask, askAlso } from '../handshake-case';
import type { Row } from '../refused';
import { ACCEPTED, BAD, refused } from '../refused';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const NO_UPGRADE = { server: 426, gateway: 426 } as const;

const ANSWER = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'sec-websocket-protocol': null,
  'sec-websocket-extensions': null,
  'content-length': null,
  'transfer-encoding': null,
};

/** Requests that are as they should be. */
const VALID: readonly Row[] = [
  ['example', 'the handshake of RFC 6455 1.3', ask()],
  [
    'reversed',
    'the headers in another order',
    `GET / HTTP/1.1\r\n${ask().split('\r\n').slice(1, -2).reverse().join('\r\n')}\r\n\r\n`,
  ],
  [
    'names-in-capitals',
    'header names in capitals',
    ask().replace(/^[\w-]+(?=:)/gm, (name) => name.toUpperCase()),
  ],
  [
    'names-in-small-letters',
    'header names in small letters',
    ask().replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase()),
  ],
  ['white-space', 'white space around values', ask().replace(/: (.*)/g, ':  \t$1  ')],
  ['upgrade-mixed-case', 'Upgrade: WebSocket', ask({ Upgrade: 'WebSocket' })],
  ['upgrade-capitals', 'Upgrade: WEBSOCKET', ask({ Upgrade: 'WEBSOCKET' })],
  ['upgrade-list', 'Upgrade: h2c, websocket', ask({ Upgrade: 'h2c, websocket' })],
  ['connection-small', 'Connection: upgrade', ask({ Connection: 'upgrade' })],
  [
    'connection-list',
    'Connection: keep-alive, Upgrade',
    ask({ Connection: 'keep-alive, Upgrade' }),
  ],
  ['unknown-headers', 'headers that nobody knows', ask({ 'X-Whatever': 'a', Cookie: 'b=c' })],
  ['query', 'a path with a query', ask({}, 'GET /chat?room=1&x=%20 HTTP/1.1')],
  ['no-body', 'Content-Length: 0', ask({ 'Content-Length': '0' })],
  ['host-port', 'Host with a port', ask({ Host: 'localhost:8080' })],
  ['host-ipv6', 'Host with an IPv6 address', ask({ Host: '[::1]:8080' })],
];

const valid: ServerHandshake[] = VALID.map(([id, title, request]) => ({
  id: `server-accepts-${id}`,
  clauses: ['4.2.1 description', '4.2.2 reply', '4.1 names', '4.2.1 other fields'],
  title,
  request,
  status: ACCEPTED,
  headers: ANSWER,
}));

const METHODS: ServerHandshake[] = ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => ({
  id: `server-method-${method.toLowerCase()}`,
  clauses: ['4.2.1 get', '4.2.1 description', '10.7 http status'],
  title: `the method ${method}`,
  request: ask({}, `${method} / HTTP/1.1`),
  status: { server: 405, gateway: 405 },
}));

const HTTP: ServerHandshake[] = [
  {
    id: 'server-http-1.0',
    clauses: ['4.2.1 get', '4.2.1 description'],
    title: 'HTTP/1.0',
    request: ask({}, 'GET / HTTP/1.0'),
    status: BAD,
  },
  {
    id: 'server-http-garbage',
    clauses: ['4.2.1 description', '10.7 http status'],
    title: 'a request line that is no HTTP',
    request: ask({}, 'GET  HTTP/9'),
    status: BAD,
  },
  {
    id: 'server-http-bad-header',
    clauses: ['4.2.1 description', '10.7 http status'],
    title: 'a header line without a colon',
    request: askAlso({}, 'no colon here'),
    status: BAD,
  },
  {
    id: 'server-http-header-too-large',
    clauses: ['10.4 limit', '10.7 http status'],
    title: 'a header of 20 KiB',
    request: ask({ 'X-Large': 'x'.repeat(20_000) }),
    status: { server: 431, gateway: 431 },
  },
];

const FIELDS: ServerHandshake[] = [
  ...refused('host', ['4.2.1 host'], BAD, [
    ['missing', 'no Host', ask({ Host: null })],
    ['empty', 'an empty Host', ask({ Host: '' })],
    ['twice', 'two Host lines', askAlso({}, 'Host: localhost')],
    ['with-path', 'Host: a/b', ask({ Host: 'a/b' })],
    ['with-user', 'Host: a@b', ask({ Host: 'a@b' })],
  ]),
  ...refused('upgrade', ['4.2.1 upgrade'], NO_UPGRADE, [
    ['missing', 'no Upgrade', ask({ Upgrade: null })],
  ]),
  ...refused('upgrade', ['4.2.1 upgrade'], { server: 400 }, [
    ['other', 'Upgrade: h2c', ask({ Upgrade: 'h2c' })],
    ['longer', 'Upgrade: websockets', ask({ Upgrade: 'websockets' })],
    ['two-words', 'Upgrade: web socket', ask({ Upgrade: 'web socket' })],
  ]),
  ...refused('connection', ['4.2.1 connection'], NO_UPGRADE, [
    ['missing', 'no Connection', ask({ Connection: null })],
    ['other', 'Connection: keep-alive', ask({ Connection: 'keep-alive' })],
    ['longer', 'Connection: Upgraded', ask({ Connection: 'Upgraded' })],
  ]),
  ...refused('key', ['4.2.1 key'], BAD, [
    ['missing', 'no key', ask({ 'Sec-WebSocket-Key': null })],
    ['empty', 'an empty key', ask({ 'Sec-WebSocket-Key': '' })],
    ['15-bytes', 'a key of 15 bytes', ask({ 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAA' })],
    ['17-bytes', 'a key of 17 bytes', ask({ 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAAA=' })],
    [
      '21-characters',
      'a key of 21 characters and two =',
      ask({ 'Sec-WebSocket-Key': KEY.slice(1) }),
    ],
    ['23-characters', 'a key of 23 characters and two =', ask({ 'Sec-WebSocket-Key': `A${KEY}` })],
    ['no-padding', 'a key without padding', ask({ 'Sec-WebSocket-Key': KEY.slice(0, -2) })],
    [
      'alphabet',
      'a key in another alphabet',
      ask({ 'Sec-WebSocket-Key': 'dGhl-HNhbXBsZSBub25j_Q==' }),
    ],
    ['list', 'a key twice in a line', ask({ 'Sec-WebSocket-Key': `${KEY}, ${KEY}` })],
  ]),
  ...refused('key', ['11.3 once', '4.2.1 key'], BAD, [
    ['twice', 'two key lines', askAlso({}, `Sec-WebSocket-Key: ${KEY}`)],
  ]),
  ...refused(
    'version',
    ['4.2.1 version', '4.2.2 version', '4.4 versions'],
    { server: 400 },
    versions(),
    { 'sec-websocket-version': '13, 8' },
  ),
  ...refused(
    'gateway-version',
    ['4.2.1 version', '4.2.2 version', '4.4 versions'],
    { gateway: 426 },
    [...versions(), ['8', 'version 8', ask({ 'Sec-WebSocket-Version': '8' })]],
    { 'sec-websocket-version': '13' },
  ),
  ...refused('body', ['4.2.1 get'], BAD, [
    ['length', 'a body of five bytes', `${ask({ 'Content-Length': '5' })}hello`],
    ['chunked', 'a chunked body', `${ask({ 'Transfer-Encoding': 'chunked' })}0\r\n\r\n`],
  ]),
];

function versions(): Row[] {
  return [
    ['missing', 'no version', ask({ 'Sec-WebSocket-Version': null })],
    ['empty', 'an empty version', ask({ 'Sec-WebSocket-Version': '' })],
    ...['0', '7', '12', '14', '25', '013', '13.0', '0xd', '1.3e1', '+13', '-13', '13, 13'].map(
      (value): Row => [
        value.replaceAll(/[^\w.+-]/g, ''),
        `version ${value}`,
        ask({ 'Sec-WebSocket-Version': value }),
      ],
    ),
    ['twice', 'two version lines (11.3.5)', askAlso({}, 'Sec-WebSocket-Version: 13')],
  ];
}

export const serverHandshakes: readonly ServerHandshake[] = [
  ...valid,
  ...METHODS,
  ...HTTP,
  ...FIELDS,
];

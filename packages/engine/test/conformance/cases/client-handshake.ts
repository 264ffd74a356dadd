/** RFC 6455 4.1: the opening handshake as a client asks it and judges the answer. */
import type { ClientHandshake, ClientOutcome } from '../handshake-case';
import { ACCEPTANCE, acceptance, OPEN } from '../handshake-case';

const requests: ClientHandshake[] = [
  {
    id: 'client-asks',
    clauses: [
      '4.1 http',
      '4.1 get',
      '4.1 uri',
      '4.1 host',
      '4.1 upgrade',
      '4.1 connection',
      '4.1 key',
      '4.1 version',
      '11.3 once',
    ],
    title: 'what every request says',
    asks: [
      /^GET \/ HTTP\/1\.1\r\n/,
      /^Host: (localhost|127\.0\.0\.1)(:\d+)?\r$/m,
      /^Upgrade: websocket\r$/m,
      /^Connection: Upgrade\r$/m,
      /^Sec-WebSocket-Key: [+/0-9A-Za-z]{21}[AQgw]==\r$/m,
      /^Sec-WebSocket-Version: 13\r$/m,
    ],
    outcome: OPEN,
  },
  {
    id: 'client-asks-nothing-else',
    clauses: ['4.1 wait', '11.3 once'],
    title: 'one line of each header, none for what is not wanted, and nothing behind the request',
    asks: [
      /^(?![\s\S]*^Sec-WebSocket-Protocol:)/im,
      /^(?![\s\S]*^Sec-WebSocket-Extensions:)/im,
      /^(?![\s\S]*^Origin:)/im,
      /^(?![\s\S]*^(Content-Length|Transfer-Encoding):)/im,
      /^(?!(?:[\s\S]*^Sec-WebSocket-Key:){2})/im,
      /^(?!(?:[\s\S]*^Sec-WebSocket-Version:){2})/im,
    ],
    options: { perMessageDeflate: false },
    outcome: OPEN,
  },
  {
    id: 'client-asks-subprotocols',
    clauses: ['4.1 subprotocols'],
    title: 'two subprotocols in the order of preference',
    protocols: ['superchat', 'chat'],
    asks: [/^Sec-WebSocket-Protocol: superchat, ?chat\r$/m],
    answer: acceptance('Sec-WebSocket-Protocol: chat'),
    outcome: { protocol: 'chat', extensions: '' },
  },
  {
    id: 'client-asks-extensions',
    clauses: ['4.1 extensions', '7692 5 offer', '9.1 registered'],
    title: 'compression, unless it is not wanted',
    asks: [/^Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r$/m],
    options: { perMessageDeflate: true },
    outcome: OPEN,
  },
  {
    id: 'client-asks-origin',
    clauses: ['4.1 origin'],
    title: 'an Origin where there is one',
    options: { origin: 'https://example.com' },
    asks: [/^Origin: https:\/\/example\.com\r$/m],
    outcome: OPEN,
  },
];

const VALID: readonly [id: string, title: string, answer: string[]][] = [
  ['plain', 'the least that is right', acceptance()],
  ['reversed', 'headers in another order', [ACCEPTANCE[0], ...ACCEPTANCE.slice(1).reverse()]],
  [
    'names-in-capitals',
    'header names in capitals',
    ACCEPTANCE.map((line) => line.replace(/^[\w-]+(?=:)/, (name) => name.toUpperCase())),
  ],
  ['upgrade-capitals', 'Upgrade: WEBSOCKET', acceptance('Upgrade: WEBSOCKET')],
  ['connection-small', 'Connection: upgrade', acceptance('Connection: upgrade')],
  [
    'connection-list',
    'Connection: keep-alive, Upgrade',
    acceptance('Connection: keep-alive, Upgrade'),
  ],
  ['other-headers', 'headers that nobody knows', acceptance('X-Whatever: a', 'Set-Cookie: b=c')],
  [
    'early-hints',
    'a 103 before the 101',
    ['HTTP/1.1 103 Early Hints', 'Link: </style.css>', '', ...ACCEPTANCE],
  ],
  ['continue', 'a 100 before the 101', ['HTTP/1.1 100 Continue', '', ...ACCEPTANCE]],
  ['other-reason', 'another reason phrase', acceptance('HTTP/1.1 101 Sure')],
];

const valid: ClientHandshake[] = VALID.map(([id, title, answer]) => ({
  id: `client-accepts-${id}`,
  clauses: ['4.1 validate', '4.1 names'],
  title,
  answer,
  outcome: OPEN,
}));

const status = (code: number): ClientOutcome => ({
  error: `Unexpected server response: ${code}`,
});

const statuses: ClientHandshake[] = [
  ...[200, 204, 301, 400, 401, 403, 404, 426, 500, 503].map((code) => ({
    id: `client-status-${code}`,
    clauses: ['4.1 status'],
    title: `status ${code}`,
    answer: [`HTTP/1.1 ${code} Whatever`, 'Content-Length: 0', 'Connection: close', 'Location: /'],
    outcome: status(code),
  })),
  {
    id: 'client-status-200-with-upgrade',
    clauses: ['4.1 status'],
    title: 'status 200 with every header of a 101',
    answer: acceptance('HTTP/1.1 200 OK', 'Content-Length: 0'),
    outcome: status(200),
  },
  {
    id: 'client-status-garbage',
    clauses: ['4.1 status', '10.7 validate'],
    title: 'an answer that is no HTTP',
    answer: ['WebSocket please'],
    outcome: { error: 'Parse Error' },
  },
];

type Row = readonly [id: string, clause: string, title: string, answer: string[], error: string];

const UPGRADE = 'Invalid Upgrade header';
const ACCEPT = 'Invalid Sec-WebSocket-Accept header';
const NO_ACCEPT = 'Sec-WebSocket-Accept';

const without = (name: string): string[] => ACCEPTANCE.filter((line) => !line.startsWith(name));

const WRONG: readonly Row[] = [
  [
    'no-upgrade',
    '4.1 upgrade answer',
    'no Upgrade',
    without('Upgrade'),
    'Unexpected server response: 101',
  ],
  ['other-upgrade', '4.1 upgrade answer', 'Upgrade: h2c', acceptance('Upgrade: h2c'), UPGRADE],
  [
    'longer-upgrade',
    '4.1 upgrade answer',
    'Upgrade: websockets',
    acceptance('Upgrade: websockets'),
    UPGRADE,
  ],
  [
    'upgrade-list',
    '4.1 upgrade answer',
    'Upgrade: websocket, h2c',
    acceptance('Upgrade: websocket, h2c'),
    UPGRADE,
  ],
  [
    'upgrade-twice',
    '4.1 upgrade answer',
    'two Upgrade lines',
    [...ACCEPTANCE, 'Upgrade: websocket'],
    UPGRADE,
  ],
  [
    'no-connection',
    '4.1 connection answer',
    'no Connection',
    without('Connection'),
    'Unexpected server response: 101',
  ],
  [
    'other-connection',
    '4.1 connection answer',
    'Connection: close',
    acceptance('Connection: close'),
    'Unexpected server response: 101',
  ],
  ['no-accept', '4.1 accept', 'no Sec-WebSocket-Accept', without(NO_ACCEPT), ACCEPT],
  [
    'empty-accept',
    '4.1 accept',
    'an empty Sec-WebSocket-Accept',
    acceptance(`${NO_ACCEPT}:`),
    ACCEPT,
  ],
  [
    'example-accept',
    '4.1 accept',
    'the Sec-WebSocket-Accept of another key',
    acceptance(`${NO_ACCEPT}: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`),
    ACCEPT,
  ],
  [
    'longer-accept',
    '4.1 accept',
    'a Sec-WebSocket-Accept with more behind it',
    acceptance(`${NO_ACCEPT}: ACCEPT=`),
    ACCEPT,
  ],
  [
    'accept-in-capitals',
    '4.1 accept',
    'a Sec-WebSocket-Accept in capitals',
    acceptance(`${NO_ACCEPT}: UPPER`),
    ACCEPT,
  ],
  [
    'accept-twice',
    '11.3 once answer',
    'two Sec-WebSocket-Accept lines',
    [...ACCEPTANCE, `${NO_ACCEPT}: ACCEPT`],
    ACCEPT,
  ],
];

const wrong: ClientHandshake[] = WRONG.map(([id, clause, title, answer, error]) => ({
  id: `client-refuses-${id}`,
  clauses: [clause, '4.1 validate', '7.2.1 fail'],
  title,
  answer,
  outcome: { error },
}));

const CHOSEN: readonly [
  id: string,
  title: string,
  protocols: string[],
  lines: string[],
  outcome: ClientOutcome,
][] = [
  [
    'first',
    'the first of two',
    ['a', 'b'],
    ['Sec-WebSocket-Protocol: a'],
    { protocol: 'a', extensions: '' },
  ],
  [
    'second',
    'the second of two',
    ['a', 'b'],
    ['Sec-WebSocket-Protocol: b'],
    { protocol: 'b', extensions: '' },
  ],
  [
    'unasked',
    'one that nobody asked for',
    [],
    ['Sec-WebSocket-Protocol: a'],
    { error: 'Server sent a subprotocol but none was requested' },
  ],
  [
    'other',
    'another than asked for',
    ['a', 'b'],
    ['Sec-WebSocket-Protocol: c'],
    { error: 'Server sent an invalid subprotocol' },
  ],
  [
    'other-case',
    'one in another case',
    ['chat'],
    ['Sec-WebSocket-Protocol: Chat'],
    { error: 'Server sent an invalid subprotocol' },
  ],
  [
    'list',
    'both that were asked for',
    ['a', 'b'],
    ['Sec-WebSocket-Protocol: a, b'],
    { error: 'Server sent an invalid subprotocol' },
  ],
  [
    'twice',
    'two lines',
    ['a', 'b'],
    ['Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b'],
    { error: 'Server sent an invalid subprotocol' },
  ],
  [
    'empty',
    'an empty one',
    ['a'],
    ['Sec-WebSocket-Protocol:'],
    { error: 'Server sent an invalid subprotocol' },
  ],
  ['none', 'none, though asked for', ['a'], [], { error: 'Server sent no subprotocol' }],
];

const subprotocols: ClientHandshake[] = CHOSEN.map(([id, title, protocols, lines, outcome]) => ({
  id: `client-subprotocol-${id}`,
  clauses: ['4.1 subprotocol answer', ...(id === 'twice' ? ['11.3 once answer'] : [])],
  title,
  protocols,
  answer: acceptance(...lines),
  outcome,
}));

export const clientHandshakes: readonly ClientHandshake[] = [
  ...requests,
  ...valid,
  ...statuses,
  ...wrong,
  ...subprotocols,
];

/** RFC 6455 4.2.2: what a server chooses and refuses. */
import type { ServerHandshake } from '../handshake-case';
import { ask, askAlso } from '../handshake-case';
import { ACCEPTED, BAD, refused } from '../refused';

const CHOSEN: readonly [
  id: string,
  title: string,
  request: string,
  handleProtocols: (() => string | false) | undefined,
  chosen: string | null,
][] = [
  ['none', 'nothing offered', ask(), undefined, null],
  ['none-wanted', 'nothing offered, and one wanted', ask(), () => 'chat', null],
  [
    'first',
    'the first of two by default',
    ask({ 'Sec-WebSocket-Protocol': 'chat, superchat' }),
    undefined,
    'chat',
  ],
  [
    'second',
    'the second of two by choice',
    ask({ 'Sec-WebSocket-Protocol': 'chat, superchat' }),
    () => 'superchat',
    'superchat',
  ],
  [
    'declined',
    'none of two by choice',
    ask({ 'Sec-WebSocket-Protocol': 'chat, superchat' }),
    () => false,
    null,
  ],
  [
    'two-lines',
    'an offer in two lines',
    askAlso({ 'Sec-WebSocket-Protocol': 'chat' }, 'Sec-WebSocket-Protocol: superchat'),
    () => 'superchat',
    'superchat',
  ],
  [
    'characters',
    'every character a token may have',
    ask({ 'Sec-WebSocket-Protocol': "!#$%&'*+-.^_`|~09azAZ" }),
    undefined,
    "!#$%&'*+-.^_`|~09azAZ",
  ],
];

const subprotocols: ServerHandshake[] = [
  ...CHOSEN.map(
    ([id, title, request, handleProtocols, chosen]): ServerHandshake => ({
      id: `server-subprotocol-${id}`,
      clauses: ['4.2.2 subprotocol', '4.2.2 no subprotocol'],
      title,
      request,
      ...(handleProtocols === undefined ? {} : { options: { handleProtocols } }),
      status: { server: 101 },
      headers: { 'sec-websocket-protocol': chosen },
    }),
  ),
  {
    id: 'server-subprotocol-not-offered',
    clauses: ['4.2.2 subprotocol'],
    title: 'an application that chooses what was not offered gets no connection',
    request: ask({ 'Sec-WebSocket-Protocol': 'chat' }),
    options: { handleProtocols: () => 'other' },
    status: { server: 500 },
    headers: { 'sec-websocket-protocol': null },
  },
  ...refused('subprotocol', ['4.2.1 abnf'], BAD, [
    ['empty', 'an empty offer', ask({ 'Sec-WebSocket-Protocol': '' })],
    ['hole', 'a, , b', ask({ 'Sec-WebSocket-Protocol': 'a, , b' })],
    ['comma-last', 'a,', ask({ 'Sec-WebSocket-Protocol': 'a,' })],
    ['comma-first', ',a', ask({ 'Sec-WebSocket-Protocol': ',a' })],
    ['space', 'a b', ask({ 'Sec-WebSocket-Protocol': 'a b' })],
    ['quoted', '"a"', ask({ 'Sec-WebSocket-Protocol': '"a"' })],
    ['separator', 'a/b', ask({ 'Sec-WebSocket-Protocol': 'a/b' })],
    ['duplicate', 'a, b, a', ask({ 'Sec-WebSocket-Protocol': 'a, b, a' })],
    [
      'duplicate-line',
      'a in two lines',
      askAlso({ 'Sec-WebSocket-Protocol': 'a' }, 'Sec-WebSocket-Protocol: a'),
    ],
  ]),
];

const decisions: ServerHandshake[] = [
  {
    id: 'server-resource',
    clauses: ['4.2.2 resource', '4.2.2 refuse'],
    title: 'a path that is not served',
    request: ask({}, 'GET /other HTTP/1.1'),
    options: { path: '/here' },
    status: { server: 400 },
  },
  {
    id: 'server-refuses',
    clauses: ['4.2.2 refuse'],
    title: 'an application that refuses',
    request: ask(),
    options: { verifyClient: () => false },
    status: { server: 401 },
  },
  {
    id: 'server-redirects',
    clauses: ['4.2.2 refuse'],
    title: 'an application that redirects',
    request: ask(),
    options: { onUpgrade: () => ({ status: 307, headers: { Location: '/there' } }) },
    status: { server: 307 },
    headers: { location: '/there' },
  },
  {
    id: 'server-origin-same',
    clauses: ['10.2 origin'],
    title: 'an Origin that is the host',
    request: ask({ Origin: 'http://localhost' }),
    status: ACCEPTED,
  },
  {
    id: 'server-origin-foreign',
    clauses: ['10.2 origin', '10.2 403', '4.2.2 refuse'],
    title: 'an Origin that is another host',
    request: ask({ Origin: 'http://elsewhere.example' }),
    status: { gateway: 403 },
  },
];

export const serverChoices: readonly ServerHandshake[] = [...subprotocols, ...decisions];

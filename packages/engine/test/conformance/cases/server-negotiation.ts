/** RFC 6455 9.1 and RFC 7692 5, 7.1: extensions in the opening handshake of a server. */
import type { PerMessageDeflateOptions } from '../../../src/deflate/options';
import { describeOptions, HEADER, MALFORMED, NAME } from '../extensions';
import type { ServerHandshake } from '../handshake-case';
import { ask, askAlso } from '../handshake-case';

/** An offer, what the server has for options, and what it answers; `null` for no extension. */
type Offer = readonly [
  id: string,
  clause: string,
  offer: string,
  answer: string | null,
  options?: PerMessageDeflateOptions,
];

const NONE = null;

const OFFERS: readonly Offer[] = [
  ['plain', '7692 5 accept', NAME, NAME],
  ['unknown-extension', '4.2.2 extensions', 'x-unknown; a=1', NONE],
  ['unknown-extension-first', '4.2.2 extensions', `x-unknown, ${NAME}`, NAME],
  ['frame-compression', '4.2.2 extensions', 'x-webkit-deflate-frame', NONE],
  ['hint', '7692 7.1.2 client bits', `${NAME}; client_max_window_bits`, NAME],
  [
    'quoted',
    '9.1 quoted',
    `${NAME}; server_max_window_bits="10"`,
    `${NAME}; server_max_window_bits=10`,
  ],
  [
    'quoted-escape',
    '9.1 quoted',
    `${NAME}; server_max_window_bits="1\\0"`,
    `${NAME}; server_max_window_bits=10`,
  ],
  [
    'white-space',
    '9.1 abnf',
    `${NAME}\t;  server_no_context_takeover ,  x`,
    `${NAME}; server_no_context_takeover`,
  ],
  [
    'server-alone',
    '7692 7.1.1 server',
    `${NAME}; server_no_context_takeover`,
    `${NAME}; server_no_context_takeover`,
  ],
  [
    'client-alone',
    '7692 7.1.1 client',
    `${NAME}; client_no_context_takeover`,
    `${NAME}; client_no_context_takeover`,
  ],
  [
    'server-alone-unasked',
    '7692 7.1.1 server',
    NAME,
    `${NAME}; server_no_context_takeover`,
    { serverNoContextTakeover: true },
  ],
  [
    'client-alone-unasked',
    '7692 7.1.1 client',
    NAME,
    `${NAME}; client_no_context_takeover`,
    { clientNoContextTakeover: true },
  ],
  [
    'server-alone-not-supported',
    '7692 7.1 decline',
    `${NAME}; server_no_context_takeover`,
    NONE,
    { serverNoContextTakeover: false },
  ],
  ...[8, 9, 10, 11, 12, 13, 14, 15].flatMap((bits): Offer[] => [
    [
      `server-bits-${bits}`,
      '7692 7.1.2 server bits',
      `${NAME}; server_max_window_bits=${bits}`,
      `${NAME}; server_max_window_bits=${bits}`,
    ],
    [
      `client-bits-${bits}`,
      '7692 7.1.2 client bits',
      `${NAME}; client_max_window_bits=${bits}`,
      `${NAME}; client_max_window_bits=${bits}`,
    ],
    [
      `client-bits-${bits}-chosen`,
      '7692 7.1.2 client bits',
      `${NAME}; client_max_window_bits`,
      `${NAME}; client_max_window_bits=${bits}`,
      { clientMaxWindowBits: bits },
    ],
    [
      `client-bits-${bits}-not-offered`,
      '7692 7.1.2 client bits',
      NAME,
      NONE,
      { clientMaxWindowBits: bits },
    ],
  ]),
  [
    'server-bits-unasked',
    '7692 7.1.2 server bits',
    NAME,
    `${NAME}; server_max_window_bits=9`,
    { serverMaxWindowBits: 9 },
  ],
  [
    'server-bits-smaller',
    '7692 7.1.2 server bits',
    `${NAME}; server_max_window_bits=12`,
    `${NAME}; server_max_window_bits=9`,
    { serverMaxWindowBits: 9 },
  ],
  [
    'server-bits-not-met',
    '7692 7.1 decline',
    `${NAME}; server_max_window_bits=9`,
    NONE,
    { serverMaxWindowBits: 12 },
  ],
  [
    'second-offer',
    '7692 5 preference',
    `${NAME}; server_max_window_bits=9, ${NAME}`,
    `${NAME}; server_max_window_bits=12`,
    { serverMaxWindowBits: 12 },
  ],
  [
    'first-offer',
    '7692 5 preference',
    `${NAME}; server_no_context_takeover, ${NAME}`,
    `${NAME}; server_no_context_takeover`,
  ],
  ...[
    ['unknown-parameter', 'foo=1'],
    ['unknown-parameter-without-value', 'foo'],
    ['repeated', 'server_no_context_takeover; server_no_context_takeover'],
    ['repeated-bits', 'server_max_window_bits=10; server_max_window_bits=10'],
    ['repeated-in-two-forms', 'client_max_window_bits; client_max_window_bits=10'],
    ['server-alone-with-value', 'server_no_context_takeover=1'],
    ['client-alone-with-value', 'client_no_context_takeover=true'],
    ['server-bits-without-value', 'server_max_window_bits'],
    ...[
      '0',
      '7',
      '16',
      '08',
      '010',
      '015',
      '0xa',
      '1e1',
      '9x',
      '-9',
      '+9',
      '9.0',
      '99999999999',
    ].flatMap((bits) => [
      [`server-bits-${bits}`, `server_max_window_bits=${bits}`],
      [`client-bits-${bits}`, `client_max_window_bits=${bits}`],
    ]),
  ].flatMap(([id, parameters]): Offer[] => [
    [`invalid-${id}`, '7692 7.1 decline', `${NAME}; ${parameters}`, NONE],
    [`invalid-${id}-then-valid`, '7692 7.1 decline', `${NAME}; ${parameters}, ${NAME}`, NAME],
  ]),
];

const offers: ServerHandshake[] = OFFERS.map(([id, clause, offer, answer, options = {}]) => ({
  id: `server-extension-${id}`,
  clauses: [...new Set([clause, '4.2.2 extensions'])],
  title: describeOptions(options),
  request: ask({ [HEADER]: offer }),
  options: { perMessageDeflate: options },
  status: { server: 101 },
  headers: { 'sec-websocket-extensions': answer },
}));

const malformed: ServerHandshake[] = [true, false].flatMap((perMessageDeflate) =>
  MALFORMED.map((header, index) => ({
    id: `server-extensions-malformed-${index}${perMessageDeflate ? '' : '-unused'}`,
    clauses: ['9.1 abnf', '4.2.1 abnf', '4.2.1 description'],
    title: `extensions that cannot be read, ${perMessageDeflate ? 'with' : 'without'} compression: ${header || 'nothing'}`,
    request: ask({ [HEADER]: header }),
    options: { perMessageDeflate },
    status: perMessageDeflate ? { server: 400 } : { server: 400, gateway: 400 },
  })),
);

const others: ServerHandshake[] = [
  {
    id: 'server-extensions-two-lines',
    clauses: ['9.1 lines', '4.2.2 extensions'],
    title: 'an offer in two lines',
    request: askAlso({ [HEADER]: 'x-unknown' }, `${HEADER}: ${NAME}; client_no_context_takeover`),
    options: { perMessageDeflate: true },
    status: { server: 101 },
    headers: { 'sec-websocket-extensions': `${NAME}; client_no_context_takeover` },
  },
  {
    id: 'server-extensions-none-offered',
    clauses: ['4.2.2 extensions', '5.8 negotiate'],
    title: 'no offer, no extension',
    request: ask(),
    options: { perMessageDeflate: true },
    status: { server: 101 },
    headers: { 'sec-websocket-extensions': null },
  },
  {
    id: 'server-extensions-not-wanted',
    clauses: ['4.2.2 extensions', '7692 7.1 decline'],
    title: 'an offer to a server without compression',
    request: ask({ [HEADER]: NAME }),
    status: { server: 101, gateway: 101 },
    headers: { 'sec-websocket-extensions': null },
  },
];

export const serverNegotiations: readonly ServerHandshake[] = [...offers, ...malformed, ...others];

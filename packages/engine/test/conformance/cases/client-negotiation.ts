/** RFC 6455 9.1 and RFC 7692 5, 7.1: extensions in the opening handshake of a client. */
import type { PerMessageDeflateOptions } from '../../../src/deflate/options';
import { describeOptions, HEADER, MALFORMED, NAME } from '../extensions';
import type { ClientHandshake } from '../handshake-case';
import { acceptance } from '../handshake-case';

const INVALID = { error: `Invalid ${HEADER} header` };
const NOT_ASKED = { error: 'Server indicated an extension that was not requested' };
const AGREED = { protocol: '', extensions: NAME };

type Answer = readonly [
  id: string,
  clause: string,
  answer: string,
  outcome: ClientHandshake['outcome'],
  options?: PerMessageDeflateOptions,
];

const ANSWERS: readonly Answer[] = [
  ['plain', '7692 5 accept', NAME, AGREED],
  ['quoted', '9.1 quoted', `${NAME}; server_max_window_bits="10"`, AGREED],
  ['server-alone-unasked', '7692 7.1.1 server', `${NAME}; server_no_context_takeover`, AGREED],
  ['client-alone-unasked', '7692 7.1.1 client', `${NAME}; client_no_context_takeover`, AGREED],
  ['server-alone-not-met', '7692 7.1.1 server', NAME, INVALID, { serverNoContextTakeover: true }],
  [
    'server-alone-met',
    '7692 7.1.1 server',
    `${NAME}; server_no_context_takeover`,
    AGREED,
    { serverNoContextTakeover: true },
  ],
  [
    'client-alone-not-repeated',
    '7692 7.1.1 client',
    NAME,
    AGREED,
    { clientNoContextTakeover: true },
  ],
  [
    'client-alone-not-supported',
    '7692 7.1 fail',
    `${NAME}; client_no_context_takeover`,
    INVALID,
    { clientNoContextTakeover: false },
  ],
  ...[8, 9, 10, 11, 12, 13, 14, 15].flatMap((bits): Answer[] => [
    [
      `server-bits-${bits}`,
      '7692 7.1.2 server bits',
      `${NAME}; server_max_window_bits=${bits}`,
      AGREED,
    ],
    [
      `client-bits-${bits}`,
      '7692 7.1.2 client bits',
      `${NAME}; client_max_window_bits=${bits}`,
      AGREED,
    ],
    [
      `server-bits-${bits}-asked`,
      '7692 7.1.2 server bits',
      `${NAME}; server_max_window_bits=${bits}`,
      bits <= 11 ? AGREED : INVALID,
      { serverMaxWindowBits: 11 },
    ],
    [
      `client-bits-${bits}-asked`,
      '7692 7.1.2 client bits',
      `${NAME}; client_max_window_bits=${bits}`,
      bits <= 11 ? AGREED : INVALID,
      { clientMaxWindowBits: 11 },
    ],
  ]),
  ['server-bits-not-met', '7692 7.1.2 server bits', NAME, INVALID, { serverMaxWindowBits: 10 }],
  [
    'client-bits-not-offered',
    '7692 7.1.2 client bits',
    `${NAME}; client_max_window_bits=10`,
    INVALID,
    { clientMaxWindowBits: false },
  ],
  ...[
    ['unknown-parameter', 'foo=1'],
    ['repeated', 'server_no_context_takeover; server_no_context_takeover'],
    ['server-alone-with-value', 'server_no_context_takeover=1'],
    ['client-alone-with-value', 'client_no_context_takeover=1'],
    ['server-bits-without-value', 'server_max_window_bits'],
    ['client-bits-without-value', 'client_max_window_bits'],
    ...['0', '7', '16', '08', '010', '0xa', '-9', '9.0'].flatMap((bits) => [
      [`server-bits-${bits}`, `server_max_window_bits=${bits}`],
      [`client-bits-${bits}`, `client_max_window_bits=${bits}`],
    ]),
  ].map(
    ([id, parameters]): Answer => [
      `invalid-${id}`,
      '7692 7.1 fail',
      `${NAME}; ${parameters}`,
      INVALID,
    ],
  ),
  ['twice', '7692 5 once', `${NAME}, ${NAME}`, INVALID],
  ['other', '4.1 extension answer', 'x-unknown', NOT_ASKED],
  ['other-too', '4.1 extension answer', `${NAME}, x-unknown`, NOT_ASKED],
  ...MALFORMED.filter((header) => header !== '').map(
    (header, index): Answer => [`malformed-${index}`, '9.1 abnf', header, INVALID],
  ),
];

const answers: ClientHandshake[] = ANSWERS.map(([id, clause, answer, outcome, options]) => ({
  id: `client-extension-${id}`,
  clauses: [clause, '4.1 validate'],
  title: describeOptions(options),
  options: { perMessageDeflate: options ?? true },
  answer: acceptance(`${HEADER}: ${answer}`),
  outcome,
}));

const otherAnswers: ClientHandshake[] = [
  {
    id: 'client-extension-unasked',
    clauses: ['4.1 extension answer', '5.8 negotiate'],
    title: 'an extension where none was asked for',
    options: { perMessageDeflate: false },
    answer: acceptance(`${HEADER}: ${NAME}`),
    outcome: { error: `Server sent a ${HEADER} header but no extension was requested` },
  },
  {
    id: 'client-extension-declined',
    clauses: ['7692 5 accept', '4.1 validate'],
    title: 'no extension, though asked for',
    options: { perMessageDeflate: true },
    outcome: { protocol: '', extensions: '' },
  },
  {
    id: 'client-extension-two-lines',
    clauses: ['11.3 once answer'],
    title: 'an extension in two lines',
    options: { perMessageDeflate: true },
    answer: [...acceptance(`${HEADER}: ${NAME}`), `${HEADER}: ${NAME}`],
    outcome: INVALID,
  },
  {
    id: 'client-extension-empty',
    clauses: ['9.1 abnf'],
    title: 'an empty list of extensions',
    options: { perMessageDeflate: true },
    answer: acceptance(`${HEADER}:`),
    outcome: INVALID,
  },
];

export const clientNegotiations: readonly ClientHandshake[] = [...answers, ...otherAnswers];

/** RFC 6455 9 to 11: extensions, security, headers. */
import type { Clause } from './clause';
import { clausesOf, elsewhere } from './clause';

export const security: readonly Clause[] = clausesOf([
  ['5.8 negotiate', 'MUST', 'both', 'extensions are agreed on in the opening handshake'],
  [
    '9.1 registered',
    'MUST',
    'both',
    'names of extensions are registered',
    {
      note: 'We know permessage-deflate and no other.',
    },
  ],
  ['9.1 abnf', 'MUST', 'both', 'fails at once where a list of extensions does not fit the grammar'],
  ['9.1 lines', 'MAY', 'both', 'a list of extensions may stand in several lines'],
  [
    '9.1 quoted',
    'MUST',
    'both',
    'what is quoted is a token once its escapes are gone',
    {
      elsewhere: [elsewhere('handshake/extensions.test.ts', 'Unexpected character at index')],
    },
  ],
  [
    '10.2 origin',
    'SHOULD',
    'server',
    'verifies Origin where it is not for every page',
    {
      elsewhere: [
        elsewhere('handshake/origin.test.ts', 'names the origin, the reason and the option'),
      ],
    },
  ],
  ['10.2 403', 'SHOULD', 'server', 'answers an Origin that it does not accept with 403'],
  [
    '10.3 unpredictable',
    'MUST',
    'client',
    'draws each masking key so that no application can foresee it',
    {
      elsewhere: [elsewhere('io/masking-key.test.ts', 'cannot be told from the one before')],
    },
  ],
  [
    '10.3 not modified',
    'MUST',
    'client',
    'the application cannot change a payload once its frame is on its way',
    {
      elsewhere: [
        elsewhere(
          'protocol/mask.test.ts',
          'leaves the source as it is and writes nothing around the target',
        ),
      ],
    },
  ],
  [
    '10.4 limit',
    'MUST',
    'both',
    'protects itself against frames and messages that are larger than it can take',
    {
      elsewhere: [
        elsewhere(
          'attacks/lengths.test.ts',
          'the memory of the process does not move by what is announced',
        ),
      ],
    },
  ],
  ['10.4 should limit', 'SHOULD', 'both', 'has a limit for frames and for whole messages'],
  [
    '10.6 tls',
    'MUST',
    'both',
    'supports TLS',
    {
      note: 'The whole table is run over TLS.',
    },
  ],
  ['10.6 use tls', 'SHOULD', 'both', 'uses TLS', { note: 'Left to the application.' }],
  ['10.7 validate', 'MUST', 'both', 'always validates what comes in'],
  [
    '10.7 http status',
    'SHOULD',
    'server',
    'answers bad data in the opening handshake with an HTTP status',
  ],
  [
    '11.3 once',
    'MUST',
    'both',
    'a request has one Sec-WebSocket-Key and one Sec-WebSocket-Version',
  ],
  [
    '11.3 once answer',
    'MUST',
    'both',
    'a response has at most one Sec-WebSocket-Accept, -Protocol and -Extensions',
  ],
]);

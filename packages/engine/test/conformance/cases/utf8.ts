/** RFC 6455 8.1: text is UTF-8, and fails at the very byte that makes it anything else. */
import { hex } from '../../support/bytes';
import { BINARY, CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation, Sent } from '../case';
import { echoedBinary, echoedText, invalidUtf8, quiet, rest, upTo } from '../steps';

/** Characters at the borders of the forms of UTF-8, and what careless validators take for invalid. */
const VALID: readonly [name: string, bytes: string][] = [
  ['nul', '00'],
  ['del', '7f'],
  ['first-of-2', 'c280'],
  ['last-of-2', 'dfbf'],
  ['first-of-3', 'e0a080'],
  ['e1', 'e18080'],
  ['last-before-surrogates', 'ed9fbf'],
  ['first-behind-surrogates', 'ee8080'],
  ['replacement', 'efbfbd'],
  ['noncharacter-fffe', 'efbfbe'],
  ['noncharacter-ffff', 'efbfbf'],
  ['byte-order-mark', 'efbbbf41'],
  ['noncharacter-fdd0', 'efb790'],
  ['first-of-4', 'f0908080'],
  ['noncharacter-1fffe', 'f09fbfbe'],
  ['f1', 'f1808080'],
  ['f3', 'f3bfbfbf'],
  ['noncharacter-10ffff', 'f48fbfbf'],
  ['greek', 'cebae1bdb9cf83cebcceb5'],
  ['emoji', 'f09f9880f09f91a9e2808df09f92bb'],
  ['each-length', '41c3a9e282acf09d849e'],
  ['controls', '01090a0d1f7f'],
];

/** Fragments of one byte each. */
function byteFragments(bytes: Buffer): Sent[] {
  return [...bytes].map((byte, index) => ({
    opcode: index === 0 ? TEXT : CONTINUATION,
    fin: index === bytes.length - 1,
    payload: Buffer.from([byte]),
  }));
}

const valid: Conversation[] = VALID.flatMap(([name, digits]) => {
  const bytes = hex(digits);
  const long = Buffer.concat([Buffer.alloc(40, 'a'), bytes, Buffer.alloc(40, 'b')]);
  return [
    {
      id: `utf8-${name}`,
      clauses: ['5.6 text', '8.1 utf8'],
      title: `${digits}, alone and among 80 other bytes`,
      steps: [echoedText(bytes), echoedText(long)],
    },
    {
      id: `utf8-${name}-in-fragments`,
      clauses: ['5.6 text', '8.1 utf8'],
      title: `${digits} in fragments of one byte`,
      steps: [echoedText(bytes, ...byteFragments(bytes))],
    },
  ];
});

/** What is valid so far, and the byte that nothing can mend. */
const INVALID: readonly [name: string, before: string, bad: string][] = [
  ['continuation-80', '', '80'],
  ['continuation-bf', '', 'bf'],
  ['continuation-behind-ascii', '41', '80'],
  ['continuation-too-many-2', 'c3a9', '80'],
  ['continuation-too-many-3', 'e282ac', '80'],
  ['continuation-too-many-4', 'f09d849e', '80'],
  ['lone-2-space', 'c3', '20'],
  ['lone-3-space', 'e2', '20'],
  ['lone-4-space', 'f0', '20'],
  ['cut-3', 'e282', '41'],
  ['cut-4-behind-2', 'f09d', '41'],
  ['cut-4-behind-3', 'f09d84', '41'],
  ['start-in-2', 'c3', 'c3'],
  ['start-in-3', 'e282', 'e2'],
  ['start-in-4', 'f09d84', 'f0'],
  ['overlong-c0', '', 'c0'],
  ['overlong-c1', '', 'c1'],
  ['overlong-3-low', 'e0', '80'],
  ['overlong-3-high', 'e0', '9f'],
  ['overlong-4-low', 'f0', '80'],
  ['overlong-4-high', 'f0', '8f'],
  ['surrogate-d800', 'ed', 'a0'],
  ['surrogate-dbff', 'ed', 'af'],
  ['surrogate-dc00', 'ed', 'b0'],
  ['surrogate-dfff', 'ed', 'bf'],
  ['beyond-10ffff', 'f4', '90'],
  ['f4-bf', 'f4', 'bf'],
  ['f5', '', 'f5'],
  ['f7', '', 'f7'],
  ['five-bytes-f8', '', 'f8'],
  ['six-bytes-fc', '', 'fc'],
  ['fe', '', 'fe'],
  ['ff', '', 'ff'],
  ['behind-greek', 'cebae1bdb9cf83cebcceb5f4', '90'],
  ['behind-long-text', `${'61'.repeat(90)}e282acf09d84`, 'ff'],
  ['behind-nul', '00', 'ff'],
];

const MORE = Buffer.from('more that never comes');

const invalid: Conversation[] = INVALID.flatMap(([name, before, bad]) => {
  const prefix = hex(before);
  const frame = { opcode: TEXT, payload: Buffer.concat([prefix, hex(bad), MORE]) };
  const at = prefix.length;
  return [
    {
      id: `utf8-${name}`,
      clauses: ['8.1 utf8', '8.1 at once'],
      title: `${bad} behind ${before || 'nothing'}, in an unfinished frame`,
      steps: [quiet(upTo(at, frame)), invalidUtf8({ ...frame, from: at, to: at + 1 })],
    },
    {
      id: `utf8-${name}-in-whole-frame`,
      clauses: ['8.1 utf8', '5.6 text'],
      title: `${bad} behind ${before || 'nothing'}, in a frame that is whole`,
      steps: [invalidUtf8(frame)],
    },
    {
      id: `utf8-${name}-in-fragments`,
      clauses: ['8.1 utf8', '8.1 at once'],
      title: `${bad} behind ${before || 'nothing'}, in a fragment of its own, with a ping before it`,
      steps: [
        quiet({ opcode: TEXT, fin: false, payload: prefix }),
        { peer: [{ opcode: PING }], wire: ['pong'], told: ['ping'] },
        invalidUtf8({ opcode: CONTINUATION, fin: false, payload: hex(bad) }),
      ],
    },
  ];
});

/** Sequences that a message may not end with. */
const CUT: readonly string[] = ['c3', 'e2', 'e282', 'f0', 'f09d', 'f09d84', '41c3', 'cebaf4'];

const cut: Conversation[] = CUT.flatMap((digits) => [
  {
    id: `utf8-ends-with-${digits}`,
    clauses: ['8.1 utf8', '5.6 text'],
    title: `a message that ends in the middle of a character: ${digits}`,
    steps: [invalidUtf8({ opcode: TEXT, payload: hex(digits) })],
  },
  {
    id: `utf8-ends-with-${digits}-in-fragments`,
    clauses: ['8.1 utf8', '5.6 text'],
    title: `a fragment may end in the middle of a character (${digits}), the message may not`,
    steps: [
      quiet({ opcode: TEXT, fin: false, payload: hex(digits) }),
      invalidUtf8({ opcode: CONTINUATION }),
    ],
  },
]);

const others: Conversation[] = [
  {
    id: 'utf8-not-in-binary',
    clauses: ['8.1 utf8'],
    title: 'binary messages may be any bytes',
    steps: [
      echoedBinary(hex('fffec0c1f5edA080')),
      echoedBinary(
        hex('80ff'),
        { opcode: BINARY, fin: false, payload: hex('80') },
        { opcode: CONTINUATION, payload: hex('ff') },
      ),
    ],
  },
  {
    id: 'utf8-text-behind-binary',
    clauses: ['8.1 utf8'],
    title: 'a cut character of one message does not count in the next',
    steps: [
      echoedBinary(hex('c3')),
      echoedText('plain'),
      echoedText(hex('c3a9'), ...byteFragments(hex('c3a9'))),
      echoedText(hex('c3a9')),
    ],
  },
  {
    id: 'utf8-first-message-then-bad',
    clauses: ['8.1 utf8', '7.1.7 no processing'],
    title: 'a good message before a bad one is delivered, one behind it is not',
    steps: [
      echoedText('good'),
      invalidUtf8({ opcode: TEXT, payload: hex('ff') }, { opcode: TEXT, payload: 'late' }),
    ],
  },
  {
    id: 'utf8-rest-in-next-frame',
    clauses: ['8.1 utf8', '5.6 text'],
    title: 'each cut of a message of 14 bytes into two fragments',
    steps: Array.from({ length: 15 }, (_, place) => {
      const bytes = hex('cebae1bdb9f09f9880cf83e282ac');
      return echoedText(
        bytes,
        { opcode: TEXT, fin: false, payload: bytes.subarray(0, place) },
        { opcode: CONTINUATION, payload: bytes.subarray(place) },
      );
    }),
  },
  {
    id: 'utf8-unmasked-where-cut',
    clauses: ['8.1 utf8', '6.2 unmask'],
    title: 'a frame of 14 bytes of text that stops at each of them',
    steps: Array.from({ length: 13 }, (_, index) => {
      const frame = { opcode: TEXT, payload: hex('cebae1bdb9f09f9880cf83e282ac') };
      return [quiet(upTo(index + 1, frame)), echoedText(frame.payload, rest(index + 1, frame))];
    }).flat(),
  },
];

export const utf8: readonly Conversation[] = [...valid, ...invalid, ...cut, ...others];

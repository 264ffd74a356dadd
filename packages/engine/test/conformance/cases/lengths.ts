/** RFC 6455 5.2: the length of a frame, at every border of its three forms. */
import { pattern } from '../../support/bytes';
import { BINARY, CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation } from '../case';
import { echoedBinary, echoedText, fails, protocolError, quiet, rest, upTo } from '../steps';

const BORDERS = [0, 1, 2, 124, 125, 126, 127, 128, 129, 65_534, 65_535, 65_536, 65_537];

const words = (length: number): string =>
  '0123456789abcdef'.repeat(length / 16 + 1).slice(0, length);

const valid: Conversation[] = BORDERS.flatMap((length) => [
  {
    id: `length-text-${length}`,
    clauses: ['5.2 length', '5.2 minimal', '5.6 text', '6.2 parse'],
    title: `text of ${length} bytes`,
    steps: [echoedText(words(length))],
  },
  {
    id: `length-binary-${length}`,
    clauses: ['5.2 length', '5.2 minimal', '6.2 parse'],
    title: `binary of ${length} bytes`,
    steps: [echoedBinary(pattern(length))],
  },
]);

/** A length in more bits than it needs. */
const NOT_MINIMAL: readonly [form: 16 | 64, length: number][] = [
  [16, 0],
  [16, 1],
  [16, 125],
  [64, 0],
  [64, 1],
  [64, 125],
  [64, 126],
  [64, 65_535],
];

const notMinimal: Conversation[] = NOT_MINIMAL.map(([form, length]) => {
  const frame = { opcode: BINARY, form, payload: pattern(length) };
  return {
    id: `length-${length}-in-${form}-bits`,
    clauses: ['5.2 minimal', '10.7 validate', '7.1.7 close frame'],
    title: `${length} bytes with a length of ${form} bits fail with the header`,
    steps: [quiet(upTo(-1, frame)), protocolError('NON_MINIMAL_PAYLOAD_LENGTH', rest(-1, frame))],
  };
});

const TOO_BIG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const UNSAFE = 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH';
const TOP_BIT = 'WS_ERR_INVALID_DATA_PAYLOAD_LENGTH';

const ANNOUNCED: readonly [text: string, length: bigint, code: number, error: string][] = [
  ['2^31', 1n << 31n, 1009, TOO_BIG],
  ['2^32', 1n << 32n, 1009, TOO_BIG],
  ['2^53 - 1', (1n << 53n) - 1n, 1009, TOO_BIG],
  ['2^53', 1n << 53n, 1009, UNSAFE],
  ['2^63 - 1', (1n << 63n) - 1n, 1009, UNSAFE],
  ['2^63', 1n << 63n, 1002, TOP_BIT],
  ['2^63 + 5', (1n << 63n) + 5n, 1002, TOP_BIT],
  ['2^64 - 1', (1n << 64n) - 1n, 1002, TOP_BIT],
];

const announced: Conversation[] = ANNOUNCED.map(([text, announce, code, error]) => {
  const header = { opcode: BINARY, form: 64, announce } as const;
  return {
    id: `length-announced-${text.replaceAll(' ', '')}`,
    clauses: [error === TOP_BIT ? '5.2 top bit' : '10.4 limit', '7.1.7 close frame'],
    title: `a frame that announces ${text} bytes fails with the header`,
    steps: [quiet(upTo(-1, header)), fails(code, error, rest(-1, header))],
  };
});

const limited: Conversation[] = [
  {
    id: 'limit-reached',
    clauses: ['10.4 limit', '10.4 should limit'],
    title: 'a message of exactly maxPayload, whole and in fragments',
    options: { maxPayload: 200 },
    steps: [
      echoedBinary(pattern(200)),
      echoedBinary(
        pattern(200),
        { opcode: BINARY, fin: false, payload: pattern(200).subarray(0, 150) },
        { opcode: CONTINUATION, payload: pattern(200).subarray(150) },
      ),
    ],
  },
  {
    id: 'limit-frame',
    clauses: ['10.4 limit', '10.4 should limit', '7.1.7 close frame'],
    title: 'one byte more than maxPayload fails with the header',
    options: { maxPayload: 200 },
    steps: [fails(1009, TOO_BIG, upTo(0, { opcode: BINARY, payload: pattern(201) }))],
  },
  {
    id: 'limit-fragments',
    clauses: ['10.4 limit', '10.4 should limit', '7.1.7 close frame'],
    title: 'fragments that sum up to more than maxPayload fail with the header of the last',
    options: { maxPayload: 200 },
    steps: [
      quiet({ opcode: TEXT, fin: false, payload: words(150) }),
      fails(1009, TOO_BIG, upTo(0, { opcode: CONTINUATION, payload: words(51) })),
    ],
  },
  {
    id: 'limit-fragment-count',
    clauses: ['10.4 limit'],
    title: 'one fragment more than maxFragments fails with its header',
    options: { maxFragments: 2 },
    steps: [
      quiet({ opcode: TEXT, fin: false }, { opcode: CONTINUATION, fin: false, payload: 'a' }),
      fails(1008, 'WS_ERR_TOO_MANY_BUFFERED_PARTS', upTo(0, { opcode: CONTINUATION })),
    ],
  },
  {
    id: 'limit-control',
    clauses: ['10.4 limit', '5.5 length'],
    title: 'maxPayload does not count control frames',
    options: { maxPayload: 1 },
    steps: [
      {
        peer: [{ opcode: PING, payload: 'longer than one byte' }],
        wire: [`pong ${Buffer.from('longer than one byte').toString('hex')}`],
        told: [`ping ${Buffer.from('longer than one byte').toString('hex')}`],
      },
    ],
  },
];

export const lengths: readonly Conversation[] = [...valid, ...notMinimal, ...announced, ...limited];

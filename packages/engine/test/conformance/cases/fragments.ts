/** RFC 6455 5.4: messages in fragments. */
import { pattern, slices } from '../../support/bytes';
import { BINARY, CONTINUATION, PING, PONG, TEXT } from '../../support/frames';
import type { Conversation, FramePart, Step } from '../case';
import { showMessage } from '../run/show';
import { action, echoed, echoedBinary, echoedText, protocolError, quiet } from '../steps';

/** A message in fragments of `size` bytes, `between` standing behind each but the last. */
function fragments(
  opcode: number,
  payload: Buffer,
  size: number,
  between: FramePart[] = [],
): FramePart[] {
  const pieces = slices(payload, size);
  return pieces.flatMap((piece, index) => {
    const fin = index === pieces.length - 1;
    const frame = { opcode: index === 0 ? opcode : CONTINUATION, fin, payload: piece };
    return fin ? [frame] : [frame, ...between];
  });
}

const message = pattern(60);
const words = Buffer.from('fragment1fragment2fragment3');

const valid: Conversation[] = [
  ...[1, 2, 7, 30, 59].map((size) => ({
    id: `fragments-of-${size}`,
    clauses: ['5.4 support', '5.4 order', '6.2 next message', '6.2 type'],
    title: `60 bytes in fragments of ${size}`,
    steps: [
      echoedBinary(message, ...fragments(BINARY, message, size)),
      echoedText(words, ...fragments(TEXT, words, Math.min(size, 26))),
    ],
  })),
  {
    id: 'fragments-empty-all',
    clauses: ['5.4 support'],
    title: 'three empty fragments are an empty message',
    steps: [
      echoedText(
        '',
        { opcode: TEXT, fin: false },
        { opcode: CONTINUATION, fin: false },
        { opcode: CONTINUATION },
      ),
      echoedBinary(
        Buffer.alloc(0),
        { opcode: BINARY, fin: false },
        { opcode: CONTINUATION, fin: false },
        { opcode: CONTINUATION },
      ),
    ],
  },
  ...[0, 1, 2].map((full) => ({
    id: `fragments-empty-but-${full}`,
    clauses: ['5.4 support'],
    title: `three fragments, of which only number ${full + 1} is not empty`,
    steps: [
      echoedText(
        'middle',
        ...[0, 1, 2].map((index) => ({
          opcode: index === 0 ? TEXT : CONTINUATION,
          fin: index === 2,
          payload: index === full ? 'middle' : '',
        })),
      ),
    ],
  })),
  {
    id: 'fragments-borders',
    clauses: ['5.4 support', '5.2 length'],
    title: 'fragments of 125, 126, 65535 and 65536 bytes make up one message',
    steps: [
      echoedBinary(
        Buffer.concat([125, 126, 65_535, 65_536].map((length) => pattern(length))),
        { opcode: BINARY, fin: false, payload: pattern(125) },
        { opcode: CONTINUATION, fin: false, payload: pattern(126) },
        { opcode: CONTINUATION, fin: false, payload: pattern(65_535) },
        { opcode: CONTINUATION, payload: pattern(65_536) },
      ),
    ],
  },
];

/** A control frame between fragments, and what comes of it. */
const BETWEEN: readonly [name: string, frame: FramePart, outcome: Step][] = [
  ['ping', { opcode: PING, payload: 'hi' }, { wire: ['pong 6869'], told: ['ping 6869'] }],
  ['empty-ping', { opcode: PING }, { wire: ['pong'], told: ['ping'] }],
  ['pong', { opcode: PONG, payload: 'hi' }, { told: ['pong 6869'] }],
];

const interleaved: Conversation[] = BETWEEN.flatMap(([name, frame, { wire = [], told = [] }]) => [
  {
    id: `fragments-with-${name}`,
    clauses: ['5.4 interleave', '5.4 support', '5.4 order'],
    title: `a ${name.replace('-', ' ')} between two fragments, in reads of their own`,
    steps: [
      quiet({ opcode: TEXT, fin: false, payload: 'frag' }),
      { peer: [frame], wire, told },
      echoed('fragment', 'text', { opcode: CONTINUATION, payload: 'ment' }),
    ],
  },
  {
    id: `fragments-with-${name}-at-once`,
    clauses: ['5.4 interleave'],
    title: `a ${name.replace('-', ' ')} between each of 27 fragments`,
    steps: [
      {
        peer: fragments(TEXT, words, 1, [frame]),
        wire: [...new Array(26).fill(wire).flat(), showMessage(words, false)],
        told: [...new Array(26).fill(told).flat(), showMessage(words, false)],
      },
    ],
  },
]);

const broken: Conversation[] = [
  ...[true, false].map((fin) => ({
    id: `continuation-of-nothing-${fin ? 'final' : 'open'}`,
    clauses: ['5.4 continuation', '10.7 validate'],
    title: `a continuation frame with FIN = ${Number(fin)} and nothing to continue`,
    steps: [
      quiet({ opcode: CONTINUATION, fin, payload: 'a', slice: [0, 1] as const }),
      protocolError('INVALID_OPCODE', { opcode: CONTINUATION, fin, payload: 'a', slice: [1, 2] }),
    ],
  })),
  {
    id: 'continuation-behind-message',
    clauses: ['5.4 continuation'],
    title: 'a continuation frame behind a message that has ended',
    steps: [
      echoedText('whole'),
      protocolError('INVALID_OPCODE', { opcode: CONTINUATION, payload: 'a' }),
    ],
  },
  {
    id: 'continuation-behind-fragments',
    clauses: ['5.4 continuation'],
    title: 'a continuation frame behind the last fragment',
    steps: [
      echoedText(words, ...fragments(TEXT, words, 9)),
      protocolError('INVALID_OPCODE', { opcode: CONTINUATION, fin: false }),
    ],
  },
  ...[TEXT, BINARY].flatMap((opcode) =>
    [true, false].map((fin) => ({
      id: `message-in-message-${opcode === TEXT ? 'text' : 'binary'}-${fin ? 'final' : 'open'}`,
      clauses: ['5.4 no interleaving', '5.4 type', '10.7 validate'],
      title: `a ${opcode === TEXT ? 'text' : 'binary'} frame with FIN = ${Number(fin)} among the fragments of another message`,
      steps: [
        quiet({ opcode: TEXT, fin: false, payload: 'a' }, { opcode, fin, slice: [0, 1] as const }),
        protocolError('INVALID_OPCODE', { opcode, fin, slice: [1, 2] }),
      ],
    })),
  ),
  {
    id: 'fragments-unfinished',
    clauses: ['7.1.5 abnormal', '5.4 support'],
    title: 'a message whose end never comes is not delivered',
    steps: [
      quiet({ opcode: TEXT, fin: false, payload: 'half' }),
      { peer: 'end', wire: ['end'], told: ['close 1006'] },
    ],
  },
];

const sent: Conversation[] = [
  {
    id: 'fragments-own',
    clauses: ['6.1 opcode', '6.1 fin', '6.1 transmit', '5.4 order'],
    title: 'a message of ours in three fragments, with a ping of ours between them',
    steps: [
      {
        app: action("send('a', fin: false), send('b', fin: false), ping(), send('c')", (ws) => {
          ws.send('a', { fin: false });
          ws.send('b', { fin: false });
          ws.ping();
          ws.send('c', { fin: true });
        }),
        wire: ['text… a', 'continuation… 62', 'ping', 'continuation 63'],
      },
    ],
  },
  {
    id: 'fragments-own-type',
    clauses: ['6.1 opcode', '5.4 type'],
    title: 'the first fragment of ours decides between text and binary',
    steps: [
      {
        app: action("send(0x61, fin: false), send('b')", (ws) => {
          ws.send(Buffer.from('a'), { fin: false });
          ws.send('b', { fin: true });
        }),
        wire: ['binary… 61', 'continuation 62'],
      },
    ],
  },
  {
    id: 'pong-in-own-fragments',
    clauses: ['5.4 interleave', '5.5.2 soon'],
    title: 'a ping that comes while a message of ours is unfinished is answered at once',
    steps: [
      {
        app: action("send('a', fin: false)", (ws) => ws.send('a', { fin: false })),
        wire: ['text… a'],
      },
      { peer: [{ opcode: PING }], wire: ['pong'], told: ['ping'] },
      { app: action("send('b')", (ws) => ws.send('b', { fin: true })), wire: ['continuation 62'] },
    ],
  },
];

export const fragmentation: readonly Conversation[] = [
  ...valid,
  ...interleaved,
  ...broken,
  ...sent,
];

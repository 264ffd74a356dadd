/** RFC 6455 5.5: pings and pongs, and what all control frames have in common. */
import { pattern } from '../../support/bytes';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../support/frames';
import type { Conversation, Step } from '../case';
import { showPayload } from '../run/show';
import { action, echoedText, protocolError, quiet, together } from '../steps';

/** A ping is answered with its own payload. */
function answered(payload: Buffer): Step {
  return {
    peer: [{ opcode: PING, payload }],
    wire: [showPayload('pong', payload)],
    told: [showPayload('ping', payload)],
  };
}

function unanswered(payload: Buffer): Step {
  return { peer: [{ opcode: PONG, payload }], told: [showPayload('pong', payload)] };
}

const pings: Conversation[] = [
  ...[0, 1, 5, 124, 125].map((length) => ({
    id: `ping-${length}`,
    clauses: ['5.5.2 pong', '5.5.2 soon', '5.5.3 identical', '5.5 length'],
    title: `a ping of ${length} bytes`,
    steps: [answered(pattern(length))],
  })),
  {
    id: 'ping-bytes',
    clauses: ['5.5.3 identical'],
    title: 'a ping of bytes that are no text',
    steps: [answered(Buffer.from('00fffefdfcfb00ff', 'hex'))],
  },
  {
    id: 'ping-ten-times',
    clauses: ['5.5.2 pong', '5.5.3 identical'],
    title: 'ten pings at once are answered in order',
    steps: [together(...Array.from({ length: 10 }, (_, at) => answered(Buffer.from([at]))))],
  },
  {
    id: 'ping-between-messages',
    clauses: ['5.5.2 pong', '5.5.2 soon'],
    title: 'pings between messages are answered in their turn',
    steps: [together(echoedText('one'), answered(pattern(3)), echoedText('two'))],
  },
  {
    id: 'ping-behind-close',
    clauses: ['5.5.2 pong', '5.5.1 after close'],
    title: 'a ping behind a close frame is not answered',
    roles: ['server'],
    steps: [
      {
        peer: [
          { opcode: CLOSE, payload: Buffer.from([3, 232]) },
          { opcode: PING, payload: 'late' },
        ],
        wire: ['close 1000', 'end'],
        told: ['close 1000'],
      },
    ],
  },
  {
    id: 'ping-own',
    clauses: ['5.5.2 send', '5.5.3 identical'],
    title: 'a ping of ours, and the pong to it',
    steps: [
      { app: action("ping('abc')", (ws) => ws.ping('abc')), wire: ['ping 616263'] },
      unanswered(Buffer.from('abc')),
    ],
  },
  {
    id: 'ping-own-empty-and-full',
    clauses: ['5.5 length'],
    title: 'pings of ours of 0 and 125 bytes',
    steps: [
      { app: action('ping()', (ws) => ws.ping()), wire: ['ping'] },
      {
        app: action('ping(125 bytes)', (ws) => ws.ping(pattern(125))),
        wire: [showPayload('ping', pattern(125))],
      },
    ],
  },
  {
    id: 'ping-own-too-long',
    clauses: ['5.5 length'],
    title: 'a ping or pong of ours of more than 125 bytes is not sent',
    steps: [
      {
        app: action('ping(126 bytes), pong(126 bytes)', (ws) => {
          expect(() => ws.ping(pattern(126))).toThrow(RangeError);
          expect(() => ws.pong(pattern(126))).toThrow(RangeError);
        }),
      },
    ],
  },
];

const pongs: Conversation[] = [
  ...[0, 5, 125].map((length) => ({
    id: `pong-unsolicited-${length}`,
    clauses: ['5.5.3 unsolicited', '5.5 length'],
    title: `a pong of ${length} bytes that nobody asked for is not answered`,
    steps: [unanswered(pattern(length))],
  })),
  {
    id: 'pong-unsolicited-then-ping',
    clauses: ['5.5.3 unsolicited', '5.5.2 pong'],
    title: 'a ping behind a pong that nobody asked for',
    steps: [together(unanswered(Buffer.from('a')), answered(Buffer.from('b')))],
  },
  {
    id: 'pong-own-unsolicited',
    clauses: ['5.5.3 unsolicited'],
    title: 'a pong of ours that nobody asked for',
    steps: [{ app: action("pong('a')", (ws) => ws.pong('a')), wire: ['pong 61'] }],
  },
];

const NAMES: readonly [name: string, opcode: number][] = [
  ['close', CLOSE],
  ['ping', PING],
  ['pong', PONG],
];

const malformed: Conversation[] = NAMES.flatMap(([name, opcode]) => [
  ...[126, 127, 65_536].map((length) => {
    const frame = { opcode, payload: pattern(length) };
    return {
      id: `${name}-too-long-${length}`,
      clauses: ['5.5 length', '10.7 validate'],
      title: `a ${name} frame of ${length} bytes fails with the first two`,
      steps: [
        quiet({ ...frame, slice: [0, 1] as const }),
        protocolError('INVALID_CONTROL_PAYLOAD_LENGTH', { ...frame, slice: [1, 2] }),
      ],
    };
  }),
  {
    id: `${name}-fragmented`,
    clauses: ['5.5 fragmented', '5.4 control'],
    title: `a ${name} frame without FIN fails with the first two bytes`,
    steps: [
      quiet({ opcode, fin: false, slice: [0, 1] }),
      protocolError('EXPECTED_FIN', { opcode, fin: false, slice: [1, 2] }),
    ],
  },
  {
    id: `${name}-fragmented-in-message`,
    clauses: ['5.5 fragmented', '5.4 control'],
    title: `a ${name} frame without FIN among the fragments of a message`,
    steps: [
      quiet({ opcode: TEXT, fin: false, payload: 'a' }),
      protocolError(
        'EXPECTED_FIN',
        { opcode, fin: false, payload: 'ab' },
        { opcode: CONTINUATION, payload: 'b' },
      ),
    ],
  },
]);

const limited: Conversation[] = [
  {
    id: 'ping-without-reading',
    clauses: ['5.5.2 pong'],
    title: 'the application that answers pings itself',
    options: { autoPong: false },
    steps: [
      { peer: [{ opcode: PING, payload: 'a' }], told: ['ping 61'] },
      { app: action("pong('a')", (ws) => ws.pong('a')), wire: ['pong 61'] },
    ],
  },
  {
    id: 'ping-in-large-message',
    clauses: ['5.4 interleave', '5.5.2 soon'],
    title: 'a ping behind half a message of 64 KiB is answered before its end',
    steps: [
      quiet({ opcode: BINARY, fin: false, payload: pattern(32_768) }),
      answered(Buffer.from('now')),
      {
        peer: [{ opcode: CONTINUATION, payload: pattern(32_768) }],
        wire: [showPayload('binary', Buffer.concat([pattern(32_768), pattern(32_768)]))],
        told: [showPayload('binary', Buffer.concat([pattern(32_768), pattern(32_768)]))],
      },
    ],
  },
];

export const control: readonly Conversation[] = [...pings, ...pongs, ...malformed, ...limited];

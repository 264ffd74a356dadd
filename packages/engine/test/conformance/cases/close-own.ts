import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation } from '../case';
import { closeFrame, VALID_CODES } from '../close-frames';
import { action, echoedText, quiet } from '../steps';

const started: Conversation[] = [
  {
    id: 'close-own-server',
    roles: ['server'],
    clauses: ['7.1.2 start', '7.1.1 server first', '5.5.1 close tcp'],
    title: 'a server starts the closing handshake, and ends TCP when it is answered',
    steps: [
      {
        app: action("close(1001, 'bye')", (ws) => ws.close(1001, 'bye')),
        wire: ['close 1001 bye'],
      },
      { peer: [closeFrame(1001, 'bye')], wire: ['end'], told: ['close 1001 bye'] },
    ],
  },
  {
    id: 'close-own-client',
    roles: ['client'],
    clauses: ['7.1.2 start', '7.1.1 client waits', '5.5.1 close tcp'],
    title: 'a client starts the closing handshake, and waits for the server to end TCP',
    steps: [
      {
        app: action("close(1000, 'bye')", (ws) => ws.close(1000, 'bye')),
        wire: ['close 1000 bye'],
      },
      { peer: [closeFrame(1000, 'bye')] },
      { peer: 'end', wire: ['end'], told: ['close 1000 bye'] },
    ],
  },
  {
    id: 'close-own-empty',
    roles: ['server'],
    clauses: ['7.1.2 start'],
    title: 'close() without a code sends a close frame without a body',
    steps: [
      { app: action('close()', (ws) => ws.close()), wire: ['close'] },
      { peer: [{ opcode: CLOSE }], wire: ['end'], told: ['close 1005'] },
    ],
  },
  {
    id: 'close-own-then-messages',
    roles: ['server'],
    clauses: ['7.1.2 start', '6.2 parse', '5.5.1 no data'],
    title: 'messages that come while we wait for the answer are delivered, and none is sent',
    echo: false,
    steps: [
      { app: action('close(1000)', (ws) => ws.close(1000)), wire: ['close 1000'] },
      { peer: [{ opcode: TEXT, payload: 'on its way' }], told: ['text on its way'] },
      {
        app: action("send('late'), ping(), pong(), close(1001)", (ws) => {
          ws.send('late');
          ws.ping();
          ws.pong();
          ws.close(1001);
        }),
      },
      { peer: [closeFrame(1000)], wire: ['end'], told: ['close 1000'] },
    ],
  },
  {
    id: 'close-own-then-ping',
    roles: ['server'],
    clauses: ['5.5.1 no data'],
    title: 'a ping behind our own close frame has no answer behind it',
    steps: [
      { app: action('close(1000)', (ws) => ws.close(1000)), wire: ['close 1000'] },
      { peer: [{ opcode: PING }], told: ['ping'] },
      { peer: [closeFrame(1000)], wire: ['end'], told: ['close 1000'] },
    ],
  },
  {
    id: 'close-both-at-once',
    roles: ['server'],
    clauses: ['7.1.2 start', '5.5.1 answer'],
    title: 'the code of the peer counts where both start at once',
    steps: [
      { app: action('close(1001)', (ws) => ws.close(1001)), wire: ['close 1001'] },
      { peer: [closeFrame(1000)], wire: ['end'], told: ['close 1000'] },
    ],
  },
  {
    id: 'close-own-then-fault',
    clauses: ['7.1.7 no processing', '5.5.1 no data'],
    title: 'a fault behind our own close frame brings no second one',
    steps: [
      { app: action('close(1000)', (ws) => ws.close(1000)), wire: ['close 1000'] },
      {
        peer: [{ opcode: 3 }],
        wire: ['end'],
        told: ['error WS_ERR_INVALID_OPCODE', 'close 1006'],
      },
    ],
  },
  {
    id: 'close-own-in-fragments',
    roles: ['server'],
    clauses: ['7.1.2 start', '5.4 interleave'],
    title: 'close() while a message of ours is unfinished',
    steps: [
      {
        app: action("send('a', fin: false), close(1000)", (ws) => {
          ws.send('a', { fin: false });
          ws.close(1000);
        }),
        wire: ['text… a', 'close 1000'],
      },
      { peer: [closeFrame(1000)], wire: ['end'], told: ['close 1000'] },
    ],
  },
];

const FORBIDDEN = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_536];

const own: Conversation[] = [
  {
    id: 'close-own-codes',
    clauses: ['7.4.1 1005', '7.4.1 1006', '7.4.1 1015', '7.4 codes'],
    title: `close() sends none of ${FORBIDDEN.join(', ')}`,
    steps: [
      {
        app: action(`close(${FORBIDDEN.join(' | ')})`, (ws) => {
          for (const code of FORBIDDEN) expect(() => ws.close(code)).toThrow(TypeError);
        }),
      },
    ],
  },
  {
    id: 'close-own-reason-too-long',
    clauses: ['5.5 length'],
    title: 'close() sends no reason of 124 bytes',
    steps: [
      {
        app: action('close(1000, 124 bytes)', (ws) => {
          expect(() => ws.close(1000, 'r'.repeat(124))).toThrow(RangeError);
        }),
      },
    ],
  },
  ...VALID_CODES.map((code) => ({
    id: `close-own-${code}`,
    roles: ['server' as const],
    clauses: ['7.1.2 start', '7.4 codes'],
    title: `close(${code}) sends it`,
    steps: [
      { app: action(`close(${code})`, (ws) => ws.close(code)), wire: [`close ${code}`] },
      { peer: [closeFrame(code)], wire: ['end'], told: [`close ${code}`] },
    ],
  })),
];

const lost: Conversation[] = [
  {
    id: 'tcp-ends-between-messages',
    clauses: ['7.1.5 abnormal', '7.2.1 lost'],
    title: 'TCP ends without a close frame: 1006',
    steps: [echoedText('a'), { peer: 'end', wire: ['end'], told: ['close 1006'] }],
  },
  {
    id: 'tcp-ends-in-header',
    clauses: ['7.1.5 abnormal', '7.2.1 lost'],
    title: 'TCP ends in the middle of a header',
    steps: [
      quiet({ opcode: BINARY, payload: Buffer.alloc(300), slice: [0, 3] }),
      { peer: 'end', wire: ['end'], told: ['close 1006'] },
    ],
  },
  {
    id: 'tcp-ends-in-payload',
    clauses: ['7.1.5 abnormal', '7.2.1 lost'],
    title: 'TCP ends in the middle of a payload',
    steps: [
      quiet({ opcode: TEXT, payload: 'half of it', to: 4 }),
      { peer: 'end', wire: ['end'], told: ['close 1006'] },
    ],
  },
  {
    id: 'tcp-ends-in-close-frame',
    clauses: ['7.1.5 abnormal', '5.5.1 body'],
    title: 'TCP ends in the middle of a close frame',
    steps: [
      quiet({ ...closeFrame(1000), to: 1 }),
      { peer: 'end', wire: ['end'], told: ['close 1006'] },
    ],
  },
  {
    id: 'fault-then-anything',
    clauses: ['7.1.7 no processing', '7.1.7 close', '7.1.7 close frame'],
    title: 'nothing behind a fault is looked at, not even a close frame',
    steps: [
      {
        peer: [
          { opcode: CONTINUATION },
          { opcode: TEXT, payload: 'late' },
          closeFrame(1000, 'late'),
        ],
        wire: ['close 1002', 'end'],
        told: ['error WS_ERR_INVALID_OPCODE', 'close 1006'],
      },
    ],
  },
];

export const closingOurselves: readonly Conversation[] = [...started, ...own, ...lost];

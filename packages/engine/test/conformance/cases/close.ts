/** RFC 6455 5.5.1, 7: close frames and the end of the connection. */
import { hex } from '../../support/bytes';
import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../../support/frames';
import type { Conversation, FramePart, Role, Step } from '../case';
import { showClose } from '../run/show';
import { action, echoedText, invalidUtf8, protocolError, quiet } from '../steps';

export function closeBody(code: number, reason: Buffer | string = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

const closeFrame = (code: number, reason?: Buffer | string): FramePart => ({
  opcode: CLOSE,
  payload: closeBody(code, reason),
});

/** The peer closes: it is answered, and TCP is ended by the server. */
function closed(role: Role, frame: FramePart, wire: string, told: string): Step[] {
  if (role === 'server') return [{ peer: [frame], wire: [wire, 'end'], told: [told] }];
  return [
    { peer: [frame], wire: [wire] },
    { peer: 'end', wire: ['end'], told: [told] },
  ];
}

/** A case of each role, for the two end differently. */
function forBoth(
  id: string,
  clauses: string[],
  title: string,
  steps: (role: Role) => Step[],
): Conversation[] {
  return (['server', 'client'] as const).map((role) => ({
    id: `${id}-${role}`,
    clauses: [...clauses, role === 'server' ? '7.1.1 server first' : '7.1.1 client waits'],
    title,
    roles: [role],
    steps: steps(role),
  }));
}

const VALID_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];

const validCodes: Conversation[] = VALID_CODES.flatMap((code) =>
  forBoth(
    `close-${code}`,
    ['5.5.1 answer', '5.5.1 body', '7.4 codes'],
    `a close frame with ${code} is answered with the same`,
    (role) => closed(role, closeFrame(code), `close ${code}`, `close ${code}`),
  ),
);

const INVALID_CODES = [
  0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 32_768, 65_535,
];

const invalidCodes: Conversation[] = INVALID_CODES.map((code) => ({
  id: `close-${code}`,
  clauses: [
    '7.4 codes',
    '10.7 validate',
    ...([1005, 1006, 1015].includes(code) ? [`7.4.1 ${code}`] : []),
  ],
  title: `a close frame with ${code}, which none may have`,
  steps: [protocolError('INVALID_CLOSE_CODE', closeFrame(code))],
}));

const LONGEST = 'r'.repeat(123);

const reasons: Conversation[] = [
  ...forBoth(
    'close-empty',
    ['5.5.1 answer', '7.1.5 abnormal'],
    'a close frame without a body is answered with one, and is 1005 to the application',
    (role) => closed(role, { opcode: CLOSE }, 'close', 'close 1005'),
  ),
  ...['Hello World', 'k\u1f79\u03c3\u03bc\u03b5', LONGEST].flatMap((reason, index) =>
    forBoth(
      `close-reason-${index}`,
      ['5.5.1 answer', '5.5.1 body', '5.5 length'],
      `a close frame with a reason of ${Buffer.byteLength(reason)} bytes`,
      (role) =>
        closed(role, closeFrame(1000, reason), showClose(1000, reason), showClose(1000, reason)),
    ),
  ),
  {
    id: 'close-one-byte',
    clauses: ['5.5.1 body', '10.7 validate'],
    title: 'a close frame with a body of one byte fails with the first two',
    steps: [
      quiet({ opcode: CLOSE, payload: 'a', slice: [0, 1] }),
      protocolError('INVALID_CONTROL_PAYLOAD_LENGTH', {
        opcode: CLOSE,
        payload: 'a',
        slice: [1, 2],
      }),
    ],
  },
  {
    id: 'close-reason-124',
    clauses: ['5.5 length'],
    title: 'a close frame with a reason of 124 bytes',
    steps: [protocolError('INVALID_CONTROL_PAYLOAD_LENGTH', closeFrame(1000, `${LONGEST}r`))],
  },
  ...['ff', 'c3', 'eda080', 'f4908080', 'cebae1bdb9cf83ceb5eda080'].map((digits) => ({
    id: `close-reason-${digits}`,
    clauses: ['8.1 utf8', '5.5.1 body'],
    title: `a close frame with the reason ${digits}, which is not UTF-8`,
    steps: [invalidUtf8(closeFrame(1000, hex(digits)))],
  })),
];

const afterClose: Conversation[] = [
  ...forBoth(
    'close-then-data',
    ['5.5.1 after close', '5.5.1 answer'],
    'what stands behind a close frame is not looked at, be it valid or not',
    (role) => {
      const [first, ...others] = closed(role, closeFrame(1000), 'close 1000', 'close 1000');
      const late = [
        { opcode: TEXT, payload: 'late' },
        { opcode: PING },
        { opcode: 3 },
        closeFrame(1001),
      ];
      return [{ ...first, peer: [closeFrame(1000), ...late] }, ...others];
    },
  ),
  ...forBoth('close-twice', ['5.5.1 after close'], 'two close frames are answered once', (role) => {
    const [first, ...others] = closed(role, closeFrame(1000), 'close 1000', 'close 1000');
    return [{ ...first, peer: [closeFrame(1000), closeFrame(1000)] }, ...others];
  }),
  ...forBoth(
    'close-in-fragments',
    ['5.4 interleave', '5.5.1 answer', '5.5.1 soon'],
    'a close frame among the fragments of a message is answered at once, and the message is lost',
    (role) => [
      quiet({ opcode: TEXT, fin: false, payload: 'a' }),
      ...closed(role, closeFrame(1000), 'close 1000', 'close 1000'),
    ],
  ),
  ...forBoth(
    'close-behind-message',
    ['5.5.1 answer', '6.2 parse'],
    'a message before a close frame is delivered and answered',
    (role) => {
      const [first, ...others] = closed(role, closeFrame(1000), 'close 1000', 'close 1000');
      const { wire = [], told = [] } = first;
      return [
        {
          peer: [{ opcode: TEXT, payload: 'last' }, closeFrame(1000)],
          wire: ['text last', ...wire],
          told: ['text last', ...told],
        },
        ...others,
      ];
    },
  ),
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

export const closing: readonly Conversation[] = [
  ...validCodes,
  ...invalidCodes,
  ...reasons,
  ...afterClose,
  ...own,
  ...lost,
];

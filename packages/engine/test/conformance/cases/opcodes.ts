/** RFC 6455 5.1, 5.2: what the first two bytes of a frame may say. */
import type { FrameSpec } from '../../support/frames';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../support/frames';
import type { Conversation, FramePart } from '../case';
import { echoedText, protocolError, quiet } from '../steps';

/** The rule is broken by the first two bytes: they fail the connection, and no byte before them does. */
const failsAtOnce = (error: string, frame: FramePart, before: FrameSpec[] = []) => [
  quiet(...before, { ...frame, slice: [0, 1] }),
  protocolError(error, { ...frame, slice: [1, 2] }),
];

const NAMES: readonly [name: string, opcode: number][] = [
  ['continuation', CONTINUATION],
  ['text', TEXT],
  ['binary', BINARY],
  ['close', CLOSE],
  ['ping', PING],
  ['pong', PONG],
];

const reservedBits: Conversation[] = NAMES.flatMap(([name, opcode]) =>
  [1, 2, 3, 4, 5, 6, 7].flatMap((rsv): Conversation => {
    const before = opcode === CONTINUATION ? [{ opcode: TEXT, fin: false, payload: 'a' }] : [];
    const error = (rsv & 3) !== 0 ? 'UNEXPECTED_RSV_2_3' : 'UNEXPECTED_RSV_1';
    return {
      id: `rsv-${rsv.toString(2).padStart(3, '0')}-${name}`,
      clauses: ['5.2 rsv', '5.8 negotiate', '10.7 validate'],
      title: `reserved bits ${rsv.toString(2).padStart(3, '0')} on a ${name} frame`,
      steps: failsAtOnce(error, { opcode, rsv, payload: 'Hello' }, before),
    };
  }),
);

const rsvBetween: Conversation[] = [
  {
    id: 'rsv-behind-message',
    clauses: ['5.2 rsv', '7.1.7 no processing'],
    title: 'a message before the fault is delivered, one behind it is not',
    steps: [
      echoedText('first'),
      protocolError(
        'UNEXPECTED_RSV_1',
        { opcode: TEXT, rsv: 4, payload: 'bad' },
        { opcode: TEXT, payload: 'late' },
        { opcode: PING, payload: 'late' },
      ),
    ],
  },
];

const reservedOpcodes: Conversation[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => [
  {
    id: `opcode-${opcode}`,
    clauses: ['5.2 opcode', '10.7 validate'],
    title: `reserved opcode ${opcode} fails with the first two bytes`,
    steps: failsAtOnce('INVALID_OPCODE', { opcode, payload: 'Hello' }),
  },
  {
    id: `opcode-${opcode}-in-fragments`,
    clauses: ['5.2 opcode'],
    title: `reserved opcode ${opcode} among the fragments of a message`,
    steps: failsAtOnce('INVALID_OPCODE', { opcode }, [{ opcode: TEXT, fin: false, payload: 'a' }]),
  },
  {
    id: `opcode-${opcode}-behind-message`,
    clauses: ['5.2 opcode', '7.1.7 no processing'],
    title: `reserved opcode ${opcode} between two messages`,
    steps: [
      echoedText('first'),
      protocolError('INVALID_OPCODE', { opcode }, { opcode: TEXT, payload: 'late' }),
    ],
  },
]);

const masks: Conversation[] = NAMES.filter(([, opcode]) => opcode !== CONTINUATION).flatMap(
  ([name, opcode]) => [
    {
      id: `mask-missing-${name}`,
      roles: ['server'],
      clauses: ['5.1 unmasked', '5.1 client masks'],
      title: `a ${name} frame of a client that is not masked`,
      steps: failsAtOnce('EXPECTED_MASK', { opcode, wrongMask: true }),
    },
    {
      id: `mask-unwanted-${name}`,
      roles: ['client'],
      clauses: ['5.1 masked', '5.1 server masks none'],
      title: `a ${name} frame of a server that is masked`,
      steps: failsAtOnce('UNEXPECTED_MASK', { opcode, wrongMask: true }),
    },
  ],
);

const maskedContinuation: Conversation[] = [
  {
    id: 'mask-missing-continuation',
    roles: ['server'],
    clauses: ['5.1 unmasked'],
    title: 'a fragment of a client that is not masked',
    steps: failsAtOnce('EXPECTED_MASK', { opcode: CONTINUATION, wrongMask: true }, [
      { opcode: TEXT, fin: false, payload: 'a' },
    ]),
  },
  {
    id: 'mask-unwanted-continuation',
    roles: ['client'],
    clauses: ['5.1 masked'],
    title: 'a fragment of a server that is masked',
    steps: failsAtOnce('UNEXPECTED_MASK', { opcode: CONTINUATION, wrongMask: true }, [
      { opcode: TEXT, fin: false, payload: 'a' },
    ]),
  },
];

/** Keys with bytes that a careless unmasking would take for something else. */
const keys: Conversation[] = [0, 1, 0xffffffff, 0x80000000, 0x00ff00ff, 0x000000ff].map((key) => ({
  id: `mask-key-${key.toString(16).padStart(8, '0')}`,
  roles: ['server'],
  clauses: ['6.2 unmask', '5.3 algorithm'],
  title: `the masking key ${key.toString(16).padStart(8, '0')}`,
  steps: [
    echoedText('Hello', { opcode: TEXT, payload: 'Hello', key }),
    echoedText(
      'x'.repeat(300),
      { opcode: TEXT, payload: 'x'.repeat(150), fin: false, key },
      { opcode: CONTINUATION, payload: 'x'.repeat(150), key: ~key },
    ),
  ],
}));

export const opcodes: readonly Conversation[] = [
  ...reservedBits,
  ...rsvBetween,
  ...reservedOpcodes,
  ...masks,
  ...maskedContinuation,
  ...keys,
];

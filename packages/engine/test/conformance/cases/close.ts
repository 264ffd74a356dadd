/** RFC 6455 5.5.1, 7: close frames of the peer. */
import { hex } from '../../support/bytes';
import { CLOSE, PING, TEXT } from '../../support/frames';
import type { Conversation } from '../case';
import { closed, closeFrame, forBoth, VALID_CODES } from '../close-frames';
import { showClose } from '../run/show';
import { invalidUtf8, protocolError, quiet } from '../steps';

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
];

export const closing: readonly Conversation[] = [
  ...validCodes,
  ...invalidCodes,
  ...reasons,
  ...afterClose,
];

import { Faults } from '../../src/protocol/errors';
import { LengthFault } from '../../src/protocol/frame';
import { Opcode } from '../../src/protocol/opcodes';
import type { FrameContext } from '../../src/protocol/rules';
import { frameFault, lengthFault } from '../../src/protocol/rules';

const { CONTINUATION, TEXT, BINARY } = Opcode;

/** The rule that a frame breaks, as its code and, where there is one, the number at the end of its message. */
function broken(first: number, second: number, context: Partial<FrameContext> = {}): string {
  const fault = frameFault(first, second, {
    expectsMask: false,
    messageOpen: false,
    compression: false,
    ...context,
  });
  if (fault === undefined) return 'none';
  expect(fault.closeCode).toBe(1002);
  return fault.code.replace('WS_ERR_', '') + (fault.message.match(/ \d+$/)?.[0] ?? '');
}

/** What the first byte and context of a frame decide: 8 combinations of FIN and RSV1, 16 opcodes. */
function expected(fin: boolean, rsv1: boolean, opcode: number, context: FrameContext): string {
  const data = opcode === TEXT || opcode === BINARY;
  const control = opcode >= 8;
  if (rsv1 && (!context.compression || opcode === CONTINUATION)) return 'UNEXPECTED_RSV_1';
  if (opcode > 10 || (opcode > 2 && opcode < 8)) return `INVALID_OPCODE ${opcode}`;
  if (!control && (opcode === CONTINUATION) !== context.messageOpen) {
    return `INVALID_OPCODE ${opcode}`;
  }
  if (control && !fin) return 'EXPECTED_FIN';
  return rsv1 && !data ? 'UNEXPECTED_RSV_1' : 'none';
}

describe('frameFault', () => {
  const flags = [false, true];

  test.each(
    flags.flatMap((messageOpen) => flags.map((compression) => ({ messageOpen, compression }))),
  )('every first byte, with %o', ({ messageOpen, compression }) => {
    const context = { expectsMask: false, messageOpen, compression };
    for (let first = 0; first < 256; first++) {
      const rule =
        (first & 0x30) === 0
          ? expected(first > 127, (first & 0x40) > 0, first & 15, context)
          : 'UNEXPECTED_RSV_2_3';
      expect({ first, rule: broken(first, 0, context) }).toEqual({ first, rule });
    }
  });

  test.each([0x81, 0x01, 0x82, 0x89, 0x8a])('a first byte of %i with every length', (first) => {
    const control = first >= 0x88;
    for (let length = 0; length < 128; length++) {
      const rule = control && length > 125 ? `INVALID_CONTROL_PAYLOAD_LENGTH ${length}` : 'none';
      expect({ length, rule: broken(first, length) }).toEqual({ length, rule });
    }
  });

  test('a close frame has no payload, or at least the two bytes of a code', () => {
    expect([0, 1, 2, 125, 126, 127].map((length) => broken(0x88, length))).toEqual([
      'none',
      'INVALID_CONTROL_PAYLOAD_LENGTH 1',
      'none',
      'none',
      'INVALID_CONTROL_PAYLOAD_LENGTH 126',
      'INVALID_CONTROL_PAYLOAD_LENGTH 127',
    ]);
  });

  test.each([
    [true, 0x00, 'EXPECTED_MASK'],
    [true, 0x80, 'none'],
    [false, 0x00, 'none'],
    [false, 0x80, 'UNEXPECTED_MASK'],
  ])('masking: expected %s, second byte %i', (expectsMask, second, rule) => {
    for (const first of [0x81, 0x82, 0x88, 0x89, 0x8a]) {
      expect(broken(first, second, { expectsMask })).toBe(rule);
    }
    expect(broken(0x80, second, { expectsMask, messageOpen: true })).toBe(rule);
  });
});

test.each([
  [LengthFault.NON_MINIMAL, Faults.NON_MINIMAL_LENGTH],
  [LengthFault.TOP_BIT, Faults.LENGTH_TOP_BIT],
  [LengthFault.UNSAFE, Faults.LENGTH_UNSAFE],
])('the length fault %i', (length, fault) => {
  expect(lengthFault(length)).toMatchObject(fault);
});

import {
  FIN,
  isControl,
  LENGTH_BITS,
  MASK,
  MAX_CONTROL_PAYLOAD,
  OPCODE_BITS,
  Opcode,
  RSV1,
  RSV2_RSV3,
} from '../../src/protocol/opcodes';

describe('opcodes', () => {
  test('are the numbers of RFC 6455 11.8', () => {
    expect(Opcode).toEqual({
      CONTINUATION: 0,
      TEXT: 1,
      BINARY: 2,
      CLOSE: 8,
      PING: 9,
      PONG: 10,
    });
  });

  test('control frames are 8 to 15 (RFC 6455 5.5)', () => {
    const control = Array.from({ length: 16 }, (_, opcode) => opcode).filter(isControl);
    expect(control).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('a control frame has at most 125 bytes (RFC 6455 5.5)', () => {
    expect(MAX_CONTROL_PAYLOAD).toBe(125);
  });
});

describe('header bits', () => {
  test('fill each of the first two bytes without overlap (RFC 6455 5.2)', () => {
    expect([FIN, RSV1, RSV2_RSV3, OPCODE_BITS]).toEqual([0x80, 0x40, 0x30, 0x0f]);
    expect([MASK, LENGTH_BITS]).toEqual([0x80, 0x7f]);
  });
});

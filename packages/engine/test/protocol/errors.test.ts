import { Faults, protocolError } from '../../src/protocol/errors';

describe('protocolError', () => {
  test.each([
    [
      Faults.RSV_2_3,
      'WS_ERR_UNEXPECTED_RSV_2_3',
      1002,
      'Invalid WebSocket frame: RSV2 and RSV3 must be clear',
    ],
    [Faults.RSV_1, 'WS_ERR_UNEXPECTED_RSV_1', 1002, 'Invalid WebSocket frame: RSV1 must be clear'],
    [Faults.OPCODE, 'WS_ERR_INVALID_OPCODE', 1002, 'Invalid WebSocket frame: invalid opcode'],
    [Faults.EXPECTED_FIN, 'WS_ERR_EXPECTED_FIN', 1002, 'Invalid WebSocket frame: FIN must be set'],
    [
      Faults.CONTROL_LENGTH,
      'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
      1002,
      'Invalid WebSocket frame: invalid payload length',
    ],
    [
      Faults.EXPECTED_MASK,
      'WS_ERR_EXPECTED_MASK',
      1002,
      'Invalid WebSocket frame: MASK must be set',
    ],
    [
      Faults.UNEXPECTED_MASK,
      'WS_ERR_UNEXPECTED_MASK',
      1002,
      'Invalid WebSocket frame: MASK must be clear',
    ],
    [
      Faults.NON_MINIMAL_LENGTH,
      'WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH',
      1002,
      'Invalid WebSocket frame: the payload length is not minimally encoded',
    ],
    [
      Faults.LENGTH_TOP_BIT,
      'WS_ERR_INVALID_DATA_PAYLOAD_LENGTH',
      1002,
      'Invalid WebSocket frame: the most significant bit of the payload length must be 0',
    ],
    [
      Faults.LENGTH_UNSAFE,
      'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
      1009,
      'Unsupported WebSocket frame: payload length > 2^53 - 1',
    ],
    [Faults.MESSAGE_LENGTH, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009, 'Max payload size exceeded'],
    [
      Faults.TOO_MANY_FRAGMENTS,
      'WS_ERR_TOO_MANY_BUFFERED_PARTS',
      1008,
      'Too many message fragments',
    ],
    [Faults.TOO_MANY_CHUNKS, 'WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008, 'Too many buffered chunks'],
    [
      Faults.CLOSE_CODE,
      'WS_ERR_INVALID_CLOSE_CODE',
      1002,
      'Invalid WebSocket frame: invalid status code',
    ],
    [Faults.UTF8, 'WS_ERR_INVALID_UTF8', 1007, 'Invalid WebSocket frame: invalid UTF-8 sequence'],
  ])('%o', (fault, code, closeCode, message) => {
    const error = protocolError(fault);
    expect(error).toMatchObject({ code, closeCode, message, clause: fault.clause });
    expect(fault.clause).toMatch(/RFC 6455 \d/);
    // Bad text is a plain Error, everything else a RangeError, as in `ws`.
    expect(error.constructor).toBe(code === 'WS_ERR_INVALID_UTF8' ? Error : RangeError);
  });

  test('ends with the offending number', () => {
    expect(protocolError(Faults.OPCODE, 3).message).toBe(
      'Invalid WebSocket frame: invalid opcode 3',
    );
    expect(protocolError(Faults.OPCODE, 0).message).toBe(
      'Invalid WebSocket frame: invalid opcode 0',
    );
  });

  test('the table above knows every fault', () => {
    expect(Object.keys(Faults)).toHaveLength(15);
  });
});

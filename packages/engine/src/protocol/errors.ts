/**
 * What a peer can do wrong. Each fault closes that one connection; it never throws out of the engine.
 * Our own caller's mistakes are `TypeError`s and `RangeError`s, thrown where they are made, and are not listed here.
 */
export interface ProtocolError extends Error {
  /** Stable name of the fault, as the `ws` package spells it. */
  readonly code: string;
  /** Close code the peer is told (RFC 6455 7.4.1). */
  readonly closeCode: number;
  /** Clause of the standard that the peer broke, or the limit it ran into. */
  readonly clause: string;
}

interface Fault {
  readonly code: string;
  readonly closeCode: number;
  readonly clause: string;
  readonly message: string;
}

const INVALID = 'Invalid WebSocket frame: ';

/** Every fault of a peer, with the text, the stable code and the close code that users of `ws` rely on. */
export const Faults = {
  RSV_2_3: {
    code: 'WS_ERR_UNEXPECTED_RSV_2_3',
    closeCode: 1002,
    clause: 'RFC 6455 5.2',
    message: `${INVALID}RSV2 and RSV3 must be clear`,
  },
  RSV_1: {
    code: 'WS_ERR_UNEXPECTED_RSV_1',
    closeCode: 1002,
    clause: 'RFC 6455 5.2',
    message: `${INVALID}RSV1 must be clear`,
  },
  OPCODE: {
    code: 'WS_ERR_INVALID_OPCODE',
    closeCode: 1002,
    clause: 'RFC 6455 5.2, 5.4',
    message: `${INVALID}invalid opcode`,
  },
  EXPECTED_FIN: {
    code: 'WS_ERR_EXPECTED_FIN',
    closeCode: 1002,
    clause: 'RFC 6455 5.5',
    message: `${INVALID}FIN must be set`,
  },
  CONTROL_LENGTH: {
    code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    closeCode: 1002,
    clause: 'RFC 6455 5.5',
    message: `${INVALID}invalid payload length`,
  },
  EXPECTED_MASK: {
    code: 'WS_ERR_EXPECTED_MASK',
    closeCode: 1002,
    clause: 'RFC 6455 5.1',
    message: `${INVALID}MASK must be set`,
  },
  UNEXPECTED_MASK: {
    code: 'WS_ERR_UNEXPECTED_MASK',
    closeCode: 1002,
    clause: 'RFC 6455 5.1',
    message: `${INVALID}MASK must be clear`,
  },
  NON_MINIMAL_LENGTH: {
    code: 'WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH',
    closeCode: 1002,
    clause: 'RFC 6455 5.2',
    message: `${INVALID}the payload length is not minimally encoded`,
  },
  LENGTH_TOP_BIT: {
    code: 'WS_ERR_INVALID_DATA_PAYLOAD_LENGTH',
    closeCode: 1002,
    clause: 'RFC 6455 5.2',
    message: `${INVALID}the most significant bit of the payload length must be 0`,
  },
  LENGTH_UNSAFE: {
    code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    closeCode: 1009,
    clause: 'RFC 6455 10.4',
    message: 'Unsupported WebSocket frame: payload length > 2^53 - 1',
  },
  MESSAGE_LENGTH: {
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    closeCode: 1009,
    clause: 'maxPayload (RFC 6455 10.4)',
    message: 'Max payload size exceeded',
  },
  TOO_MANY_FRAGMENTS: {
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    closeCode: 1008,
    clause: 'maxFragments (RFC 6455 10.4)',
    message: 'Too many message fragments',
  },
  TOO_MANY_CHUNKS: {
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    closeCode: 1008,
    clause: 'maxBufferedChunks (RFC 6455 10.4)',
    message: 'Too many buffered chunks',
  },
  CLOSE_CODE: {
    code: 'WS_ERR_INVALID_CLOSE_CODE',
    closeCode: 1002,
    clause: 'RFC 6455 7.4',
    message: `${INVALID}invalid status code`,
  },
  UTF8: {
    code: 'WS_ERR_INVALID_UTF8',
    closeCode: 1007,
    clause: 'RFC 6455 8.1',
    message: `${INVALID}invalid UTF-8 sequence`,
  },
} as const satisfies Record<string, Fault>;

/**
 * Makes the error of a fault.
 *
 * @param fault one of {@link Faults}
 * @param detail the offending number, where the text ends with one (`invalid opcode 3`)
 */
export function protocolError(fault: Fault, detail?: number): ProtocolError {
  const message = detail === undefined ? fault.message : `${fault.message} ${detail}`;
  // `ws` reports bad text as a plain Error and everything else as a RangeError.
  const error = fault === Faults.UTF8 ? new Error(message) : new RangeError(message);
  return Object.assign(error, {
    code: fault.code,
    closeCode: fault.closeCode,
    clause: fault.clause,
  });
}

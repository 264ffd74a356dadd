import type { ProtocolError } from './errors';
import { Faults, protocolError } from './errors';
import { MAX_CONTROL_PAYLOAD } from './opcodes';
import { isUtf8Range } from './utf8';

/**
 * Close codes with a meaning of their own.
 *
 * @see RFC 6455 7.4.1 and the IANA "WebSocket Close Code Number" registry
 */
export const CloseCode = {
  NORMAL: 1000,
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  UNSUPPORTED_DATA: 1003,
  /** Never on the wire: the close frame had no code. */
  NO_STATUS: 1005,
  /** Never on the wire: the connection ended without a close frame. */
  ABNORMAL: 1006,
  INVALID_PAYLOAD: 1007,
  POLICY_VIOLATION: 1008,
  TOO_BIG: 1009,
  INTERNAL_ERROR: 1011,
  TRY_AGAIN_LATER: 1013,
} as const;

/** Longest reason in bytes: a control frame's payload less the two bytes of the code (RFC 6455 5.5.1). */
export const MAX_REASON = MAX_CONTROL_PAYLOAD - 2;

/** Whether a close frame may carry this code: 1000-1014 without 1004, 1005 and 1006, and 3000-4999 (RFC 6455 7.4). */
export function isValidCloseCode(code: number): boolean {
  return (
    Number.isInteger(code) &&
    ((code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
      (code >= 3000 && code <= 4999))
  );
}

const EMPTY = Buffer.alloc(0);

/**
 * The payload of a close frame.
 *
 * @param code omitted: an empty payload, and the reason is dropped, for a reason cannot stand without a code
 * @param reason text, or bytes of UTF-8; at most 123 bytes
 * @throws TypeError when the code may not be sent or the reason is neither text nor bytes
 * @throws RangeError when the reason is longer than 123 bytes
 */
export function encodeClose(code?: number, reason?: string | Uint8Array): Buffer {
  if (code === undefined) return EMPTY;
  if (typeof code !== 'number' || !isValidCloseCode(code)) {
    throw new TypeError('First argument must be a valid error code number');
  }
  if (reason === undefined || reason === '') {
    const payload = Buffer.allocUnsafe(2);
    payload.writeUInt16BE(code);
    return payload;
  }
  if (typeof reason !== 'string' && !(reason instanceof Uint8Array)) {
    throw new TypeError('Second argument must be a string or a Uint8Array');
  }
  const length = typeof reason === 'string' ? Buffer.byteLength(reason) : reason.byteLength;
  if (length > MAX_REASON) {
    throw new RangeError('The message must not be greater than 123 bytes');
  }
  const payload = Buffer.allocUnsafe(2 + length);
  payload.writeUInt16BE(code);
  if (typeof reason === 'string') payload.write(reason, 2);
  else payload.set(reason, 2);
  return payload;
}

/** What a close frame said. */
export interface CloseInfo {
  /** The code, or 1005 where the frame had none. */
  readonly code: number;
  /** The reason's bytes, a copy that belongs to the reader. */
  readonly reason: Buffer;
}

/** Reads a close frame's payload; a payload that breaks a rule comes back as the error to fail with. */
export function decodeClose(
  bytes: Buffer,
  start: number,
  end: number,
  validateUtf8: boolean,
): CloseInfo | ProtocolError {
  if (start === end) return { code: CloseCode.NO_STATUS, reason: EMPTY };
  // RFC 6455 5.5.1: if there is a body, its first two bytes are the code.
  if (end - start === 1) return protocolError(Faults.CONTROL_LENGTH, 1);
  const code = (bytes[start] << 8) | bytes[start + 1];
  if (!isValidCloseCode(code)) return protocolError(Faults.CLOSE_CODE, code);
  if (validateUtf8 && !isUtf8Range(bytes, start + 2, end)) return protocolError(Faults.UTF8);
  return {
    code,
    reason: end - start === 2 ? EMPTY : Buffer.from(bytes.subarray(start + 2, end)),
  };
}

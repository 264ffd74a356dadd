/**
 * Opcodes and header bits of a WebSocket frame.
 *
 * @see RFC 6455 5.2
 */
export const Opcode = {
  CONTINUATION: 0x0,
  TEXT: 0x1,
  BINARY: 0x2,
  CLOSE: 0x8,
  PING: 0x9,
  PONG: 0xa,
} as const;

export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** First header byte: this frame is the last of its message. */
export const FIN = 0x80;
/** First header byte: reserved for an extension; permessage-deflate marks a compressed message with it (RFC 7692 6). */
export const RSV1 = 0x40;
/** First header byte: reserved bits that no extension known to us uses. */
export const RSV2_RSV3 = 0x30;
/** First header byte: where the opcode lies. */
export const OPCODE_BITS = 0x0f;
/** Second header byte: the payload is masked. */
export const MASK = 0x80;
/** Second header byte: the length, or 126 and 127 for the two longer forms. */
export const LENGTH_BITS = 0x7f;

/** Longest payload of a control frame, in bytes (RFC 6455 5.5). */
export const MAX_CONTROL_PAYLOAD = 125;

/** Control frames are the opcodes with the most significant bit set (RFC 6455 5.5). */
export function isControl(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}

/** Compressed messages, and steps of them. */
import { constants, deflateRawSync } from 'node:zlib';
import { deflateSync } from '../support/deflate';
import { TEXT } from '../support/frames';
import type { FramePart, Sent, Step } from './case';
import { showMessage } from './run/show';

/** RSV1 (RFC 7692 6). */
export const COMPRESSED = 4;

export const PLAIN = 'permessage-deflate';
export const SERVER_ALONE = `${PLAIN}; server_no_context_takeover`;
export const CLIENT_ALONE = `${PLAIN}; client_no_context_takeover`;
export const ALONE = `${PLAIN}; server_no_context_takeover; client_no_context_takeover`;

export const deflatedText = (payload: Buffer): FramePart => ({
  opcode: TEXT,
  rsv: COMPRESSED,
  payload,
});

/** A message as zlib compresses it, behind `before`. */
export function zlibbed(
  opcode: number,
  message: Buffer,
  before?: Buffer,
  windowBits?: number,
): FramePart {
  const payload =
    before === undefined ? deflateSync(message) : deflatedBehind(before, message, windowBits);
  return { opcode, rsv: COMPRESSED, payload, about: `${message.length} bytes, deflated` };
}

/** The frames are a message, which comes back compressed. */
export function echoed(message: Buffer | string, ...peer: Sent[]): Step {
  const shown = showMessage(Buffer.from(message), false);
  return { peer, wire: [`deflated ${shown}`], told: [shown] };
}

export function echoedBinary(message: Buffer, ...peer: Sent[]): Step {
  const shown = showMessage(message, true);
  return { peer, wire: [`deflated ${shown}`], told: [shown] };
}

/** A message that refers to the one before it. */
export function deflatedBehind(before: Buffer, message: Buffer, windowBits = 15): Buffer {
  const options = { dictionary: before, windowBits, finishFlush: constants.Z_SYNC_FLUSH };
  return deflateRawSync(message, options).subarray(0, -4);
}

// Frames that no library would send, by the picture of RFC 6455 5.2.

/**
 * A frame as a client sends it.
 *
 * @param {object} spec
 * @param {number} spec.opcode
 * @param {Uint8Array | string} [spec.payload]
 * @param {boolean} [spec.fin]
 * @param {number} [spec.rsv] the three reserved bits, RSV1 being 4
 * @param {boolean} [spec.masked]
 * @param {bigint} [spec.announce] a length that is not the payload's
 */
export function frame({ opcode, payload = '', fin = true, rsv = 0, masked = true, announce }) {
  const bytes = Buffer.from(payload);
  const length = announce ?? BigInt(bytes.length);
  const first = (fin ? 128 : 0) + rsv * 16 + opcode;
  const header = headerOf(first, length, masked ? 128 : 0);
  if (!masked) return Buffer.concat([header, bytes]);
  const scrambled = bytes.map((byte, index) => byte ^ key[index & 3]);
  return Buffer.concat([header, key, scrambled]);
}

const key = Buffer.from([0x9d, 0x37, 0xc2, 0x5a]);

function headerOf(first, length, mask) {
  if (length < 126n) return Buffer.from([first, mask + Number(length)]);
  const header = Buffer.alloc(length < 65_536n ? 4 : 10);
  header[0] = first;
  header[1] = mask + (length < 65_536n ? 126 : 127);
  if (length < 65_536n) header.writeUInt16BE(Number(length), 2);
  else header.writeBigUInt64BE(length, 2);
  return header;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export const text = (payload) => frame({ opcode: TEXT, payload });

/** The close frame of a client. */
export function closing(code) {
  return frame({ opcode: CLOSE, payload: Buffer.from([code >> 8, code & 255]) });
}

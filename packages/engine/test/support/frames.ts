/**
 * Frames as the peer would send them, written from the picture in RFC 6455 5.2 and on purpose without the engine's own
 * code, so that a mistake there cannot hide behind the same mistake here.
 */
export interface FrameSpec {
  readonly opcode: number;
  /** @defaultValue true */
  readonly fin?: boolean;
  /** The three reserved bits, RSV1 being 4. @defaultValue 0 */
  readonly rsv?: number;
  readonly payload?: Uint8Array | string;
  /** The four bytes of the masking key as one number; not masked where it is missing. */
  readonly key?: number;
  /** Length form in bits. @defaultValue the shortest */
  readonly form?: 7 | 16 | 64;
  /** Length to announce. @defaultValue the payload's */
  readonly announce?: bigint;
}

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export function frame(spec: FrameSpec): Buffer {
  const payload = Buffer.from(spec.payload ?? '');
  const length = spec.announce ?? BigInt(payload.length);
  const form = spec.form ?? (length < 126n ? 7 : length < 65536n ? 16 : 64);
  const first = ((spec.fin ?? true) ? 128 : 0) + (spec.rsv ?? 0) * 16 + spec.opcode;
  const mask = spec.key === undefined ? 0 : 128;

  const header =
    form === 7
      ? Buffer.from([first, mask + Number(length)])
      : Buffer.from([first, mask + (form === 16 ? 126 : 127), ...Buffer.alloc(form / 8)]);
  if (form === 16) header.writeUInt16BE(Number(length), 2);
  if (form === 64) header.writeBigUInt64BE(length, 2);
  if (spec.key === undefined) return Buffer.concat([header, payload]);

  const key = Buffer.alloc(4);
  key.writeUInt32BE(spec.key >>> 0);
  return Buffer.concat([header, key, payload.map((byte, index) => byte ^ key[index % 4])]);
}

import type { Socket } from 'node:net';

/** A frame of a client, unmasked by what the frame itself says. */
export interface ClientFrame {
  readonly first: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** The frames that a client sends, as they come over the wire; the socket is destroyed when nobody wants more. */
export async function* clientFrames(socket: Socket): AsyncGenerator<ClientFrame, void> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    for (
      let size = sizeOf(bytes);
      size !== undefined && size <= bytes.length;
      size = sizeOf(bytes)
    ) {
      yield read(bytes.subarray(0, size));
      bytes = bytes.subarray(size);
    }
  }
  if (bytes.length > 0) throw new Error(`Half a frame: ${bytes.toString('hex')}`);
}

/** Where the payload begins and how long it is; `undefined` where that is not there yet. */
function layout(bytes: Buffer): { start: number; length: number; masked: boolean } | undefined {
  if (bytes.length < 2) return undefined;
  const masked = bytes[1] > 127;
  const form = bytes[1] & 127;
  const extended = form === 126 ? 2 : form === 127 ? 8 : 0;
  const start = 2 + extended + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = extended === 0 ? form : Number(`0x${bytes.toString('hex', 2, 2 + extended)}`);
  return { start, length, masked };
}

function sizeOf(bytes: Buffer): number | undefined {
  const found = layout(bytes);
  return found && found.start + found.length;
}

function read(frame: Buffer): ClientFrame {
  const { start = 0, masked = false } = layout(frame) ?? {};
  const key = frame.subarray(start - 4, start);
  const payload = Buffer.from(frame.subarray(start));
  if (masked) for (let at = 0; at < payload.length; at++) payload[at] ^= key[at % 4];
  return { first: frame[0], masked, payload };
}

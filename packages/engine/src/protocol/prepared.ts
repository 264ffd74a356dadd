import type { MessageCompression } from './compression';
import { encodeFrame } from './frame';
import { FIN, Opcode, RSV1 } from './opcodes';

/** A whole message in one frame. */
export interface WholeFrame {
  /** FIN, the reserved bits and the opcode. */
  readonly first: number;
  readonly payload: Buffer;
  /** The frame as a server sends it: header and payload, not masked. */
  readonly unmasked: Buffer;
}

/**
 * A message to be sent to many: it is framed once, and compressed once for all connections that compress alike. Its bytes
 * are a copy, so that the data it was made of may change.
 */
export class PreparedMessage {
  /** Whether it is a binary message; else it is text. */
  readonly isBinary: boolean;
  /** @internal Whether it may be compressed. */
  readonly compress: boolean;
  /** @internal */
  readonly plain: WholeFrame;
  /** By what {@link MessageCompression.key} says. Not made for a message that nobody wants compressed. */
  private compressed: Map<string, WholeFrame | Promise<WholeFrame>> | undefined = undefined;

  /** @internal */
  constructor(payload: Uint8Array, isBinary: boolean, compress: boolean) {
    this.isBinary = isBinary;
    this.compress = compress;
    this.plain = wholeFrame(FIN | (isBinary ? Opcode.BINARY : Opcode.TEXT), payload);
  }

  /** The bytes of the message; of text, its UTF-8. They must not be changed. */
  get payload(): Buffer {
    return this.plain.payload;
  }

  /** @internal The frame for connections that compress in this way; a promise while it is being compressed. */
  compressedBy(compression: MessageCompression): WholeFrame | Promise<WholeFrame> {
    this.compressed ??= new Map();
    const { compressed } = this;
    const { key } = compression;
    const known = compressed.get(key);
    if (known !== undefined) return known;
    const first = this.plain.first | RSV1;
    const bytes = compression.deflateAlone(this.payload);
    if (!(bytes instanceof Promise)) {
      const frame = wholeFrame(first, bytes);
      compressed.set(key, frame);
      return frame;
    }
    const frame = bytes.then((ready) => wholeFrame(first, ready));
    compressed.set(key, frame);
    frame.then(
      (ready) => compressed.set(key, ready),
      () => compressed.delete(key),
    );
    return frame;
  }
}

function wholeFrame(first: number, payload: Uint8Array): WholeFrame {
  const frame = encodeFrame(first, payload);
  return { first, payload: frame.subarray(frame.length - payload.length), unmasked: frame };
}

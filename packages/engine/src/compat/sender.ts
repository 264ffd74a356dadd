import { show } from '../handshake/show';
import { maskingKeySource } from '../io/masking-key';
import { headerSize, writeHeader } from '../protocol/frame';
import { maskInPlace, maskInto } from '../protocol/mask';
import { FIN, OPCODE_BITS, RSV1 } from '../protocol/opcodes';
import type { WriteCallback } from '../protocol/sender';

/** What {@link Sender.frame} makes of its payload. */
export interface FrameOptions {
  /** What the frame is (RFC 6455 5.2): 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  opcode: number;
  /** Whether the message ends with this frame. @defaultValue false */
  fin?: boolean | undefined;
  /** Whether the payload is compressed (RFC 7692 6). @defaultValue false */
  rsv1?: boolean | undefined;
  /** Mask the payload, as clients must (RFC 6455 5.1). @defaultValue false */
  mask?: boolean | undefined;
  /** Keep the payload's own memory unmasked: a masked frame is then a copy. @defaultValue false */
  readOnly?: boolean | undefined;
  /** Fills in the four bytes of the masking key. @defaultValue random bytes of `node:crypto` */
  generateMask?: ((mask: Buffer) => void) | undefined;
  /** The four bytes of memory that hold the masking key. @defaultValue bytes of our own */
  maskBuffer?: Buffer | undefined;
}

/** Sends frames made by {@link Sender.frame}; what `_sender` of a WebSocket is. */
export class Sender {
  private readonly write: (frames: readonly Uint8Array[], callback?: WriteCallback) => void;

  /** @internal */
  constructor(write: (frames: readonly Uint8Array[], callback?: WriteCallback) => void) {
    this.write = write;
  }

  /**
   * A frame, to be sent by {@link sendFrame}: to any number of connections, where it is not masked.
   *
   * @returns the header and the payload itself; one buffer for a payload that is empty, or masked and `readOnly`
   * @throws TypeError or RangeError that names the option and the value
   */
  static frame(data: Buffer | string, options: FrameOptions): Buffer[] {
    const { opcode, fin, rsv1, mask, readOnly } = options;
    if (!Number.isInteger(opcode) || opcode < 0 || opcode > OPCODE_BITS) {
      throw new RangeError(`The "opcode" option must be an integer from 0 to 15, got ${opcode}`);
    }
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw new TypeError(`The data must be a Buffer or a string, got ${show(data)}`);
    }
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    const first = (fin ? FIN : 0) | (rsv1 ? RSV1 : 0) | opcode;
    const key = mask ? maskingKey(options) : undefined;
    const { length } = payload;
    const copies = key !== undefined && readOnly === true;
    const head = Buffer.allocUnsafe(headerSize(length, mask === true) + (copies ? length : 0));
    const at = writeHeader(head, 0, first, length, key);
    if (length === 0) return [head];
    if (key === undefined) return [head, payload];
    if (copies) {
      maskInto(payload, 0, length, head, at, key);
      return [head];
    }
    maskInPlace(payload, 0, length, key);
    return [head, payload];
  }

  /**
   * Sends a frame as it is, behind those that were sent before.
   *
   * @param frame what {@link Sender.frame} returned; it must not change before the callback
   * @param callback called as that of `WebSocket.send`
   */
  sendFrame(frame: readonly Uint8Array[], callback?: WriteCallback): void {
    this.write(frame, callback);
  }
}

function maskingKey({ generateMask, maskBuffer }: FrameOptions): number {
  if (maskBuffer === undefined) return maskingKeySource(generateMask)();
  if (maskBuffer.length < 4) {
    throw new RangeError(`The "maskBuffer" option must have 4 bytes, got ${maskBuffer.length}`);
  }
  if (generateMask !== undefined) generateMask(maskBuffer);
  else maskBuffer.writeInt32BE(maskingKeySource()(), 0);
  return maskBuffer.readInt32BE(0);
}

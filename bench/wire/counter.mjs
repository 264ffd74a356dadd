const lengthBytes = (second) => ({ 126: 2, 127: 8 })[second & 127] ?? 0;

/** Finds the ends of messages in a stream of unmasked frames, and keeps nothing but a header. */
export class MessageCounter {
  #header = Buffer.alloc(10);
  #have = 0;
  #need = 2;
  #left = 0;

  /** @returns how many messages ended in these bytes; control frames are none */
  feed(buffer, length) {
    let ended = 0;
    for (let at = 0; at < length; ) {
      if (this.#have < this.#need) {
        this.#header[this.#have++] = buffer[at++];
        if (this.#have === 2) this.#need = 2 + lengthBytes(this.#header[1]);
        if (this.#have < this.#need) continue;
        this.#left = payloadLength(this.#header);
      } else {
        const part = Math.min(this.#left, length - at);
        at += part;
        this.#left -= part;
      }
      if (this.#left === 0) ended += this.#end();
    }
    return ended;
  }

  #end() {
    this.#have = 0;
    this.#need = 2;
    const final = this.#header[0] >= 0x80;
    const control = (this.#header[0] & 8) !== 0;
    return final && !control ? 1 : 0;
  }
}

function payloadLength(header) {
  const short = header[1] & 127;
  if (short === 126) return header.readUInt16BE(2);
  if (short === 127) return Number(header.readBigUInt64BE(2));
  return short;
}

/**
 * The first frame at the start of `bytes`, or `undefined` while it is incomplete.
 *
 * @returns {{ first: number, payload: Buffer, length: number } | undefined} `length` with the header
 */
export function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const start = 2 + lengthBytes(bytes[1]);
  if (bytes.length < start) return undefined;
  const length = start + payloadLength(bytes);
  if (bytes.length < length) return undefined;
  return { first: bytes[0], payload: bytes.subarray(start, length), length };
}

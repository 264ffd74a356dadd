/** Bytes written as hexadecimal digits; white space is for the reader. */
export function hex(digits: string): Buffer {
  const plain = digits.replace(/\s+/g, '');
  const bytes = Buffer.from(plain, 'hex');
  if (bytes.length * 2 !== plain.length) throw new Error(`Not whole bytes: ${digits}`);
  return bytes;
}

/** Bytes as hexadecimal digits without spaces. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** `length` bytes of a pattern in which no two places close to each other look alike. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 131 + (at >>> 8) * 17 + 7) & 0xff;
  return bytes;
}

/** Copies of `bytes` cut at the given places, which must ascend. A copy, because chunks are unmasked in place. */
export function cut(bytes: Buffer, ...places: number[]): Buffer[] {
  const borders = [0, ...places, bytes.length];
  const pieces: Buffer[] = [];
  for (let index = 1; index < borders.length; index++) {
    pieces.push(Buffer.from(bytes.subarray(borders[index - 1], borders[index])));
  }
  return pieces;
}

/** Copies of `bytes` in pieces of `size`. */
export function slices(bytes: Buffer, size: number): Buffer[] {
  const places: number[] = [];
  for (let at = size; at < bytes.length; at += size) places.push(at);
  return cut(bytes, ...places);
}

import { createCipheriv } from 'node:crypto';

/** A message as it is compared: its payload as bytes, and its kind. */
export interface Message {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

const MiB = 1024 * 1024;
export const LARGEST = 16 * MiB;

/** Around each border: of the three length fields, of the default threshold of compression, and of a read. */
export const SIZES: readonly number[] = [
  0,
  1,
  125,
  126,
  1_023,
  1_024,
  65_535,
  65_536,
  65_537,
  300_000,
  MiB,
];

/** Bytes that do not compress, the same in each run: the keystream of an all-zero key. */
const NOISE = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(
  Buffer.alloc(MiB),
);

let lines: Buffer | undefined;

/** JSON with characters of one to four bytes, as long as the largest message. */
function allLines(): Buffer {
  if (lines !== undefined) return lines;
  const parts: string[] = [];
  for (let index = 0, length = 0; length < LARGEST; index++) {
    const part = `{"id":${index},"name":"été ${index % 7} ☕ 🚀"},\n`;
    parts.push(part);
    length += part.length;
  }
  lines = Buffer.from(parts.join(''));
  return lines;
}

/** Text of so many bytes, which compresses. */
export function text(length: number): Message {
  const bytes = Buffer.from(allLines().subarray(0, length));
  // Every character beyond ASCII stands alone: what is left of one that was cut in two becomes blanks.
  for (let at = length - 1; at >= 0 && bytes[at] >= 0x80; at--) bytes[at] = 0x20;
  return { bytes, isBinary: false };
}

/** So many bytes, at most 1 MiB, which do not compress. */
export function noise(length: number): Message {
  return { bytes: NOISE.subarray(0, length), isBinary: true };
}

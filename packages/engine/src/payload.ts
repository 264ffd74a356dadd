import type { Payload, UnreadPayload } from './protocol/sender';

/** The form of received binary messages. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/** A received message: a Buffer, or what `binaryType` makes of a binary one. */
export type RawData = Buffer | ArrayBuffer | Buffer[];

/** A received message where text comes as a string. */
export type Data = string | RawData;

/** What `send()`, `ping()` and `pong()` take. */
export type SendData =
  | string
  | number
  | Buffer
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob
  | readonly unknown[]
  | { valueOf(): readonly number[] }
  | { [Symbol.toPrimitive](hint: string): string }
  | { valueOf(): ArrayBuffer | SharedArrayBuffer }
  | { valueOf(): string }
  | { valueOf(): Uint8Array }
  | null
  | undefined;

const EMPTY = Buffer.alloc(0);

/**
 * The bytes of what the application sends. Views are not copied; strings stay strings, to be encoded where they are framed.
 * A list of buffers, as `binaryType` `'fragments'` delivers them, is sent as one message.
 *
 * @throws TypeError for what has no bytes
 */
export function toPayload(data: SendData | boolean): Payload {
  if (typeof data === 'string') return data;
  if (typeof data === 'number') return String(data);
  if (data instanceof Uint8Array) return data;
  if (!data) return EMPTY;
  if (ArrayBuffer.isView(data)) {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
  if (data instanceof Blob) return unread(data);
  if (isListOfBytes(data)) return Buffer.concat(data);
  // Whatever is left, Buffer.from takes or refuses with a TypeError that names what it got.
  return Buffer.from(data as ArrayBuffer);
}

function unread(blob: Blob): UnreadPayload {
  return { size: blob.size, read: async () => new Uint8Array(await blob.arrayBuffer()) };
}

function isListOfBytes(data: unknown): data is readonly Uint8Array[] {
  if (!Array.isArray(data) || data.length === 0) return false;
  // Not `every`, which does not look at holes.
  for (const part of data) {
    if (!(part instanceof Uint8Array)) return false;
  }
  return true;
}

/** The bytes of a received message as a buffer of their own. */
export function toBuffer(bytes: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

/**
 * A received message that has to wait: a copy where it is a small part of the chunk that was read, which it must not keep
 * alive with it.
 */
export function toKeep(data: unknown): unknown {
  if (!Buffer.isBuffer(data) || 4 * data.length >= data.buffer.byteLength) return data;
  const copy = Buffer.allocUnsafeSlow(data.length);
  data.copy(copy);
  return copy;
}

export const BINARY_TYPES: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'];

/** A received binary message in the form that `binaryType` asks for. */
export function toBinary(buffer: Buffer, type: BinaryType): Buffer | ArrayBuffer | Buffer[] | Blob {
  switch (type) {
    case 'nodebuffer':
      return buffer;
    case 'arraybuffer':
      return toArrayBuffer(buffer);
    case 'fragments':
      // The pieces that came are one by now, or none.
      return buffer.length === 0 ? [] : [buffer];
    case 'blob':
      return new Blob([buffer]);
  }
}

function toArrayBuffer(buffer: Buffer): ArrayBuffer {
  const { buffer: memory, byteOffset, byteLength } = buffer;
  // Received bytes never lie in shared memory.
  if (byteLength === memory.byteLength) return memory as ArrayBuffer;
  return memory.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

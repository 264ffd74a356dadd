/** How the peer's bytes are cut: at once, one by one, and anywhere. */
import type { Duplex } from 'node:stream';
import { LONG } from './long';

export type Chunking = 'whole' | 'bytes' | 'random';

/** A number is pieces of so many bytes. */
export type AnyChunking = Chunking | number;

export const CHUNKINGS: readonly Chunking[] = ['whole', 'bytes', 'random'];

/** Numbers from 0 to 1 that are the same for the same seed. */
export function randomNumbers(seed: string): () => number {
  let state = 2166136261;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 16777619);
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Long payloads are cut into single bytes at both ends only, where the headers are, unless there is time. */
const CUT_FINELY = LONG ? Number.POSITIVE_INFINITY : 1_000;
/** The pieces between. */
const COARSE = 257;

function sizeOfBytes(bytes: Buffer, at: number): number {
  const middle = at >= CUT_FINELY && at < bytes.length - CUT_FINELY;
  return middle ? Math.min(COARSE, bytes.length - CUT_FINELY - at) : 1;
}

/** Cuts bytes; what follows from a seed is the same in each run. */
export function* cutBytes(bytes: Buffer, chunking: AnyChunking, seed: string): Generator<Buffer> {
  if (chunking === 'whole') {
    if (bytes.length > 0) yield bytes;
    return;
  }
  const random = randomNumbers(seed);
  // Short pieces for headers, long ones for long payloads.
  const most = Math.max(7, bytes.length / 40);
  for (let at = 0; at < bytes.length; ) {
    const size =
      typeof chunking === 'number'
        ? chunking
        : chunking === 'bytes'
          ? sizeOfBytes(bytes, at)
          : 1 + Math.floor(random() * most);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Writes the bytes, each chunk by itself. */
export function writeChunks(
  socket: Duplex,
  bytes: Buffer,
  chunking: AnyChunking,
  seed: string,
): void {
  for (const chunk of cutBytes(bytes, chunking, seed)) socket.write(chunk);
}

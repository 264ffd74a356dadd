import { randomFillSync } from 'node:crypto';

/** Bytes of randomness that are drawn at a time: one call into the system for 2048 frames. */
const POOL_SIZE = 8 * 1024;

/** Shared by all connections; drawn when the first frame is masked, so that a server has none. */
let pool: Int32Array | undefined;
let used = 0;

/** Four bytes nobody can predict, as one integer (RFC 6455 5.3, 10.3); never the same four twice. */
export function randomMaskingKey(): number {
  if (pool === undefined || used === pool.length) {
    pool ??= new Int32Array(POOL_SIZE / Int32Array.BYTES_PER_ELEMENT);
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++];
}

/**
 * A source of masking keys.
 *
 * @param generateMask fills the four bytes it is given, the first byte of the key first; all zero leaves frames
 *   unmasked in effect. @defaultValue random bytes
 */
export function maskingKeySource(generateMask?: (mask: Buffer) => void): () => number {
  if (generateMask === undefined) return randomMaskingKey;
  const mask = Buffer.alloc(4);
  return () => {
    generateMask(mask);
    return mask.readInt32BE(0);
  };
}

import { maskInto } from './mask';
import { Slab, wordsOf } from './memory';

/** Payloads that are copied share memory of this size: who keeps one keeps as much as `Buffer.allocUnsafe` would. */
const SLAB_SIZE = 8 * 1024;
/** Larger payloads have memory of their own. */
const SHARED_UP_TO = SLAB_SIZE / 4;

let slab = new Slab(SLAB_SIZE);

/** A payload that has been copied. */
export interface Copy {
  bytes: Buffer;
  /** As {@link maskInto} answers. */
  seen: number;
}

const copy: Copy = { bytes: slab.bytes, seen: 0 };

/**
 * Copies a payload out of the chunk that was read, and unmasks it on the way.
 *
 * @returns the same object each time, to be read at once
 */
export function copyUnmasked(chunk: Buffer, start: number, end: number, key: number): Copy {
  const length = end - start;
  if (length > SHARED_UP_TO) {
    copy.bytes = Buffer.allocUnsafeSlow(length);
    copy.seen = maskInto(chunk, start, end, copy.bytes, 0, key);
    return copy;
  }
  // As far from the border of a word as it was: words are masked faster than bytes.
  let at = ((slab.used + 3) & ~3) + ((wordsOf(chunk).base + start) & 3);
  if (at + length > SLAB_SIZE) {
    slab = new Slab(SLAB_SIZE);
    at &= 3;
  }
  slab.used = at + length;
  copy.seen = maskInto(chunk, start, end, slab.bytes, at, key);
  copy.bytes = slab.part(at, length);
  return copy;
}

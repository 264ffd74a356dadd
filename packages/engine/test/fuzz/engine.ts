import { performance } from 'node:perf_hooks';
import { Choices, Random } from './choices';
import type { Target } from './target';

const MOST_BYTES = 512;

/** Inputs of one target: each is told by seed and number, and by the inputs that were kept before. */
export class Inputs {
  private readonly seed: number;
  private readonly kept: readonly Uint8Array[];

  /** @param kept inputs from which others are made by small changes */
  constructor(seed: number, kept: readonly Uint8Array[]) {
    this.seed = seed;
    this.kept = kept;
  }

  /** The input with this number. */
  at(number: number): Uint8Array {
    const random = new Random(this.seed, number);
    if (this.kept.length > 0 && random.below(2) === 1) return this.changed(random);
    // As many short ones as long ones.
    const bytes = new Uint8Array(4 + random.below(8 << random.below(6)));
    random.fill(bytes);
    return bytes;
  }

  private changed(random: Random): Uint8Array {
    let bytes: Uint8Array = Uint8Array.from(this.kept[random.below(this.kept.length)]);
    for (let times = 1 + random.below(4); times > 0; times--) bytes = this.change(bytes, random);
    return bytes;
  }

  private change(bytes: Uint8Array, random: Random): Uint8Array {
    const at = random.below(bytes.length + 1);
    const length = 1 + random.below(8);
    switch (random.below(6)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << random.below(8);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = random.below(256);
        return bytes;
      case 2:
        random.fill(bytes.subarray(at, at + length));
        return bytes;
      case 3:
        return join(bytes.subarray(0, at), bytes.subarray(at + length));
      case 4:
        return join(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at));
      default: {
        const other = this.kept[random.below(this.kept.length)];
        return join(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)));
      }
    }
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts)).subarray(0, MOST_BYTES);
}

/** What a target makes of an input: nothing, or what it throws. */
export async function tryInput(target: Target, input: Uint8Array): Promise<unknown> {
  try {
    // Most targets are done at once, and waiting for nothing costs more than they do.
    const result = target.run(new Choices(input));
    if (result !== undefined) await result;
    return undefined;
  } catch (error) {
    return error ?? new Error('Something empty was thrown');
  }
}

/** A smaller input with the same finding, as far as a second finds one. */
export async function shrink(
  target: Target,
  input: Uint8Array,
  found: unknown,
): Promise<Uint8Array> {
  const end = performance.now() + 1000;
  let best = input;
  for (let size = best.length >>> 1; size > 0; ) {
    let smaller = false;
    for (let at = 0; at < best.length && performance.now() < end; ) {
      const less = join(best.subarray(0, at), best.subarray(at + size));
      if (kindOf(await tryInput(target, less)) === kindOf(found)) {
        best = less;
        smaller = true;
      } else at += size;
    }
    if (performance.now() >= end) return best;
    if (!smaller) size >>>= 1;
  }
  return best;
}

/** The first line of a finding, without its numbers. */
function kindOf(found: unknown): string {
  return String(found).split('\n')[0].replace(/\d+/g, '0');
}

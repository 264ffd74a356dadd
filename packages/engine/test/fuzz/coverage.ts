import { Inputs, tryInput } from './engine';
import type { Target } from './target';

/** Counters of one source, as istanbul has them. */
interface FileCounters {
  readonly s: Record<string, number>;
  readonly b: Record<string, number[]>;
}

// The sources have put it there, if they count.
const counters = globalThis as { __coverage__?: Record<string, FileCounters> };

/** How often something ran, roughly: once, twice, some times, often. */
function bucket(count: number): number {
  return count > 2 ? (count > 8 ? 8 : 4) : count;
}

/** What has run how often, of everything that was tried. */
class Reached {
  private readonly seen = new Map<string, Map<string, number>>();

  /** Takes what has run since the last time. @returns whether anything did as it never has before */
  take(): boolean {
    let isNew = false;
    for (const [file, { s, b }] of Object.entries(counters.__coverage__ ?? {})) {
      let seen = this.seen.get(file);
      if (seen === undefined) {
        seen = new Map();
        this.seen.set(file, seen);
      }
      for (const id in s) {
        if (s[id] === 0) continue;
        if (note(seen, id, s[id])) isNew = true;
        s[id] = 0;
      }
      for (const id in b) {
        const counts = b[id];
        for (let index = 0; index < counts.length; index++) {
          if (counts[index] === 0) continue;
          if (note(seen, `${id}/${index}`, counts[index])) isNew = true;
          counts[index] = 0;
        }
      }
    }
    return isNew;
  }
}

function note(seen: Map<string, number>, id: string, count: number): boolean {
  const before = seen.get(id) ?? 0;
  const after = before | bucket(count);
  if (after === before) return false;
  seen.set(id, after);
  return true;
}

/** The inputs among so many that reach what none before them has reached; those kept make others. */
export async function keepNewInputs(
  target: Target,
  seed: number,
  count: number,
): Promise<Uint8Array[]> {
  const reached = new Reached();
  const kept: Uint8Array[] = [];
  const inputs = new Inputs(seed, kept);
  reached.take();
  for (let number = 0; number < count; number++) {
    const input = inputs.at(number);
    // What it finds, the run that follows finds again.
    await tryInput(target, input);
    if (reached.take()) kept.push(input);
  }
  return kept;
}

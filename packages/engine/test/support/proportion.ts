const MIB = 1 << 20;

/** Times as much in the whole as in the part: the cost of each character over again would be 64 times as much time. */
const LARGER = 8;
const TOO_LONG = 3 * LARGER;

/** Microseconds of the processor that say nothing: a quadratic cost takes far longer for a mebibyte. */
const NOISE = 500_000;

/** Microseconds of the processor from which on another attempt would say the same. */
const CERTAIN = 10_000_000;

const ATTEMPTS = 5;

/** Processor time of the process in microseconds, for other processes count against the time of the clock. */
function timeOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/**
 * Asserts that `work` on a mebibyte does not take a time that grows with the square. The collection of garbage and the compiler
 * add to one attempt or another, so that the best of five counts.
 */
export function expectProportion(work: (size: number) => unknown): void {
  const ratios: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const part = timeOf(() => work(MIB / LARGER));
    const whole = timeOf(() => work(MIB));
    if (whole < NOISE || whole < TOO_LONG * part) return;
    ratios.push(`${part} to ${whole}`);
    if (whole > CERTAIN) break;
  }
  throw new Error(`${LARGER} times as much takes, in microseconds: ${ratios.join(', ')}`);
}

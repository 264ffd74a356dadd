/** How often the delay is looked at, in milliseconds. */
const interval = 2;

/** Value at a share of the sorted values, such as 0.99. */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/**
 * How late timers are, which is how long the event loop was busy with other things. Written here because not every
 * runtime has `monitorEventLoopDelay`.
 */
export class DelaySampler {
  #samples = [];
  #timer;

  start() {
    this.#samples = [];
    const next = () => {
      const due = performance.now() + interval;
      this.#timer = setTimeout(() => {
        this.#samples.push(Math.max(0, performance.now() - due));
        next();
      }, interval);
    };
    next();
  }

  /** @returns percentiles in milliseconds */
  stop() {
    clearTimeout(this.#timer);
    const sorted = Float64Array.from(this.#samples).sort();
    if (sorted.length === 0) return { p50: 0, p99: 0, longest: 0 };
    return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), longest: sorted.at(-1) };
  }
}

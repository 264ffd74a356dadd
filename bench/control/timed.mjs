/**
 * Does a run and adds how long it took by the clock, and which share of that time this process was on its core.
 *
 * @template Result
 * @param {() => Promise<Result>} work
 * @returns {Promise<Result & { seconds: number, busy: number }>}
 */
export async function timed(work) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...result,
    seconds: milliseconds / 1000,
    busy: (user + system) / 1000 / milliseconds,
  };
}

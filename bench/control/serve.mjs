// The inside of each process that is started: it does what the runner asks for and answers, over Node's own channel,
// which Bun has too.
import { DelaySampler } from './delay.mjs';

const delays = new DelaySampler();

/** What every process can be asked for. */
const common = {
  /** CPU time of all its threads so far, in microseconds. */
  usage() {
    const { user, system } = process.cpuUsage();
    return { cpu: user + system };
  },
  /** Memory in use when all garbage is gone, in bytes. */
  async memory() {
    for (let round = 0; round < 4; round++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return { rss: process.memoryUsage.rss?.() ?? process.memoryUsage().rss };
  },
  watchDelay: () => delays.start(),
  delay: () => delays.stop(),
};

function collectGarbage() {
  if (globalThis.Bun !== undefined) globalThis.Bun.gc(true);
  else globalThis.gc();
}

/** Answers what the runner asks for with these methods; ends with the runner. */
export function serve(own) {
  const methods = { ...common, ...own };
  process.on('message', async ({ id, method, params }) => {
    try {
      process.send({ id, result: await methods[method](params) });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ started: true });
}

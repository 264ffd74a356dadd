// Peers that are gone without a word, and those that only seem to be.
import { startLoad } from '../control/load.mjs';
import { Network, networkLacks } from '../control/network.mjs';
import { after, outcome } from './outcome.mjs';

const recipe = ({ ours }) => (ours ? '' : ', by the recipe of the README of ws');

/** Settles when a condition holds, or the time is over. @returns how long it took */
async function wait(condition, limit) {
  const start = performance.now();
  while (!(await condition()) && performance.now() - start < limit) await after(50);
  return performance.now() - start;
}

export async function halfOpen(context, { tls } = {}) {
  const count = 500;
  const heartbeat = { interval: 2_000, timeout: 2_000 };
  const limit = heartbeat.interval + heartbeat.timeout + 1_000;
  const network = context.owns(new Network());
  const server = await context.fresh({ tls, host: '0.0.0.0', options: { heartbeat } });
  const lost = context.owns(startLoad(network.prefix));
  const live = context.owns(startLoad());
  const at = (host) => ({ ...server.address, host });
  await lost.call('hold', { address: at(network.host), count });
  await live.call('hold', { address: at('127.0.0.1'), count });
  await after(1_000);
  network.cut();
  const time = await wait(async () => (await server.state()).open <= count, 3 * limit);
  await after(heartbeat.interval + heartbeat.timeout);
  const { open } = await server.state();
  const left = await live.call('left');
  const found = 2 * count - open - (count - left);
  return outcome(
    found >= count && left === count && time <= limit,
    found >= count
      ? `all ${count} found within ${(time / 1000).toFixed(1)} s, ${count - left} of ${left} live ones cut${recipe(context.subject)}`
      : `${found} of ${count} found`,
  );
}

async function stalled(context) {
  const time = context.size({ quick: 1_000, full: 2_000 });
  const stall = context.size({ quick: 2_500, full: 5_000 });
  const heartbeat = { interval: time, timeout: time };
  const count = 50;
  const server = await context.fresh({ options: { heartbeat } });
  const load = context.owns(startLoad());
  await load.call('hold', { address: server.address, count });
  await after(1.5 * time);
  await server.call('stall', { milliseconds: stall });
  await after(2 * time + 500);
  const left = await load.call('left');
  return outcome(
    left === count,
    `${count - left} of ${count} healthy clients cut${recipe(context.subject)}`,
  );
}

export const tests = [
  {
    id: 'L4',
    title: '500 half-open connections (veth down) beside 500 live ones, heartbeat 2 s + 2 s',
    pass: 'all found within 5 s, no live one cut',
    long: true,
    missing: networkLacks,
    run: halfOpen,
  },
  {
    id: 'L5',
    title: 'the event loop stands still for 5 s (quick 2.5 s), heartbeat 2 s (1 s)',
    pass: 'no healthy client cut',
    quick: ({ framework }) => !framework,
    run: stalled,
  },
];

// Clients that are slow: to read, to write, or to come to an end.
import { kinds } from '../client/flood.mjs';
import { startLoad } from '../control/load.mjs';
import { after, mebibytes, milliseconds, outcome } from './outcome.mjs';

/** Twice as slow is too slow, where it can be felt; on a machine that does other things meanwhile, that says nothing. */
function tooSlow({ profile }, before, during) {
  return during > (profile === 'quick' ? 5_000 : Math.max(2 * before, 50));
}

async function feed(server, load, order) {
  await load.call('delays');
  await server.call('feed', order);
  await after(300);
  return load.call('delays');
}

async function consumers(context) {
  const count = context.size({ quick: 10, full: 100 });
  const order = { count: 256, size: 32 * 1024, interval: context.size({ quick: 10, full: 50 }) };
  const maxBufferedAmount = 1024 ** 2;
  const server = await context.fresh({
    options: { maxBufferedAmount, heartbeat: false, closeTimeout: 1_000 },
  });
  const load = context.owns(startLoad());
  const deaf = context.owns(startLoad());
  const { address } = server;
  await load.call('live', { address, count });
  const before = await feed(server, load, order);
  await deaf.call('paused', { address, count });
  const { rss } = await server.call('memory');
  await server.call('watchMemory');
  const during = await feed(server, load, order);
  const grown = (await server.call('mostMemory')) - rss;
  // Each that was too slow has a close frame to read; it does not, and is cut after closeTimeout.
  const { open } = await server.settles((state) => state.open <= count, 35_000);
  const ended = 2 * count - open;
  // A process that is young grows by some 20 MiB on its own: the short form only tells 10 × 8 MiB from 10 × 1 MiB.
  const limit = context.size({ quick: 60, full: 150 });
  return outcome(
    ended === count && grown < limit * 1024 ** 2 && !tooSlow(context, before.p99, during.p99),
    `${ended} of ${count} ended; RSS +${mebibytes(grown)}; live p99 ${before.p99} → ${during.p99} ms`,
  );
}

async function loris(context) {
  const count = context.size({ quick: 60, full: 2_000 });
  const limit = context.size({ quick: 2_000, full: 10_000 });
  const interval = context.size({ quick: 200, full: 2_000 });
  const server = await context.fresh({
    // A goodbye that is not answered belongs to the limit.
    options: { idleTimeout: 0.7 * limit, closeTimeout: 0.1 * limit, heartbeat: false },
    http: { headersTimeout: 0.8 * limit, connectionsCheckingInterval: limit / 10 },
  });
  const slow = context.owns(startLoad());
  const honest = context.owns(startLoad());
  await slow.call('startLoris', { address: server.address, count, interval });
  // Two thousand that come at once are another test.
  await server.settles(({ opened }) => opened >= Math.floor(count / 3));
  const start = performance.now();
  const visits = { rate: context.size({ quick: 20, full: 40 }), seconds: limit / 2_000 };
  await honest.call('visit', { address: server.address, ...visits });
  let left = count;
  const spent = () => performance.now() - start;
  while (left > 0 && spent() < 2.5 * limit) {
    await after(100);
    left = await slow.call('lorisLeft');
  }
  const time = spent();
  const { p99, failed, started } = await honest.call('visits');
  await slow.call('stopLoris');
  if (!(await server.alive())) return outcome(false, 'DEAD');
  return outcome(
    left === 0 &&
      time < limit + context.size({ quick: 3_000, full: 1_000 }) &&
      failed === 0 &&
      !(p99 >= context.size({ quick: 5_000, full: 250 })),
    `${left} of ${count} left after ${(time / 1000).toFixed(1)} s (limit ${limit / 1000} s); ${started} honest ones: p99 ${milliseconds(p99)}, ${failed} failed`,
  );
}

async function floods(context) {
  const time = context.size({ quick: 500, full: 5_000 });
  const server = await context.fresh({ careful: true, options: { closeTimeout: 500 } });
  const attacker = context.owns(startLoad());
  const honest = context.owns(startLoad());
  const { address } = server;
  const measure = async () => {
    await honest.call('visit', { address, rate: 50, seconds: time / 1000 });
    let visits;
    do {
      await after(100);
      visits = await honest.call('visits');
    } while (!visits.over);
    return visits;
  };
  const pour = (kind, milliseconds) => attacker.call('flood', { address, kind, milliseconds });
  // What a process takes once, under its first load, is not what a flood adds.
  for (const kind of Object.keys(kinds)) await pour(kind, time / 2);
  const before = await measure();
  const { rss } = await server.call('memory');
  const endless = [];
  let [slowest, most, failed] = [0, rss, 0];
  for (const kind of Object.keys(kinds)) {
    const flooding = pour(kind, time);
    const during = await measure();
    // What is held, all garbage collected: how much there is of that is not the attacker's to say.
    most = Math.max(most, (await server.call('memory')).rss);
    // It takes what the kernel has room for before pongs wait: seconds, on a machine that is busy.
    const cut = (await flooding) > 0 || (context.profile === 'quick' && kind === 'pings');
    if (!cut) endless.push(kind);
    slowest = Math.max(slowest, during.p99);
    failed += during.failed;
  }
  const grown = most - rss;
  const fine = failed === 0 && !tooSlow(context, before.p99, slowest);
  return outcome(
    endless.length === 0 &&
      grown < context.size({ quick: 64, full: 16 }) * 1024 ** 2 &&
      fine &&
      (await server.alive()),
    `${endless.length === 0 ? 'all four are cut off' : `not cut off: ${endless.join(', ')}`}; RSS +${mebibytes(grown)}; others p99 ${milliseconds(before.p99)} → ${milliseconds(slowest)}`,
  );
}

export const tests = [
  {
    id: 'H7',
    title: '2,000 slow lorises of three kinds while others connect, limit 10 s (quick 60, 2 s)',
    pass: 'all gone by the limit, honest p99 under 250 ms',
    run: loris,
  },
  {
    id: 'F4',
    title: 'floods of fragments, of empty ones, of pings that nobody reads, of close frames',
    pass: 'cut off; RSS under +16 MiB; others at most twice as slow, or within 50 ms',
    quick: ({ framework }) => !framework,
    run: floods,
  },
  {
    id: 'L3',
    title: '100 that do not read beside 100 that do (quick 10), 1 MiB limit, 8 MiB each',
    pass: 'ended; RSS under +150 MiB; live p99 at most twice as slow, or within 50 ms',
    quick: ({ framework }) => !framework,
    run: consumers,
  },
];

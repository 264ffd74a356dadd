// Many clients.
import { startLoad } from '../control/load.mjs';
import { after, list, milliseconds, outcome } from './outcome.mjs';

const kibibytes = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };

/**
 * Connections whose memory is not counted: with the first handshakes, V8 takes some 30 MiB for what is young, once for all
 * that follow.
 */
const FIRST = 4_000;

/** One server with its clients. */
class Half {
  static async start(context, deflate) {
    const half = new Half();
    half.server = await context.fresh({
      options: { perMessageDeflate: deflate, heartbeat: false },
    });
    half.load = context.owns(startLoad());
    half.headers = deflate ? offer : {};
    half.opened = 0;
    half.refused = 0;
    await half.openUpTo(FIRST);
    half.base = await half.server.call('memory');
    return half;
  }

  async openUpTo(total) {
    const { load, server, headers } = this;
    const count = total - this.opened;
    const { opened } = await load.call('hold', { address: server.address, count, headers });
    this.opened += opened;
    this.refused += count - opened;
  }

  /** Resident memory of one connection. */
  async memory() {
    const { rss } = await this.server.call('memory');
    return (rss - this.base.rss) / (this.opened - FIRST);
  }
}

const sum = (items, property) => items.reduce((total, item) => total + item[property], 0);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function idleWith(context, deflate) {
  const halves = await Promise.all([1, 2].map(() => Half.start(context, deflate)));
  const memory = [];
  for (const total of [10_000, 12_000]) {
    for (const half of halves) await half.openUpTo(total);
    memory.push(mean(await Promise.all(halves.map((half) => half.memory()))));
    context.tell(`${sum(halves, 'opened')} idle: ${kibibytes(memory.at(-1))} each`);
  }
  for (const { load } of halves) await load.call('release');
  await context.endTest();
  return { refused: sum(halves, 'refused'), memory };
}

async function idle(context) {
  const plain = await idleWith(context, false);
  const compressed = await idleWith(context, true);
  const refused = plain.refused + compressed.refused;
  const [most, mostCompressed] = [plain, compressed].map(({ memory }) => Math.max(...memory));
  return outcome(
    refused === 0 && most <= 8 * 1024 && mostCompressed <= 40 * 1024,
    `${refused} refused; ${plain.memory.map(kibibytes).join(' and ')} each; with deflate agreed on ${compressed.memory.map(kibibytes).join(' and ')}`,
  );
}

async function storm(context) {
  const [rate, seconds] = [1_000, 20];
  const server = await context.fresh();
  const load = context.owns(startLoad());
  await server.call('watchLoop');
  await load.call('visit', { address: server.address, rate, seconds, stay: 2_000 });
  let visits;
  do {
    await after(1_000);
    visits = await load.call('visits');
    context.tell(`${visits.started} have come`);
  } while (!visits.over);
  const loop = await server.call('loop');
  return outcome(
    visits.failed === 0 && loop.p99 < 200,
    `${visits.failed} of ${visits.started} failed${visits.failed > 0 ? ` (${list(visits.reasons)})` : ''}; event loop p99 ${milliseconds(loop.p99)}; answered within ${milliseconds(visits.p99)} (p99)`,
  );
}

/** The slope of a line through points, by least squares. */
function slope(points) {
  const [x, y] = [0, 1].map((at) => mean(points.map((point) => point[at])));
  const numerator = points.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  return numerator / points.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
}

async function soak(context) {
  const { minutes } = context;
  const rate = 300;
  const server = await context.fresh();
  const load = context.owns(startLoad());
  const before = await server.state();
  await load.call('visit', { address: server.address, rate, seconds: minutes * 60 });
  const points = [];
  const start = performance.now();
  let visits;
  do {
    await after(Math.min(20_000, minutes * 3_000));
    const { rss } = await server.call('memory');
    visits = await load.call('visits');
    const minute = (performance.now() - start) / 60_000;
    if (!visits.over) points.push([minute, rss / 1024 ** 2]);
    context.tell(
      `${minute.toFixed(1)} min: ${visits.done} visits, ${(rss / 1024 ** 2).toFixed(0)} MiB`,
    );
  } while (!visits.over);
  const late = slope(points.filter(([minute]) => minute >= minutes / 3));
  const now = await server.settles(({ connections, open }) => connections === 0 && open === 0);
  const same = now.handles === before.handles && now.activeTimers <= before.activeTimers + 1;
  return outcome(
    visits.failed === 0 && late < 1 && same,
    `${visits.started} visits in ${minutes} min, ${visits.failed} failed; RSS ${late >= 0 ? '+' : ''}${late.toFixed(2)} MiB a minute after the first third; handles ${before.handles} → ${now.handles}, timers ${before.activeTimers} → ${now.activeTimers}`,
  );
}

export const tests = [
  {
    id: 'L1',
    title: '20,000 idle connections on two processes, then 24,000',
    pass: 'none refused; at most 8 KiB each, 40 KiB with deflate agreed on',
    long: true,
    run: idle,
  },
  {
    id: 'L2',
    title: '20,000 connects in 20 s, each for 2 s',
    pass: 'none fails, event loop p99 under 200 ms',
    long: true,
    run: storm,
  },
  {
    id: 'L6',
    title: 'connect, echo and leave at 300/s for 9 min',
    pass: 'none fails; RSS under +1 MiB a minute; handles and timers back to start',
    long: true,
    run: soak,
  },
];

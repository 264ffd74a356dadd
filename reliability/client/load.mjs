// A process of clients: they need descriptors of their own, and time that is not the runner's.
import { serve } from '../../bench/control/serve.mjs';
import { Audience } from './audience.mjs';
import { percentile } from './client.mjs';
import { Member } from './crowd.mjs';
import { flood } from './flood.mjs';
import { closing } from './frames.mjs';
import { Loris } from './loris.mjs';

const after = (time) => new Promise((resolve) => setTimeout(resolve, time));

const held = [];
const audience = new Audience();
let loris;
let visits;

/** Opens members and keeps them, a few hundred at a time. */
async function hold({ address, path = '/echo', count, headers }) {
  let opened = 0;
  const start = performance.now();
  const worker = async (share) => {
    for (let number = 0; number < share; number++) {
      const member = new Member(address, path, headers);
      if (await member.opened) opened += 1;
      held.push(member);
    }
  };
  const workers = Math.min(count, 200);
  const shares = Array.from({ length: workers }, (_, index) =>
    Math.floor((count + index) / workers),
  );
  await Promise.all(shares.map(worker));
  return { opened, milliseconds: performance.now() - start };
}

/** Comes, asks for an echo, stays a while and leaves. @returns how long it took to be answered, or what went wrong */
async function visit(address, stay) {
  const start = performance.now();
  const member = new Member(address, '/echo');
  if (!(await member.opened)) return member.error ?? 'refused';
  const answer = await member.ask('hello');
  const time = performance.now() - start;
  if (answer?.toString() !== 'hello') return member.error ?? 'no answer';
  if (stay > 0) await after(stay);
  const closed = new Promise((resolve) => member.socket.once('close', () => resolve(true)));
  member.socket.write(closing(1000));
  const timer = setTimeout(() => member.socket.destroy(), 10_000);
  await closed;
  clearTimeout(timer);
  return time;
}

/** Starts visits at a rate, whether or not those before have ended. */
function startVisits({ address, rate, seconds, stay = 0 }) {
  const tally = { started: 0, failed: 0, reasons: new Set(), times: [], over: false };
  const start = performance.now();
  const count = (time) => {
    if (typeof time === 'number') tally.times.push(time);
    else {
      tally.failed += 1;
      tally.reasons.add(time);
    }
    tally.over = tally.failed + tally.times.length === Math.floor(seconds * rate);
  };
  const timer = setInterval(() => {
    const elapsed = Math.min((performance.now() - start) / 1000, seconds);
    // Who is late catches up bit by bit: thousands at once would be the kernel's to refuse.
    const due = Math.min(Math.floor(elapsed * rate), tally.started + Math.ceil(rate / 20));
    for (; tally.started < due; tally.started++) visit(address, stay).then(count);
    if (tally.started === Math.floor(seconds * rate)) clearInterval(timer);
  }, 5);
  visits = tally;
}

serve({
  hold,
  /** How many that were held are still there. */
  left: () => held.filter(({ gone }) => !gone).length,
  release() {
    for (const { socket } of held.splice(0)) socket.destroy();
  },
  visit: startVisits,
  visits() {
    const { started, failed, reasons, times, over } = visits;
    return {
      started,
      failed,
      reasons: [...reasons],
      done: times.length,
      over,
      p99: percentile(times, 0.99),
    };
  },
  startLoris({ address, count, interval }) {
    loris = new Loris(address, count, interval);
  },
  lorisLeft: () => loris.left,
  stopLoris: () => loris.stop(),
  flood: ({ address, kind, milliseconds }) => flood(address, kind, milliseconds),
  live: ({ address, count }) => audience.live(address, count),
  paused: ({ address, count }) => audience.paused(address, count),
  delays() {
    const delays = audience.delays();
    return { count: delays.length, p99: percentile(delays, 0.99) };
  },
});

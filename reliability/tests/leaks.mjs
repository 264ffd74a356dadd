// What is left of connections when they have ended.
import v8 from 'node:v8';
import { Client } from '../client/client.mjs';
import { fatesOf } from './fates.mjs';
import { after, list, outcome } from './outcome.mjs';

const { queryObjects } = v8;

/** Short, so that ten thousand time-outs take no hours. */
const options = {
  closeTimeout: 200,
  handshakeTimeout: 400,
  heartbeat: { interval: 300, timeout: 300 },
};

/** Counts may differ by what Node itself makes now and then: a timer for the date, a request that is being parsed. */
const tolerance = 4;

/** A guard may hold the request of a client that has gone for a quarter of a second; what is destroyed tells its end later. */
const rest = 500;

async function endMany(address, end, count) {
  for (let done = 0; done < count; done += 500) {
    const batch = Math.min(500, count - done);
    await Promise.all(Array.from({ length: batch }, () => end(address)));
  }
}

/** What the heap holds when all has come to rest. */
async function census(server) {
  await server.settles(({ open, connections }) => open === 0 && connections === 0, 10_000);
  await after(rest);
  return server.call('census');
}

function grownBy(before, now) {
  return Object.keys(now).flatMap((what) => {
    const more = now[what] - before[what];
    return more > tolerance ? [`${more} ${what}`] : [];
  });
}

async function shutDown(context, count) {
  const server = await context.fresh({ options });
  const before = await census(server);
  const clients = [];
  for (let number = 0; number < count; number++) {
    clients.push(await Client.open(server.address, '/echo'));
  }
  await server.call('close', { patience: 2_000 });
  for (const client of clients) client.destroy();
  await server.call('clear');
  await after(100);
  return grownBy(before, await server.call('census'));
}

/** Ends so many of each fate. @returns what is left, fate by fate where the heap is looked at behind each */
async function endAll(context, server, count) {
  const fates = Object.entries(fatesOf(context.subject));
  const eachApart = context.profile === 'full';
  // What is made once and stays is no leak.
  for (const [, end] of fates) await endMany(server.address, end, 10);
  let last = await census(server);
  const left = [];
  const look = async (what) => {
    const now = await census(server);
    const grown = grownBy(last, now).join(', ');
    if (grown !== '') left.push(`${what}: ${grown}`);
    last = now;
    if (eachApart) context.tell(`${what}: ${grown || 'nothing'} left of ${count}`);
  };
  for (const [name, end] of fates) {
    await endMany(server.address, end, count);
    if (eachApart) await look(name);
  }
  if (!eachApart) await look('of all');
  return { left, fates: fates.length };
}

async function leaks(context) {
  const { ours, framework } = context.subject;
  const count = context.size({ quick: framework ? 20 : 50, full: ours ? 10_000 : 1_000 });
  const server = await context.fresh({ options });
  const { left, fates } = await endAll(context, server, count);
  const { opened, closed, twice } = await server.state();
  if (opened !== closed || twice > 0) left.push(`${opened - closed} never told their end`);
  const down = await shutDown(context, Math.min(count, 1_000));
  if (down.length > 0) left.push(`shut down: ${down.join(', ')}`);
  return outcome(
    left.length === 0,
    left.length === 0
      ? `nothing left of ${count} each of ${fates + 1} fates`
      : `left: ${list(left)}`,
  );
}

export const tests = [
  {
    id: 'M1',
    title:
      'what the heap holds after 10,000 connections (the others 1,000, quick 20 to 50) of every fate',
    pass: 'no socket, request, response, WebSocket, timer or listener more than before',
    missing: () => (queryObjects === undefined ? 'this Node has no v8.queryObjects' : undefined),
    run: leaks,
  },
];

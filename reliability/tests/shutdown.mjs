// Closing the application.
import { Client } from '../client/client.mjs';
import { closing, text } from '../client/frames.mjs';
import { after, milliseconds, outcome } from './outcome.mjs';

/** Talks until it is told goodbye. @returns how it ended, and how many answers it got */
async function talk(client) {
  let sent = 0;
  const timer = setInterval(() => client.write(text(`number ${sent++}`)), 20);
  let acknowledged = 0;
  let code = 0;
  for (;;) {
    const frame = await client.frame(8_000);
    if (frame === undefined) break;
    if (frame.first === 0x81) acknowledged++;
    if (frame.first !== 0x88) continue;
    code = frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE();
    clearInterval(timer);
    client.write(closing(code === 1005 ? 1000 : code));
  }
  clearInterval(timer);
  client.destroy();
  return { code, acknowledged };
}

const tally = (values) => {
  const counts = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

async function graceful(context) {
  const count = context.size({ quick: 50, full: 500 });
  const closeTimeout = 5_000;
  const server = await context.fresh({ options: { closeTimeout } });
  const clients = [];
  for (let number = 0; number < count; number++) {
    clients.push(await Client.open(server.address, '/ack'));
  }
  const talks = clients.map(talk);
  await after(500);
  const closed = await server.call('close', { patience: closeTimeout + 1_000 });
  const { handled } = closed.settled ? closed : await server.state();
  if (!closed.settled) for (const client of clients) client.destroy();
  const results = await Promise.all(talks);
  const codes = tally(results.map(({ code }) => code || 'nothing'));
  const acknowledged = results.reduce((sum, one) => sum + one.acknowledged, 0);
  const said = Object.entries(codes)
    .map(([code, times]) => `${times} × ${code}`)
    .join(', ');
  const lost = closed.settled ? handled - acknowledged : 0;
  return outcome(
    closed.settled && codes[1001] === count && lost === 0,
    closed.settled
      ? `${said}; ${lost} of ${handled} answers lost; closed in ${milliseconds(closed.milliseconds)}`
      : `hangs; clients are told ${said}`,
  );
}

async function deadline(context) {
  const count = 50;
  const closeTimeout = context.size({ quick: 1_000, full: 3_000 });
  const server = await context.fresh({ options: { closeTimeout } });
  const clients = [];
  for (let number = 0; number < count; number++) {
    clients.push(await Client.open(server.address, '/echo'));
  }
  const closed = await server.call('close', { patience: closeTimeout + 3_000 });
  for (const client of clients) client.destroy();
  if (!closed.settled) return outcome(false, 'hangs');
  const late = closed.milliseconds - closeTimeout;
  return outcome(
    Math.abs(late) <= context.size({ quick: 3_000, full: 500 }) && closed.codes[1006] === count,
    `closed ${milliseconds(Math.abs(late))} ${late < 0 ? 'before' : 'behind'} the deadline of ${closeTimeout} ms`,
  );
}

export const tests = [
  {
    id: 'L8',
    title: 'closing under clients that talk (500, quick 50)',
    pass: 'all see 1001, no answer lost, settles in time',
    run: graceful,
  },
  {
    id: 'L9',
    title: '50 clients that never answer the close',
    pass: 'cut at the deadline ± 0.5 s, close() settles',
    run: deadline,
  },
];

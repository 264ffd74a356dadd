// Clients that reset their connection.
import { Client } from '../client/client.mjs';
import { text } from '../client/frames.mjs';
import { handshake } from '../client/handshake.mjs';
import { after, outcome } from './outcome.mjs';

/** Leaves a connection at a moment; the reset comes then. */
export const moments = {
  'before the headers': (address) => Client.connect(address),
  'in the headers': async (address) => {
    const client = await Client.connect(address);
    client.write(handshake('/echo').slice(0, 60));
    return client;
  },
  'in a guard': async (address) => {
    const client = await Client.knock(address, '/slow');
    await after(20);
    return client;
  },
  'before the 101': (address) => Client.knock(address, '/echo'),
  'after the 101': (address) => Client.open(address, '/echo'),
  'in a frame': async (address) => {
    const client = await Client.open(address, '/echo');
    client.write(text('whole'), text('in two pieces').subarray(0, 9));
    await client.frame();
    return client;
  },
  'in the closing handshake': async (address) => {
    const client = await Client.open(address, '/leave');
    client.write(text('go'));
    await client.frame();
    return client;
  },
  'behind the closing handshake': async (address) => {
    const client = await Client.open(address, '/leave');
    client.write(text('go'));
    await client.frame();
    client.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
    return client;
  },
};

async function resets(context) {
  const count = context.size({ quick: 5, full: 50 });
  for (const [when, reach] of Object.entries(moments)) {
    const server = await context.server();
    const clients = await Promise.all(Array.from({ length: count }, () => reach(server.address)));
    for (const client of clients) client.reset();
    if (!(await server.alive())) return outcome(false, `DEAD of a reset ${when}`);
    // Guards go on for a while.
    const state = await server.settles(
      (now) => now.open === 0 && now.connections === 0 && now.opened === now.closed,
    );
    const { open, connections, opened, closed, twice } = state;
    if (open > 0 || connections > 0 || opened !== closed || twice > 0) {
      return outcome(
        false,
        `alive; ${when}: ${connections} connections and ${open} WebSockets stay`,
      );
    }
  }
  return outcome(true, `alive at ${Object.keys(moments).length} moments, nothing stays`);
}

export const tests = [
  {
    id: 'H10',
    title: 'resets at 8 moments of a connection',
    pass: 'no crash, no socket or WebSocket stays, each end told once',
    run: resets,
  },
];

// What a process can run out of.
import { deflateRawSync } from 'node:zlib';
import { Client, dial } from '../client/client.mjs';
import { frame, text } from '../client/frames.mjs';
import { after, mebibytes, outcome } from './outcome.mjs';

async function descriptors(context) {
  const limit = 200;
  const server = await context.fresh({
    prefix: ['sh', '-c', `ulimit -n ${limit} && exec "$0" "$@"`],
  });
  const first = await Client.open(server.address, '/echo');
  const sockets = Array.from({ length: 2 * limit }, () => {
    const socket = dial(server.address);
    return socket.on('error', () => undefined);
  });
  await after(500);
  const echoes = async (client) => {
    client.write(text('hello'));
    return (await client.frame(2_000))?.payload.toString() === 'hello';
  };
  const served = await echoes(first);
  for (const socket of sockets) socket.destroy();
  if (!(await server.alive())) return outcome(false, 'DEAD');
  await server.settles(({ connections }) => connections <= 1);
  const later = await Client.open(server.address, '/echo').catch(() => undefined);
  const recovered = later !== undefined && (await echoes(later));
  for (const client of [first, later]) client?.destroy();
  return outcome(
    served && recovered,
    `alive; open connections ${served ? 'served' : 'not served'}; ${recovered ? 'recovers' : 'does not recover'}`,
  );
}

async function bombs(context) {
  const count = context.size({ quick: 8, full: 50 });
  const maxPayload = 1024 ** 2;
  const size = context.size({ quick: 32, full: 256 }) * 1024 ** 2;
  const bomb = frame({
    opcode: 2,
    rsv: 4,
    payload: deflateRawSync(Buffer.alloc(size), { finishFlush: 2 }),
  });
  const server = await context.fresh({
    careful: true,
    options: { maxPayload, perMessageDeflate: true },
  });
  const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
  const clients = [];
  for (let number = 0; number < count; number++) {
    clients.push(await Client.open(server.address, '/echo', offer));
  }
  const { rss } = await server.call('memory');
  await server.call('watchMemory');
  for (const client of clients) client.write(bomb);
  const codes = await Promise.all(clients.map((client) => client.closeCode(20_000)));
  if (!(await server.alive())) return outcome(false, 'DEAD');
  const grown = (await server.call('mostMemory')) - rss;
  for (const client of clients) client.destroy();
  const refused = codes.filter((code) => code === 1009).length;
  // A process that is young grows by some 20 MiB on its own: the short form only tells 8 × 32 MiB from 8 × 1 MiB.
  const limit = context.size({ quick: 64 * 1024 ** 2, full: 2 * maxPayload * count });
  return outcome(
    refused === count && grown < limit,
    `${refused} of ${count} closed with 1009; RSS +${mebibytes(grown)}`,
  );
}

export const tests = [
  {
    id: 'F5',
    title: 'bombs of 256 MiB in 261 KB on 50 connections at once (quick: 32 MiB on 8), 1 MiB limit',
    pass: '1009; RSS under +2 MiB for each',
    run: bombs,
  },
  {
    id: 'L11',
    title: 'no file descriptors left (limit 200)',
    pass: 'alive, serves those that are open, recovers',
    missing: () => (process.platform === 'win32' ? 'no ulimit' : undefined),
    run: descriptors,
  },
];

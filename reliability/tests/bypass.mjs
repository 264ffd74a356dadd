import { readFileSync } from 'node:fs';
import { Client } from '../client/client.mjs';
import { handshake } from '../client/handshake.mjs';
import { outcome } from './outcome.mjs';

/** The ways to dodge a guard that the adapters' contract has as well. */
const techniques = JSON.parse(
  readFileSync(
    new URL('../../packages/adapter-contract/src/suite/techniques.json', import.meta.url),
    'utf8',
  ),
);

async function statusOf(address, target, headers) {
  const client = await Client.connect(address);
  client.socket.write(handshake(target, headers), 'utf8');
  const status = await client.status(2_000);
  client.destroy();
  return status;
}

async function knockOnAll(address, more) {
  return Promise.all(
    techniques.map(([target, headers]) => statusOf(address, target, { ...more, ...headers })),
  );
}

export async function bypass(context, settings = {}) {
  const server = await context.server(settings);
  const before = await server.state();
  const statuses = await knockOnAll(server.address, {});
  const { reached } = await server.state();
  const accepted = statuses.filter((status) => status === 101).length;
  const silent = statuses.filter((status) => status < 400 && status !== 101).length;
  const control = await statusOf(server.address, '/admin/x', { 'X-Token': 'good' });
  const after = await server.settles((state) => state.reached > reached);
  const works = control === 101 && after.reached === reached + 1;
  const dodged = reached - before.reached;
  return outcome(
    dodged === 0 && accepted === 0 && silent === 0 && works,
    `${dodged} reached, ${accepted} × 101 of ${techniques.length}${silent > 0 ? `, ${silent} without a refusal` : ''}${works ? '' : ', and the control fails'}`,
  );
}

export const tests = [
  {
    id: 'H1',
    title: 'past the guard of a route, in 92 ways',
    pass: '0 handlers reached, 0 × 101, every refusal a real status',
    run: bypass,
  },
];

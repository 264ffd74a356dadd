import { KiB, text, traffic } from './common.mjs';

function broadcast(name, title, { payload, burst = 1, loop = false, messages, pace, chart }) {
  return {
    ...traffic,
    name: `broadcast-${name}`,
    title,
    section: 'Broadcast',
    unit: 'delivery',
    server: { behaviour: 'broadcast', payload, burst, loop },
    load: { kind: 'broadcast', payload, burst, connections: 1000 },
    messages,
    pace,
    chart,
  };
}

export const broadcasts = [
  broadcast('128', '128 B to 1,000 connections', {
    payload: text(128),
    messages: 80_000,
    pace: { upwire: 1.5, bun: 4, net: 1.5 },
    chart: 'broadcast 128 B to 1,000',
  }),
  broadcast('loop', '128 B to 1,000 connections, sent one by one', {
    payload: text(128),
    loop: true,
    messages: 80_000,
    pace: { upwire: 1.5, bun: 4, net: 1.5 },
  }),
  broadcast('burst', '128 B to 1,000 connections, ten in a tick', {
    payload: text(128),
    burst: 10,
    messages: 80_000,
    pace: { upwire: 6, bun: 8, net: 10 },
    chart: 'ten broadcasts in a tick',
  }),
  broadcast('16k', '16 KiB to 1,000 connections', {
    payload: text(16 * KiB),
    messages: 40_000,
  }),
];

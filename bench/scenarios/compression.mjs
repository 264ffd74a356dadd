import { kinds } from '../report/figures.mjs';
import { compressing, KiB, text, traffic } from './common.mjs';

const section = 'Compression';

function echo(payload, connections) {
  return {
    server: { behaviour: 'echo', deflate: true },
    load: { kind: 'echo', deflate: true, payload, connections, depth: 1 },
    unit: 'message',
  };
}

/** What a message costs. */
const cost = { ...traffic, section, peers: compressing };

/** How long everybody else waits. */
const delay = { ...cost, figures: kinds.delay, watchDelay: true };

export const compression = [
  {
    ...cost,
    ...echo(text(KiB), 64),
    name: 'deflate-echo-1k',
    title: 'echo 1 KiB text, 64 connections, 1 in flight',
    messages: 10_000,
    pace: { upwire: 3, bun: 6 },
    chart: 'deflated echo 1 KiB',
  },
  {
    ...cost,
    ...echo(text(64 * KiB), 16),
    name: 'deflate-echo-64k',
    title: 'echo 64 KiB text, 16 connections, 1 in flight',
    messages: 600,
    pace: { bun: 3 },
  },
  {
    ...cost,
    name: 'deflate-broadcast',
    title: 'broadcast 1 KiB text to 500 connections',
    unit: 'delivery',
    server: { behaviour: 'broadcast', deflate: true, payload: text(KiB), burst: 1 },
    load: { kind: 'broadcast', deflate: true, payload: text(KiB), burst: 1, connections: 500 },
    messages: 12_500,
    pace: { upwire: 6, bun: 6 },
    chart: 'deflated broadcast 1 KiB to 500',
  },
  {
    ...delay,
    ...echo(text(8 * KiB), 16),
    name: 'delay-deflate-8k',
    title: 'delay of the event loop, echo 8 KiB text, 16 connections',
    messages: 2500,
    pace: { bun: 4 },
  },
  {
    ...delay,
    ...echo(text(64 * KiB), 16),
    name: 'delay-deflate-64k',
    title: 'delay of the event loop, echo 64 KiB text, 16 connections',
    messages: 600,
    pace: { bun: 3 },
  },
];

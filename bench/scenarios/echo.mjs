import { binary, everyone, KiB, text, traffic } from './common.mjs';

function echo(name, title, spec) {
  const { payload, connections, depth, messages, pace, chart, peers = everyone } = spec;
  return {
    ...traffic,
    peers,
    name: `echo-${name}`,
    title,
    section: 'Echo',
    unit: 'message',
    server: { behaviour: 'echo' },
    load: { kind: 'echo', payload, connections, depth },
    messages,
    pace,
    chart,
  };
}

export const echoes = [
  echo('64-single', '64 B text, 64 connections, 1 in flight', {
    payload: text(64),
    connections: 64,
    depth: 1,
    messages: 80_000,
    pace: { upwire: 1.5, bun: 2, net: 1.5 },
    chart: 'echo 64 B, one in flight',
  }),
  echo('64-deep', '64 B text, 64 connections, 32 in flight', {
    payload: text(64),
    connections: 64,
    depth: 32,
    messages: 120_000,
    pace: { upwire: 6, bun: 10, net: 12 },
    chart: 'echo 64 B, 32 in flight',
  }),
  echo('1k-deep', '1 KiB text, 64 connections, 8 in flight', {
    payload: text(KiB),
    connections: 64,
    depth: 8,
    messages: 70_000,
    pace: { upwire: 4, bun: 6, net: 8 },
    chart: 'echo 1 KiB, 8 in flight',
  }),
  echo('1k-narrow', '1 KiB text, 10 connections, 1 in flight', {
    payload: text(KiB),
    connections: 10,
    depth: 1,
    messages: 80_000,
    pace: { upwire: 1.5, bun: 2, net: 1.5 },
  }),
  echo('1k-wide', '1 KiB text, 2,000 connections, 1 in flight', {
    payload: text(KiB),
    connections: 2000,
    depth: 1,
    messages: 30_000,
    pace: { upwire: 1.5, bun: 3, net: 1.5 },
  }),
  echo('1k-widest', '1 KiB text, 10,000 connections, 1 in flight', {
    payload: text(KiB),
    connections: 10_000,
    depth: 1,
    messages: 40_000,
    pace: { upwire: 1.5, bun: 2, net: 1.5 },
  }),
  echo('16k', '16 KiB binary, 64 connections, 1 in flight', {
    payload: binary(16 * KiB),
    connections: 64,
    depth: 1,
    messages: 20_000,
    pace: { 'ws-bufferutil': 2, upwire: 2, bun: 3, net: 3 },
  }),
  echo('1m', '1 MiB binary, 8 connections, 1 in flight', {
    payload: binary(KiB * KiB),
    connections: 8,
    depth: 1,
    messages: 300,
    pace: { 'ws-bufferutil': 3, upwire: 3, bun: 3, net: 3 },
  }),
  // As much as `ws` takes by default. Bun takes less.
  echo('100m', '100 MiB binary, 1 connection', {
    payload: binary(100 * KiB * KiB),
    connections: 1,
    depth: 1,
    messages: 8,
    peers: everyone.filter((id) => id !== 'bun'),
  }),
];

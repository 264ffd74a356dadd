import { binary, KiB, text, traffic } from './common.mjs';

/** Clients, each against the same server, which parses nothing. */
function client(name, title, { payload, depth, messages, pace }) {
  return {
    ...traffic,
    method: 'client',
    name: `client-${name}`,
    title,
    section: 'Client',
    unit: 'message',
    server: {},
    load: { payload, connections: 64, depth },
    messages,
    pace,
  };
}

export const clients = [
  client('echo-64', 'echo 64 B text, 64 connections, 8 in flight', {
    payload: text(64),
    depth: 8,
    messages: 100_000,
    pace: { upwire: 3, bun: 2, net: 8 },
  }),
  client('echo-16k', 'echo 16 KiB binary, 64 connections, 1 in flight', {
    payload: binary(16 * KiB),
    depth: 1,
    messages: 20_000,
    pace: { 'ws-bufferutil': 2, upwire: 2, bun: 2, net: 3 },
  }),
];

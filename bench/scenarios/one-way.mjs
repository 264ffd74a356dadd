import { floodOf } from '../load/flood.mjs';
import { binary, KiB, text, traffic } from './common.mjs';

function receive(name, title, { payload, messages, pace, chart }) {
  return {
    ...traffic,
    name: `receive-${name}`,
    title,
    section: 'One way',
    unit: 'message',
    server: { behaviour: 'sink', payload, acknowledge: floodOf(payload).acknowledge },
    load: { kind: 'flood', payload, connections: 16 },
    messages,
    pace,
    chart,
  };
}

function send(name, title, { payload, burst, messages, pace }) {
  const request = text(16);
  return {
    ...traffic,
    name: `send-${name}`,
    title,
    section: 'One way',
    unit: 'message',
    server: { behaviour: 'source', request, payload, burst },
    load: { kind: 'echo', payload: request, reply: payload, burst, connections: 64, depth: 1 },
    messages,
    pace,
  };
}

export const oneWay = [
  receive('64', 'receive 64 B text', {
    payload: text(64),
    messages: 1_000_000,
    pace: { upwire: 4, bun: 4, net: 12 },
    chart: 'receive 64 B',
  }),
  receive('1k-ascii', 'receive 1 KiB text, ASCII', {
    payload: text(KiB),
    messages: 300_000,
    pace: { 'ws-bufferutil': 2, upwire: 2, bun: 2, net: 3 },
  }),
  receive('1k-cjk', 'receive 1 KiB text, Chinese', {
    payload: { content: 'cjk', bytes: KiB },
    messages: 200_000,
    pace: { 'ws-bufferutil': 1.5, upwire: 2, bun: 3, net: 4 },
  }),
  receive('64k', 'receive 64 KiB binary', {
    payload: binary(64 * KiB),
    messages: 6000,
    pace: { 'ws-bufferutil': 4, upwire: 4, bun: 4, net: 6 },
    chart: 'receive 64 KiB',
  }),
  send('64', 'send 64 B text, 100 at a time', {
    payload: text(64),
    burst: 100,
    messages: 300_000,
    pace: { upwire: 4, bun: 6, net: 10 },
  }),
  send('16k', 'send 16 KiB binary, 10 at a time', {
    payload: binary(16 * KiB),
    burst: 10,
    messages: 80_000,
  }),
];

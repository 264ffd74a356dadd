import { kinds } from '../report/figures.mjs';
import { compressing, everyone, KiB, text } from './common.mjs';

function memory(name, title, { peers = everyone, server, load, connections = 10_000 }) {
  return {
    name: `memory-${name}`,
    title: `${title}, ${connections.toLocaleString('en')} connections`,
    section: 'Memory',
    method: 'memory',
    unit: 'connection',
    figures: kinds.memory,
    peers,
    server,
    load: { kind: 'hold', depth: 1, ...load, connections },
  };
}

export const memories = [
  memory('idle', 'idle', { server: { behaviour: 'idle' }, load: {} }),
  memory('echo', 'after one echo of 64 B', {
    server: { behaviour: 'echo' },
    load: { payload: text(64) },
  }),
  memory('deflate', 'after one deflated echo of 1 KiB', {
    peers: compressing,
    server: { behaviour: 'echo', deflate: true },
    load: { payload: text(KiB), deflate: true },
  }),
  // The handshakes of more would take most of the benchmark's time.
  memory('tls', 'idle over TLS', {
    server: { behaviour: 'idle', tls: true },
    load: { tls: true },
    connections: 2000,
  }),
];

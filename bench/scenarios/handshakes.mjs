import { text, traffic } from './common.mjs';

const bare = {
  ...traffic,
  name: 'handshake-bare',
  title: 'open and close',
  section: 'Handshakes',
  unit: 'handshake',
  server: { behaviour: 'idle' },
  load: { kind: 'handshakes', connections: 32 },
  messages: 20_000,
  pace: { bun: 3 },
  chart: 'open and close',
};

/** express-ws brings an old `ws` that takes the add-on whenever it is there, so there is no column without. */
const peers = ['ws-bufferutil', 'upwire'];

/** Each framework with Upwire's adapter and with the one that people use. */
function framework(folder, label, rival) {
  const shared = {
    ...traffic,
    section: 'Frameworks',
    peers,
    program: `servers/adapters/${folder}.mjs`,
    package: folder,
    rival,
    server: {},
  };
  // The greeting has the name from the session.
  const route = { path: '/echo', login: '/login', greeting: 'hello ada' };
  return [
    {
      ...shared,
      name: `handshake-${folder}`,
      title: `${label}: open with a session, and close`,
      unit: 'handshake',
      load: { ...route, kind: 'handshakes', connections: 32 },
      messages: 12_000,
    },
    {
      ...shared,
      name: `adapter-${folder}`,
      title: `${label}: echo 64 B text, 64 connections, 8 in flight`,
      unit: 'message',
      load: { ...route, kind: 'echo', payload: text(64), connections: 64, depth: 8 },
      messages: 100_000,
      pace: { upwire: 3 },
    },
  ];
}

export const handshakes = [
  bare,
  ...framework('express', 'Express', 'express-ws'),
  ...framework('fastify', 'Fastify', '@fastify/websocket'),
  ...framework('koa', 'Koa', 'koa-easy-ws'),
];

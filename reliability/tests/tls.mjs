// The same over TLS, and what only TLS can do.
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { Client } from '../client/client.mjs';
import { text } from '../client/frames.mjs';
import { handshake } from '../client/handshake.mjs';
import { networkLacks } from '../control/network.mjs';
import { bypass } from './bypass.mjs';
import { together } from './early.mjs';
import { halfOpen } from './heartbeat.mjs';
import { after, outcome } from './outcome.mjs';

const tls = true;

/** Negotiates a connection anew, more often than Node allows. */
async function renegotiate({ address }) {
  const socket = connectSecurely({
    port: address.port,
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
  });
  socket.on('error', () => undefined);
  const client = new Client(socket);
  client.write(handshake('/echo'));
  if ((await client.status()) !== 101) return false;
  for (let number = 0; number < 6 && !client.over; number++) {
    await Promise.race([
      new Promise((resolve) => socket.renegotiate({}, resolve)),
      client.closed,
      after(500),
    ]);
  }
  client.destroy();
  return true;
}

/** Speaks something else than TLS, stops in the middle of it, or does not like the certificate. */
async function failHandshakes({ address: { port } }) {
  const plain = connect(port);
  plain.on('error', () => undefined);
  plain.write(handshake('/echo'));
  const half = connect(port);
  half.on('error', () => undefined);
  half.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  const strict = connectSecurely({ port });
  await new Promise((resolve) => strict.on('error', resolve));
  await after(100);
  half.resetAndDestroy();
  plain.destroy();
}

async function overTls(context) {
  const guard = await bypass(context, { tls });
  const early = await together(context, { tls });
  const server = await context.server({ tls });
  const other = await Client.open(server.address, '/echo');
  const negotiated = await renegotiate(server);
  await failHandshakes(server);
  other.write(text('still there'));
  const answered = (await other.frame(2_000))?.payload.toString() === 'still there';
  other.destroy();
  const alive = await server.alive();
  const state = alive && (await server.settles(({ connections }) => connections === 0));
  const fine = alive && answered && negotiated && state.connections === 0;
  const parts = [
    `H1: ${guard.figure}`,
    `H5: ${early.figure}`,
    `renegotiation and failed handshakes: ${fine ? 'alive, nothing stays' : alive ? 'alive, connections stay' : 'DEAD'}`,
  ];
  let passed = guard.passed && early.passed && fine;
  if (context.profile === 'full' && networkLacks() === undefined) {
    const dead = await halfOpen(context, { tls });
    passed &&= dead.passed;
    parts.push(`L4: ${dead.figure}`);
  }
  return outcome(passed, parts.join('. '));
}

export const tests = [
  {
    id: 'L10',
    title: 'over TLS: H1, H5, L4 (not quick), renegotiation, handshakes that fail',
    pass: 'as without',
    run: overTls,
  },
];

import { once } from 'node:events';
import type { connection as Connection } from 'websocket';
import { client as Client, server as Server } from 'websocket';
import { afterTest } from '../../support/stage';
import { LARGEST } from '../content';
import { authority, startHttp } from '../meeting';
import type { Closing, Implementation, Peer, PeerOptions, PeerServer } from './peer';
import { ABRUPT, NO_CODE, same } from './peer';

const LIMITS = { maxReceivedFrameSize: LARGEST, maxReceivedMessageSize: LARGEST };

/** What its application is told where there is no reason, by code. */
const DESCRIPTIONS: Readonly<Record<number, string>> = {
  1000: 'Normal connection closure',
  1001: 'Remote peer is going away',
  1006: 'Connection dropped by remote peer.',
  1009: 'Message too big',
  1011: 'Internal Server Error',
};

/** Sends messages of more than 16 KiB in fragments of that size. */
function peerOf(connection: Connection): Peer {
  afterTest(() => connection.drop());
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
  connection.on('error', () => undefined);
  return {
    protocol: connection.protocol ?? '',
    async ping(payload) {
      const pong = once(connection, 'pong');
      connection.ping(Buffer.from(payload));
      return String((await pong)[0]);
    },
    close: (code, reason) => connection.close(code, reason),
    closed: once(connection, 'close').then(([code, reason]) => ({ code, reason })),
  };
}

async function connect(url: string, { protocols }: PeerOptions): Promise<Peer> {
  const client = new Client({ ...LIMITS, tlsOptions: { ca: authority } });
  const connected = new Promise<Peer>((resolve, reject) => {
    client.on('connect', (connection) => resolve(peerOf(connection)));
    client.on('connectFailed', reject);
  });
  client.connect(url, [...protocols]);
  return connected;
}

async function listen({ protocols, secure }: PeerOptions): Promise<PeerServer> {
  const { http, port } = await startHttp(secure);
  const server = new Server({ ...LIMITS, httpServer: http, keepalive: false });
  const peer = new Promise<Peer>((resolve) => {
    server.on('request', (request) => resolve(peerOf(request.accept(protocols[0] ?? null))));
  });
  return { port, peer };
}

/** It takes a close frame without a code for none at all. */
function described({ code, reason }: Closing): Closing {
  if (code === NO_CODE.code) return described(ABRUPT);
  return { code, reason: reason || (DESCRIPTIONS[code] ?? '') };
}

export const websocket: Implementation = {
  name: 'websocket',
  connect,
  listen,
  deflate: 'no',
  sendsParts: false,
  pings: true,
  closes: [1000, 1001, 1011, 3000, 4999],
  told: described,
  // It agrees with 1000, whatever the code it answers.
  answer: () => ({ code: 1000, reason: '' }),
  heard: same,
};

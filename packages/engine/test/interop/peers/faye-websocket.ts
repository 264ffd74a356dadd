import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import WebSocket from 'faye-websocket';
import deflateExtension from 'permessage-deflate';
import { authority, startHttp } from '../meeting';
import type { Closing, Implementation, Peer, PeerOptions, PeerServer } from './peer';
import { same } from './peer';

function peerOf(webSocket: WebSocket | InstanceType<typeof WebSocket.Client>): Peer {
  webSocket.on('message', ({ data }: { data: string | Buffer }) => webSocket.send(data));
  return {
    get protocol() {
      return webSocket.protocol;
    },
    ping: (payload) => new Promise((resolve) => webSocket.ping(payload, () => resolve(payload))),
    close: (code, reason) => webSocket.close(code, reason),
    closed: new Promise((resolve) => {
      webSocket.on('close', ({ code, reason }: Closing) => resolve({ code, reason }));
    }),
  };
}

async function connect(url: string, { deflate, protocols }: PeerOptions): Promise<Peer> {
  const extensions = deflate ? [deflateExtension] : [];
  const webSocket = new WebSocket.Client(url, protocols, { extensions, ca: authority });
  const peer = peerOf(webSocket);
  await once(webSocket, 'open');
  return peer;
}

async function listen({ deflate, protocols, secure }: PeerOptions): Promise<PeerServer> {
  const { http, port } = await startHttp(secure);
  const extensions = deflate ? [deflateExtension] : [];
  const peer = new Promise<Peer>((resolve) => {
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const webSocket = new WebSocket(request, socket, head, protocols, { extensions });
      const made = peerOf(webSocket);
      webSocket.on('open', () => resolve(made));
    });
  });
  return { port, peer };
}

export const fayeWebsocket: Implementation = {
  name: 'faye-websocket',
  connect,
  listen,
  deflate: 'yes',
  sendsParts: false,
  pings: true,
  closes: [1000, 3000, 4999],
  // It takes a close frame without a code for one with 1000.
  told: asNormal,
  answer: asNormal,
  heard: same,
};

function asNormal(closing: Closing): Closing {
  return closing.code === 1005 ? { code: 1000, reason: '' } : closing;
}

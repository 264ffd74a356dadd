import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { afterTest } from '../../support/stage';
import { authority, startHttp } from '../meeting';
import type { Implementation, Peer, PeerOptions, PeerServer } from './peer';
import { same } from './peer';

function peerOf(webSocket: WebSocket): Peer {
  afterTest(() => webSocket.terminate());
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  webSocket.on('error', () => undefined);
  return {
    get protocol() {
      return webSocket.protocol;
    },
    sendParts(parts) {
      for (const part of parts.slice(0, -1)) webSocket.send(part, { fin: false });
      webSocket.send(parts[parts.length - 1], { fin: true });
    },
    async ping(payload) {
      const pong = once(webSocket, 'pong');
      webSocket.ping(payload);
      return String((await pong)[0]);
    },
    close: (code, reason) => webSocket.close(code, reason),
    closed: new Promise((resolve) => {
      webSocket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    }),
  };
}

async function connect(url: string, { deflate, protocols }: PeerOptions): Promise<Peer> {
  const webSocket = new WebSocket(url, [...protocols], {
    perMessageDeflate: deflate && { threshold: 0 },
    ca: authority,
  });
  const peer = peerOf(webSocket);
  await once(webSocket, 'open');
  return peer;
}

async function listen({ deflate, protocols, secure }: PeerOptions): Promise<PeerServer> {
  const { http, port } = await startHttp(secure);
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: deflate && { threshold: 0 },
    handleProtocols: () => protocols[0] ?? false,
  });
  const peer = once(server, 'connection').then(([webSocket]) => peerOf(webSocket));
  return { port, peer };
}

export const ws: Implementation = {
  name: 'ws',
  connect,
  listen,
  deflate: 'yes',
  sendsParts: true,
  pings: true,
  closes: [undefined, 1000, 1001, 1011, 3000, 4999],
  told: same,
  answer: same,
  heard: same,
};

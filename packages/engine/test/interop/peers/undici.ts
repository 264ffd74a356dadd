import { once } from 'node:events';
import { Agent, WebSocket } from 'undici';
import { afterTest } from '../../support/stage';
import { authority } from '../meeting';
import type { Implementation, Peer, PeerOptions } from './peer';
import { same, withoutReason } from './peer';

async function connect(url: string, { protocols }: PeerOptions): Promise<Peer> {
  const dispatcher = new Agent({ connect: { ca: authority } });
  const webSocket = new WebSocket(url, { protocols: [...protocols], dispatcher });
  afterTest(() => dispatcher.destroy());
  webSocket.binaryType = 'arraybuffer';
  webSocket.addEventListener('message', ({ data }) => webSocket.send(data));
  const closed = new Promise<Awaited<Peer['closed']>>((resolve) => {
    webSocket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  await once(webSocket, 'open');
  return {
    protocol: webSocket.protocol,
    close: (code, reason) => webSocket.close(code, reason),
    closed,
  };
}

/** The implementation behind Node's own `WebSocket`: a client alone, which always offers permessage-deflate. */
export const undici: Implementation = {
  name: 'undici',
  connect,
  deflate: 'receives',
  sendsParts: false,
  pings: false,
  closes: [undefined, 1000, 3000, 4999],
  told: same,
  answer: withoutReason,
  heard: same,
};

import { once } from 'node:events';
import type { ClientOptions } from 'ws';
import Peer from 'ws';
import type { WebSocketServer } from '../../src/server';
import type { WebSocket } from '../../src/websocket';
import { portOf } from './libraries';
import { afterTest } from './stage';

/** A client of another library, and what it has received: text as a string, binary as a Buffer. */
export interface Listener {
  readonly peer: Peer;
  /** The server's end. */
  readonly webSocket: WebSocket;
  readonly received: (string | Buffer)[];
  /** Resolves when everything that was sent before has come. */
  settled(): Promise<void>;
}

/** Connects a listener, which is gone after the test. */
export async function listener(
  server: WebSocketServer,
  options: ClientOptions = {},
): Promise<Listener> {
  const peer = new Peer(`ws://127.0.0.1:${portOf(server)}`, options);
  const received: (string | Buffer)[] = [];
  peer.on('message', (data: Buffer, isBinary) => received.push(isBinary ? data : String(data)));
  peer.on('error', () => undefined);
  afterTest(() => peer.terminate());
  const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
  const settled = async (): Promise<void> => {
    const pong = once(webSocket, 'pong');
    webSocket.ping();
    await pong;
  };
  return { peer, webSocket, received, settled };
}

/** Connects so many listeners one after the other. */
export async function listeners(
  server: WebSocketServer,
  count: number,
  options?: ClientOptions,
): Promise<Listener[]> {
  const all: Listener[] = [];
  while (all.length < count) all.push(await listener(server, options));
  return all;
}

export async function allSettled(all: readonly Listener[]): Promise<void> {
  await Promise.all(all.map((one) => one.settled()));
}

import { once } from 'node:events';
import type { Data } from '../src/payload';
import type { ServerOptions } from '../src/server-options';
import { WebSocket } from '../src/websocket';
import { CLOSE, frame, TEXT } from './support/frames';
import { portOf } from './support/libraries';
import { RawClient, request } from './support/raw-client';
import { until } from './support/sockets';
import {
  afterTest,
  connected,
  startClient,
  startRawServer,
  startServer,
  turn,
} from './support/stage';

const text = (payload: string, key?: number): Buffer => frame({ opcode: TEXT, payload, key });
const goodbye = (key?: number): Buffer =>
  frame({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]), key });

/** A server whose first messages stand right behind its 101, in one write. */
const talkative = () =>
  startRawServer((it) => {
    it.socket.cork();
    it.upgrade();
    it.socket.write(Buffer.concat([text('one'), text('two')]));
    it.socket.uncork();
  });

/** Takes two messages by `on()`, and says which came in ten turns of the event loop. */
async function heard(socket: WebSocket): Promise<string[]> {
  const all: string[] = [];
  socket.on('message', (data) => all.push(String(data)));
  for (let turns = 0; turns < 10 && all.length < 2; turns++) await turn();
  return all;
}

/** What the first turns of an iteration give. */
async function iterated(socket: WebSocket, count: number): Promise<Data[]> {
  const all: Data[] = [];
  for await (const message of socket) if (all.push(message) === count) break;
  return all;
}

describe('a client', () => {
  test('with holdMessages loses nothing behind `await opened`', async () => {
    const client = startClient((await talkative()).url, { holdMessages: true });
    await client.opened;
    await turn();
    expect(await heard(client)).toEqual(['one', 'two']);
  });

  test('without it loses what came before its listener, as in ws', async () => {
    const client = startClient((await talkative()).url);
    await client.opened;
    await turn();
    expect(await heard(client)).toEqual([]);
  });

  test('with holdMessages loses nothing before an iteration', async () => {
    const client = startClient((await talkative()).url, { holdMessages: true });
    await client.opened;
    await turn();
    expect(await iterated(client, 2)).toEqual(['one', 'two']);
  });

  test('without it loses nothing either where the iteration is made at once', async () => {
    const client = startClient((await talkative()).url);
    expect(await iterated(client, 2)).toEqual(['one', 'two']);
  });

  test('with holdMessages keeps them for streams as well', async () => {
    const client = startClient((await talkative()).url, { holdMessages: true });
    await client.opened;
    await turn();
    const reader = client.streams.readable.getReader();
    expect([await reader.read(), await reader.read()].map(({ value }) => value)).toEqual([
      'one',
      'two',
    ]);
  });
});

describe('a server', () => {
  /** A WebSocket whose client has sent its first messages with its handshake. */
  async function accepted(options: ServerOptions): Promise<WebSocket> {
    const server = await startServer(options);
    const connection = once(server, 'connection');
    const client = await RawClient.connect(portOf(server));
    afterTest(() => client.socket.destroy());
    client.write(request(), text('one', 1), text('two', 2));
    return (await connection)[0];
  }

  test('with holdMessages loses nothing before a late listener', async () => {
    const socket = await accepted({ holdMessages: true });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(await heard(socket)).toEqual(['one', 'two']);
  });

  test('without it loses them, as ws does', async () => {
    const socket = await accepted({});
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(await heard(socket)).toEqual([]);
  });

  test('with holdMessages loses nothing before a late iteration', async () => {
    const socket = await accepted({ holdMessages: true });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(await iterated(socket, 2)).toEqual(['one', 'two']);
  });

  test('what is held is there for an iteration though the connection has ended', async () => {
    const { socket, client } = await connected({ holdMessages: true });
    client.write(text('one', 1), text('two', 2), goodbye(3));
    await until(() => socket.readyState === WebSocket.CLOSED);
    expect(await iterated(socket, 3)).toEqual(['one', 'two']);
    expect(await iterated(socket, 1)).toEqual([]);
  });

  test('an iteration takes more than is held, at its own pace', async () => {
    const { socket, client } = await connected({ holdMessages: true });
    const count = 300;
    for (let index = 0; index < count; index++) client.write(text(`${index} `.repeat(250), index));
    client.write(goodbye(1));
    for (let turns = 0; turns < 20; turns++) await turn();
    let next = 0;
    for await (const message of socket) {
      if (message !== `${next} `.repeat(250)) throw new Error(`${message} came for ${next}`);
      next++;
      if (next % 20 === 0) await turn();
    }
    expect(next).toBe(count);
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true });
  });
});

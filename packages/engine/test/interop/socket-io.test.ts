import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'socket.io';
import { Server } from 'socket.io';
import type { Socket as Client } from 'socket.io-client';
import { io } from 'socket.io-client';
import { WebSocketServer } from '../../src/server';
import { WebSocket } from '../../src/websocket';
import { portOf } from '../support/libraries';
import { afterTest } from '../support/stage';

interface Site {
  readonly server: Server;
  readonly http: HttpServer;
  connect(transports?: string[]): Promise<Client>;
}

/** A socket.io server whose engine.io is told to make its WebSockets with our class. */
async function open(perMessageDeflate: boolean | object): Promise<Site> {
  const http = createServer();
  const server = new Server(http, { wsEngine: WebSocketServer, perMessageDeflate });
  afterTest(() => server.close());
  server.on('connection', (socket: Socket) => {
    void socket.join('room');
    socket.on('echo', (value, reply) => reply(value));
    socket.on('shout', (value) => server.to('room').emit('told', value));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const connect = async (transports = ['websocket']): Promise<Client> => {
    const client = io(`http://127.0.0.1:${portOf(http)}`, { transports, reconnection: false });
    afterTest(() => client.close());
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('connect_error', reject);
    });
    return client;
  };
  return { server, http, connect };
}

const heard = (client: Client): Promise<unknown> =>
  new Promise((resolve) => client.once('told', resolve));

describe.each([
  ['plain', false],
  ['compressed', { threshold: 0 }],
])('socket.io on our server, %s', (_name, perMessageDeflate) => {
  test('its sockets are ours', async () => {
    const { server, connect } = await open(perMessageDeflate);
    await connect();
    const [socket] = server.sockets.sockets.values();
    // What engine.io keeps of its transport is not in its types.
    const { transport } = socket.conn as unknown as { transport: { socket: unknown } };
    expect(transport.socket).toBeInstanceOf(WebSocket);
  });

  test('values and bytes there and back', async () => {
    const { connect } = await open(perMessageDeflate);
    const client = await connect();
    for (const value of [
      'grüße',
      { a: [1, null] },
      Buffer.alloc(3_000, 'ab'),
      { b: Buffer.from('b') },
    ]) {
      expect(await client.emitWithAck('echo', value)).toEqual(value);
    }
  });

  test('a broadcast to a room, whose frames socket.io makes once for all', async () => {
    const { connect } = await open(perMessageDeflate);
    const clients = [await connect(), await connect(), await connect()];
    for (const value of ['all of you', 'x'.repeat(70_000), Buffer.alloc(3_000, 7)]) {
      const told = Promise.all(clients.map(heard));
      clients[0].emit('shout', value);
      expect(await told).toEqual([value, value, value]);
    }
  });

  test('a client that begins with polling and upgrades', async () => {
    const { connect } = await open(perMessageDeflate);
    const client = await connect(['polling', 'websocket']);
    const { engine } = client.io;
    if (engine.transport.name !== 'websocket') {
      await new Promise((resolve) => engine.once('upgrade', resolve));
    }
    expect(await client.emitWithAck('echo', 'after')).toBe('after');
  });

  test('a client that goes is told of, and closing ends all', async () => {
    const { server, connect } = await open(perMessageDeflate);
    const connection = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const [client, other] = [await connect(), await connect()];
    const left = new Promise((resolve) => {
      void connection.then((socket) => socket.on('disconnect', resolve));
    });
    client.close();
    expect(await left).toBe('client namespace disconnect');
    const ended = new Promise((resolve) => other.on('disconnect', resolve));
    await server.close();
    expect(await ended).toBe('transport close');
  });
});

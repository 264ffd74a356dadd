import { once as eventOf } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket } from '../../src/index';
import { pattern } from '../support/bytes';
import { once } from '../support/client-events';
import type { Library } from '../support/libraries';
import { listen, upwire, ws } from '../support/libraries';
import { RawServer } from '../support/raw-server';

type Server = InstanceType<Library['WebSocketServer']>;

describe.each([ws, upwire])('a client and a server of $name', (library) => {
  let server: Server;
  let url: string;

  beforeEach(async () => {
    server = await listen(library);
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  const echo = (): void => {
    server.on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
  };

  test.each([0, 1, 125, 126, 65_535, 65_536, 1_048_576])('exchange %d bytes', async (length) => {
    echo();
    const client = new WebSocket(url);
    await once(client, 'open');
    const bytes = pattern(length);
    client.send(bytes);
    const [binary, isBinary] = await eventOf(client, 'message');
    expect([Buffer.compare(binary, bytes), isBinary]).toEqual([0, true]);
    // The sender's own bytes are masked in a copy.
    expect(Buffer.compare(bytes, pattern(length))).toBe(0);
    const text = 'é'.repeat(Math.floor(length / 2));
    client.send(text);
    const [data, isText] = await eventOf(client, 'message');
    expect([String(data) === text, isText]).toEqual([true, false]);
    client.terminate();
  });

  test('keep the order of a thousand messages', async () => {
    echo();
    const client = new WebSocket(url);
    await once(client, 'open');
    const received: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: Buffer) => {
        if (received.push(Number(data)) === 1000) resolve();
      });
    });
    for (let index = 0; index < 1000; index++) client.send(index);
    await all;
    expect(received).toEqual(Array.from({ length: 1000 }, (_, index) => index));
    client.terminate();
  });

  test('ping and pong both ways', async () => {
    const connected = once<
      InstanceType<typeof ws.WebSocketServer>['clients'] extends Set<infer S> ? S : never
    >(server, 'connection');
    const client = new WebSocket(url);
    const socket = await connected;
    await once(client, 'open');
    client.ping('from the client');
    expect(String(await once(client, 'pong'))).toBe('from the client');
    socket.ping('from the server');
    expect(String(await once(socket, 'pong'))).toBe('from the server');
    client.terminate();
  });

  test.each<[number | undefined, string | undefined, number, string]>([
    [undefined, undefined, 1005, ''],
    [1000, undefined, 1000, ''],
    [1001, 'going away', 1001, 'going away'],
    [4999, 'é'.repeat(61), 4999, 'é'.repeat(61)],
  ])('close with %p %p, begun by either', async (code, reason, toldCode, toldReason) => {
    for (const first of ['client', 'server']) {
      const connected = eventOf(server, 'connection');
      const client = new WebSocket(url);
      const [socket] = await connected;
      const ends = [eventOf(client, 'close'), eventOf(socket, 'close')];
      await once(client, 'open');
      (first === 'client' ? client : socket).close(code, reason);
      const closes = await Promise.all(ends);
      expect(closes.map(([told, why]) => [told, String(why)])).toEqual([
        [toldCode, toldReason],
        [toldCode, toldReason],
      ]);
    }
  });
});

// RFC 6455 7.1.1, where `ws` ends the connection itself.
test('a client waits for the server to end the connection', async () => {
  const server = await RawServer.listen((request) => request.upgrade());
  const client = new WebSocket(server.url, {
    perMessageDeflate: false,
    generateMask: (mask) => mask.fill(0),
  });
  await once(client, 'open');
  const { socket } = server.requests[0];
  let ended = false;
  socket.on('end', () => {
    ended = true;
  });
  client.close(1000);
  expect((await once<Buffer>(socket, 'data')).toString('hex')).toBe('88820000000003e8');
  socket.write(Buffer.from('880203e8', 'hex'));
  // A pong after a close frame is not looked at; that the client has read this far is what its state tells.
  await new Promise((resolve) => client._socket?.once('data', resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect([ended, client.readyState]).toEqual([false, 2]);
  const closed = once(client, 'close');
  socket.end();
  expect(await closed).toBe(1000);
  await server.close();
});

test('a client ends a connection that the server does not, after closeTimeout', async () => {
  const server = await RawServer.listen((request) => request.upgrade());
  const client = new WebSocket(server.url, { closeTimeout: 20 });
  await once(client, 'open');
  client.close(1000);
  expect(await once(client, 'close')).toBe(1006);
  await server.close();
});

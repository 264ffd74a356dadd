import { once } from 'node:events';
import { deflateRawSync } from 'node:zlib';
import { broadcast, prepare } from '../src/broadcast';
import { Sender } from '../src/compat/sender';
import { WebSocketServer } from '../src/server';
import type { ServerOptions } from '../src/server-options';
import type { ServerStats } from '../src/tally';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from './support/frames';
import { RawClient, request } from './support/raw-client';
import { until } from './support/sockets';
import { connected, rawClient, startServer, turn } from './support/stage';

const NOTHING: ServerStats = {
  open: 0,
  opened: 0,
  closed: 0,
  refused: 0,
  errors: 0,
  messages: { received: 0, sent: 0 },
  bytes: { received: 0, sent: 0 },
};

const masked = (opcode: number, payload: string, fin = true): Buffer =>
  frame({ opcode, payload, fin, key: 0x01020304 });

const goodbye = frame({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]), key: 1 });

test('nothing has happened yet', () => {
  expect(new WebSocketServer({ noServer: true }).stats()).toEqual(NOTHING);
});

test('what is returned is of that moment', async () => {
  const { server } = await connected();
  const stats = server.stats();
  await RawClient.open((server.address() as { port: number }).port);
  await until(() => server.clients.size === 2);
  expect([stats.open, server.stats().open]).toEqual([1, 2]);
});

describe.each([true, false])('connections, with clientTracking: %p', (clientTracking) => {
  test('open, end and are refused', async () => {
    const server = await startServer({ clientTracking, onUpgrade: ({ url }) => url === '/' });
    const ended = jest.fn();
    server.on('connection', (webSocket) => webSocket.on('close', ended));
    const clients: RawClient[] = [];
    for (const path of ['/', '/', '/no', '/']) {
      const client = await rawClient(server);
      client.write(request({}, `GET ${path} HTTP/1.1`));
      await client.head();
      clients.push(client);
    }
    expect(server.stats()).toMatchObject({ open: 3, opened: 3, closed: 0, refused: 1 });
    clients[0].write(goodbye);
    clients[1].reset();
    await until(() => ended.mock.calls.length === 2);
    expect(server.stats()).toMatchObject({ open: 1, opened: 3, closed: 2, refused: 1, errors: 0 });
    clients[3].write(goodbye);
    await clients[3].closed;
  });
});

test('what clients and the application do wrong', async () => {
  const server = await startServer({
    onUpgrade: ({ url }) => {
      if (url === '/throw') throw new Error('broken');
    },
  });
  const reported: unknown[] = [];
  server.on('error', (error) => reported.push(error));
  const wrong = await rawClient(server);
  wrong.write(request());
  await wrong.head();
  wrong.write(frame({ opcode: 3, key: 1 }));
  await wrong.rest();
  const broken = await rawClient(server);
  broken.write(request({}, 'GET /throw HTTP/1.1'));
  await broken.rest();
  expect(reported).toHaveLength(1);
  expect(server.stats()).toMatchObject({ opened: 1, refused: 1, errors: 2 });
});

describe('messages and bytes', () => {
  /** What has been counted since `before`. */
  function since({ messages, bytes }: ServerStats, server: WebSocketServer): unknown {
    const now = server.stats();
    return {
      messages: [now.messages.received - messages.received, now.messages.sent - messages.sent],
      bytes: [now.bytes.received - bytes.received, now.bytes.sent - bytes.sent],
    };
  }

  test.each<[string, Buffer, number]>([
    ['a message', masked(TEXT, 'hello'), 1],
    ['an empty one', masked(BINARY, ''), 1],
    ['a large one', masked(BINARY, 'x'.repeat(70_000)), 1],
    ['several in one read', Buffer.concat([masked(TEXT, 'a'), masked(TEXT, 'b')]), 2],
    [
      'one in fragments, with a pong between them',
      Buffer.concat([
        masked(TEXT, 'a', false),
        masked(CONTINUATION, 'b', false),
        masked(PONG, 'pong'),
        masked(CONTINUATION, 'c'),
      ]),
      1,
    ],
    ['a pong, which is no message', masked(PONG, 'pong'), 0],
  ])('received: %s', async (_name, bytes, messages) => {
    const { server, client } = await connected();
    const before = server.stats();
    client.write(bytes);
    await until(() => server.stats().bytes.received === bytes.length);
    await turn();
    expect(since(before, server)).toEqual({ messages: [messages, 0], bytes: [bytes.length, 0] });
  });

  test('what came with the handshake counts as well', async () => {
    const server = await startServer();
    const client = await rawClient(server);
    client.write(request(), masked(TEXT, 'early'));
    await client.head();
    await until(() => server.stats().messages.received === 1);
    expect(server.stats().bytes).toEqual({ received: 11, sent: 0 });
  });

  test('a ping is answered by bytes, and no message', async () => {
    const { server, client } = await connected();
    client.write(masked(PING, 'ping'));
    expect((await client.frame())?.payload.toString()).toBe('ping');
    expect(server.stats()).toMatchObject({
      messages: { received: 0, sent: 0 },
      bytes: { received: 10, sent: 6 },
    });
  });

  test('sent: text, bytes, fragments, prepared messages and frames made elsewhere', async () => {
    const { server, socket, client } = await connected();
    socket.send('hello');
    socket.send(Buffer.alloc(200));
    socket.send('a', { fin: false });
    socket.send('b', { fin: false });
    socket.send('c');
    socket.send(prepare('prepared'));
    broadcast(server.clients, 'broadcast');
    const made = Sender.frame(Buffer.from('made'), {
      fin: true,
      opcode: 1,
      rsv1: false,
      mask: false,
      readOnly: true,
    });
    socket._sender?.sendFrame(made);
    socket._sender?.sendFrame([Buffer.from([0x89, 0x00])]);
    socket.ping('ping');
    const sizes = [2 + 5, 4 + 200, 3, 3, 3, 2 + 8, 2 + 9, 2 + 4, 2, 2 + 4];
    for (const size of sizes) {
      const received = await client.frame();
      const length = received?.payload.length ?? 0;
      expect(length + (length < 126 ? 2 : 4)).toBe(size);
    }
    expect(server.stats()).toMatchObject({
      messages: { received: 0, sent: 6 },
      bytes: { received: 0, sent: sizes.reduce((sum, size) => sum + size) },
    });
  });

  test('what was not sent does not count', async () => {
    const { server, socket, client } = await connected({ maxBufferedAmount: 10, overflow: 'drop' });
    socket.send('x'.repeat(10));
    expect(socket.send('y'.repeat(10))).toBe(false);
    expect((await client.frame())?.payload.length).toBe(10);
    client.write(goodbye);
    await once(socket, 'close');
    socket.send('too late');
    expect(server.stats()).toMatchObject({
      messages: { sent: 1 },
      // The message, and the answer to the close frame.
      bytes: { received: 8, sent: 12 + 4 },
    });
  });

  test('bytes are those of the wire where messages are compressed', async () => {
    const options: ServerOptions = { perMessageDeflate: { threshold: 0 } };
    const server = await startServer(options);
    const client = await rawClient(server);
    client.write(request({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    await client.head();
    const [socket] = server.clients;
    const text = 'x'.repeat(1000);
    const payload = deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
    const bytes = frame({ opcode: TEXT, rsv: 4, payload, key: 1 });
    const message = once(socket, 'message');
    client.write(bytes);
    expect(String((await message)[0])).toBe(text);
    socket.send(text);
    const answer = await client.frame();
    expect(answer?.first).toBe(0xc1);
    expect(server.stats()).toMatchObject({
      messages: { received: 1, sent: 1 },
      bytes: { received: bytes.length, sent: 2 + (answer?.payload.length ?? 0) },
    });
    expect(server.stats().bytes.sent).toBeLessThan(100);
  });

  test('all connections of a server count together, and those of others do not', async () => {
    const first = await connected();
    const second = await connected();
    const third = await RawClient.open((first.server.address() as { port: number }).port);
    first.client.write(masked(TEXT, 'a'));
    third.write(masked(TEXT, 'b'));
    second.client.write(masked(TEXT, 'c'));
    await until(() => first.server.stats().messages.received === 2);
    await until(() => second.server.stats().messages.received === 1);
    expect(first.server.stats()).toMatchObject({ open: 2, bytes: { received: 14, sent: 0 } });
    expect(second.server.stats()).toMatchObject({ open: 1, bytes: { received: 7, sent: 0 } });
    third.socket.destroy();
  });
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Peer from 'ws';
import { WebSocketServer } from '../src/server';
import { createWebSocketStream } from '../src/stream';
import type { WebSocket } from '../src/websocket';

let server: WebSocketServer;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of server.clients ?? []) client.terminate();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

interface Connected {
  peer: Peer;
  webSocket: WebSocket;
}

async function connect(): Promise<Connected> {
  const { port } = server.address() as AddressInfo;
  const peer = new Peer(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
  return { peer, webSocket };
}

async function read(stream: Duplex): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

describe('createWebSocketStream', () => {
  test('each write is a message, in order', async () => {
    const { peer, webSocket } = await connect();
    const received: [string, boolean][] = [];
    peer.on('message', (data, isBinary) => received.push([String(data), isBinary]));
    const stream = createWebSocketStream(webSocket);
    stream.resume();
    stream.write('first');
    stream.end(Buffer.from('second'));
    const [code] = await once(peer, 'close');
    expect(received).toEqual([
      ['first', true],
      ['second', true],
    ]);
    expect(code).toBe(1005);
  });

  test('strings stay text without decodeStrings', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket, { decodeStrings: false });
    const message = once(peer, 'message');
    stream.write('text');
    const [data, isBinary] = await message;
    expect([String(data), isBinary]).toEqual(['text', false]);
  });

  test('messages are chunks, and the end comes when the WebSocket has closed', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket);
    const chunks = read(stream);
    peer.send('a');
    peer.send(Buffer.from('b'));
    peer.close(1000);
    expect(Buffer.concat((await chunks) as Buffer[]).toString()).toBe('ab');
  });

  test('readableObjectMode keeps the borders of messages and text as strings', async () => {
    const { peer, webSocket } = await connect();
    const chunks = read(createWebSocketStream(webSocket, { readableObjectMode: true }));
    peer.send('text');
    peer.send(Buffer.from([1, 2]));
    peer.close(1000);
    expect(await chunks).toEqual(['text', Buffer.from([1, 2])]);
  });

  test('a reader that does not read pauses the WebSocket', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket, { readableHighWaterMark: 1024 });
    const paused = new Promise<void>((resolve) => {
      webSocket.on('message', () => {
        if (webSocket.isPaused) resolve();
      });
    });
    for (let index = 0; index < 64; index++) peer.send(Buffer.alloc(1024, index));
    await paused;
    expect(stream.readableLength).toBeLessThanOrEqual(2048);
    peer.close(1000);
    const all = Buffer.concat((await read(stream)) as Buffer[]);
    expect(all.length).toBe(64 * 1024);
    expect(webSocket.isPaused).toBe(false);
  });

  test('an echo through pipeline() keeps every byte', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket);
    const echo = pipeline(stream, stream);
    const sent = Buffer.alloc(300_000, 'upwire');
    const received: Buffer[] = [];
    let length = 0;
    const whole = new Promise<void>((resolve) => {
      peer.on('message', (data: Buffer) => {
        received.push(data);
        length += data.length;
        if (length === sent.length) resolve();
      });
    });
    for (let at = 0; at < sent.length; at += 10_000) peer.send(sent.subarray(at, at + 10_000));
    await whole;
    peer.close(1000);
    await echo;
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  test('destroy() terminates the connection and closes when it is gone', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket);
    const closed = once(peer, 'close');
    stream.destroy();
    await once(stream, 'close');
    expect(webSocket.readyState).toBe(3);
    expect((await closed)[0]).toBe(1006);
  });

  test('destroy(error) reports the error', async () => {
    const { webSocket } = await connect();
    const stream = createWebSocketStream(webSocket);
    const failed = once(stream, 'error');
    stream.destroy(new Error('enough'));
    expect((await failed)[0].message).toBe('enough');
  });

  test("a peer's fault destroys the stream with its error, and the peer learns why", async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket);
    stream.resume();
    const failed = once(stream, 'error');
    const closed = once(peer, 'close');
    // A text frame with a byte that no UTF-8 has (RFC 6455 8.1).
    peer.send(Buffer.from([0xff]), { binary: false });
    expect((await failed)[0]).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
    expect((await closed)[0]).toBe(1007);
  });

  test('a write after the peer has gone fails', async () => {
    const { peer, webSocket } = await connect();
    const stream = createWebSocketStream(webSocket, { allowHalfOpen: true });
    const ended = once(webSocket, 'close');
    peer.terminate();
    await ended;
    const failed = once(stream, 'error');
    stream.write('too late');
    expect((await failed)[0].message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
  });
});

// T25, T26: bytes before, behind and between handshakes.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { WebSocketServer } from '../../src/server';
import type { VerifyClientCallback } from '../../src/server-options';
import type { WebSocket } from '../../src/websocket';
import { BINARY, frame, TEXT } from '../support/frames';
import { request } from '../support/raw-client';
import { afterTest, rawClient, startServer, turn } from '../support/stage';

const plain = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** A server whose application writes down what it is asked for. */
async function site() {
  const asked: string[] = [];
  const http = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(`page ${url}`);
  });
  const server = new WebSocketServer({ server: http });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(() => {
    for (const socket of server.clients ?? []) socket.terminate();
    http.closeAllConnections();
    http.close();
  });
  return { http, server, asked };
}

test('a request behind an upgrade is no request', async () => {
  const { http, server, asked } = await site();
  const failed = new Promise<Error>((resolve) => {
    server.on('connection', (socket: WebSocket) => socket.on('error', resolve));
  });
  const client = await rawClient(http);
  client.write(request() + plain('/secret'));
  const error = await failed;
  // "GE": the bits of the first byte are RSV1 and opcode 7.
  expect(error.message).toBe('Invalid WebSocket frame: RSV1 must be clear');
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
  expect((await client.frame())?.payload.toString('hex')).toBe('03ea');
  expect(asked).toEqual([]);
});

test('requests before an upgrade are answered, in their order', async () => {
  const { http, server, asked } = await site();
  const connection = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const client = await rawClient(http);
  client.write(plain('/one') + plain('/two') + request({}, 'GET /three HTTP/1.1'));
  const [, incoming] = await connection;
  expect([asked, incoming.url]).toEqual([['/one', '/two'], '/three']);
  for (const url of asked) {
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 /);
    expect((await client.bytes(9)).toString()).toBe(`page ${url}`);
  }
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['that is accepted', {}, /^HTTP\/1\.1 101 /],
  ['that is refused', { 'Sec-WebSocket-Version': '1' }, /^HTTP\/1\.1 400 /],
])(
  'a handshake %s waits for the page before it, however long that is',
  async (_name, headers, answer) => {
    const { http } = await site();
    http.removeAllListeners('request');
    // More than a socket takes at once, piped and not before the handshake has come.
    const pieces = Array.from({ length: 4 }, () => Buffer.alloc(1024 * 1024, 'x'));
    http.on('request', (_request, response) => {
      response.setHeader('Content-Length', 4 * 1024 * 1024);
      setTimeout(() => Readable.from(pieces).pipe(response), 20);
    });
    const client = await rawClient(http);
    client.write(plain('/one') + request(headers));
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 /);
    expect((await client.bytes(4 * 1024 * 1024)).equals(Buffer.concat(pieces))).toBe(true);
    expect(await client.head()).toMatch(answer);
  },
);

test('a client that goes while its handshake waits for a page opens nothing', async () => {
  const { http, server } = await site();
  const asked = new Promise<ServerResponse>((resolve) => {
    http.removeAllListeners('request');
    http.on('request', (_request, response) => resolve(response));
  });
  const connected = jest.fn();
  server.on('connection', connected);
  const client = await rawClient(http);
  client.write(plain('/one') + request());
  const response = await asked;
  const gone = once(response, 'close');
  client.reset();
  await gone;
  response.end('too late');
  await turn();
  expect(connected).not.toHaveBeenCalled();
  expect(await new Promise((resolve) => http.getConnections((_, open) => resolve(open)))).toBe(0);
});

test.each([
  ['an upgrade', { 'Sec-WebSocket-Version': '1' }],
  ['an upgrade with a body', { 'Content-Length': '30' }],
  ['an upgrade in chunks', { 'Transfer-Encoding': 'chunked' }],
  ['an upgrade with two lengths', { 'Transfer-Encoding': 'chunked', 'Content-Length': '4' }],
])('a request behind %s that is refused is no request either', async (_name, headers) => {
  const { http, asked } = await site();
  const client = await rawClient(http);
  client.write(request(headers) + plain('/secret'));
  const answer = (await client.rest()).toString();
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(asked).toEqual([]);
});

test.each(['Sec-WebSocket-Key', 'Sec-WebSocket-Version'])('two headers %s', async (name) => {
  const server = await startServer();
  const client = await rawClient(server);
  client.write(request().replace('\r\n\r\n', `\r\n${name}: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`));
  // Node joins the two by a comma.
  expect(await client.head()).toMatch(/^HTTP\/1\.1 400 /);
});

test('folded header lines and bare line feeds are Node’s to refuse', async () => {
  for (const text of [
    request({ 'X-A': 'a\r\n b' }),
    request({ 'X-A': 'a\rSec-WebSocket-Key: b' }),
    request({ 'X-A : b': 'c' }),
  ]) {
    const server = await startServer();
    const client = await rawClient(server);
    client.write(text);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 400 /);
  }
});

test('what comes before verifyClient has decided waits at the peer, and is delivered then', async () => {
  let decide: VerifyClientCallback = () => undefined;
  let asked: IncomingMessage | undefined;
  const server = await startServer({
    verifyClient: ({ req }, callback) => {
      asked = req;
      decide = callback;
    },
  });
  const client = await rawClient(server);
  const messages = 400;
  client.write(request());
  for (let index = 0; index < messages; index++) {
    const payload = Buffer.alloc(32_768, index);
    client.socket.write(frame({ opcode: BINARY, payload, key: 3 }));
  }
  while (asked === undefined || asked.socket.readableLength === 0) await turn();
  // As much as is going to come has come.
  for (let held = -1; held !== asked.socket.readableLength; ) {
    held = asked.socket.readableLength;
    for (let turns = 0; turns < 100; turns++) await turn();
  }
  expect(asked.socket.readableLength).toBeLessThanOrEqual(256 * 1024);
  const connection = once(server, 'connection') as Promise<[WebSocket]>;
  decide(true);
  const [socket] = await connection;
  const heard: number[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      expect([data.length, data[0], data[32_767]]).toEqual([32_768, data[0], data[0]]);
      if (heard.push(data[0]) === messages) resolve();
    });
  });
  await all;
  expect(heard).toEqual(Array.from({ length: messages }, (_it, index) => index & 255));
});

test('frames that come with the handshake, cut at every byte', async () => {
  const server = await startServer();
  const bytes = Buffer.concat([
    Buffer.from(request()),
    frame({ opcode: TEXT, payload: 'one', key: 7 }),
    frame({ opcode: TEXT, payload: 'two', key: 8 }),
  ]);
  const begin = request().length - 4;
  for (let cut = begin; cut <= bytes.length; cut++) {
    const heard: string[] = [];
    const both = new Promise<void>((resolve) => {
      server.once('connection', (socket: WebSocket) => {
        socket.on('message', (data: Buffer) => {
          if (heard.push(String(data)) === 2) resolve();
        });
      });
    });
    const client = await rawClient(server);
    client.socket.setNoDelay(true);
    client.write(bytes.subarray(0, cut));
    await turn();
    client.write(bytes.subarray(cut));
    await both;
    expect(heard).toEqual(['one', 'two']);
    client.socket.destroy();
  }
});

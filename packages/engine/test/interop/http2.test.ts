// WebSocket over HTTP/2 (RFC 8441) by what programs written for ws do: a WebSocket is given the stream as its socket.
import { once } from 'node:events';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { connect, createServer } from 'node:http2';
import { WebSocket } from '../../src/index';
import { maskingKeySource } from '../../src/io/masking-key';
import { portOf } from '../support/libraries';
import { afterTest } from '../support/stage';

const NOTHING = Buffer.alloc(0);

/** An HTTP/2 server that echoes what comes over WebSockets. */
async function listen(): Promise<Http2Server> {
  const server = createServer({ settings: { enableConnectProtocol: true } });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    if (headers[':protocol'] !== 'websocket') {
      stream.respond({ ':status': 501 }, { endStream: true });
      return;
    }
    stream.respond({ ':status': 200, 'sec-websocket-protocol': 'echo' });
    const webSocket = new WebSocket(null, undefined, { maxPayload: 1_000_000 });
    webSocket.setSocket(stream, NOTHING, { protocol: 'echo' });
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterTest(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

/** A client on a stream of an HTTP/2 connection. */
async function open(server: Http2Server): Promise<WebSocket> {
  const session = connect(`http://127.0.0.1:${portOf(server)}`);
  afterTest(() => session.destroy());
  // RFC 8441 3: not before the server has said that it can.
  const [settings] = (await once(session, 'remoteSettings')) as [
    { enableConnectProtocol: boolean },
  ];
  expect(settings.enableConnectProtocol).toBe(true);
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'echo',
  });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(200);
  const webSocket = new WebSocket(null);
  webSocket.setSocket(stream, NOTHING, { role: 'client', maskingKey: maskingKeySource() });
  return webSocket;
}

test('messages of every size, both ways, and a clean end', async () => {
  const client = await open(await listen());
  const received: unknown[] = [];
  client.on('message', (data: Buffer, isBinary) => received.push([data.length, isBinary]));
  for (const size of [0, 125, 126, 65_536, 200_000]) client.send('x'.repeat(size));
  client.send(Buffer.alloc(500_000));
  while (received.length < 6) await once(client, 'message');
  expect(received).toEqual([
    [0, false],
    [125, false],
    [126, false],
    [65_536, false],
    [200_000, false],
    [500_000, true],
  ]);
  client.close(1000, 'bye');
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  expect([code, String(reason)]).toEqual([1000, 'bye']);
});

test('limits hold there, too', async () => {
  const client = await open(await listen());
  client.send(Buffer.alloc(1_000_001));
  const [code] = await once(client, 'close');
  expect(code).toBe(1009);
});

test('a stream that is reset is an end like any other', async () => {
  const client = await open(await listen());
  client.terminate();
  const [code] = await once(client, 'close');
  expect(code).toBe(1006);
});

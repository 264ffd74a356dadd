import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { RawData } from 'ws';
import Peer, { WebSocketServer as PeerServer } from 'ws';
import { WebSocketServer } from '../../src/server';
import { WebSocket } from '../../src/websocket';

/** Text that compresses, and is different at each length. */
function text(length: number): string {
  let line = '';
  for (let index = 0; line.length < length; index++)
    line += `{"id":${index},"name":"été ${index % 7}"},`;
  return line.slice(0, length);
}

const SIZES = [0, 1, 125, 126, 1_000, 1_024, 20_000, 65_536, 300_000];
const OPTIONS = [
  ['defaults', {}],
  ['no context takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
  ['windows of 9 bits', { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }],
  ['threshold 0', { threshold: 0 }],
] as const;

interface Side {
  send(data: string | Buffer): void;
  on(event: 'message', listener: (data: RawData, isBinary: boolean) => void): unknown;
}

/** Sends each size twice from one side, as text and as bytes, and expects the other side's echo of each, in order. */
async function expectEchoes(sender: Side, echo: Side): Promise<void> {
  echo.on('message', (data, isBinary) => echo.send(isBinary ? (data as Buffer) : String(data)));
  const sent: (string | Buffer)[] = SIZES.flatMap((size) => [
    text(size),
    Buffer.from(text(size)),
    text(size),
  ]);
  const received: { same: boolean; isBinary: boolean }[] = [];
  const all = new Promise<void>((resolve) => {
    sender.on('message', (data, isBinary) => {
      const expected = Buffer.from(sent[received.length]);
      received.push({ same: expected.equals(data as Buffer), isBinary });
      if (received.length === sent.length) resolve();
    });
  });
  for (const data of sent) sender.send(data);
  await all;
  expect(received).toEqual(
    sent.map((data) => ({ same: true, isBinary: typeof data !== 'string' })),
  );
}

describe.each(OPTIONS)('permessage-deflate with ws, %s', (_name, options) => {
  test('our server, the client of ws', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: options });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const peer = new Peer(`ws://127.0.0.1:${port}`, { perMessageDeflate: options });
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
    expect([peer.extensions, webSocket.extensions]).toEqual([
      'permessage-deflate',
      'permessage-deflate',
    ]);
    await expectEchoes(peer, webSocket);
    const closed = Promise.all([once(peer, 'close'), once(webSocket, 'close')]);
    peer.close(1000);
    await closed;
    server.close();
    await once(server, 'close');
  });

  test('our client, the server of ws', async () => {
    const server = new PeerServer({ port: 0, host: '127.0.0.1', perMessageDeflate: options });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: options });
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
    expect([client.extensions, webSocket.extensions]).toEqual([
      'permessage-deflate',
      'permessage-deflate',
    ]);
    await expectEchoes(client, webSocket);
    const closed = Promise.all([once(client, 'close'), once(webSocket, 'close')]);
    client.close(1000);
    await closed;
    server.close();
    await once(server, 'close');
  });

  test('our client, our server', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: options });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: options });
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
    await expectEchoes(client as unknown as Side, webSocket);
    const closed = Promise.all([once(client, 'close'), once(webSocket, 'close')]);
    webSocket.close(1000);
    await closed;
    server.close();
    await once(server, 'close');
  });
});

test('an offer that cannot be met is declined, not refused (RFC 7692 7.1)', async () => {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: { serverNoContextTakeover: false },
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const peer = new Peer(`ws://127.0.0.1:${port}`, {
    perMessageDeflate: { serverNoContextTakeover: true },
  });
  await once(peer, 'open');
  expect(peer.extensions).toBe('');
  const closed = once(peer, 'close');
  peer.close();
  await closed;
  server.close();
  await once(server, 'close');
});

test('a compressed message that inflates beyond maxPayload closes with 1009', async () => {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: true,
    maxPayload: 10_000,
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const peer = new Peer(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } });
  const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
  const failed = once(webSocket, 'error');
  const closed = once(peer, 'close');
  peer.send(Buffer.alloc(20_000));
  expect((await failed)[0]).toMatchObject({
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    message: 'Max payload size exceeded',
  });
  expect((await closed)[0]).toBe(1009);
  server.close();
  await once(server, 'close');
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Peer from 'ws';
import { WebSocketServer } from '../../src/server';
import { WebSocket } from '../../src/websocket';
import { pattern } from '../support/bytes';

let server: WebSocketServer;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const client of server.clients ?? []) client.terminate();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

async function connect(perMessageDeflate: boolean) {
  const { port } = server.address() as AddressInfo;
  const peer = new Peer(`ws://127.0.0.1:${port}`, { perMessageDeflate });
  const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
  const received: string[] = [];
  const note = (name: string) => (data: unknown, isBinary?: boolean) => {
    received.push(`${name} ${isBinary === undefined ? '' : isBinary} ${String(data).slice(0, 20)}`);
  };
  peer.on('message', note('message'));
  peer.on('ping', note('ping'));
  peer.on('pong', note('pong'));
  return { peer, webSocket: webSocket as WebSocket, received };
}

/** A Blob that cannot be read, as one of a file that has changed. */
class LostBlob extends Blob {
  override arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.reject(new Error('The blob could not be read'));
  }
}

/** Not by `once()` of Node, which would hear errors too. */
const closeOf = (webSocket: WebSocket): Promise<unknown> =>
  new Promise((resolve) => webSocket.on('close', resolve));

/** A Blob that is read when the test says so. */
class SlowBlob extends Blob {
  ready: () => void = () => undefined;

  override arrayBuffer(): Promise<ArrayBuffer> {
    return new Promise((resolve) => {
      this.ready = () => resolve(new ArrayBuffer(1));
    });
  }
}

describe('a Blob', () => {
  test.each([false, true])('is sent in its turn, compression %s', async (perMessageDeflate) => {
    const { peer, webSocket, received } = await connect(perMessageDeflate);
    const told: unknown[] = [];
    webSocket.send('first');
    webSocket.send(new Blob(['second']), (error) => told.push(error));
    webSocket.send('third');
    webSocket.ping(new Blob(['fourth']));
    webSocket.pong(new Blob(['fifth']));
    webSocket.send(new Blob(['six']), { binary: false, fin: false });
    webSocket.send(new Blob(['th']), { fin: true });
    webSocket.send(new Blob([]));
    webSocket.close(1000);
    const [code] = await once(peer, 'close');
    expect(received).toEqual([
      'message false first',
      'message true second',
      'message false third',
      'ping  fourth',
      'pong  fifth',
      'message false sixth',
      'message true ',
    ]);
    expect([told, code]).toEqual([[undefined], 1000]);
  });

  test('a large one arrives whole, and counts in bufferedAmount until it has left', async () => {
    const { peer, webSocket } = await connect(true);
    const bytes = pattern(3_000_000);
    const message = once(peer, 'message');
    webSocket.send(new Blob([bytes]));
    expect(webSocket.bufferedAmount).toBe(3_000_000);
    const [data, isBinary] = await message;
    expect([data.equals(bytes), isBinary]).toEqual([true, true]);
  });

  test('one that cannot be read ends the connection, and the callback says why', async () => {
    const { peer, webSocket } = await connect(false);
    const closed = once(peer, 'close');
    const error = new Promise((resolve) => webSocket.send(new LostBlob(['x']), resolve));
    expect(await error).toEqual(new Error('The blob could not be read'));
    const [code] = await closed;
    expect(code).toBe(1006);
  });

  test('one that cannot be read is an error of the WebSocket, and none of the process', async () => {
    const { webSocket } = await connect(true);
    const events: unknown[] = [];
    webSocket.once('error', (error) => events.push(error.message, webSocket.readyState));
    webSocket.send(new LostBlob(['x']));
    expect(await closeOf(webSocket)).toBe(1006);
    expect(events).toEqual(['The blob could not be read', WebSocket.CLOSING]);

    const { webSocket: deaf } = await connect(true);
    deaf.send(new LostBlob(['x']));
    expect(await closeOf(deaf)).toBe(1006);
  });

  test('what waits behind one when the socket is gone is told', async () => {
    const { webSocket } = await connect(false);
    const told: unknown[] = [];
    const closed = once(webSocket, 'close');
    const blob = new SlowBlob(['x']);
    webSocket.send(blob, (error) => told.push(error?.message));
    webSocket.send('y', (error) => told.push(error?.message));
    webSocket.terminate();
    await closed;
    blob.ready();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([
      'The socket was closed before the data was written',
      'The socket was closed while the blob was being read',
    ]);
  });

  test('of more than 125 bytes is no ping, and too late is too late', async () => {
    const { webSocket } = await connect(false);
    const large = new Blob(['x'.repeat(126)]);
    expect(() => webSocket.ping(large)).toThrow(
      new RangeError('The data size must not be greater than 125 bytes'),
    );
    webSocket.close();
    const before = webSocket.bufferedAmount;
    const refused = new Promise((resolve) => webSocket.send(large, resolve));
    expect(webSocket.bufferedAmount - before).toBe(126);
    expect(await refused).toEqual(new Error('WebSocket is not open: readyState 2 (CLOSING)'));
    expect(() => new WebSocket(null).send(large)).toThrow('readyState 0 (CONNECTING)');
  });
});

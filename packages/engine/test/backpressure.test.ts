import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Peer from 'ws';
import { WebSocketServer } from '../src/server';
import type { ServerOptions } from '../src/server-options';
import type { WebSocket } from '../src/websocket';

let server: WebSocketServer;
let peer: Peer;

async function connect(options: ServerOptions = {}): Promise<WebSocket> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  peer = new Peer(`ws://127.0.0.1:${port}`);
  const [[webSocket]] = await Promise.all([once(server, 'connection'), once(peer, 'open')]);
  return webSocket;
}

afterEach(async () => {
  peer.terminate();
  for (const client of server.clients ?? []) client.terminate();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

/** Sends 64 KiB messages to a peer that does not read, until `send()` says no. */
async function fill(webSocket: WebSocket): Promise<number> {
  peer.pause();
  let sent = 0;
  for (;;) {
    sent++;
    if (!webSocket.send(Buffer.alloc(60_000))) return sent;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('send()', () => {
  test('says to go on while little waits', async () => {
    const webSocket = await connect();
    expect(webSocket.send('little')).toBe(true);
    expect(webSocket.send(Buffer.alloc(60_000))).toBe(true);
    expect(webSocket.send(Buffer.alloc(10_000))).toBe(false);
  });

  test("'drain' comes once when the peer has taken it", async () => {
    const webSocket = await connect();
    let drains = 0;
    webSocket.on('drain', () => drains++);
    const sent = await fill(webSocket);
    expect(drains).toBe(0);
    const drained = once(webSocket, 'drain');
    peer.resume();
    await drained;
    expect(webSocket.bufferedAmount).toBeLessThanOrEqual(16 * 1024);
    const last = once(webSocket, 'pong');
    webSocket.ping();
    await last;
    expect([drains, sent > 1]).toEqual([1, true]);
  });

  test('says no when the connection is closing', async () => {
    const webSocket = await connect();
    webSocket.close();
    expect(webSocket.send('late')).toBe(false);
  });
});

describe('maxBufferedAmount', () => {
  test('closes with 1013 and tells the callback', async () => {
    const webSocket = await connect({ maxBufferedAmount: 1_000_000 });
    peer.pause();
    const errors: (string | undefined)[] = [];
    const callback = (error?: Error | null) =>
      errors.push((error as NodeJS.ErrnoException | null | undefined)?.code);
    while (webSocket.readyState === 1) {
      webSocket.send(Buffer.alloc(400_000), callback);
      expect(webSocket.bufferedAmount).toBeLessThan(1_000_100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(errors.at(-1)).toBe('WS_ERR_BUFFER_OVERFLOW');
    const closed = once(peer, 'close');
    peer.resume();
    expect((await closed)[0]).toBe(1013);
  });

  test("with overflow: 'drop' lets single messages go, and the connection stays", async () => {
    const webSocket = await connect({ maxBufferedAmount: 1_000_000, overflow: 'drop' });
    peer.pause();
    let dropped: unknown;
    while (dropped === undefined) {
      webSocket.send(Buffer.alloc(400_000), (error) => {
        if (error) dropped ??= error;
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(dropped).toMatchObject({
      code: 'WS_ERR_BUFFER_OVERFLOW',
      message: expect.stringMatching(
        /^The message was not sent: \d+ bytes would wait, and maxBufferedAmount is 1000000$/,
      ),
    });
    const pong = once(webSocket, 'pong');
    peer.resume();
    webSocket.ping();
    await pong;
    expect(webSocket.readyState).toBe(1);
  });

  test('a single message may be larger', async () => {
    const webSocket = await connect({ maxBufferedAmount: 1000 });
    const message = once(peer, 'message');
    webSocket.send(Buffer.alloc(5000));
    expect((await message)[0].length).toBe(5000);
  });
});

describe('heartbeat', () => {
  test('a peer that answers stays', async () => {
    const webSocket = await connect({ heartbeat: { interval: 20 } });
    await once(webSocket, 'pong');
    await once(webSocket, 'pong');
    await once(webSocket, 'pong');
    expect(webSocket.readyState).toBe(1);
  });

  test('a peer that is silent is cut with 1006', async () => {
    const webSocket = await connect({ heartbeat: { interval: 20, timeout: 20 } });
    peer.pause();
    const [code] = await once(webSocket, 'close');
    expect(code).toBe(1006);
  });

  test('idleTimeout and maxLifetime close with 1001 and say which', async () => {
    await connect({ idleTimeout: 30 });
    const [code, reason] = await once(peer, 'close');
    expect([code, String(reason)]).toEqual([1001, 'idle timeout']);
    for (const client of server.clients ?? []) client.terminate();
    server.close();
    await connect({ maxLifetime: 30 });
    const [secondCode, secondReason] = await once(peer, 'close');
    expect([secondCode, String(secondReason)]).toEqual([1001, 'maximum lifetime']);
  });
});

describe('options', () => {
  test.each([
    [{ heartbeat: true }, 'The "heartbeat" option must be false or an object, got true'],
    [{ heartbeat: null }, 'The "heartbeat" option must be false or an object, got null'],
    [{ heartbeat: {} }, 'The "heartbeat.interval" option must be a number, got undefined'],
    [{ overflow: 'block' }, `The "overflow" option must be 'close' or 'drop', got "block"`],
  ])('%p is a TypeError', async (options, message) => {
    await connect();
    const make = () => new WebSocketServer({ noServer: true, ...(options as object) });
    expect(make).toThrow(new TypeError(message));
  });

  test.each([
    [{ heartbeat: { interval: 0 } }, 'heartbeat.interval'],
    [{ heartbeat: { interval: 10, timeout: -1 } }, 'heartbeat.timeout'],
    [{ maxBufferedAmount: -1 }, 'maxBufferedAmount'],
    [{ idleTimeout: Number.NaN }, 'idleTimeout'],
    [{ maxLifetime: 2 ** 31 }, 'maxLifetime'],
  ])('%p is a RangeError', async (options, name) => {
    await connect();
    const make = () => new WebSocketServer({ noServer: true, ...options });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`The "${name}" option must be an integer from`);
  });
});

import type { WebSocket } from '@upwire/engine/internal';
import { BINARY, CLOSE, PONG, TEXT } from '../../../engine/test/support/frames';
import { deferred, masked } from '../../../engine/test/support/site';
import { dial, enterAt, open } from '../client';
import type { Application, Harness, SiteOptions } from '../harness';
import { openSite, until } from '../site';

/** Limits with their defaults: large messages, slow consumers, dead peers. */
export function limits<App extends Application>(harness: Harness<App>): void {
  const openSizes = (upwire?: SiteOptions['upwire']) =>
    openSite(
      harness,
      (app) =>
        app.ws('/chat', (webSocket) =>
          webSocket.on('message', (data) => webSocket.send(String(data.length))),
        ),
      { upwire },
    );

  /** The server's end of one connection whose client writes and reads bytes. */
  async function pair(upwire: SiteOptions['upwire']) {
    const opened = deferred<WebSocket>();
    const site = await openSite(harness, (app) => app.ws('/chat', opened.resolve), { upwire });
    const client = await enterAt(site.address, '/chat');
    const webSocket = await opened.promise;
    const closed = new Promise<number>((resolve) => webSocket.once('close', resolve));
    return { ...site, client, webSocket, closed };
  }

  test('the defaults are those that the documentation names', async () => {
    const { webSockets } = await openSizes();
    expect(webSockets.options).toMatchObject({
      maxPayload: 1024 * 1024,
      maxBufferedAmount: 16 * 1024 * 1024,
      heartbeat: { interval: 30_000 },
      closeTimeout: 10_000,
    });
  });

  test.each<[string, SiteOptions['upwire'], number]>([
    ['1 MiB by default', undefined, 1024 * 1024],
    ['what maxPayload says', { maxPayload: 10 }, 10],
  ])('a message may have %s; a byte more is 1009', async (_what, upwire, size) => {
    const { address, webSockets } = await openSizes(upwire);
    const other = await open(address, '/chat');
    const client = await open(address, '/chat');
    client.webSocket.send(Buffer.alloc(size));
    expect(await client.message()).toBe(String(size));
    client.webSocket.send(Buffer.alloc(size + 1));
    expect((await client.closed)[0]).toBe(1009);
    expect(await other.ask('hi')).toBe('2');
    await until(() => webSockets.clients?.size === 1);
  });

  test('a message that is announced as too large is refused before it has come', async () => {
    const { address } = await openSizes();
    const client = await enterAt(address, '/chat');
    client.write(masked({ opcode: BINARY, announce: 2n ** 40n }));
    expect((await client.frame())?.payload.subarray(0, 2).toString('hex')).toBe('03f1');
  });

  test('a client that does not read what it is sent is 1013', async () => {
    const { client, webSocket, closed } = await pair({ maxBufferedAmount: 256 * 1024 });
    const message = Buffer.alloc(64 * 1024);
    client.socket.pause();
    // More than the kernel keeps for a connection that nobody reads.
    for (let sent = 0; sent < 2_000 && webSocket.readyState === 1; sent++) {
      webSocket.send(message, () => undefined);
      if (sent % 16 === 0) await new Promise(setImmediate);
    }
    expect(webSocket.readyState).toBe(2);
    expect(webSocket.bufferedAmount).toBeLessThanOrEqual(256 * 1024 + 100);
    client.socket.resume();
    let last = await client.frame();
    while (last !== undefined && last.first !== 0x88) last = await client.frame();
    expect(last?.payload.readUInt16BE()).toBe(1013);
    client.write(masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xf5]) }));
    expect(await closed).toBe(1013);
  });

  test('with overflow: "drop" it loses messages and stays', async () => {
    const { client, webSocket } = await pair({ maxBufferedAmount: 256 * 1024, overflow: 'drop' });
    const errors: unknown[] = [];
    const message = Buffer.alloc(64 * 1024);
    client.socket.pause();
    for (let sent = 0; sent < 2_000 && errors.length === 0; sent++) {
      webSocket.send(message, (error) => error && errors.push(error));
      if (sent % 16 === 0) await new Promise(setImmediate);
    }
    await until(() => errors.length > 0);
    expect(webSocket.readyState).toBe(1);
    client.socket.resume();
    await until(() => webSocket.bufferedAmount === 0);
    webSocket.send('goes on');
    let last = await client.frame();
    while (last?.first === 0x82) last = await client.frame();
    expect(last?.payload.toString()).toBe('goes on');
  });

  test('a peer that is silent and answers no ping is cut off; one that answers stays', async () => {
    const heartbeat = { interval: 60, timeout: 60 };
    const { client, closed, address, errors } = await pair({ heartbeat });
    const lively = await enterAt(address, '/chat');
    const answering = (async () => {
      for (let count = 0; count < 4; count++) {
        const frame = await lively.frame();
        expect(frame?.first).toBe(0x89);
        lively.write(masked({ opcode: PONG, payload: frame?.payload }));
      }
    })();
    expect(await closed).toBe(1006);
    expect((await client.frames()).map(({ first }) => first)).toEqual([0x89]);
    await answering;
    lively.write(masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) }));
    let last = await lively.frame();
    while (last?.first === 0x89) last = await lively.frame();
    expect([last?.first, last?.payload.readUInt16BE()]).toEqual([0x88, 1000]);
    expect(errors).toEqual([]);
  });

  test('a peer that does not answer the closing handshake is cut off after closeTimeout', async () => {
    const { client, webSocket, closed } = await pair({ closeTimeout: 80 });
    const started = performance.now();
    webSocket.close(4000);
    expect(await closed).toBe(1006);
    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
    expect((await client.frames()).map(({ first }) => first)).toEqual([0x88]);
  });

  test('what has no listener is kept up to a limit, and then the connection is not read', async () => {
    const { client, webSocket } = await pair({});
    const message = masked({ opcode: TEXT, payload: 'x'.repeat(16 * 1024) });
    // 16 MiB: more than the kernel keeps for a connection, so that the client has to wait.
    for (let sent = 0; sent < 1_024; sent++) client.write(message);
    await until(() => webSocket._socket?.isPaused() === true);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    let received = 0;
    webSocket.on('message', () => {
      received += 1;
    });
    await until(() => received === 1_024);
    expect(webSocket.readyState).toBe(1);
  });

  test.each<[string, boolean | undefined, number[]]>([
    ['that is trusted tells the address', true, [101, 101, 429]],
    ['that is not trusted does not', undefined, [101, 429, 429]],
  ])(
    'maxConnections counts by the address of the client: a proxy %s',
    async (_what, trustProxy, statuses) => {
      const { address } = await openSite(harness, (app) => app.ws('/chat', () => undefined), {
        trustProxy,
        upwire: { maxConnections: { perKey: 1 } },
      });
      const from = async (client: string) =>
        (await dial(address, '/chat', { headers: { 'X-Forwarded-For': client } })).status;
      expect([await from('192.0.2.1'), await from('192.0.2.2'), await from('192.0.2.1')]).toEqual(
        statuses,
      );
    },
  );

  test('maxConnections of all clients is a 503 that may come again, until one has gone', async () => {
    const { address } = await openSite(harness, (app) => app.ws('/chat', () => undefined), {
      upwire: { maxConnections: 1 },
    });
    const first = await open(address, '/chat');
    expect(await dial(address, '/chat')).toMatchObject({
      status: 503,
      headers: { connection: 'close', 'retry-after': '10' },
    });
    first.webSocket.terminate();
    let status = 503;
    while (status === 503) ({ status } = await dial(address, '/chat'));
    expect(status).toBe(101);
  });

  test('more messages than rateLimit says are 1008', async () => {
    const { address } = await openSizes({ rateLimit: { messages: 2, interval: 1_000_000 } });
    const client = await open(address, '/chat');
    expect([await client.ask('a'), await client.ask('bb')]).toEqual(['1', '2']);
    client.send('ccc');
    expect(await client.closed).toEqual([1008, 'Too many messages']);
  });

  test('a handler is given what the schema makes of a message; what is wrong is 1007', async () => {
    const { address, errors } = await openSizes({
      message: (value) => {
        if (!Array.isArray(value)) throw Object.assign(new Error(), { issues: [] });
        return value;
      },
    });
    const client = await open(address, '/chat');
    expect(await client.ask('[1, 2, 3, 4]')).toBe('4');
    client.send('"1234"');
    expect(await client.closed).toEqual([1007, 'The message is not valid']);
    expect(errors).toEqual([]);
  });
}

import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { PairOptions, WebSocketPair } from '../src/pair';
import { createPair } from '../src/pair';
import { MemoryBroker } from '../src/topics/memory-broker';
import { WebSocket } from '../src/websocket';
import { toHex } from './support/bytes';
import { runChild } from './support/child';
import { portOf } from './support/libraries';
import { until } from './support/sockets';
import { afterTest, startClient, startServer, turn } from './support/stage';

/** A pair that is gone after the test. */
function inMemory(options?: PairOptions): WebSocketPair {
  const pair = createPair(options);
  afterTest(() => {
    pair.server.terminate();
    pair.client.terminate();
  });
  return pair;
}

/** The same by a handshake over TCP. */
async function overTcp({ server = {}, client = {}, protocol }: PairOptions = {}) {
  const listening = await startServer(server);
  const connection = once(listening, 'connection');
  const theirs = startClient(`ws://127.0.0.1:${portOf(listening)}`, {
    ...client,
    protocols: protocol,
  });
  const [[ours]] = await Promise.all([connection, theirs.opened]);
  return { server: ours as WebSocket, client: theirs };
}

/** Notes everything that the two tell. */
function note({ server, client }: WebSocketPair): string[] {
  const events: string[] = [];
  for (const [name, socket] of [
    ['server', server],
    ['client', client],
  ] as const) {
    socket.on('message', (data, isBinary) =>
      events.push(`${name} ${isBinary ? 'bytes' : 'text'} ${data}`),
    );
    socket.on('ping', (data) => events.push(`${name} ping ${data}`));
    socket.on('pong', (data) => events.push(`${name} pong ${data}`));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      events.push(`${name} error ${error.code}`),
    );
    socket.on('close', (code, reason) => events.push(`${name} close ${code} ${reason}`));
  }
  return events;
}

const ended = ({ server, client }: WebSocketPair) => Promise.all([server.closed, client.closed]);

/** What leaves from one end. */
function written(socket: WebSocket): Buffer[] {
  const chunks: Buffer[] = [];
  const transport = socket._socket as Duplex;
  const write = transport.write.bind(transport) as (...rest: unknown[]) => boolean;
  jest.spyOn(transport, 'write').mockImplementation((chunk: Buffer, ...rest: unknown[]) => {
    chunks.push(Buffer.from(chunk));
    return write(chunk, ...rest);
  });
  return chunks;
}

describe.each([
  ['in memory', async (options?: PairOptions): Promise<WebSocketPair> => inMemory(options)],
  ['over TCP', overTcp],
])('two ends %s', (_name, connect) => {
  test('exchange messages, pings and pongs in order', async () => {
    const pair = await connect();
    const { server, client } = pair;
    expect([server.readyState, client.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
    const events = note(pair);
    client.send('one');
    client.ping('two');
    client.send(Buffer.from('three'));
    await until(() => events.length === 4);
    server.send('four');
    server.pong('five');
    server.ping('six');
    await until(() => events.length === 8);
    expect(events).toEqual([
      'server text one',
      'server ping two',
      'server bytes three',
      'client pong two',
      'client text four',
      'client pong five',
      'client ping six',
      'server pong six',
    ]);
  });

  test.each(['server', 'client'] as const)('end when the %s closes', async (name) => {
    const pair = await connect();
    const events = note(pair);
    const other = name === 'server' ? 'client' : 'server';
    pair[name].send('last');
    pair[name].close(4000, 'bye');
    pair[other].send('answer');
    expect(pair[name].readyState).toBe(WebSocket.CLOSING);
    await ended(pair);
    expect(events.slice(0, 2).sort()).toEqual([`${other} text last`, `${name} text answer`].sort());
    expect(events.slice(2).sort()).toEqual(['client close 4000 bye', 'server close 4000 bye']);
    expect([pair.server.closedCleanly, pair.client.closedCleanly]).toEqual([true, true]);
  });

  test('end when both close at once', async () => {
    const pair = await connect();
    const events = note(pair);
    pair.server.close(4001);
    pair.client.close(4002);
    await ended(pair);
    expect(events.sort()).toEqual(['client close 4001 ', 'server close 4002 ']);
  });

  test.each(['server', 'client'] as const)('end when the %s terminates', async (name) => {
    const pair = await connect();
    const other = name === 'server' ? 'client' : 'server';
    const events = note(pair);
    let sent: unknown = 'not told';
    pair[name].send('last', (error) => {
      sent = error;
    });
    pair[name].terminate();
    await ended(pair);
    // What was sent has been handed over before.
    expect([sent ?? undefined, events]).toEqual([
      undefined,
      [`${name} close 1006 `, `${other} text last`, `${other} close 1006 `],
    ]);
  });

  test('end with the right code where one breaks a limit of the other', async () => {
    const pair = await connect({ server: { maxPayload: 4 } });
    const events = note(pair);
    pair.client.send('four');
    pair.client.send('fives');
    await ended(pair);
    expect(events).toEqual([
      'server text four',
      'server error WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      'client close 1009 ',
      // The peer has closed nothing: it was we who did.
      'server close 1006 ',
    ]);
  });

  test('have a subprotocol, or none', async () => {
    const pair = await connect({ protocol: 'chat' });
    expect([pair.server.protocol, pair.client.protocol]).toEqual(['chat', 'chat']);
    const plain = await connect();
    expect([plain.server.protocol, plain.client.protocol]).toEqual(['', '']);
  });

  test('send as fast as the other reads', async () => {
    const { server, client } = await connect();
    let received = 0;
    client.on('message', () => received++);
    client.pause();
    const message = Buffer.alloc(32 * 1024);
    let sent = 0;
    for (;;) {
      sent++;
      if (server.send(message)) continue;
      // As much again as a kernel takes may be on its way before nothing goes any more.
      let drained = false;
      server.once('drain', () => {
        drained = true;
      });
      for (let turns = 0; turns < 50 && !drained; turns++) await turn();
      if (!drained) break;
    }
    expect([received, server.bufferedAmount > 16 * 1024]).toEqual([0, true]);
    const drained = once(server, 'drain');
    client.resume();
    await drained;
    expect(server.bufferedAmount).toBeLessThanOrEqual(16 * 1024);
    await until(() => received === sent);
  });

  test('cut off a reader that is too slow', async () => {
    const pair = await connect({ server: { maxBufferedAmount: 1024 * 1024, closeTimeout: 50 } });
    pair.client.pause();
    const errors: unknown[] = [];
    while (pair.server.readyState === WebSocket.OPEN) {
      pair.server.send(Buffer.alloc(300_000), (error) => error && errors.push(error));
      await turn();
    }
    expect(errors[0]).toMatchObject({ code: 'WS_ERR_BUFFER_OVERFLOW' });
    expect(await pair.server.closed).toMatchObject({ code: 1006 });
  });

  test('find one that is silent', async () => {
    const pair = await connect({ server: { heartbeat: { interval: 20 } } });
    const events = note(pair);
    await until(() => events.filter((event) => event === 'server pong ').length === 3);
    pair.client.pause();
    expect(await pair.server.closed).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  test('compress where both want to', async () => {
    const perMessageDeflate = { threshold: 0 };
    const { server, client } = await connect({
      server: { perMessageDeflate },
      client: { perMessageDeflate },
    });
    expect([server.extensions, client.extensions]).toEqual(Array(2).fill('permessage-deflate'));
    const [toClient, toServer] = [written(server), written(client)];
    const text = 'upwire '.repeat(3_000);
    for (const [from, to] of [
      [server, client],
      [client, server],
    ]) {
      const message = once(to, 'message');
      from.send(text);
      expect(String((await message)[0]) === text).toBe(true);
    }
    for (const chunks of [toClient, toServer]) {
      const bytes = Buffer.concat(chunks);
      // FIN, RSV1 and text.
      expect(bytes[0]).toBe(0xc1);
      expect(bytes.length).toBeLessThan(300);
    }
  });

  test.each<[string, PairOptions]>([
    ['the server', {}],
    ['the client', { server: { perMessageDeflate: true }, client: { perMessageDeflate: false } }],
    [
      'the server, of what the client offers',
      {
        server: { perMessageDeflate: { serverMaxWindowBits: 10 } },
        client: { perMessageDeflate: { serverMaxWindowBits: 9 } },
      },
    ],
  ])('do not compress where it is declined by %s', async (_name, options) => {
    const { server, client } = await connect(options);
    expect([server.extensions, client.extensions]).toEqual(['', '']);
  });

  test('hold what is agreed on about compression', async () => {
    const { server, client } = await connect({
      server: {
        perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 9, threshold: 0 },
      },
      client: { perMessageDeflate: { clientNoContextTakeover: true, threshold: 0 } },
    });
    const sizes: number[] = [];
    for (const socket of [server, client]) {
      const chunks = written(socket);
      for (let count = 0; count < 2; count++) {
        const message = once(socket === server ? client : server, 'message');
        socket.send('the same each time, and nothing remembered');
        await message;
      }
      const [one, two] = chunks;
      sizes.push(two.length - one.length);
    }
    // A compressor that remembered would need a few bytes for the second.
    expect(sizes).toEqual([0, 0]);
  });
});

describe('createPair', () => {
  test('gives two ends of one connection, OPEN and with no address', async () => {
    const pair = inMemory();
    const { server, client } = pair;
    expect(Object.keys(pair)).toEqual(['server', 'client']);
    for (const socket of [server, client]) {
      expect(socket).toBeInstanceOf(WebSocket);
      expect([socket.readyState, socket.url, socket.protocol, socket.extensions]).toEqual([
        WebSocket.OPEN,
        undefined,
        '',
        '',
      ]);
      expect(await socket.opened).toBe(socket);
    }
  });

  test('the client masks its frames, and the server does not', async () => {
    const { server, client } = inMemory();
    const [toClient, toServer] = [written(server), written(client)];
    client.send('abc');
    server.send('abc');
    await Promise.all([once(server, 'message'), once(client, 'message')]);
    expect(toHex(Buffer.concat(toClient))).toBe('8103616263');
    const frame = Buffer.concat(toServer);
    expect(toHex(frame.subarray(0, 2))).toBe('8183');
    const key = frame.subarray(2, 6);
    expect(String(frame.subarray(6).map((byte, index) => byte ^ key[index]))).toBe('abc');
  });

  test('what is received is nobody else’s', async () => {
    const { server, client } = inMemory();
    const sent = Buffer.alloc(100_000, 'a');
    const message = once(client, 'message');
    server.send(sent);
    const [received] = await message;
    received.fill('b');
    expect(sent.equals(Buffer.alloc(100_000, 'a'))).toBe(true);
  });

  test('a listener that is attached in the same tick misses nothing', async () => {
    const { server, client } = inMemory();
    server.send('early');
    await Promise.resolve();
    expect(String((await once(client, 'message'))[0])).toBe('early');
  });

  test('each end has options of its own', async () => {
    const { server, client } = inMemory({
      server: { holdMessages: true },
      client: { autoPong: false },
    });
    client.send('held');
    server.ping();
    expect(await once(client, 'ping')).toEqual([Buffer.alloc(0)]);
    server.on('pong', () => {
      throw new Error('It was not to answer');
    });
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(String((await once(server, 'message'))[0])).toBe('held');
  });

  test('the server’s ends of several pairs share the topics of a broker', async () => {
    const broker = new MemoryBroker();
    const [one, other] = [inMemory({ server: { broker } }), inMemory({ server: { broker } })];
    one.server.subscribe('news');
    const message = once(one.client, 'message');
    expect(other.server.publish('news', 'hello')).toBe(1);
    expect(String((await message)[0])).toBe('hello');
    const alone = inMemory();
    expect([alone.server.subscribe('news'), alone.server.publish('news', 'x')]).toEqual([true, 0]);
    expect(() => alone.client.subscribe('news')).toThrow(
      expect.objectContaining({ code: 'WS_ERR_NO_BROKER' }),
    );
  });

  test.each<[PairOptions | object, Error]>([
    [{ server: 1 }, new TypeError('The "server" option must be an object, got 1')],
    [{ client: null }, new TypeError('The "client" option must be an object, got null')],
    [{ client: [] }, new TypeError('The "client" option must be an object, got an array')],
    [
      { server: { maxPayload: -1 } },
      new RangeError(
        'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
      ),
    ],
    [{ client: { autoPong: 1 } }, new TypeError('The "autoPong" option must be a boolean, got 1')],
    [
      { client: { perMessageDeflate: 1 } },
      new TypeError('The "perMessageDeflate" option must be an object, got 1'),
    ],
    [{ protocol: 'a b' }, new SyntaxError('An invalid or duplicated subprotocol was specified')],
    [
      {
        server: { perMessageDeflate: { clientNoContextTakeover: true } },
        client: { perMessageDeflate: { clientNoContextTakeover: false } },
      },
      new Error('Unexpected parameter "client_no_context_takeover"'),
    ],
  ])('%p is refused', (options, error) => {
    expect(() => createPair(options)).toThrow(error);
  });

  test('undefined is the default', () => {
    const { server, client } = inMemory({
      server: undefined,
      client: undefined,
      protocol: undefined,
    });
    expect([server.protocol, client.protocol]).toEqual(['', '']);
  });

  test('nothing of a pair keeps the process alive', async () => {
    const result = await runChild(`
      const { server, client } = upwire.createPair({ server: { heartbeat: { interval: 1000 } } });
      server.on('message', (data) => server.send('echo ' + data));
      client.on('message', (data) => console.log(String(data)));
      client.send('hello');
    `);
    expect(result).toEqual({ exit: 0, stdout: 'echo hello\n', stderr: '' });
  });

  test('a test may have the timers in its hands, but for nextTick', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    afterTest(() => jest.useRealTimers());
    const { server, client } = inMemory({ server: { maxLifetime: 3_600_000 } });
    const { closed } = client;
    const message = once(server, 'message');
    client.send('x');
    await message;
    jest.advanceTimersByTime(3_600_000);
    expect(await closed).toEqual({ code: 1001, reason: 'maximum lifetime', wasClean: true });
  });
});

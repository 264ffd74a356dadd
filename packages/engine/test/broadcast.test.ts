import { once } from 'node:events';
import type { Socket } from 'node:net';
import { broadcast, prepare } from '../src/broadcast';
import { Deflation } from '../src/deflate/deflation';
import { setSynchronousMethod } from '../src/deflate/synchronous';
import { WebSocket } from '../src/websocket';
import { text } from './support/deflate';
import { portOf } from './support/libraries';
import { allSettled, listener, listeners } from './support/peers';
import { afterTest, startServer } from './support/stage';

describe('prepare()', () => {
  test.each<[string, Parameters<typeof prepare>[0], boolean, string]>([
    ['a string', 'grüße', false, 'grüße'],
    ['a number', 42, false, '42'],
    ['nothing', undefined, true, ''],
    ['a Buffer', Buffer.from('abc'), true, 'abc'],
    ['a view', new Uint16Array([0x6261, 0x6463]), true, 'abcd'],
    ['a list of Buffers', [Buffer.from('a'), Buffer.from('b')], true, 'ab'],
  ])('takes %s', (_what, data, isBinary, payload) => {
    const message = prepare(data);
    expect(message.isBinary).toBe(isBinary);
    expect(String(message.payload)).toBe(payload);
  });

  test('bytes are sent as text where that is asked for, and text as bytes', () => {
    expect(prepare(Buffer.from('a'), { binary: false }).isBinary).toBe(false);
    expect(prepare('a', { binary: true }).isBinary).toBe(true);
  });

  test('refuses what has no bytes yet, or none at all', () => {
    expect(() => prepare(new Blob(['a']) as unknown as string)).toThrow(
      new TypeError('A Blob cannot be prepared: give its bytes, `await blob.arrayBuffer()`'),
    );
    for (const data of [true, {}] as unknown as string[]) {
      expect(() => prepare(data)).toThrow('The first argument must be of type string');
    }
  });
});

describe('send()', () => {
  test('takes a prepared message any number of times, from both sides', async () => {
    const server = await startServer();
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    afterTest(() => client.terminate());
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
    const message = prepare('hello');
    for (const [from, to] of [
      [webSocket, client],
      [client, webSocket],
      [webSocket, client],
    ]) {
      const heard = once(to, 'message');
      const told = new Promise((resolve) => {
        expect(from.send(message, resolve)).toBe(true);
      });
      expect(await heard).toEqual([Buffer.from('hello'), false]);
      expect(await told).toBeUndefined();
    }
  });

  test('has the bytes that were there when it was prepared', async () => {
    const server = await startServer();
    const one = await listener(server);
    const bytes = Buffer.from('before');
    const message = prepare(bytes);
    bytes.write('after!');
    one.webSocket.send(message);
    await one.settled();
    expect(one.received).toEqual([Buffer.from('before')]);
  });

  test('refuses to make a fragment of it', async () => {
    const server = await startServer();
    const { webSocket } = await listener(server);
    expect(() => webSocket.send(prepare('a'), { fin: false })).toThrow(
      new TypeError('A prepared message is whole, and was to be sent with "fin": false'),
    );
  });

  test('tells the callback where it is too late, and throws where it is too early', async () => {
    const server = await startServer();
    const { webSocket } = await listener(server);
    webSocket.terminate();
    const told = new Promise((resolve) => {
      expect(webSocket.send(prepare('a'), resolve)).toBe(false);
    });
    expect(await told).toMatchObject({
      message: 'WebSocket is not open: readyState 2 (CLOSING)',
    });
    expect(() => new WebSocket(null).send(prepare('a'))).toThrow(
      'WebSocket is not open: readyState 0 (CONNECTING)',
    );
  });
});

describe('broadcast()', () => {
  test('sends to all that are OPEN but the one excepted, and counts them', async () => {
    const server = await startServer();
    const all = await listeners(server, 4);
    const [first, second] = all;
    second.webSocket.close();
    const sockets = [...all.map(({ webSocket }) => webSocket), new WebSocket(null)];
    expect(broadcast(sockets, 'hello', { except: first.webSocket })).toBe(2);
    expect(broadcast(server.clients ?? [], Buffer.from('bytes'))).toBe(3);
    expect(broadcast([], 'nobody')).toBe(0);
    await allSettled(all.filter((one) => one !== second));
    const bytes = Buffer.from('bytes');
    expect(all.map(({ received }) => received)).toEqual([
      [bytes],
      [],
      ['hello', bytes],
      ['hello', bytes],
    ]);
  });

  test('refuses what cannot be sent before anybody gets it', async () => {
    const server = await startServer();
    const one = await listener(server);
    expect(() => broadcast(server.clients ?? [], new Blob(['a']) as unknown as string)).toThrow(
      TypeError,
    );
    expect(() => broadcast(7 as unknown as WebSocket[], 'a')).toThrow(
      new TypeError('The first argument must be WebSockets, got 7'),
    );
    await one.settled();
    expect(one.received).toEqual([]);
  });

  test('a slow reader is dealt with by its own limits, and the others get everything', async () => {
    const server = await startServer({ maxBufferedAmount: 300_000 });
    const [slow, fast] = await listeners(server, 2);
    slow.peer.pause();
    const closed = once(slow.webSocket, 'close');
    const bytes = Buffer.alloc(100_000, 'x');
    const message = prepare(bytes);
    let sent = 0;
    while (slow.webSocket.readyState === WebSocket.OPEN) {
      broadcast(server.clients ?? [], message);
      sent++;
      await fast.settled();
    }
    slow.peer.resume();
    expect((await closed)[0]).toBe(1013);
    await fast.settled();
    expect(fast.received).toHaveLength(sent);
    expect(fast.received.every((it) => bytes.equals(it as Buffer))).toBe(true);
  });

  test('several in one tick leave in one write for each', async () => {
    const server = await startServer();
    const [one] = await listeners(server, 1);
    const write = jest.spyOn(one.webSocket._socket as Socket, 'write');
    for (const name of ['a', 'b', 'c']) broadcast(server.clients ?? [], name);
    while (one.received.length < 3) await once(one.peer, 'message');
    expect(one.received).toEqual(['a', 'b', 'c']);
    expect(write.mock.calls.map(([bytes]) => Buffer.from(bytes as Buffer).toString('hex'))).toEqual(
      ['810161810162810163'],
    );
  });
});

describe.each(['handle', 'dictionary'] as const)('compressed, by %s', (method) => {
  beforeEach(() => setSynchronousMethod(method));
  afterEach(() => jest.restoreAllMocks());

  test.each([
    ['small', 2000],
    ['large', 100_000],
  ])('a %s message is compressed once for each set of parameters', async (_name, size) => {
    const deflate = jest.spyOn(Deflation.prototype, 'deflateAlone');
    const server = await startServer({ perMessageDeflate: true });
    const all = [
      ...(await listeners(server, 3)),
      ...(await listeners(server, 2, { perMessageDeflate: { serverNoContextTakeover: true } })),
      ...(await listeners(server, 2, { perMessageDeflate: { serverMaxWindowBits: 9 } })),
      ...(await listeners(server, 2, { perMessageDeflate: false })),
    ];
    const message = text(size).toString('latin1');
    expect(broadcast(server.clients ?? [], message)).toBe(9);
    await allSettled(all);
    for (const { received } of all) expect(received).toEqual([message]);
    expect(deflate).toHaveBeenCalledTimes(2);
  });

  test('peers with context takeover can read what comes before, between and after', async () => {
    const server = await startServer({ perMessageDeflate: true });
    const all = await listeners(server, 2);
    const expected: string[] = [];
    for (const size of [300, 2000, 40_000, 1, 5000, 20_000]) {
      const own = text(size).toString('latin1');
      const shared = text(size, size).toString('latin1');
      for (const { webSocket } of all) webSocket.send(own);
      broadcast(server.clients ?? [], shared);
      for (const { webSocket } of all) webSocket.send(own);
      expected.push(own, shared, own);
    }
    await allSettled(all);
    for (const { received } of all) expect(received).toEqual(expected);
  });

  test('between the fragments of another message', async () => {
    const server = await startServer({ perMessageDeflate: true });
    const one = await listener(server);
    const shared = text(3000).toString('latin1');
    one.webSocket.send('a', { fin: false });
    expect(broadcast(server.clients ?? [], shared)).toBe(1);
    expect(one.webSocket.bufferedAmount).toBeGreaterThan(3000);
    one.webSocket.send('b', { fin: false });
    one.webSocket.send('c');
    await one.settled();
    expect(one.received).toEqual(['abc', shared]);
  });

  test('short messages, and those that are not to be compressed, leave as they are', async () => {
    const server = await startServer({ perMessageDeflate: { threshold: 1024 } });
    const one = await listener(server);
    const deflate = jest.spyOn(Deflation.prototype, 'deflateAlone');
    const long = text(2000).toString('latin1');
    broadcast(server.clients ?? [], 'short');
    broadcast(server.clients ?? [], long, { compress: false });
    await one.settled();
    expect(one.received).toEqual(['short', long]);
    expect(deflate).not.toHaveBeenCalled();
  });

  test('from a client', async () => {
    const server = await startServer({ perMessageDeflate: true });
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    afterTest(() => client.terminate());
    const [[webSocket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
    const message = text(2000).toString('latin1');
    const heard: string[] = [];
    webSocket.on('message', (data: Buffer) => heard.push(String(data)));
    client.send('first');
    client.send(prepare(message));
    client.send(message);
    const pong = once(client, 'pong');
    client.ping();
    await pong;
    expect(heard).toEqual(['first', message, message]);
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import type { Framework } from '../../src/upgrade/gateway';
import { Gateway } from '../../src/upgrade/gateway';
import type { GatewayOptions } from '../../src/upgrade/options';
import type { WebSocket } from '../../src/websocket';
import { pattern } from '../support/bytes';
import { BINARY, CLOSE, CONTINUATION, TEXT } from '../support/frames';
import { request } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  masked,
  openSite,
} from '../support/site';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(async () => {
  jest.useRealTimers();
  await cleanUp();
});

const idle: Framework = { dispatch: () => undefined, routes: () => 'maybe' };

describe('options', () => {
  test.each<[object, new (message: string) => Error, string]>([
    [{ maxPayload: -1 }, RangeError, 'The "maxPayload" option must be an integer from 0 to '],
    [{ maxPayload: Number.NaN }, RangeError, 'The "maxPayload" option must be an integer'],
    [{ maxPayload: 3 * 1024 ** 3 }, RangeError, 'The "maxPayload" option must be an integer'],
    [{ maxPayload: '1mb' }, TypeError, 'The "maxPayload" option must be a number, got "1mb"'],
    [{ maxPayload: null }, TypeError, 'The "maxPayload" option must be a number, got null'],
    [{ closeTimeout: null }, TypeError, 'The "closeTimeout" option must be a number, got null'],
    [{ closeTimeout: 0 }, RangeError, 'The "closeTimeout" option must be an integer from 1 to '],
    [
      { handshakeTimeout: 0 },
      RangeError,
      'The "handshakeTimeout" option must be an integer from 1 to 2147483647 milliseconds, got 0',
    ],
    [{ handshakeTimeout: 2 ** 31 }, RangeError, 'The "handshakeTimeout" option must be an integer'],
    [{ handshakeTimeout: '10s' }, TypeError, 'The "handshakeTimeout" option must be a number'],
    [{ origins: 'https://app.example' }, TypeError, 'The option "origins" must be '],
    [{ origins: ['app.example'] }, TypeError, 'The option "origins" holds '],
    [{ onError: 5 }, TypeError, 'The "onError" option must be a function, got 5'],
    [{ onError: null }, TypeError, 'The "onError" option must be a function, got null'],
    [{ autoPong: 1 }, TypeError, 'The "autoPong" option must be a boolean'],
    [{ verifyClient: 5 }, TypeError, 'The "verifyClient" option must be a function'],
  ])('%p throws', (options, type, message) => {
    // What a program in JavaScript may pass.
    const make = () => new Gateway(idle, options as GatewayOptions);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  test('undefined is the default: 1 MiB of payload, 10 s for a handshake, 10 s to close', () => {
    const { server, handshakeTimeout } = new Gateway(idle, {
      maxPayload: undefined,
      closeTimeout: undefined,
      handshakeTimeout: undefined,
      origins: undefined,
      onError: undefined,
    });
    expect(server.options).toMatchObject({ maxPayload: 1_048_576, closeTimeout: 10_000 });
    expect(handshakeTimeout).toBe(10_000);
  });

  test('a message of 1 MiB passes by default, a byte more is 1009', async () => {
    const lengths: number[] = [];
    const { port } = await openSite(
      accepting((webSocket) =>
        webSocket.on('message', (data: Buffer) => {
          lengths.push(data.length);
          webSocket.send('got it');
        }),
      ),
    );
    const client = await enter(port);

    client.write(masked({ opcode: BINARY, payload: pattern(1_048_576) }));
    expect((await client.frame())?.payload.toString()).toBe('got it');
    client.write(masked({ opcode: BINARY, payload: pattern(1_048_577) }));

    expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xf1]));
    expect(lengths).toEqual([1_048_576]);
  });

  test('handleProtocols chooses among the subprotocols', async () => {
    const { port } = await openSite(
      accepting((webSocket) => webSocket.send(webSocket.protocol)),
      { handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false) },
    );
    const client = await knock(port, { 'Sec-WebSocket-Protocol': 'chat.v1, chat.v2' });

    expect(await client.head()).toContain('\r\nSec-WebSocket-Protocol: chat.v2\r\n');
    expect((await client.frame())?.payload.toString()).toBe('chat.v2');
  });

  test('verifyClient decides last; where it takes too long, nothing it says counts', async () => {
    const answers: ((accepted: boolean) => void)[] = [];
    const asked = deferred();
    const handler = jest.fn();
    const { port } = await openSite(accepting(handler), {
      handshakeTimeout: 5_000,
      verifyClient: (_info, answer) => {
        answers.push(answer);
        if (answers.length === 2) asked.resolve();
      },
    });
    useFakeTimeouts();
    const clients = [await knock(port), await knock(port)];
    await asked.promise;
    // The middleware has answered by accepting, so that nobody else will.
    jest.advanceTimersByTime(5_000);
    for (const client of clients) await client.rest();

    answers[0](true);
    answers[1](false);
    await new Promise(setImmediate);

    expect(handler).not.toHaveBeenCalled();
  });

  test('verifyClient refuses by the framework’s own response', async () => {
    const { port } = await openSite(
      (req, res) => {
        res.setHeader('Set-Cookie', 'a=1');
        accepting(() => undefined)(req, res);
      },
      { verifyClient: (_info, answer) => answer(false, 429, 'slow down', { 'Retry-After': 7 }) },
    );

    const { status, headers, body } = await answerOf(await knock(port));

    expect([status, body]).toEqual([429, 'slow down']);
    expect(headers).toMatchObject({ 'retry-after': '7', 'set-cookie': 'a=1', connection: 'close' });
  });
});

describe('a WebSocket', () => {
  test('is told by `connection` before the handler runs, and is one of the clients', async () => {
    const seen: unknown[] = [];
    const { port, gateway } = await openSite(
      accepting((webSocket, req) => {
        seen.push(['handler', webSocket, req.url]);
        webSocket.send('hello');
      }),
    );
    gateway.server.on('connection', (webSocket, req) =>
      seen.push(['connection', webSocket, req.url]),
    );
    gateway.server.once('connection', () => seen.push(['once']));
    const client = await enter(port, 'GET /a?b HTTP/1.1');
    await client.frame();

    const [webSocket] = gateway.server.clients ?? [];
    expect(seen).toEqual([
      ['connection', webSocket, '/a?b'],
      ['once'],
      ['handler', webSocket, '/a?b'],
    ]);
    const closed = new Promise((resolve) => webSocket.once('close', resolve));
    client.end();
    await closed;
    expect(gateway.server.clients?.size).toBe(0);
    expect(gateway.server.listenerCount('connection')).toBe(1);
  });

  test('delivers text as a string and binary as a Buffer', async () => {
    const { port } = await openSite(
      accepting((webSocket) =>
        webSocket.on('message', (data: unknown, isBinary: boolean) =>
          webSocket.send(`${typeof data} ${Buffer.isBuffer(data)} ${isBinary}`),
        ),
      ),
    );
    const client = await enter(port);
    client.write(masked({ opcode: TEXT, payload: 'a' }), masked({ opcode: BINARY, payload: 'b' }));

    expect((await client.frame())?.payload.toString()).toBe('string false false');
    expect((await client.frame())?.payload.toString()).toBe('object true true');
  });
});

describe('frames that come with the handshake', () => {
  /** Text frames `1` to `count`, one of them in three fragments with a ping in between, and a close frame. */
  function conversation(count: number): Buffer {
    const frames: Buffer[] = [];
    for (let number = 1; number <= count; number++) {
      if (number === 2) {
        frames.push(
          masked({ opcode: TEXT, fin: false, payload: 'frag' }),
          masked({ opcode: 9, payload: 'ping' }),
          masked({ opcode: CONTINUATION, payload: 'ment' }),
        );
      } else frames.push(masked({ opcode: TEXT, payload: String(number) }));
    }
    return Buffer.concat([
      ...frames,
      masked({ opcode: CLOSE, payload: Buffer.from([0x0f, 0xa1]) }),
    ]);
  }

  test.each([1, 2, 3, 10, 100])(
    '%i in its segment, behind a slow guard, reach a late listener in order, and then the close',
    async (count) => {
      const events: unknown[] = [];
      const ended = deferred();
      const listen = async (webSocket: WebSocket): Promise<void> => {
        await sleep(50);
        webSocket.on('message', (data: unknown) => events.push(data));
        webSocket.on('close', (code: number) => {
          events.push(code);
          ended.resolve();
        });
      };
      const { port } = await openSite((req, res) => {
        setTimeout(() => accepting(listen)(req, res), 100);
      });
      const client = await connect(port);
      client.write(request(), conversation(count));

      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
      await ended.promise;

      const expected = Array.from({ length: count }, (_, index) =>
        index === 1 ? 'fragment' : String(index + 1),
      );
      expect(events).toEqual([...expected, 4001]);
    },
  );

  test('are answered by a listener attached at once, although a close frame came with them', async () => {
    const { port } = await openSite(
      accepting((webSocket) =>
        webSocket.on('message', (data: string) => webSocket.send(`got ${data}`)),
      ),
    );
    const client = await connect(port);
    client.write(request(), conversation(3));
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    const frames = (await client.frames()).filter(({ first }) => first !== 0x8a);
    expect(frames.map(({ payload }) => payload.toString('latin1'))).toEqual([
      'got 1',
      'got fragment',
      'got 3',
      '\u000f\u00a1',
    ]);
  });

  test('in any number of segments are the same', async () => {
    const events: unknown[] = [];
    const ended = deferred();
    const { port } = await openSite((req, res) => {
      setTimeout(
        () =>
          accepting(async (webSocket) => {
            await sleep(5);
            webSocket.on('message', (data: unknown) => events.push(data));
            webSocket.on('close', () => ended.resolve());
          })(req, res),
        30,
      );
    });
    const client = await connect(port);
    client.socket.setNoDelay();
    for (const byte of Buffer.concat([Buffer.from(request()), conversation(3)])) {
      await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
    }
    await ended.promise;
    expect(events).toEqual(['1', 'fragment', '3']);
  });
});

describe('without a listener, messages are held', () => {
  test('up to 64 KiB; then the connection is not read', async () => {
    const opened = deferred<WebSocket>();
    const { port } = await openSite(accepting(opened.resolve));
    const client = await enter(port);
    const webSocket = await opened.promise;
    const message = masked({ opcode: BINARY, payload: pattern(16 * 1024) });
    const count = 2_000;

    for (let index = 0; index < count; index++) client.write(message);
    // 32 MiB: more than the kernel keeps for a connection, so that the client has to wait.
    await waitUntil(() => webSocket._socket?.isPaused() === true);
    const { _socket: socket } = webSocket as unknown as { _socket: { bytesRead: number } };
    let before = -1;
    await waitUntil(() => {
      const stands = before === socket.bytesRead;
      before = socket.bytesRead;
      return stands;
    });

    expect(socket.bytesRead).toBeLessThan(512 * 1024);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    let received = 0;
    const all = deferred();
    webSocket.on('message', (data: Buffer) => {
      expect(data.length).toBe(16 * 1024);
      received += 1;
      if (received === count) all.resolve();
    });
    await all.promise;
  });

  test('for 10 s; then they are gone, as they would be without', async () => {
    const opened = deferred<WebSocket>();
    const { port } = await openSite(accepting(opened.resolve));
    useFakeTimeouts();
    const client = await enter(port);
    const webSocket = await opened.promise;
    const heard: unknown[] = [];
    client.write(masked({ opcode: TEXT, payload: 'early' }));
    await waitUntil(() => jest.getTimerCount() === 1);

    jest.advanceTimersByTime(10_000);
    webSocket.on('message', (data: unknown) => heard.push(data));
    const second = new Promise((resolve) => webSocket.once('message', resolve));
    client.write(masked({ opcode: TEXT, payload: 'later' }));
    await second;

    expect(heard).toEqual(['later']);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('until 10 s, and not a moment less', async () => {
    const opened = deferred<WebSocket>();
    const { port } = await openSite(accepting(opened.resolve));
    useFakeTimeouts();
    const client = await enter(port);
    const webSocket = await opened.promise;
    client.write(masked({ opcode: TEXT, payload: 'early' }));
    await waitUntil(() => jest.getTimerCount() === 1);

    jest.advanceTimersByTime(9_999);

    expect(await new Promise((resolve) => webSocket.once('message', resolve))).toBe('early');
    expect(jest.getTimerCount()).toBe(0);
  });
});

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

import type { IncomingMessage } from 'node:http';
import type { GatewayOptions, RouteOptions } from '../../src/upgrade/options';
import { checkRouteOptions } from '../../src/upgrade/options';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';
import { BINARY, CLOSE, PING, TEXT } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import type { App } from '../support/site';
import {
  accepting,
  answerOf,
  cleanUp,
  deferred,
  enter,
  knock,
  masked,
  openSite,
  route,
} from '../support/site';

afterEach(async () => {
  jest.useRealTimers();
  await cleanUp();
});

const idle = accepting(() => undefined);

/** The status of an answer to a handshake, of a client that stays. */
async function statusOf(client: RawClient): Promise<number> {
  return Number((await client.head()).split(' ')[1]);
}

/** Comes in when a place has become free. */
async function enterSoon(port: number): Promise<RawClient> {
  for (;;) {
    const client = await knock(port);
    if ((await statusOf(client)) === 101) return client;
    await client.closed;
  }
}

describe('maxConnections', () => {
  test('refuses one more with a 503, until one has ended', async () => {
    const { port } = await openSite(idle, { maxConnections: 2 });
    const first = await enter(port);
    await enter(port);

    const { status, headers, body } = await answerOf(await knock(port));
    expect({ status, body }).toEqual({
      status: 503,
      body: 'Too many connections here; try again later',
    });
    expect(headers).toMatchObject({ connection: 'close', 'retry-after': '10' });

    first.socket.destroy();
    await enterSoon(port);
    expect((await answerOf(await knock(port))).status).toBe(503);
  });

  test('is exact, however many come at once', async () => {
    const { port, gateway } = await openSite(
      (request, response) => setTimeout(() => idle(request, response), Math.random() * 20),
      { maxConnections: 7 },
    );
    const statuses = await Promise.all(
      Array.from({ length: 30 }, async () => statusOf(await knock(port))),
    );
    expect(statuses.filter((status) => status === 101)).toHaveLength(7);
    expect(statuses.filter((status) => status === 503)).toHaveLength(23);
    expect(gateway.server.clients?.size).toBe(7);
  });

  test('counts a connection to its end, whatever listeners the application takes off', async () => {
    const { port } = await openSite(
      accepting((webSocket) => webSocket.removeAllListeners()),
      { maxConnections: 1 },
    );
    for (let turn = 0; turn < 3; turn++) {
      const client = await enterSoon(port);
      client.socket.destroy();
    }
  });

  test('counts one of each client’s; one more is a 429 that need not come again', async () => {
    const app: App = (request, response) =>
      upgradeOf(request)?.accept({
        ...route(() => undefined),
        clientAddress: request.headers.from,
      }) ?? response.end();
    const { port } = await openSite(app, { maxConnections: { total: 3, perKey: 1 } });
    const from = async (From: string | null) => knock(port, { From });

    const alice = await from('192.0.2.1');
    expect(await statusOf(alice)).toBe(101);
    const { status, headers, body } = await answerOf(await from('192.0.2.1'));
    expect({ status, body }).toEqual({
      status: 429,
      body: 'Too many connections from this client',
    });
    expect(headers.connection).toBe('close');
    expect(headers).not.toHaveProperty('retry-after');
    expect(await statusOf(await from('192.0.2.2'))).toBe(101);
    // Without an address of the adapter's it is the socket's.
    expect(await statusOf(await from(null))).toBe(101);
    expect(await statusOf(await from('192.0.2.4'))).toBe(503);
    alice.socket.destroy();
    for (;;) {
      const again = await statusOf(await from('192.0.2.1'));
      if (again === 101) break;
      expect(again).toBe(503);
    }
    expect(await statusOf(await from('127.0.0.1'))).toBe(503);
  });

  test('asks the application for the key, with the request as it knows it', async () => {
    const keys: unknown[] = [];
    const options = checkRouteOptions({
      maxConnections: {
        perKey: 1,
        key: (request: unknown) => {
          keys.push(request);
          return Reflect.get(Object(request), 'user');
        },
      },
    });
    const { port } = await openSite((request) => {
      const known = { user: request.headers.from };
      upgradeOf(request)?.accept({ ...route(() => undefined), options, request: known });
    });
    const from = async (From: string | null) => statusOf(await knock(port, { From }));
    expect(await from('alice')).toBe(101);
    expect(await from('alice')).toBe(429);
    expect(await from('bob')).toBe(101);
    expect(await from(null)).toBe(101);
    expect(await from(null)).toBe(101);
    expect(keys.slice(0, 3)).toEqual([{ user: 'alice' }, { user: 'alice' }, { user: 'bob' }]);
  });

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no session');
      },
      'no session',
    ],
    [
      'answers no key',
      () => 5,
      'The option "maxConnections.key" answered 5; it must be a string or undefined',
    ],
  ])(
    'a key function that %s is an error for the framework, and takes no place',
    async (_what, key, message) => {
      const errors: unknown[] = [];
      const { port } = await openSite(
        (request, response) =>
          upgradeOf(request)?.accept(
            route(
              () => undefined,
              (error) => {
                errors.push(error);
                response.writeHead(500).end('our fault');
              },
            ),
          ),
        // What a program in JavaScript may pass.
        { maxConnections: { total: 1, perKey: 1, key: key as () => string } },
      );
      for (let tries = 0; tries < 2; tries++) {
        expect(await answerOf(await knock(port))).toMatchObject({ status: 500, body: 'our fault' });
      }
      expect(errors).toMatchObject([{ message }, { message }]);
    },
  );

  test('a route with its own is counted by itself, and may have none', async () => {
    const routes: Record<string, RouteOptions | undefined> = {
      '/one': checkRouteOptions({ maxConnections: 1 }),
      '/any': checkRouteOptions({ maxConnections: false }),
      '/undefined': checkRouteOptions({ maxConnections: undefined }),
    };
    const { port } = await openSite(
      (request) => {
        const options = routes[request.url ?? ''];
        upgradeOf(request)?.accept({ ...route(() => undefined), options });
      },
      { maxConnections: 2 },
    );
    const status = async (path: string) => statusOf(await knock(port, {}, `GET ${path} HTTP/1.1`));
    expect([await status('/one'), await status('/one')]).toEqual([101, 503]);
    expect([await status('/'), await status('/undefined'), await status('/')]).toEqual([
      101, 101, 503,
    ]);
    expect([await status('/any'), await status('/any'), await status('/any')]).toEqual([
      101, 101, 101,
    ]);
  });

  describe('gives the place back of a handshake', () => {
    /** Whether one place is free, at once or soon. */
    async function isFree(port: number): Promise<void> {
      const client = await enterSoon(port);
      client.socket.destroy();
    }

    test('that the origin forbids, which takes none', async () => {
      const { port } = await openSite(idle, { maxConnections: 1 });
      for (let tries = 0; tries < 3; tries++) {
        const answer = await answerOf(await knock(port, { Origin: 'https://a.example' }));
        expect(answer.status).toBe(403);
      }
      expect(await statusOf(await knock(port))).toBe(101);
    });

    test('that verifyClient refuses', async () => {
      const { port } = await openSite(idle, {
        maxConnections: 1,
        verifyClient: ({ req }: { req: IncomingMessage }) => req.headers.from === undefined,
      });
      expect((await answerOf(await knock(port, { From: 'x' }))).status).toBe(401);
      await isFree(port);
    });

    test('that fails by a function of the application', async () => {
      const { port, gateway } = await openSite(idle, {
        maxConnections: 1,
        subprotocols: () => {
          throw new Error('broken');
        },
      });
      gateway.server.on('error', () => undefined);
      const answer = await answerOf(await knock(port, { 'Sec-WebSocket-Protocol': 'a' }));
      expect(answer.status).toBe(500);
      await isFree(port);
    });

    test('whose client goes away while verifyClient decides', async () => {
      const asked = deferred<(accepted: boolean) => void>();
      let first = true;
      const { port } = await openSite(idle, {
        maxConnections: 1,
        verifyClient: (_info, callback) => {
          if (!first) callback(true);
          first = false;
          asked.resolve(callback);
        },
      });
      const client = await knock(port);
      const decide = await asked.promise;
      expect((await answerOf(await knock(port))).status).toBe(503);
      client.reset();
      await isFree(port);
      // Too late: it is answered to nobody, and gives no second place.
      decide(true);
      await isFree(port);
      await enterSoon(port);
      expect((await answerOf(await knock(port))).status).toBe(503);
    });

    test('whose 101 middleware makes something else of', async () => {
      const { port } = await openSite(
        (request, response) => {
          if (request.headers.from !== undefined) {
            const { writeHead } = response;
            response.writeHead = ((_status: number) =>
              Reflect.apply(writeHead, response, [503])) as typeof writeHead;
          }
          idle(request, response);
        },
        { maxConnections: 1 },
      );
      expect(await statusOf(await knock(port, { From: 'x' }))).toBe(503);
      await isFree(port);
    });

    test('whose answer hangs until the time is over', async () => {
      const { port } = await openSite(
        (request, response) => {
          if (request.headers.from !== undefined) response.end = () => response;
          idle(request, response);
        },
        { maxConnections: 1, handshakeTimeout: 50 },
      );
      const client = await knock(port, { From: 'x' });
      await client.closed;
      await isFree(port);
    });
  });
});

describe('rateLimit', () => {
  const echo = accepting((webSocket) => {
    webSocket.on('message', (data: unknown) => webSocket.send(`got ${String(data)}`));
  });
  const limit = (exceed?: 'close' | 'drop' | 'delay'): GatewayOptions => ({
    // So slow that not one more comes in during a test.
    rateLimit: { messages: 2, interval: 1_000_000, exceed },
  });
  const text = (payload: string) => masked({ opcode: TEXT, payload });
  const told = async (client: RawClient) =>
    (await client.frames()).map(({ first, payload }) => [first & 15, payload.toString()]);

  test('closes with 1008 and a reason by default', async () => {
    const { port } = await openSite(echo, limit());
    const client = await enter(port);
    client.write(text('a'), text('b'), text('c'), text('d'), masked({ opcode: CLOSE }));
    expect(await told(client)).toEqual([
      [TEXT, 'got a'],
      [TEXT, 'got b'],
      // 1008, whose second byte is no UTF-8.
      [CLOSE, '\x03\ufffdToo many messages'],
    ]);
  });

  test('drops what is too much where it is told to; pings are no messages', async () => {
    const { port } = await openSite(echo, limit('drop'));
    const client = await enter(port);
    const ping = masked({ opcode: PING, payload: '!' });
    client.write(ping, text('a'), ping, text('b'), text('c'), ping, masked({ opcode: CLOSE }));
    expect(await told(client)).toEqual([
      [10, '!'],
      [TEXT, 'got a'],
      [10, '!'],
      [TEXT, 'got b'],
      [10, '!'],
      [CLOSE, ''],
    ]);
  });

  test('delays where it is told to: nothing is lost, and the client has to wait', async () => {
    const { port } = await openSite(echo, {
      rateLimit: { messages: 1, interval: 30, burst: 2, exceed: 'delay' },
    });
    const client = await enter(port);
    const started = performance.now();
    client.write(...['a', 'b', 'c', 'd'].map(text), masked({ opcode: CLOSE }));
    expect(await told(client)).toEqual([
      [TEXT, 'got a'],
      [TEXT, 'got b'],
      [TEXT, 'got c'],
      [TEXT, 'got d'],
      [CLOSE, ''],
    ]);
    // Two more than a burst, and the close behind them waits as well.
    expect(performance.now() - started).toBeGreaterThanOrEqual(3 * 30 - 2);
  });

  test('delaying, the socket is not read', async () => {
    const opened = deferred<WebSocket>();
    const { port } = await openSite(
      accepting((webSocket) => {
        opened.resolve(webSocket);
        webSocket.on('message', () => undefined);
      }),
      limit('delay'),
    );
    const client = await enter(port);
    const webSocket = await opened.promise;
    const large = masked({ opcode: BINARY, payload: Buffer.alloc(64 * 1024) });
    for (let count = 0; count < 500; count++) client.write(large);
    while (webSocket._socket?.isPaused() !== true) await new Promise(setImmediate);
    const { _socket: socket } = webSocket as unknown as { _socket: { bytesRead: number } };
    let before = -1;
    while (before !== socket.bytesRead) {
      before = socket.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(socket.bytesRead).toBeLessThan(1024 * 1024);
    expect(client.socket.writableLength).toBeGreaterThan(0);
  });

  test('is counted for each connection, and may be another or none for a route', async () => {
    const options = checkRouteOptions({ rateLimit: { messages: 1, interval: 1_000_000 } });
    const none = checkRouteOptions({ rateLimit: false });
    const { port } = await openSite((request) => {
      const own = { '/one': options, '/none': none }[request.url ?? ''];
      upgradeOf(request)?.accept({
        ...route((webSocket) => webSocket.on('message', () => webSocket.send('got it'))),
        options: own,
      });
    }, limit());
    const passed = async (path: string) => {
      const client = await enter(port, `GET ${path} HTTP/1.1`);
      client.write(...['a', 'b', 'c'].map(text), masked({ opcode: CLOSE }));
      return (await told(client)).filter(([opcode]) => opcode === TEXT).length;
    };
    expect(await passed('/one')).toBe(1);
    expect(await passed('/one')).toBe(1);
    expect(await passed('/two')).toBe(2);
    expect(await passed('/none')).toBe(3);
  });
});

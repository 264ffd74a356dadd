import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocket as WsClient, WebSocketServer as WsServer } from 'ws';
import type { RouteKnowledge } from '../../src/upgrade/gate';
import { Gateway } from '../../src/upgrade/gateway';
import { upgradeOf } from '../../src/upgrade/upgrade';
import { TEXT } from '../support/frames';
import { request } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  later,
  listen,
  masked,
  openSite,
  route,
} from '../support/site';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(cleanUp);

const GREETING = 'hello from ours';

/** Routes as an adapter that can look ahead knows them: `/ours` has one, `/perhaps` may have one. */
function known({ url = '' }: IncomingMessage): RouteKnowledge {
  if (url === '/ours') return 'here';
  return url.startsWith('/perhaps') ? 'maybe' : 'elsewhere';
}

/** An app with a WebSocket at `/ours` and `/perhaps`; it tells the gateway of upgrades that have no route. */
const app = (req: IncomingMessage, res: Parameters<ReturnType<typeof accepting>>[1]) => {
  const upgrade = upgradeOf(req);
  const isRoute = req.url === '/ours' || req.url === '/perhaps';
  if (upgrade !== undefined && isRoute) {
    upgrade.accept(route((webSocket) => webSocket.send(GREETING)));
  } else if (!upgrade?.unrouted()) {
    res.writeHead(404).end('no page');
  }
};

async function greeted(port: number, path = '/ours'): Promise<string | undefined> {
  const client = await enter(port, `GET ${path} HTTP/1.1`);
  return (await client.frame())?.payload.toString();
}

/** A `ws` client's first message, or the status of its refusal. */
async function firstMessage(url: string): Promise<string> {
  const client = new WsClient(url);
  later(() => client.terminate());
  return new Promise((resolve) => {
    client.on('message', (data) => resolve(String(data)));
    client.on('unexpected-response', (_req, res) => resolve(`status ${res.statusCode}`));
    client.on('error', (error) => resolve(error.message));
  });
}

function bareWs(server: Server): void {
  const foreign = new WsServer({ server, path: '/bare' });
  foreign.on('connection', (socket) => socket.send('hello from ws'));
}

function socketIo(server: Server): void {
  const io = new SocketIoServer(server, { serveClient: false });
  io.on('connection', (socket) => socket.emit('news', 'hello from socket.io'));
  later(() => io.engine.close());
}

/** What socket.io says to a client of a namespace, in its own protocol. */
async function socketIoNews(port: number): Promise<string> {
  const client = new WsClient(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  later(() => client.terminate());
  return new Promise((resolve, reject) => {
    client.on('error', reject);
    client.on('message', (data) => {
      const text = String(data);
      if (text.startsWith('0')) client.send('40');
      if (text.startsWith('42')) resolve(text);
    });
  });
}

describe.each(['before', 'after'] as const)(
  'a bare ws server that was attached %s ours',
  (when) => {
    test('gets its own path, we get ours', async () => {
      const { port } = await openSite(app, { routes: known, [when]: bareWs });

      expect(await firstMessage(`ws://127.0.0.1:${port}/bare`)).toBe('hello from ws');
      expect(await greeted(port)).toBe(GREETING);
    });

    test('answers unknown paths as it does without us', async () => {
      const { port } = await openSite(app, { routes: known, [when]: bareWs });
      expect(await firstMessage(`ws://127.0.0.1:${port}/neither`)).toBe('status 400');
    });

    test('gets its path where only the framework knows that it is not ours', async () => {
      const { port } = await openSite(app, {
        [when]: (server: Server) => {
          const foreign = new WsServer({ server, path: '/perhaps/not' });
          foreign.on('connection', (socket) => socket.send('hello from ws'));
        },
        routes: known,
      });

      expect(await firstMessage(`ws://127.0.0.1:${port}/perhaps/not`)).toBe('hello from ws');
      expect(await greeted(port, '/perhaps')).toBe(GREETING);
    });

    test('keeps frames that came with the handshake', async () => {
      const { port } = await openSite(app, {
        routes: known,
        [when]: (server: Server) => {
          const foreign = new WsServer({ server, path: '/bare' });
          foreign.on('connection', (socket) =>
            socket.on('message', (data) => socket.send(`${data}!`)),
          );
        },
      });
      const client = await connect(port);
      client.write(request({}, 'GET /bare HTTP/1.1'), masked({ opcode: TEXT, payload: 'early' }));

      await client.head();
      expect((await client.frame())?.payload.toString()).toBe('early!');
    });
  },
);

describe.each(['before', 'after'] as const)('socket.io that was attached %s ours', (when) => {
  test('works, and does not cut our handshake that takes longer than the second it allows', async () => {
    const slow: typeof app = (req, res) => {
      if (req.url === '/ours') setTimeout(() => app(req, res), 1_500);
      else app(req, res);
    };
    const { port } = await openSite(slow, { routes: known, [when]: socketIo });

    const [ours, news] = await Promise.all([greeted(port), socketIoNews(port)]);

    expect(ours).toBe(GREETING);
    expect(news).toBe('42["news","hello from socket.io"]');
  });
});

describe('another listener', () => {
  test('gets what is not ours, as it would without us', async () => {
    const seen: [string | undefined, string, boolean][] = [];
    const { port } = await openSite(app, {
      routes: known,
      after: (server) => {
        server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
          seen.push([req.url, head.toString(), socket === req.socket]);
          socket.end('HTTP/1.1 418 Mine\r\nConnection: close\r\n\r\n');
        });
      },
    });
    const client = await connect(port);
    client.write(request({}, 'GET /theirs HTTP/1.1'), 'early bytes');

    expect((await answerOf(client)).status).toBe(418);
    expect(await greeted(port)).toBe(GREETING);
    expect(seen).toEqual([['/theirs', 'early bytes', true]]);
  });

  describe('is given as long as a handshake may last:', () => {
    /** A listener of the others, and the moment when it has been asked. */
    async function withOther(take: (socket: Duplex) => void) {
      const asked = deferred();
      const { port } = await openSite(app, {
        handshakeTimeout: 5_000,
        routes: known,
        after: (server) => {
          server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => {
            take(socket);
            asked.resolve();
          });
        },
      });
      useFakeTimeouts();
      return { port, asked: asked.promise };
    }

    afterEach(() => {
      jest.useRealTimers();
    });

    test('if it takes nothing, nobody is left hanging for ever', async () => {
      const { port, asked } = await withOther(() => undefined);
      const client = await knock(port, {}, 'GET /neither HTTP/1.1');

      await asked;
      jest.advanceTimersByTime(5_000);

      const { status, headers } = await answerOf(client);
      expect([status, headers.connection]).toEqual([404, 'close']);
    });

    test('also on a connection that has been served before', async () => {
      const { port, asked } = await withOther(() => undefined);
      const client = await connect(port);
      client.write('GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect(await client.head()).toMatch(/^HTTP\/1\.1 404/);
      client.write(request({}, 'GET /neither HTTP/1.1'));

      await asked;
      jest.advanceTimersByTime(5_000);

      expect((await client.rest()).toString()).toMatch(/^7\r\nno page\r\n0\r\n\r\nHTTP\/1\.1 404/);
    });

    test.each<[string, (socket: Duplex) => void]>([
      ['reads', (socket) => socket.on('data', (data) => socket.end(`got ${data}`))],
      ['writes', (socket) => socket.end('got more', () => socket.resume())],
    ])('what it %s is its own, however long it lasts', async (_how, take) => {
      const { port, asked } = await withOther(take);
      const client = await knock(port, {}, 'GET /theirs HTTP/1.1');

      await asked;
      jest.advanceTimersByTime(3_600_000);

      client.write('more');
      client.end();
      expect((await client.rest()).toString()).toBe('got more');
    });

    test('no timer is left when the client goes', async () => {
      const socket = deferred<Duplex>();
      const { port } = await withOther(socket.resolve);
      const client = await knock(port, {}, 'GET /theirs HTTP/1.1');
      const theirs = await socket.promise;
      const closed = new Promise((resolve) => theirs.once('close', resolve));
      expect(jest.getTimerCount()).toBe(1);

      client.reset();
      await closed;

      expect(jest.getTimerCount()).toBe(0);
    });
  });

  test('may come and go', async () => {
    const { port, server } = await openSite(app, { routes: known });
    const theirs = (_req: IncomingMessage, socket: Duplex): void => {
      socket.end('HTTP/1.1 418 Mine\r\nConnection: close\r\n\r\n');
    };
    const status = async () =>
      (await answerOf(await knock(port, {}, 'GET /elsewhere HTTP/1.1'))).status;

    expect(await status()).toBe(404);
    server.on('upgrade', theirs);
    expect(await status()).toBe(418);
    server.off('upgrade', theirs);
    expect(await status()).toBe(404);
    // As some do that want to be the only one.
    server.removeAllListeners('upgrade').on('upgrade', theirs);
    expect(await status()).toBe(418);
    expect(await greeted(port)).toBe(GREETING);
  });

  test('is not asked where we are certain, even if our route then has no answer', async () => {
    const theirs = jest.fn();
    const { port } = await openSite(
      (req, res) => {
        if (!upgradeOf(req)?.unrouted()) res.writeHead(404).end('no page');
      },
      { routes: known, after: (server) => server.on('upgrade', theirs) },
    );

    const { status, body } = await answerOf(await knock(port, {}, 'GET /ours HTTP/1.1'));

    expect([status, body]).toEqual([404, 'no page']);
    expect(theirs).not.toHaveBeenCalled();
  });
});

describe('foreign upgrades', () => {
  const h2c = (path: string, extra = '') =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n` +
    `HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n${extra}\r\n`;

  test('are ordinary requests where nobody else listens', async () => {
    const { port } = await openSite((req, res) => res.end(`page for ${req.headers.upgrade}`));
    const client = await connect(port);
    client.write(h2c('/page'));

    const { status, headers, body } = await answerOf(client);

    expect([status, body, headers.connection]).toEqual([200, 'page for h2c', 'close']);
  });

  test('behind a pipelined request are answered in their turn', async () => {
    const waiting = deferred<() => void>();
    const { port } = await openSite((req, res) => {
      if (req.url === '/first') waiting.resolve(() => res.end('one.'));
      else res.end('two.');
    });
    const client = await connect(port);
    client.write('GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n', h2c('/second'));
    (await waiting.promise)();

    const text = (await client.rest()).toString();

    expect(text.indexOf('one.')).toBeLessThan(text.indexOf('two.'));
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  });

  test.each([
    ['a length', 'Content-Length: 5\r\n', 'hello'],
    ['chunks', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
  ])('with a body (%s) are refused, for nobody reads it', async (_how, header, body) => {
    const seen = jest.fn();
    const { port, server } = await openSite((_req, res) => {
      seen();
      res.end('page');
    });
    const client = await connect(port);
    client.write(h2c('/page', header), body);

    const { status, headers } = await answerOf(client);

    // Where Node asks beforehand, it reads the body, and all is well.
    const asks = 'shouldUpgradeCallback' in server;
    expect([status, headers.connection]).toEqual(asks ? [200, 'keep-alive'] : [400, 'close']);
    expect(seen).toHaveBeenCalledTimes(asks ? 1 : 0);
  });

  test('go to another listener where there is one', async () => {
    const { port } = await openSite(app, {
      routes: known,
      after: (server) => {
        server.on('upgrade', (req: IncomingMessage, socket: Duplex) => {
          socket.end(`HTTP/1.1 418 ${req.headers.upgrade}\r\nConnection: close\r\n\r\n`);
        });
      },
    });
    const client = await connect(port);
    client.write(h2c('/ours'));

    expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 418 h2c/);
  });

  test.each(['websocket', 'WebSocket', 'h2c, websocket', 'WEBSOCKET , foo'])(
    'are none that name our protocol: %s',
    async (upgrade) => {
      const { port } = await openSite(accepting((webSocket) => webSocket.send('hi')));
      const client = await knock(port, { Upgrade: upgrade });
      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    },
  );

  test.each(['websockets', 'web socket', 'websocket/13'])('are all others: %s', async (upgrade) => {
    const { port } = await openSite((_req, res) => res.end('page'));
    const { status, body } = await answerOf(await knock(port, { Upgrade: upgrade }));
    expect([status, body]).toEqual([200, 'page']);
  });
});

describe('several', () => {
  const named = (name: string, path: string) => {
    const gateway: Gateway = new Gateway({
      dispatch: (req, res) => {
        const upgrade = upgradeOf(req);
        if (upgrade !== undefined && req.url === path) {
          upgrade.accept(route((webSocket) => webSocket.send(name)));
        } else if (!upgrade?.unrouted()) {
          res.writeHead(404).end(`${name}: no page`);
        }
      },
      routes: ({ url }) => (url === path ? 'here' : 'maybe'),
    });
    later(() => {
      for (const webSocket of gateway.server.clients ?? []) webSocket.terminate();
    });
    return gateway;
  };

  test('gateways share a server', async () => {
    const server = createServer();
    const one = named('one', '/one');
    const two = named('two', '/two');
    for (const gateway of [one, two, one]) gateway.attach(server);
    const port = await listen(server);

    expect(await greeted(port, '/one')).toBe('one');
    expect(await greeted(port, '/two')).toBe('two');
    expect([one.server.clients?.size, two.server.clients?.size]).toEqual([1, 1]);
    const { status, body } = await answerOf(await knock(port, {}, 'GET /three HTTP/1.1'));
    expect([status, body]).toEqual([404, 'two: no page']);
  });

  test('gateways of which none may have the route: the first answers', async () => {
    const server = createServer();
    for (const name of ['one', 'two']) {
      new Gateway({
        dispatch: (_req, res) => res.writeHead(404).end(name),
        routes: () => 'elsewhere',
      }).attach(server);
    }
    const { body } = await answerOf(await knock(await listen(server)));
    expect(body).toBe('one');
  });

  test('servers share a gateway, and each drains its own', async () => {
    const gateway = named('shared', '/ours');
    const servers = [createServer(), createServer()];
    for (const server of servers) gateway.attach(server);
    const ports = [await listen(servers[0]), await listen(servers[1])];
    const clients = [
      await enter(ports[0], 'GET /ours HTTP/1.1'),
      await enter(ports[1], 'GET /ours HTTP/1.1'),
    ];
    expect(gateway.server.clients?.size).toBe(2);

    servers[0].close();

    expect((await clients[0].frame())?.payload.toString()).toBe('shared');
    expect((await clients[0].frame())?.payload).toEqual(Buffer.from([0x03, 0xe9]));
    expect(await greeted(ports[1])).toBe('shared');
  });

  test.each([{}, null, 5, 'server', () => undefined])('but %p is no server', (value) => {
    const gateway = named('one', '/one');
    // What a program in JavaScript may pass.
    const server = value as unknown as Server;
    expect(() => gateway.attach(server)).toThrow(TypeError);
    expect(() => gateway.attach(server)).toThrow(
      /^The server must be one of node:http or node:https, got /,
    );
  });
});

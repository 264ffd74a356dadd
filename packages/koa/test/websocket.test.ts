import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import Router from '@koa/router';
import { addressOf, dial, get, listen, open, tls } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import session from 'koa-session';
import { WebSocketServer as WsServer } from 'ws';
import { cleanUp, deferred, later } from '../../engine/test/support/site';
import websockify from '../src/websocket';
import { framesBehind101, ONLY_1011 } from './support/frames';
import type { KoaClass } from './support/site';
import { sleep, VERSIONS } from './support/site';

afterEach(cleanUp);

async function openWebsockified(
  Koa: KoaClass,
  setUp: (app: websockify.App) => void,
  ...options: [wsOptions?: websockify.Options, httpsOptions?: object]
) {
  const app = websockify(new Koa(), ...options);
  const errors: unknown[] = [];
  app.on('error', (error) => errors.push(error));
  setUp(app);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(server, app);
  return { app, server, errors, address: addressOf(server, options[1] ? 'https' : 'http') };
}

function closeLater(server: Server, { ws }: websockify.App): void {
  later(() => {
    server.close();
    server.closeAllConnections();
    for (const webSocket of ws.server.clients) webSocket.terminate();
  });
}

describe.each(VERSIONS)('%s: what was written for koa-websocket', (_name, Koa) => {
  test('runs with another import: routes, sending at once, listening, broadcasting', async () => {
    const app = websockify(new Koa());

    app.ws.use((_ctx, next) => next());
    const router = new Router();
    router.all('/test/:id', (ctx) => {
      ctx.websocket.send(`Hello ${ctx.params.id}`);
      ctx.websocket.on('message', (message: string) => {
        for (const client of app.ws.server.clients) {
          if (client !== ctx.websocket) client.send(`${ctx.params.id}: ${message}`);
        }
      });
    });
    app.ws.use(router.routes());
    app.use((ctx) => {
      ctx.body = 'a page';
    });
    const server = app.listen(0, '127.0.0.1');

    await once(server, 'listening');
    closeLater(server, app);
    const address = addressOf(server, 'http');
    const [ada, grace] = [await open(address, '/test/ada'), await open(address, '/test/grace')];
    expect([await ada.message(), await grace.message()]).toEqual(['Hello ada', 'Hello grace']);
    ada.send('hi');
    expect(await grace.message()).toBe('ada: hi');
    grace.send('hello');
    // Nothing of its own has come to it before.
    expect(await ada.message()).toBe('grace: hello');
    expect((await get(address, '/test/ada')).body).toBe('a page');
    expect(app.server).toBe(server);
    const closed = new Promise((done) => server.close(done));
    expect(await ada.closed).toEqual([1001, '']);
    await closed;
  });

  test('middleware may last as long as its WebSocket', async () => {
    const ended = deferred<unknown[]>();
    const { address } = await openWebsockified(Koa, (app) => {
      app.ws.use(async ({ websocket }) => {
        websocket.on('message', (text) => websocket.send(`got ${text}`));
        const details = await once(websocket, 'close');
        ended.resolve(details);
      });
    });
    const client = await open(address, '/');
    expect(await client.ask('hi')).toBe('got hi');
    client.webSocket.close(4000, 'bye');
    expect(await ended.promise).toEqual([4000, Buffer.from('bye')]);
  });

  test('middleware may take its time before it listens', async () => {
    const { address } = await openWebsockified(Koa, (app) => {
      app.ws.use(async (context) => {
        await sleep(20);
        const { websocket } = context;
        await sleep(20);
        websocket.on('message', (text) => websocket.send(`got ${text}`));
      });
    });
    const client = await open(address, '/');
    expect(await client.ask('hi')).toBe('got hi');
  });

  test('refusing by closing is still there', async () => {
    const { address } = await openWebsockified(Koa, (app) => {
      app.ws.use((context) => context.websocket.close(4001, 'not you'));
    });
    expect(await (await open(address, '/')).closed).toEqual([4001, 'not you']);
  });

  test('the third argument is for HTTPS', async () => {
    const { address } = await openWebsockified(
      Koa,
      (app) => {
        app.ws.use((context) => void context.websocket.send(`secure: ${context.secure}`));
        app.use((context) => {
          context.body = `page, secure: ${context.secure}`;
        });
      },
      {},
      tls,
    );
    expect(await (await open(address, '/')).message()).toBe('secure: true');
    expect((await get(address, '/')).body).toBe('page, secure: true');
  });

  test('the second argument has options', async () => {
    const { address, app } = await openWebsockified(
      Koa,
      (it) => void it.ws.use((context) => void context.websocket),
      { maxPayload: 5, verifyClient: ({ req }) => req.url !== '/no' },
    );
    const client = await open(address, '/');
    client.send('too long');
    expect((await client.closed)[0]).toBe(1009);
    expect((await dial(address, '/no')).status).toBe(401);
    expect(app.ws.server.options.maxPayload).toBe(5);
  });
});

describe.each(VERSIONS)('%s: what is better than in koa-websocket', (_name, Koa) => {
  const refusals: [string, websockify.Middleware, number, string][] = [
    ['ctx.throw(401)', (context) => context.throw(401, 'log in'), 401, 'log in'],
    [
      'a body',
      (context) => {
        context.status = 403;
        context.body = { error: 'no' };
      },
      403,
      '{"error":"no"}',
    ],
    ['nothing', () => undefined, 404, 'Not Found'],
    [
      'ctx.throw() behind ctx.websocket',
      (context) => {
        context.websocket.on('message', () => undefined);
        context.throw(401, 'log in');
      },
      401,
      'log in',
    ],
  ];

  test.each(refusals)(
    '%s refuses, and the WebSocket is told',
    async (_what, middleware, status, body) => {
      const closed = jest.fn();
      const { address, app } = await openWebsockified(Koa, (it) => {
        it.ws.use(async (context, next) => {
          await next();
          if (context.status === 101) context.websocket.on('close', closed);
        });
        it.ws.use(middleware);
      });
      expect(await dial(address, '/')).toMatchObject({ status, body });
      expect(app.ws.server.clients.size).toBe(0);
      expect(closed).not.toHaveBeenCalled();
    },
  );

  test('a WebSocket that was taken and then refused is told of its end', async () => {
    const closed = deferred<unknown[]>();
    const { address } = await openWebsockified(Koa, (app) => {
      app.ws.use((context, next) => {
        context.websocket.on('close', (...details) => closed.resolve(details));
        return next();
      });
      app.ws.use((context) => context.throw(401));
    });
    expect((await dial(address, '/')).status).toBe(401);
    expect(await closed.promise).toEqual([1006, Buffer.alloc(0)]);
  });

  test('the stack has a response: cookies of a session are on the 101', async () => {
    const { address } = await openWebsockified(Koa, (app) => {
      app.keys = ['secret'];
      app.ws.use(session(app));
      app.ws.use((context) => {
        context.session.visits = (context.session.visits ?? 0) + 1;
        context.websocket.send(`visit ${context.session.visits}`);
      });
    });
    const first = await dial(address, '/');
    expect(await first.client.message()).toBe('visit 1');
    const cookie = (first.headers['set-cookie'] ?? []).map((it) => it.split(';')[0]).join('; ');
    expect(await (await open(address, '/', { headers: { Cookie: cookie } })).message()).toBe(
      'visit 2',
    );
  });

  test('middleware of app.use() is not for WebSockets, nor that of app.ws.use() for pages', async () => {
    const [pages, sockets] = [jest.fn(), jest.fn()];
    const { address } = await openWebsockified(Koa, (app) => {
      app.use((context) => {
        pages(context.path);
        context.body = 'a page';
      });
      app.ws.use((context) => {
        sockets(context.path);
        context.websocket.send('hello');
      });
    });
    await (await open(address, '/socket')).message();
    await get(address, '/page');
    expect([pages.mock.calls, sockets.mock.calls]).toEqual([[['/page']], [['/socket']]]);
  });

  test('errors close with 1011 and are told', async () => {
    const { address, errors } = await openWebsockified(Koa, (app) => {
      app.ws.use(async ({ websocket, path }) => {
        websocket.on('message', () => {
          throw new Error('listener');
        });
        if (path !== '/late') return;
        await once(websocket, 'open');
        throw new Error('middleware');
      });
    });
    expect(await framesBehind101(address.port, '/')).toEqual(ONLY_1011);
    expect(await framesBehind101(address.port, '/late')).toEqual(ONLY_1011);
    expect(errors).toEqual([new Error('listener'), new Error('middleware')]);
  });

  test('a server of one’s own, and others on it', async () => {
    const app = websockify(new Koa());
    app.ws.use((context, next) => {
      if (context.path !== '/ours') return next();
      context.websocket.send('ours');
      return undefined;
    });
    const server = createServer(app.callback());
    app.ws.attach(server);
    const foreign = new WsServer({ server, path: '/theirs' });
    foreign.on('connection', (webSocket) => webSocket.send('theirs'));
    closeLater(server, app);
    const address = await listen(server, 'http');
    expect(await (await open(address, '/ours')).message()).toBe('ours');
    expect(await (await open(address, '/theirs')).message()).toBe('theirs');
    for (const webSocket of foreign.clients) webSocket.terminate();
  });

  test.each<[string, unknown[], string]>([
    ['no application', [{}], 'The first argument must be a Koa application'],
    [
      'text as options',
      [new Koa(), 'x'],
      'The second argument must be an object of options, got x',
    ],
    ['a wrong option', [new Koa(), { origins: 5 }], 'The option "origins" must be'],
  ])('%s throws', (_what, args, message) => {
    expect(() => Reflect.apply(websockify, undefined, args)).toThrow(TypeError);
    expect(() => Reflect.apply(websockify, undefined, args)).toThrow(message);
  });

  test('ws.use() takes functions, and returns app.ws', () => {
    const { ws } = websockify(new Koa());
    expect(ws.use((_context, next) => next())).toBe(ws);
    expect(() => Reflect.apply(ws.use, ws, ['x'])).toThrow(
      new TypeError('ws.use() takes a function, got a value of type string'),
    );
  });
});

/** For the types: middleware and contexts have names, as those of @types/koa-websocket. */
export const typed: websockify.Middleware<{ user: string }> = (context, next) => {
  const webSocket: WebSocket = context.websocket;
  webSocket.send(context.state.user);
  return next();
};
export const plain = (context: websockify.MiddlewareContext): void => context.websocket.close();

import Router from '@koa/router';
import { dial, get, open } from '@upwire/adapter-contract';
import type { Middleware, ParameterizedContext } from 'koa';
import { answerOf, cleanUp, connect, knock } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { WebSocketApp } from './support/site';
import { openSite, sleep, VERSIONS } from './support/site';

afterEach(cleanUp);

const { ws } = upwire;

/** What `@koa/router` leaves to be used by any application. */
const routesOf = (router: Pick<Router, 'routes'>) => router.routes() as Middleware;

/** Sends what a request came with. */
const show: upwire.WebSocketHandler = (webSocket, context) => {
  const { params, query, path, url } = context;
  webSocket.send(JSON.stringify({ params, query, path, url }));
};

describe.each(VERSIONS)('%s: app.ws()', (_name, Koa) => {
  test('has parameters, decoded, and a query', async () => {
    const { port } = await openSite(Koa, (app) => void app.ws('/rooms/:room/:seat', show));
    const client = await open(port, '/rooms/caf%C3%A9%20noir/7?a=1&b=2&b=3');
    expect(JSON.parse(await client.message())).toEqual({
      params: { room: 'caf\u00e9 noir', seat: '7' },
      query: { a: '1', b: ['2', '3'] },
      path: '/rooms/caf%C3%A9%20noir/7',
      url: '/rooms/caf%C3%A9%20noir/7?a=1&b=2&b=3',
    });
  });

  test.each<[string, upwire.RoutePath, string, object]>([
    ['a list of paths', ['/one', '/two/:x'], '/two/5', { x: '5' }],
    ['a regular expression in a list', ['/one', /^\/t(w)o$/], '/two', {}],
    ['a regular expression', /^\/files\/(.+)\.(txt|md)$/, '/files/a/b.md', {}],
    ['a wildcard', '/any/*rest', '/any/a/b', { rest: 'a/b' }],
    ['an optional part', '/maybe{/:x}', '/maybe', {}],
    ['any case', '/CaSe', '/case', {}],
    ['a slash behind', '/slash', '/slash/', {}],
  ])('takes %s', async (_what, path, url, params) => {
    const { port } = await openSite(Koa, (app) => void app.ws(path, show));
    const client = await open(port, url);
    expect(JSON.parse(await client.message())).toMatchObject({ params });
  });

  test('adds routes in the order of all middleware, the first of which takes a path', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.ws('/chat/open', (webSocket) => webSocket.send('open'));
      app.use((context, next) => (context.get('Authorization') ? next() : context.throw(401)));
      app.ws('/chat/open', (webSocket) => webSocket.send('never'));
      app.ws('/chat/:room', (webSocket) => webSocket.send('guarded'));
    });
    expect(await (await open(port, '/chat/open')).message()).toBe('open');
    expect((await dial(port, '/chat/red')).status).toBe(401);
    const headers = { Authorization: 'x' };
    expect(await (await open(port, '/chat/red', { headers })).message()).toBe('guarded');
  });

  test('runs the middleware of its own route, and of no other', async () => {
    const other = jest.fn();
    const { port } = await openSite(Koa, (app) => {
      app.ws('/other', other, show);
      app.ws('/chat', (context, next) => (context.query.key ? next() : context.throw(403)), show);
    });
    expect(await dial(port, '/chat')).toMatchObject({ status: 403, body: 'Forbidden' });
    expect((await dial(port, '/chat?key=1')).status).toBe(101);
    expect(other).not.toHaveBeenCalled();
  });

  test('returns the application', () => {
    const { app } = upwire(new Koa());
    expect(app.ws('/a', show)).toBe(app);
    expect(app.ws('/a', show).ws('/b', show).use(routesOf(new Router()))).toBe(app);
    expect(app.ws.use((_context, next) => next())).toBe(app.ws);
  });

  test.each<[string, unknown[], string]>([
    ['no handler', ['/a'], 'it got no function for /a'],
    ['undefined', ['/a', undefined], 'it got a value of type undefined for /a'],
    ['undefined in front', ['/a', undefined, show], 'it got a value of type undefined for /a'],
    ['a promise', ['/a', Promise.resolve()], 'it got a value of type object for /a'],
    ['a string', [/x/, 'handler'], 'it got a value of type string for /x/'],
    ['no path', [show], 'it got no function for'],
  ])('throws for %s', (_what, args, message) => {
    const { app } = upwire(new Koa());
    const add = () => Reflect.apply(app.ws, app, args);
    expect(add).toThrow(TypeError);
    expect(add).toThrow(
      'ws() takes a path, options if any, middleware functions and, last, a handler function; ',
    );
    expect(add).toThrow(message);
    expect(app.middleware).toEqual([]);
  });

  test('throws for what is no path, as @koa/router does', () => {
    const { app } = upwire(new Koa());
    expect(() => Reflect.apply(app.ws, app, [undefined, show])).toThrow(/path/);
    expect(() => app.ws([], show)).toThrow(
      new TypeError('ws() takes a path, got an empty list of paths'),
    );
    expect(() => app.ws('/:', show)).toThrow(TypeError);
  });
});

describe.each(VERSIONS)('%s: ws(handler)', (_name, Koa) => {
  test('goes into any router, with a prefix and in other routers', async () => {
    const { port } = await openSite(Koa, (app) => {
      const inner = new Router();
      inner.get('/in/:x', ws(show));
      const outer = new Router({ prefix: '/outer' });
      outer.use('/at/:y', inner.routes(), inner.allowedMethods());
      outer.get('/:x', ws(show));
      app.use(routesOf(outer)).use(outer.allowedMethods() as Middleware);
    });
    const nested = await open(port, '/outer/at/1/in/2?q=3');
    expect(JSON.parse(await nested.message())).toEqual({
      params: { x: '2', y: '1' },
      query: { q: '3' },
      path: '/outer/at/1/in/2',
      url: '/outer/at/1/in/2?q=3',
    });
    const other = await open(port, '/outer/4');
    expect(JSON.parse(await other.message()).params).toEqual({ x: '4' });
  });

  test('runs router.use, router.param and middleware of the route', async () => {
    const calls: string[] = [];
    const { port } = await openSite(Koa, (app) => {
      const router = new Router();
      router.use((_context, next) => {
        calls.push('use');
        return next();
      });
      router.param('room', (room, context, next) => {
        calls.push(`param ${room}`);
        return room === 'secret' ? context.throw(403, 'no such room') : next();
      });
      router.get(
        '/rooms/:room',
        (_context, next) => {
          calls.push('own');
          return next();
        },
        ws((webSocket) => webSocket.send(calls.join(', '))),
      );
      app.use(routesOf(router));
    });
    expect(await (await open(port, '/rooms/red')).message()).toBe('use, param red, own');
    expect(await dial(port, '/rooms/secret')).toMatchObject({ status: 403, body: 'no such room' });
  });

  test('is guarded by a router’s middleware as a page is: with a prefix, in every case with sensitive alone', async () => {
    const statuses: Record<string, [page: number, webSocket: number]> = {};
    for (const sensitive of [false, true]) {
      const { port } = await openSite(Koa, (app) => {
        const router = new Router({ prefix: '/admin', sensitive });
        router.use((context) => context.throw(401));
        router.get('/chat', ws(show));
        router.get('/page', (context) => {
          context.body = 'a page';
        });
        app.use(routesOf(router));
      });
      for (const prefix of ['/admin', '/ADMIN']) {
        statuses[`${prefix}, ${sensitive}`] = [
          (await get(port, `${prefix}/page`)).status,
          (await dial(port, `${prefix}/chat`)).status,
        ];
      }
    }
    expect(statuses).toEqual({
      '/admin, false': [401, 401],
      // What the README warns of. When this fails, the router has been put right.
      '/ADMIN, false': [200, 101],
      '/admin, true': [401, 401],
      '/ADMIN, true': [404, 404],
    });
  });

  test('is middleware like any other: it may stand alone, behind an if', async () => {
    const chat = ws((webSocket) => webSocket.send('chat'));
    const { port } = await openSite(Koa, (app) => {
      app.use((context, next) => (context.path === '/chat' ? chat(context, next) : next()));
    });
    expect(await (await open(port, '/chat')).message()).toBe('chat');
    expect((await dial(port, '/other')).status).toBe(404);
    expect((await get(port, '/chat')).status).toBe(426);
  });

  test('leaves a WebSocket to the first of two', async () => {
    const second = jest.fn();
    const { port } = await openSite(Koa, (app) => {
      const router = new Router();
      router.use(async (context, next) => {
        await ws((webSocket) => webSocket.send('first'))(context, next);
        await next();
      });
      router.get('/chat', ws(second));
      app.use(routesOf(router));
    });
    expect(await (await open(port, '/chat')).message()).toBe('first');
    expect(second).not.toHaveBeenCalled();
  });

  test.each([undefined, null, 'handler', {}, Promise.resolve()])('throws for %p', (value) => {
    expect(() => Reflect.apply(ws, undefined, [value])).toThrow(
      new TypeError(`ws() takes a handler function, got a value of type ${typeof value}`),
    );
  });
});

const BODY = 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n';

/** The two ways to a WebSocket route at `/chat`. */
const WAYS: [name: string, add: (app: WebSocketApp) => void][] = [
  ['app.ws()', (app) => void app.ws('/chat', show)],
  ['ws(handler)', (app) => void app.use(routesOf(new Router().get('/chat', ws(show))))],
];

const page = (body: unknown) => (context: ParameterizedContext) => {
  context.body = body;
};

describe.each(VERSIONS)('%s', (_version, Koa) => {
  describe.each(WAYS)('plain requests to a route of %s', (_way, add) => {
    test('get 426 where there is nothing else, with what middleware has set', async () => {
      const { port } = await openSite(Koa, (app) => {
        app.use(async (context, next) => {
          context.set('X-Before', '1');
          await next();
          context.set('X-Behind', String(context.status));
        });
        add(app);
      });
      const { status, headers, body } = await get(port, '/chat');
      expect([status, headers.get('upgrade'), headers.get('connection'), body]).toEqual([
        426,
        'websocket',
        'Upgrade',
        BODY,
      ]);
      expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(headers.get('content-length')).toBe(String(BODY.length));
      expect([headers.get('x-before'), headers.get('x-behind')]).toEqual(['1', '426']);
      expect(await get(port, '/chat', { method: 'HEAD' })).toMatchObject({ status: 426, body: '' });
    });

    test('get the page of the same path behind it', async () => {
      const { port } = await openSite(Koa, (app) => {
        add(app);
        app.use(routesOf(new Router().get('/chat', page('a page'))));
      });
      expect(await get(port, '/chat')).toMatchObject({ status: 200, body: 'a page' });
      expect((await dial(port, '/chat')).status).toBe(101);
    });

    test('get the page in front of it, and so do WebSockets that it does not let by', async () => {
      const { port } = await openSite(Koa, (app) => {
        app.use((context, next) => {
          if (context.query.through) return next();
          context.body = 'a page';
          return undefined;
        });
        add(app);
      });
      expect(await get(port, '/chat')).toMatchObject({ status: 200, body: 'a page' });
      expect(await dial(port, '/chat')).toMatchObject({ status: 200, body: 'a page' });
      expect((await dial(port, '/chat?through=1')).status).toBe(101);
    });

    test('fall through to a catch-all, and to the application’s own 404', async () => {
      const { port } = await openSite(Koa, (app) => {
        add(app);
        app.use((context) => {
          context.status = context.path === '/none' ? 404 : 200;
          context.body = '<div id="app">';
        });
      });
      expect(await get(port, '/chat')).toMatchObject({ status: 200, body: '<div id="app">' });
      expect(await get(port, '/none')).toMatchObject({ status: 404, body: '<div id="app">' });
      expect(await dial(port, '/none')).toMatchObject({ status: 404, body: '<div id="app">' });
      expect((await dial(port, '/chat')).status).toBe(101);
    });

    test('of other methods are not for the route', async () => {
      const { port } = await openSite(Koa, add);
      for (const method of ['POST', 'DELETE', 'OPTIONS']) {
        expect((await get(port, '/chat', { method })).status).toBe(404);
      }
    });

    test('are none for another path: Koa’s 404', async () => {
      const { port } = await openSite(Koa, add);
      expect(await get(port, '/none')).toMatchObject({ status: 404, body: 'Not Found' });
      const refused = await dial(port, '/none');
      expect(refused).toMatchObject({ status: 404, body: 'Not Found' });
      expect(refused.headers.connection).toBe('close');
    });
  });

  test('middleware for any WebSocket leaves other methods, and what was answered by hand, alone', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(ws(show));
      app.use((context) => {
        if (context.path === '/hand') context.res.end('by hand');
      });
    });
    expect((await get(port, '/', { method: 'POST' })).status).toBe(404);
    expect((await get(port, '/')).status).toBe(426);
    expect(await get(port, '/hand')).toMatchObject({ status: 404, body: 'by hand' });
    expect((await dial(port, '/')).status).toBe(101);
  });

  test('plain requests do not run the middleware of app.ws(), and get none of its parameters', async () => {
    const own = jest.fn();
    const { port } = await openSite(Koa, (app) => {
      app.ws('/:x', own, show);
      app.use((context) => {
        context.body = { params: context.params, matched: context.matched };
      });
    });
    expect((await get(port, '/chat')).body).toBe('{}');
    expect(own).not.toHaveBeenCalled();
  });

  test('a WebSocket to a page gets the page', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(page({ a: 'page' }));
    });
    const { status, headers, body } = await dial(port, '/page');
    expect([status, body, headers.connection]).toEqual([200, '{"a":"page"}', 'close']);
  });

  test('an application without any middleware answers 404', async () => {
    const { port } = await openSite(Koa, () => undefined);
    expect((await get(port, '/')).status).toBe(404);
    expect(await dial(port, '/')).toMatchObject({ status: 404, body: 'Not Found' });
  });

  test.each<[string, Record<string, string | null>, string | undefined, number, object]>([
    ['POST', {}, 'POST /chat HTTP/1.1', 405, { allow: 'GET' }],
    [
      'version 8',
      { 'Sec-WebSocket-Version': '8' },
      undefined,
      426,
      { 'sec-websocket-version': '13', upgrade: 'websocket', connection: 'close, Upgrade' },
    ],
    ['a body', { 'Content-Length': '3' }, undefined, 400, {}],
    ['no key', { 'Sec-WebSocket-Key': null }, undefined, 400, {}],
  ])(
    'a handshake with %s is refused before any middleware runs',
    async (_what, headers, line, status, expected) => {
      const middleware = jest.fn();
      const { port } = await openSite(Koa, (app) => {
        app.use(middleware);
        app.ws('/chat', show);
      });
      const answer = await answerOf(await knock(port, headers, line ?? 'GET /chat HTTP/1.1'));
      expect(answer).toMatchObject({ status, headers: { connection: 'close', ...expected } });
      expect(middleware).not.toHaveBeenCalled();
    },
  );

  test('an upgrade to another protocol is a page’s ordinary request', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.ws('/chat', show);
      app.use((context) => {
        context.body = `page, not ${context.get('Upgrade')}`;
      });
    });
    const client = await connect(port);
    client.write('GET /page HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    expect(await answerOf(client)).toMatchObject({ status: 200, body: 'page, not h2c' });
  });

  test('chooses the first subprotocol that was offered, or the one of handleProtocols', async () => {
    const answer = (app: WebSocketApp) =>
      void app.ws('/chat', (webSocket) => webSocket.send(webSocket.protocol));
    const plain = await openSite(Koa, answer);
    const choosing = await openSite(Koa, answer, { handleProtocols: () => 'b' });
    const subprotocols = ['a', 'b'];
    expect(await (await open(plain.port, '/chat', { subprotocols })).message()).toBe('a');
    expect(await (await open(choosing.port, '/chat', { subprotocols })).message()).toBe('b');
  });
});

describe.each(VERSIONS)('%s: app.ws.use()', (_name, Koa) => {
  test('runs for WebSockets alone, in its place', async () => {
    const calls: string[] = [];
    const { port } = await openSite(Koa, (app) => {
      app.use((context, next) => {
        calls.push(`all ${context.path}`);
        return next();
      });
      app.ws('/before', show);
      app.ws
        .use((context, next) => {
          calls.push(`sockets ${context.path}`);
          return context.query.key ? next() : context.throw(401);
        })
        .use((context, next) => {
          calls.push(`more ${context.path}`);
          context.set('X-Sockets', '1');
          return next();
        });
      app.ws('/behind', show);
    });
    expect((await dial(port, '/before')).status).toBe(101);
    expect((await get(port, '/behind')).status).toBe(426);
    expect((await dial(port, '/behind')).status).toBe(401);
    expect((await dial(port, '/behind?key=1')).headers['x-sockets']).toBe('1');
    expect(calls).toEqual([
      'all /before',
      'all /behind',
      'all /behind',
      'sockets /behind',
      'all /behind',
      'sockets /behind',
      'more /behind',
    ]);
  });

  test('takes a router', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.ws.use(routesOf(new Router().get('/chat/:room', ws(show))));
    });
    expect(JSON.parse(await (await open(port, '/chat/red')).message()).params).toEqual({
      room: 'red',
    });
    // Nobody has said that this is a WebSocket's path: it was given to none but them.
    expect((await get(port, '/chat/red')).status).toBe(404);
  });

  test('has the WebSocket as ctx.websocket, before there is a connection', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context, next) => {
        await next();
        context.set('X-Behind', String('websocket' in context));
      });
      app.ws.use(async ({ path, websocket }, next) => {
        websocket.send(`early: ${websocket.readyState}`);
        websocket.on('message', (text) => websocket.send(`early got ${text}`));
        await next();
        await sleep(10);
        if (path === '/close') websocket.close(4000, 'bye');
      });
      app.ws('/chat', (webSocket, context) => {
        webSocket.send(`handler: ${webSocket === context.websocket} ${webSocket.readyState}`);
      });
      app.ws('/options', { maxPayload: 5 }, show);
    });
    const { headers, client } = await dial(port, '/chat');
    expect(headers['x-behind']).toBe('true');
    expect(await client.message()).toBe('early: 0');
    expect(await client.message()).toBe('handler: true 1');
    expect(await client.ask('hi')).toBe('early got hi');
    // Whoever reads it takes it, whatever the path.
    expect(await (await open(port, '/elsewhere')).message()).toBe('early: 0');
    const closing = await open(port, '/close');
    expect(await closing.message()).toBe('early: 0');
    expect(await closing.closed).toEqual([4000, 'bye']);
    // It has been made by then, and not with these options.
    expect((await dial(port, '/options')).status).toBe(500);
  });

  test('takes no WebSocket by itself', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.ws.use((_context, next) => next());
      app.use((context) => {
        context.body = String('websocket' in context);
      });
    });
    expect(await dial(port, '/')).toMatchObject({ status: 200, body: 'true' });
    expect((await get(port, '/')).body).toBe('false');
  });

  test('ctx.websocket and ctx.ws() are one, in this order', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.ws.use(async (context) => {
        const { websocket } = context;
        websocket.send(`${(await context.ws?.()) === websocket}`);
      });
    });
    expect(await (await open(port, '/')).message()).toBe('true');
    expect(errors).toEqual([]);
  });

  test.each([undefined, null, 'x', {}])('throws for %p', (value) => {
    const { app } = upwire(new Koa());
    expect(() => Reflect.apply(app.ws.use, app.ws, [value])).toThrow(
      new TypeError(`ws.use() takes a function, got a value of type ${typeof value}`),
    );
  });
});

import { createServer } from 'node:http';
import Router from '@koa/router';
import { dial, get, open } from '@upwire/adapter-contract';
import type { Middleware } from 'koa';
import { WebSocketServer as WsServer } from 'ws';
import { z } from 'zod';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { WebSocketApp } from './support/site';
import { openSite, sleep, VERSIONS } from './support/site';

afterEach(cleanUp);

/** Calls `upwire` as a program in JavaScript may. */
const call = (...args: unknown[]) => Reflect.apply(upwire, undefined, args);

describe.each(VERSIONS)('%s: upwire()', (_name, Koa) => {
  test.each<[string, object, new (message: string) => Error, string]>([
    [
      'maxPayload -1',
      { maxPayload: -1 },
      RangeError,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    ['maxPayload as text', { maxPayload: '1mb' }, TypeError, 'must be a number, got "1mb"'],
    ['handshakeTimeout 0', { handshakeTimeout: 0 }, RangeError, 'The "handshakeTimeout" option'],
    ['origins as text', { origins: 'x' }, TypeError, 'The option "origins" must be'],
    ['onError 5', { onError: 5 }, TypeError, 'The "onError" option must be a function, got 5'],
  ])('%s throws, and leaves the application as it was', (_what, options, type, message) => {
    const app = new Koa();
    const { listen } = app;
    expect(() => call(app, null, options)).toThrow(type);
    expect(() => call(app, null, options)).toThrow(message);
    expect(app.listen).toBe(listen);
    expect(app).not.toHaveProperty('ws');
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['text', 'options'],
  ])('options that are %s throw', (_what, options) => {
    expect(() => call(new Koa(), null, options)).toThrow(
      new TypeError(`The third argument must be an object of options, got ${options}`),
    );
  });

  test.each<[string, unknown]>([
    ['options in its place', { maxPayload: 1 }],
    ['a port', 3000],
    ['an application', new Koa()],
    ['another library’s server', new WsServer({ noServer: true })],
  ])('a server that is %s throws', (_what, server) => {
    expect(() => call(new Koa(), server)).toThrow(TypeError);
    expect(() => call(new Koa(), server)).toThrow(
      'The server must be one of node:http or node:https, got ',
    );
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a router', new Router()],
    ['a server', createServer()],
    ['a function', () => undefined],
    ['Koa itself', Koa],
    ['its callback', new Koa().callback()],
  ])('an application that is %s throws', (_what, app) => {
    expect(() => call(app)).toThrow(new TypeError('The first argument must be a Koa application'));
  });

  test('undefined is the default', () => {
    const { getWss } = upwire(new Koa(), undefined, {
      maxPayload: undefined,
      handshakeTimeout: undefined,
      origins: undefined,
      onError: undefined,
    });
    expect(getWss().options).toMatchObject({ maxPayload: 1_048_576, closeTimeout: 10_000 });
  });
});

/** The ways to give options to one route, at `/chat`. */
const WAYS: [
  string,
  (app: WebSocketApp, options: upwire.RouteOptions, ...more: Middleware[]) => void,
][] = [
  ['app.ws(path, options)', (app, options, ...more) => app.ws('/chat', options, ...more, greet)],
  [
    'ws(handler, options)',
    (app, options, ...more) => {
      const router = new Router();
      for (const middleware of more) router.use(middleware);
      app.use(router.get('/chat', upwire.ws(greet, options)).routes() as Middleware);
    },
  ],
  [
    'ctx.ws(options)',
    (app, options, ...more) => {
      for (const middleware of more) app.use(middleware);
      app.use(async (context, next) => {
        const webSocket = context.path === '/chat' ? await context.ws?.(options) : undefined;
        if (webSocket) greet(webSocket, context);
        else await next();
      });
    },
  ],
];

const greet: upwire.WebSocketHandler = (webSocket, context) => {
  webSocket.on('message', (text) => {
    if (text === 'fail') throw new Error(`failed at ${context.path}`);
    webSocket.send(`${webSocket.protocol} ${text.length}`);
  });
};

describe.each(VERSIONS)('%s', (_name, Koa) => {
  describe.each(WAYS)('%s', (_way, add) => {
    test('go before those of the application', async () => {
      const { port } = await openSite(
        Koa,
        (app) => {
          add(app, { maxPayload: 10 });
          app.ws('/other', greet);
        },
        { maxPayload: 20 },
      );
      for (const [path, size] of [
        ['/chat', 10],
        ['/other', 20],
      ] as const) {
        const client = await open(port, path);
        expect(await client.ask('x'.repeat(size))).toBe(` ${size}`);
        client.send('x'.repeat(size + 1));
        expect((await client.closed)[0]).toBe(1009);
      }
    });

    test('hand the context to their functions', async () => {
      const seen: unknown[] = [];
      const { port, errors } = await openSite(Koa, (app) => {
        app.use((context, next) => {
          context.state.user = 'ada';
          return next();
        });
        add(app, {
          origins: (origin, context) => {
            seen.push(['origins', origin, context.state.user]);
            return context.path === '/chat';
          },
          subprotocols: (offered, context) => {
            seen.push(['subprotocols', [...offered], context.state.user]);
            return 'b';
          },
          onError: (error, webSocket, context) => {
            seen.push([(error as Error).message, webSocket.readyState, context.state.user]);
          },
        });
      });
      const client = await open(port, '/chat', {
        origin: 'http://evil.example',
        subprotocols: ['a', 'b'],
      });
      expect(await client.ask('four')).toBe('b 4');
      client.send('fail');
      expect((await client.closed)[0]).toBe(1011);
      expect(seen).toEqual([
        ['origins', 'http://evil.example', 'ada'],
        ['subprotocols', ['a', 'b'], 'ada'],
        ['failed at /chat', 2, 'ada'],
      ]);
      expect(errors).toEqual([]);
    });

    test('bound the connections, of all and of one client as the application knows it', async () => {
      const { port, app } = await openSite(Koa, (it) => {
        it.proxy = true;
        add(it, { maxConnections: { total: 3, perKey: 2 } });
      });
      const from = (address: string) =>
        dial(port, '/chat', { headers: { 'X-Forwarded-For': address } });
      const statuses = [];
      for (const address of ['1.1.1.1', '1.1.1.1', '1.1.1.1', '2.2.2.2', '3.3.3.3']) {
        statuses.push((await from(address)).status);
      }
      expect(statuses).toEqual([101, 101, 429, 101, 503]);
      expect(app.ws.server.clients.size).toBe(3);
    });

    test('check messages, and bound their number', async () => {
      const { port } = await openSite(Koa, (app) => {
        add(app, {
          message: z.object({ n: z.number() }).transform(({ n }) => `${n + 1}`),
          rateLimit: { messages: 2, interval: 60_000, burst: 2 },
        });
      });
      const client = await open(port, '/chat');
      // The schema has made text of it.
      expect(await client.ask('{"n":99}')).toBe(' 3');
      client.send('{"n":"a"}');
      expect((await client.closed)[0]).toBe(1007);
      const other = await open(port, '/chat');
      for (let count = 0; count < 3; count++) other.send('{"n":1}');
      expect((await other.closed)[0]).toBe(1008);
    });

    test('may be wrong: that is told by the name of the option', async () => {
      const wrong = { maxPayload: -1 };
      const message =
        'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1';
      const { port, errors } = await openSite(Koa, (app) => {
        if (_way !== 'ctx.ws(options)')
          expect(() => add(app, wrong)).toThrow(new RangeError(message));
        else add(app, wrong);
      });
      if (_way !== 'ctx.ws(options)') return;
      // Nobody can know them before.
      expect((await dial(port, '/chat')).status).toBe(500);
      expect(errors).toEqual([new RangeError(message)]);
    });

    test('an option that no route has throws', async () => {
      const { port, errors } = await openSite(Koa, (app) => {
        const options = { verifyClient: () => true } as upwire.RouteOptions;
        const error = new TypeError("The option 'verifyClient' is not one of a single route");
        if (_way === 'ctx.ws(options)') add(app, options);
        else expect(() => add(app, options)).toThrow(error);
      });
      if (_way !== 'ctx.ws(options)') return;
      expect((await dial(port, '/chat')).status).toBe(500);
      expect(errors).toHaveLength(1);
    });
  });

  test('handshakeTimeout of a route holds for the route’s own middleware', async () => {
    const { port } = await openSite(
      Koa,
      (app) => {
        app.ws(
          '/patient',
          { handshakeTimeout: 5_000 },
          async (_context, next) => {
            await sleep(120);
            await next();
          },
          greet,
        );
        app.ws('/hasty', { handshakeTimeout: 20 }, () => new Promise(() => undefined), greet);
      },
      { handshakeTimeout: 60 },
    );
    expect((await dial(port, '/patient')).status).toBe(101);
    expect((await dial(port, '/hasty')).status).toBe(503);
    expect((await get(port, '/patient')).status).toBe(426);
  });

  test('options of one object are one for all its routes', async () => {
    const options: upwire.RouteOptions = { maxPayload: 10 };
    const { port } = await openSite(Koa, (app) => {
      app.ws('/a', options, greet);
      app.ws('/b', options, greet);
      options.maxPayload = 20;
    });
    for (const path of ['/a', '/b']) {
      const client = await open(port, path);
      client.send('x'.repeat(11));
      // What is changed behind the declaration is not looked at.
      expect((await client.closed)[0]).toBe(1009);
    }
  });
});

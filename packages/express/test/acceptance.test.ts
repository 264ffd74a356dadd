import { dial, get, open } from '@upwire/adapter-contract';
import compression from 'compression';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import morgan from 'morgan';
import { cleanUp, deferred } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

declare module 'express-session' {
  interface SessionData {
    user: string;
    visits: number;
  }
}

const errorPage: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(error.status ?? 500).send(`sorry: ${error.message}`);
};

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A store that takes its time, as one over a network does, and writes down what it is asked. */
class SlowStore extends session.MemoryStore {
  readonly saved: session.SessionData[] = [];

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    setTimeout(() => {
      this.saved.push(data);
      super.set(sid, data, callback);
    }, 40);
  }
}

function sessions(store: session.Store) {
  return session({ secret: 'test', resave: false, saveUninitialized: true, store });
}

const cookieOf = (headers: { 'set-cookie'?: string[] }) =>
  headers['set-cookie']?.[0].split(';')[0] ?? '';

describe.each(VERSIONS)(
  '%s: with express-session, morgan and helmet in front',
  (_name, express) => {
    async function openShop() {
      const log: string[] = [];
      const store = new SlowStore();
      const site = await openSite(express, (app) => {
        app.use(
          morgan(':method :url :status', { stream: { write: (line) => log.push(line.trim()) } }),
        );
        app.use(helmet());
        app.use(sessions(store));
        app.ws('/chat', (webSocket, request) => {
          const savedBefore = store.saved.length;
          request.session.visits = (request.session.visits ?? 0) + 1;
          webSocket.on('message', (text) => webSocket.send(`${text}: ${savedBefore} saved`));
        });
        app.get('/who', (request, response) => {
          response.json({ user: request.session.user });
        });
        app.ws(
          '/login',
          async (request, _response, next) => {
            await sleep(20);
            request.session.user = 'ada';
            next();
          },
          (webSocket) => webSocket.send('welcome'),
        );
      });
      return { ...site, log, store };
    }

    test('the 101 carries the session cookie and helmet’s headers', async () => {
      const { port } = await openShop();
      const { status, headers, client } = await dial(port, '/chat');

      expect(status).toBe(101);
      expect(headers['set-cookie']).toEqual([
        expect.stringMatching(/^connect\.sid=s%3A\S+; Path=\/; HttpOnly$/),
      ]);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'strict-transport-security': expect.stringContaining('max-age='),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        upgrade: 'websocket',
        connection: 'Upgrade',
      });
      expect(headers).not.toHaveProperty('content-length');
      expect(headers).not.toHaveProperty('transfer-encoding');
      // As helmet takes it away.
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(await client.ask('hi')).toBe('hi: 1 saved');
    });

    test('the session is stored before the first message is handled', async () => {
      const { port } = await openShop();
      const client = await open(port, '/chat');
      const answers = [];
      for (const text of ['a', 'b', 'c']) client.send(text);
      for (let count = 0; count < 3; count++) answers.push(await client.message());
      expect(answers).toEqual(['a: 1 saved', 'b: 1 saved', 'c: 1 saved']);
    });

    test('a later page reads what a route’s middleware has put into the session', async () => {
      const { port } = await openShop();
      const { headers, client } = await dial(port, '/login');
      expect(await client.message()).toBe('welcome');

      const page = await get(port, '/who', { headers: { cookie: cookieOf(headers) } });

      expect(page.body).toBe('{"user":"ada"}');
      expect(page.headers.get('set-cookie')).toBeNull();
    });

    test('a WebSocket reads the session of an earlier one', async () => {
      const { port, store } = await openShop();
      const { headers, client } = await dial(port, '/login');
      await client.message();
      const again = await dial(port, '/chat', { headers: { cookie: cookieOf(headers) } });

      expect(again.headers).not.toHaveProperty('set-cookie');
      expect(Object.keys((store as unknown as { sessions: object }).sessions)).toHaveLength(1);
    });

    test('morgan logs the 101 once', async () => {
      const { port, log } = await openShop();
      const client = await open(port, '/chat?room=1');
      await client.ask('hi');
      client.webSocket.close(1000);
      await client.closed;
      await get(port, '/who');

      expect(log).toEqual(['GET /chat?room=1 101', 'GET /who 200']);
    });
  },
);

describe.each(VERSIONS)(
  '%s: what middleware answers reaches the client as it is',
  (_name, express) => {
    test.each<[string, Parameters<typeof openSite>[1], object]>([
      [
        '401 with JSON',
        (app) => app.use((_req, res) => void res.status(401).json({ error: 'log in first' })),
        {
          status: 401,
          body: '{"error":"log in first"}',
          headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '24' },
        },
      ],
      [
        'a redirect',
        (app) => app.use((_req, res) => res.redirect('/login')),
        { status: 302, headers: { location: '/login' } },
      ],
      [
        '429 with Retry-After',
        (app) => app.use((_req, res) => void res.status(429).set('Retry-After', '17').end()),
        { status: 429, headers: { 'retry-after': '17' }, body: '' },
      ],
      [
        'a cookie',
        (app) => app.use((_req, res) => void res.cookie('tried', '1').sendStatus(403)),
        { status: 403, headers: { 'set-cookie': ['tried=1; Path=/'] }, body: 'Forbidden' },
      ],
      [
        'an error',
        (app) => {
          app.use((_req, _res, next) => next(Object.assign(new Error('teapot'), { status: 418 })));
          app.use(errorPage);
        },
        { status: 418, body: 'sorry: teapot' },
      ],
      [
        'an error that is thrown',
        (app) => {
          app.use(() => {
            throw new Error('broken');
          });
          app.use(errorPage);
        },
        { status: 500, body: 'sorry: broken' },
      ],
      [
        '204 with nothing',
        (app) => app.use((_req, res) => void res.status(204).end()),
        { status: 204, body: '' },
      ],
      [
        'a page',
        (app) => app.use((_req, res) => void res.send('<h1>not a WebSocket</h1>')),
        { status: 200, body: '<h1>not a WebSocket</h1>' },
      ],
    ])('%s', async (_what, setUp, expected) => {
      const handler = jest.fn();
      const { port } = await openSite(express, (app, instance) => {
        setUp(app, instance);
        app.ws('/chat', handler);
      });

      const answer = await dial(port, '/chat');

      expect(answer).toMatchObject(expected);
      expect(answer.headers.connection).toBe('close');
      expect(answer.headers).not.toHaveProperty('sec-websocket-accept');
      expect(handler).not.toHaveBeenCalled();
    });

    test('from the route’s own middleware as well', async () => {
      const { port } = await openSite(express, (app) => {
        app.ws('/chat', (_req, res) => void res.status(401).json({ error: 'no' }), jest.fn());
      });
      expect(await dial(port, '/chat')).toMatchObject({ status: 401, body: '{"error":"no"}' });
    });

    test('with the session that it belongs to', async () => {
      const store = new SlowStore();
      const { port } = await openSite(express, (app) => {
        app.use(sessions(store));
        app.use((req, res) => {
          req.session.visits = 1;
          res.status(401).json({ error: 'no' });
        });
      });

      const { status, headers } = await dial(port, '/chat');

      expect(status).toBe(401);
      expect(cookieOf(headers)).toMatch(/^connect\.sid=/);
      expect(store.saved).toMatchObject([{ visits: 1 }]);
    });
  },
);

describe.each(VERSIONS)('%s: middleware', (_name, express) => {
  test('runs exactly once each, in its order, before the 101; the URL is untouched', async () => {
    const calls: string[] = [];
    const note =
      (name: string): RequestHandler =>
      (req, _res, next) => {
        calls.push(`${name} ${req.url} ${req.originalUrl}`);
        setImmediate(next);
      };
    const { port } = await openSite(express, (app) => {
      const router = express.Router();
      app.use(note('app'), [note('listed'), note('deeply')]);
      router.use(note('router'));
      router.ws('/:room', note('route'), [note('two')], note('three'), (webSocket, req) => {
        calls.push(`handler ${req.url} ${req.originalUrl} ${req.baseUrl} ${req.path}`);
        webSocket.send(calls.join('\n'));
      });
      app.use('/chat', router);
      app.use(note('never'));
    });
    const client = await open(port, '/chat/red?x=%20y');

    expect((await client.message()).split('\n')).toEqual([
      'app /chat/red?x=%20y /chat/red?x=%20y',
      'listed /chat/red?x=%20y /chat/red?x=%20y',
      'deeply /chat/red?x=%20y /chat/red?x=%20y',
      'router /red?x=%20y /chat/red?x=%20y',
      'route /red?x=%20y /chat/red?x=%20y',
      'two /red?x=%20y /chat/red?x=%20y',
      'three /red?x=%20y /chat/red?x=%20y',
      'handler /red?x=%20y /chat/red?x=%20y /chat /red',
    ]);
    await new Promise(setImmediate);
    expect(calls).not.toContain(expect.stringContaining('never'));
  });

  test('that is slow loses no message', async () => {
    const { port } = await openSite(express, (app) => {
      app.use((_req, _res, next) => void setTimeout(next, 60));
      app.ws('/chat', async (webSocket) => {
        await sleep(30);
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      });
    });
    const client = await open(port, '/chat');
    for (let count = 0; count < 10; count++) client.send(String(count));
    for (let count = 0; count < 10; count++) expect(await client.message()).toBe(`got ${count}`);
  });

  test('that listens to the response hears of its end as of any other', async () => {
    const events: string[] = [];
    const ended = deferred();
    const { port } = await openSite(express, (app) => {
      app.use((_req, res, next) => {
        res.on('finish', () => events.push(`finish ${res.statusCode}`));
        res.on('close', () => {
          events.push('close');
          ended.resolve();
        });
        next();
      });
      app.ws('/chat', () => events.push('handler'));
    });
    await open(port, '/chat');
    await ended.promise;
    expect(events).toEqual(['finish 101', 'handler', 'close']);
  });

  test('that compresses leaves WebSockets alone', async () => {
    const { port } = await openSite(express, (app) => {
      app.use(compression({ threshold: 0, filter: () => true }));
      app.ws('/chat', (webSocket) =>
        webSocket.on('message', (text) => webSocket.send(`got ${text}`)),
      );
      app.use((_req, res) => void res.status(404).send('no such page '.repeat(100)));
    });
    const headers = { 'Accept-Encoding': 'gzip' };
    const client = await open(port, '/chat', { headers });

    expect(await client.ask('hi')).toBe('got hi');
    const page = await get(port, '/nothing', { headers });
    expect([page.status, page.headers.get('content-encoding')]).toEqual([404, 'gzip']);
    const refused = await dial(port, '/nothing', { headers });
    expect([refused.status, refused.headers['content-encoding']]).toEqual([404, 'gzip']);
  });
});

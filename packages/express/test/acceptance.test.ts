import { dial, get, open } from '@upwire/adapter-contract';
import compression from 'compression';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import session from 'express-session';
import helmet from 'helmet';
import { cleanUp } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

const errorPage: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(error.status ?? 500).send(`sorry: ${error.message}`);
};

describe.each(VERSIONS)('%s: the 101', (_name, express) => {
  test('carries the cookie of express-session and helmet’s headers', async () => {
    const { port } = await openSite(express, (app) => {
      app.use(helmet());
      app.use(session({ secret: 'test', resave: false, saveUninitialized: true }));
      app.ws('/chat', (webSocket) => webSocket.send('hello'));
    });
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
    // As helmet takes it away.
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(await client.message()).toBe('hello');
  });
});

describe.each(VERSIONS)('%s: what middleware answers reaches the client', (_name, express) => {
  test.each<[string, Parameters<typeof openSite>[1], object]>([
    [
      'by res.redirect()',
      (app) => app.use((_req, res) => res.redirect('/login')),
      { status: 302, headers: { location: '/login' }, body: 'Found. Redirecting to /login' },
    ],
    [
      'by res.cookie() and res.sendStatus()',
      (app) => app.use((_req, res) => void res.cookie('tried', '1').sendStatus(403)),
      { status: 403, headers: { 'set-cookie': ['tried=1; Path=/'] }, body: 'Forbidden' },
    ],
    [
      'by error middleware',
      (app) => {
        app.use((_req, _res, next) => next(Object.assign(new Error('teapot'), { status: 418 })));
        app.use(errorPage);
      },
      { status: 418, body: 'sorry: teapot' },
    ],
    [
      'by error middleware for what is thrown',
      (app) => {
        app.use(() => {
          throw new Error('broken');
        });
        app.use(errorPage);
      },
      { status: 500, body: 'sorry: broken' },
    ],
  ])('%s', async (_what, setUp, expected) => {
    const handler = jest.fn();
    const { port } = await openSite(express, (app, instance) => {
      setUp(app, instance);
      app.ws('/chat', handler);
    });
    expect(await dial(port, '/chat')).toMatchObject(expected);
    expect(handler).not.toHaveBeenCalled();
  });
});

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

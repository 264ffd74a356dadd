import { dial, get, knockAt, open } from '@upwire/adapter-contract';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { answerOf, cleanUp, knock } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, prepare } from './support/site';

afterEach(cleanUp);

/** A route that says what it is. */
function greet(app: FastifyInstance, path: string, text = path): void {
  app.get(path, { websocket: true }, (webSocket) => webSocket.send(text));
}

async function greeting(port: number, path: string, headers = {}): Promise<string> {
  return (await open(port, path, { headers })).message();
}

describe('a route', () => {
  test.each<[string, string, object]>([
    ['/chat/:room', '/chat/caf%C3%A9?x=1', { room: 'café' }],
    ['/files/*', '/files/a/b', { '*': 'a/b' }],
    ['/day/:day(^\\d{2}$)', '/day/07', { day: '07' }],
    ['/from/:here-:there', '/from/a-b', { here: 'a', there: 'b' }],
    ['/maybe/:name?', '/maybe', {}],
  ])('%s takes %s', async (pattern, path, params) => {
    const { port } = await openSite((app) => {
      app.get(pattern, { websocket: true }, (webSocket, request) => {
        webSocket.send(JSON.stringify([request.params, request.url]));
      });
    });
    expect(JSON.parse(await greeting(port, path))).toEqual([params, path]);
  });

  test('gives its handler the instance, a WebSocket and the request, which knows what it is', async () => {
    const { app, port } = await openSite((app) => {
      app.decorate('name', 'ours');
      app.get('/chat', { websocket: true }, function (webSocket, request) {
        webSocket.send(JSON.stringify([this === app, request.ws, request.query, request.is404]));
      });
      app.get('/page', async (request) => ({ ws: request.ws }));
    });
    expect(await greeting(port, '/chat?a=1')).toBe('[true,true,{"a":"1"},false]');
    expect((await get(port, '/page')).body).toBe('{"ws":false}');
    expect((await app.inject('/page')).json()).toEqual({ ws: false });
  });

  test('is declared in a plugin, with its prefix and its hooks', async () => {
    const calls: string[] = [];
    const { port } = await openSite(async (app) => {
      await app.register(
        async (inner) => {
          inner.decorate('mood', 'good');
          inner.addHook('onRequest', async (request) => void calls.push(request.url));
          inner.get('/', { websocket: true }, function (webSocket) {
            webSocket.send(`${this === inner} ${this.getDecorator('mood')} ${this.prefix}`);
          });
          await inner.register(async (innermost) => greet(innermost, '/:id', 'deep'), {
            prefix: '/deep',
          });
        },
        { prefix: '/api' },
      );
      greet(app, '/outside');
    });
    expect(await greeting(port, '/api')).toBe('true good /api');
    expect(await greeting(port, '/api/')).toBe('true good /api');
    expect(await greeting(port, '/api/deep/7')).toBe('deep');
    expect(await greeting(port, '/outside')).toBe('/outside');
    expect(calls).toEqual(['/api', '/api/', '/api/deep/7']);
  });

  test('takes both kinds of request with a handler for each, in either syntax', async () => {
    const { port } = await openSite((app) => {
      app.route({
        method: 'GET',
        url: '/one',
        handler: (_request, reply) => reply.send('page one'),
        wsHandler: (webSocket) => webSocket.send('one'),
      });
      app.route({
        method: 'GET',
        url: '/two',
        websocket: true,
        async handler(request) {
          return `page ${this === app} ${request.ws}`;
        },
        wsHandler(webSocket, request) {
          webSocket.send(`two ${this === app} ${request.ws}`);
        },
      });
      app.route({
        method: 'GET',
        url: '/three',
        websocket: true,
        handler: (webSocket) => webSocket.send('three'),
      });
    });
    expect(await greeting(port, '/one')).toBe('one');
    expect((await get(port, '/one')).body).toBe('page one');
    expect(await greeting(port, '/two')).toBe('two true true');
    expect((await get(port, '/two')).body).toBe('page true false');
    expect(await greeting(port, '/three')).toBe('three');
    expect((await get(port, '/three')).status).toBe(426);
  });

  test('is found by what else Fastify looks at: host, version, case and slashes', async () => {
    const { port } = await openSite(
      (app) => {
        app.get('/chat', { websocket: true, constraints: { host: 'a.example' } }, (webSocket) =>
          webSocket.send('at a'),
        );
        app.get('/chat', { websocket: true, constraints: { version: '2.0.0' } }, (webSocket) =>
          webSocket.send('version 2'),
        );
        greet(app, '/Chat', 'any');
      },
      { fastify: { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true } } },
    );
    expect(await greeting(port, '/CHAT/', { host: 'a.example' })).toBe('at a');
    expect(await greeting(port, '/chat', { 'accept-version': '2.x' })).toBe('version 2');
    expect(await greeting(port, '/chat')).toBe('any');
  });

  test('is found behind a URL that the instance rewrites', async () => {
    const { port } = await openSite((app) => greet(app, '/chat'), {
      fastify: { rewriteUrl: ({ url = '' }) => url.replace('/old', '') },
    });
    expect(await greeting(port, '/old/chat')).toBe('/chat');
  });
});

describe('a plain request of a route that has only WebSockets', () => {
  const BODY = 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n';

  test('is told to upgrade, with what hooks have set', async () => {
    const log: string[] = [];
    const { port } = await openSite((app) => {
      app.addHook('onSend', async (_request, reply) => void reply.header('x-hook', '1'));
      app.addHook('onResponse', async (request, reply) => {
        log.push(`${request.method} ${reply.statusCode}`);
      });
      greet(app, '/chat');
    });
    const page = await get(port, '/chat');
    expect([page.status, page.body]).toEqual([426, BODY]);
    expect(Object.fromEntries(page.headers)).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(BODY.length),
      'x-hook': '1',
    });
    const head = await get(port, '/chat', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([426, '']);
    expect(head.headers.get('content-length')).toBe(String(BODY.length));
    expect(log).toEqual(['GET 426', 'HEAD 426']);
  });

  test('is what its hooks say, before that', async () => {
    const { port } = await openSite((app) => {
      app.addHook('onRequest', (_request, reply) => void reply.code(401).send('who are you?'));
      greet(app, '/chat');
    });
    expect(await get(port, '/chat')).toMatchObject({ status: 401, body: 'who are you?' });
  });

  test('is 404 for HEAD where the instance exposes no HEAD routes', async () => {
    const { app, port } = await openSite((app) => greet(app, '/chat'), {
      fastify: { exposeHeadRoutes: false },
    });
    expect((await get(port, '/chat', { method: 'HEAD' })).status).toBe(404);
    expect((await app.inject({ url: '/chat', method: 'POST' })).statusCode).toBe(404);
  });

  test('also by inject()', async () => {
    const app = await prepare();
    greet(app, '/chat');
    app.get('/page', async () => 'page');
    const { statusCode, body } = await app.inject('/chat');
    expect([statusCode, body]).toEqual([426, BODY]);
    expect((await app.inject('/page')).body).toBe('page');
  });
});

describe('a handshake that comes to no WebSocket route', () => {
  test('is answered by the page that it comes to', async () => {
    const { port } = await openSite((app) => {
      app.get('/page/:name', async (request) => ({ ws: request.ws, params: request.params }));
      greet(app, '/chat');
    });
    const { status, body, headers } = await dial(port, '/page/x');
    expect([status, body]).toEqual([200, '{"ws":true,"params":{"name":"x"}}']);
    expect(headers.connection).toBe('close');
  });

  test('is 404 in Fastify’s words, or in those of the application', async () => {
    const { port } = await openSite((app) => greet(app, '/chat'));
    const { status, body } = await dial(port, '/none');
    expect([status, JSON.parse(body)]).toEqual([
      404,
      { statusCode: 404, error: 'Not Found', message: 'Route GET:/none not found' },
    ]);

    const other = await openSite((app) => {
      app.setNotFoundHandler((_request, reply) => void reply.code(410).send('gone'));
    });
    expect(await dial(other.port, '/none')).toMatchObject({ status: 410, body: 'gone' });
  });

  test('is 400 where the path cannot be decoded', async () => {
    const { port } = await openSite((app) => greet(app, '/chat/:room'));
    const answer = await answerOf(await knock(port, {}, 'GET /chat/%E0%A4%A HTTP/1.1'));
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'FST_ERR_BAD_URL']);
    expect(answer.headers.connection).toBe('close');
  });

  test('is 405 where it is no GET', async () => {
    const { port } = await openSite((app) => {
      greet(app, '/chat');
      app.post('/chat', async () => 'posted');
    });
    const answer = await answerOf(await knock(port, {}, 'POST /chat HTTP/1.1'));
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET']);
  });

  test('is Fastify’s own 101 nowhere', async () => {
    const { port } = await openSite((app) => {
      app.get('/fake', (_request, reply) => void reply.code(101).send());
    });
    const client = await knockAt(port, '/fake');
    await client.rest();
    await client.closed;
  });
});

describe('a declaration', () => {
  const handler = () => undefined;

  test.each<[string, (app: FastifyInstance) => unknown, string]>([
    [
      'POST',
      (app) => app.post('/chat', { websocket: true }, handler),
      'the route POST /chat cannot take WebSockets, whose method is GET',
    ],
    [
      'HEAD alone',
      (app) => app.head('/chat', { websocket: true }, handler),
      'the route HEAD /chat cannot take WebSockets, whose method is GET',
    ],
    [
      'GET and POST',
      (app) => app.route({ method: ['GET', 'POST'], url: '/chat', handler, wsHandler: handler }),
      'the route GET, POST /chat cannot take WebSockets, whose method is GET',
    ],
    [
      'a wsHandler that is none',
      (app) => app.route({ method: 'GET', url: '/chat', handler, wsHandler: 'no' as never }),
      '"wsHandler" of the route GET /chat must be a function, got no',
    ],
    [
      'websocket: "yes"',
      (app) => app.get('/chat', { websocket: 'yes' as never }, handler),
      '"websocket" of the route GET /chat must be a boolean or options, got yes',
    ],
    [
      'websocket: null',
      (app) => app.get('/chat', { websocket: null as never }, handler),
      '"websocket" of the route GET /chat must be a boolean or options, got null',
    ],
    [
      'an option that no route has',
      (app) => app.get('/chat', { websocket: { clientTracking: true } as never }, handler),
      "The option 'clientTracking' is not one of a single route",
    ],
  ])('of %s is refused at once', async (_what, declare, message) => {
    const app = await prepare();
    expect(() => declare(app)).toThrow(new TypeError(message));
  });

  test('with an option out of range is refused at once', async () => {
    const app = await prepare();
    expect(() => app.get('/chat', { websocket: { maxPayload: -1 } }, handler)).toThrow(RangeError);
  });

  test('may name GET and HEAD', async () => {
    const { port } = await openSite((app) => {
      app.route({
        method: ['GET', 'HEAD'],
        url: '/both',
        handler: (_request, reply) => void reply.send('page'),
        wsHandler: (webSocket) => webSocket.send('hello'),
      });
      app.route({
        method: ['GET', 'HEAD'],
        url: '/chat',
        websocket: true,
        handler: (webSocket) => webSocket.send('hello'),
      });
    });
    for (const path of ['/both', '/chat']) expect(await greeting(port, path)).toBe('hello');
    expect((await get(port, '/both', { method: 'HEAD' })).status).toBe(200);
    expect((await get(port, '/chat', { method: 'HEAD' })).status).toBe(426);
  });

  test('may say websocket: false', async () => {
    const { port } = await openSite((app) => {
      app.get('/page', { websocket: false }, async () => 'page');
    });
    expect((await dial(port, '/page')).status).toBe(200);
  });

  test('of the same handler for several routes is well', async () => {
    const { port } = await openSite((app) => {
      const handler: upwire.WebSocketHandler = (webSocket, { url }) => webSocket.send(url);
      app.get('/a', { websocket: true }, handler);
      app.get('/b', { websocket: true }, handler);
    });
    for (const path of ['/a', '/b']) {
      expect(await greeting(port, path)).toBe(path);
      expect((await get(port, path, { method: 'HEAD' })).status).toBe(426);
    }
  });
});

describe('a WebSocket route that is declared before the plugin is ready', () => {
  const TOO_EARLY =
    'The WebSocket route GET /chat was declared before @upwire/fastify was ready: write ' +
    '"await fastify.register(upwire)" before it, or declare it in a plugin that is registered behind';

  test.each<[string, (app: FastifyInstance) => unknown]>([
    ['on the same instance', (app) => greet(app, '/chat')],
    [
      'in a plugin that was registered before',
      (app) => app.register(async (inner) => greet(inner, '/chat')),
    ],
  ])('%s keeps the application from starting', async (_where, declare) => {
    const app = Fastify();
    declare(app);
    app.register(upwire);
    await expect(app.ready()).rejects.toThrow(new Error(TOO_EARLY));
    await app.close();
  });

  test('just behind a register() that nobody waits for', async () => {
    const app = Fastify();
    app.register(upwire);
    greet(app, '/chat');
    await expect(app.ready()).rejects.toThrow(new Error(TOO_EARLY));
    await app.close();
  });

  test('is well in after(), in a plugin behind, or where others take it', async () => {
    const { port } = await openSite(async () => undefined);
    expect(port).toBeGreaterThan(0);

    const app = Fastify();
    app.register(async (inner) => {
      inner.decorate('websocketServer', {} as never);
      greet(inner, '/theirs');
    });
    app.get('/page', async () => 'page');
    app.register(async (scope) => {
      scope.register(upwire);
      scope.after(() => greet(scope, '/after'));
      scope.register(async (inner) => greet(inner, '/behind'));
    });
    await app.ready();
    expect((await app.inject('/after')).statusCode).toBe(426);
    expect((await app.inject('/behind')).statusCode).toBe(426);
    await app.close();
  });

  test('and was not seen is told of in the log, once', async () => {
    const lines: string[] = [];
    const app = Fastify({ logger: { level: 'warn', stream: { write: (it) => lines.push(it) } } });
    // Seen or not, it looks like any page.
    app.get('/page', async () => 'page');
    app.register(upwire);
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.addresses()[0] as { port: number };
    for (let count = 0; count < 2; count++) expect((await dial(port, '/page')).status).toBe(200);
    await app.close();
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'A WebSocket was refused by the route /page, which was declared before @upwire/fastify was ready. ' +
        'If it is to take WebSockets, write "await fastify.register(upwire)" before it',
    ]);
  });
});

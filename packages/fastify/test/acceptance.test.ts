import cookie from '@fastify/cookie';
import secureSession from '@fastify/secure-session';
import session from '@fastify/session';
import { dial, get, knockAt, open, SlowStore, until } from '@upwire/adapter-contract';
import type { FastifyInstance } from 'fastify';
import { cleanUp, deferred, masked } from '../../engine/test/support/site';
import { openSite } from './support/site';

afterEach(cleanUp);

// Both packages say what a request's session is, and this one's word holds in a program that has both.
declare module '@fastify/secure-session' {
  interface SessionData {
    user: string;
  }
}

const cookieOf = (headers: { 'set-cookie'?: string[] }) =>
  headers['set-cookie']?.[0].split(';')[0] ?? '';

/** Gives back what it is sent. */
function echo(app: FastifyInstance, path = '/chat'): void {
  app.get(path, { websocket: true }, (webSocket) => {
    webSocket.on('message', (text) => webSocket.send(`got ${text}`));
  });
}

describe('with @fastify/session', () => {
  async function openShop() {
    const store = new SlowStore();
    const site = await openSite(async (app) => {
      await app.register(cookie);
      await app.register(session, {
        secret: 'a secret of at least thirty-two characters',
        cookie: { secure: false },
        store: {
          get: (id, done) => void store.get(id).then((it) => done(null, it as never), done),
          set: (id, data, done) => void store.set(id, data).then(() => done(), done),
          destroy: (id, done) => void store.destroy(id).then(() => done(), done),
        },
      });
      app.get(
        '/login',
        {
          websocket: true,
          preHandler: async (request) => {
            request.session.set('user', 'ada');
          },
        },
        (webSocket) => webSocket.send(`${store.saved.length} saved`),
      );
      app.get('/who', async (request) => ({ user: request.session.get('user') }));
      app.get('/greet', { websocket: true }, (webSocket, request) =>
        webSocket.send(`hello, ${request.session.get('user')}`),
      );
    });
    return { ...site, store };
  }

  test('the 101 carries the cookie, and the session is stored before the handler runs', async () => {
    const { port, store } = await openShop();
    const { status, headers, client } = await dial(port, '/login');
    expect(status).toBe(101);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(/^sessionId=\S+; Path=\/; HttpOnly$/),
    ]);
    expect(await client.message()).toBe('1 saved');
    expect(store.saved).toMatchObject([{ user: 'ada' }]);
  });

  test('pages and WebSockets share it', async () => {
    const { port } = await openShop();
    const { headers } = await dial(port, '/login');
    const cookies = { cookie: cookieOf(headers) };
    expect((await get(port, '/who', { headers: cookies })).body).toBe('{"user":"ada"}');
    const client = await open(port, '/greet', { headers: cookies });
    expect(await client.message()).toBe('hello, ada');
  });

  test('a store that fails is an error of the application, and the client is told by its page', async () => {
    const handler = jest.fn();
    const { port } = await openSite(async (app) => {
      await app.register(cookie);
      await app.register(session, {
        secret: 'a secret of at least thirty-two characters',
        cookie: { secure: false },
        store: {
          get: (_id, done) => done(null, null),
          set: (_id, _data, done) => setImmediate(done, new Error('the store is down')),
          destroy: (_id, done) => done(),
        },
      });
      app.setErrorHandler((error: Error, _request, reply) => {
        // As the store stays down, it must not be asked again.
        reply.hijack();
        reply.raw.writeHead(500, { 'Content-Length': error.message.length }).end(error.message);
      });
      app.get('/chat', { websocket: true }, handler);
    });
    const { status, headers, body } = await dial(port, '/chat');
    expect([status, body]).toEqual([500, 'the store is down']);
    expect(headers.connection).toBe('close');
    for (const name of ['upgrade', 'sec-websocket-accept'])
      expect(headers).not.toHaveProperty(name);
    expect(handler).not.toHaveBeenCalled();
  });
});

test('with @fastify/secure-session, the session is in the cookie of the 101', async () => {
  const { port } = await openSite(async (app) => {
    await app.register(secureSession, { key: Buffer.alloc(32, 7), cookie: { path: '/' } });
    app.get('/login', { websocket: true }, (webSocket, request) => {
      webSocket.send(`${request.session.get('user')}`);
    });
    app.addHook('preHandler', async (request) => {
      if (request.url === '/login') request.session.set('user', 'ada');
    });
    app.get('/who', async (request) => ({ user: request.session.get('user') }));
  });
  const { headers, client } = await dial(port, '/login');
  expect(await client.message()).toBe('ada');
  expect(headers['set-cookie']).toHaveLength(1);
  const page = await get(port, '/who', { headers: { cookie: cookieOf(headers) } });
  expect(page.body).toBe('{"user":"ada"}');
});

describe('hooks', () => {
  test('run once each, in their order, with the 101 as with any response', async () => {
    const calls: string[] = [];
    const over = deferred();
    const { port } = await openSite((app) => {
      const note = (name: string) => async () => {
        await new Promise(setImmediate);
        calls.push(name);
      };
      app.addHook('onRequest', note('onRequest'));
      app.addHook('preParsing', note('preParsing'));
      app.addHook('preValidation', note('preValidation'));
      app.addHook('preHandler', note('preHandler'));
      app.addHook('preSerialization', note('preSerialization'));
      app.addHook('onSend', async (_request, reply, payload) => {
        await new Promise(setImmediate);
        calls.push(`onSend ${reply.statusCode} ${payload}`);
      });
      app.addHook('onResponse', async (_request, reply) => {
        calls.push(`onResponse ${reply.statusCode}`);
        over.resolve();
      });
      app.addHook('onError', note('onError'));
      app.addHook('onTimeout', note('onTimeout'));
      app.addHook('onRequestAbort', async (_request) => void calls.push('onRequestAbort'));
      app.get(
        '/chat',
        { websocket: true, preHandler: note('its own preHandler'), onSend: note('its own onSend') },
        () => void calls.push('handler'),
      );
    });
    const client = await open(port, '/chat');
    await over.promise;
    client.webSocket.close(1000);
    await client.closed;
    expect(calls).toEqual([
      'onRequest',
      'preParsing',
      'preValidation',
      'preHandler',
      'its own preHandler',
      'onSend 101 undefined',
      'its own onSend',
      'onResponse 101',
      'handler',
    ]);
  });

  test('set headers of the 101, but none of a body and none of the handshake', async () => {
    const { port } = await openSite((app) => {
      app.addHook('onRequest', async (_request, reply) => {
        reply.header('x-one', '1').header('content-type', 'text/html').header('upgrade', 'h2c');
        reply.raw.setHeader('X-Raw', '2');
      });
      app.addHook('onSend', async (_request, reply) => {
        reply.header('set-cookie', 'a=1').header('set-cookie', 'b=2').header('connection', 'close');
        return 'a body';
      });
      echo(app);
    });
    const { status, headers, client } = await dial(port, '/chat');
    expect(status).toBe(101);
    expect(headers).toEqual({
      'x-one': '1',
      'x-raw': '2',
      'set-cookie': ['a=1', 'b=2'],
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-accept': expect.any(String),
      date: expect.any(String),
    });
    expect(await client.ask('hi')).toBe('got hi');
  });

  test('find what others have decorated', async () => {
    const { port } = await openSite((app) => {
      app.decorateRequest('user', '');
      app.decorateReply('vary', function (this: { header(name: string, value: string): void }) {
        this.header('vary', 'origin');
      });
      app.addHook('preHandler', async (request, reply) => {
        request.setDecorator('user', 'ada');
        reply.getDecorator<() => void>('vary')();
      });
      app.get('/chat', { websocket: true }, (webSocket, request) => {
        webSocket.send(request.getDecorator('user'));
      });
    });
    const { headers, client } = await dial(port, '/chat');
    expect(headers.vary).toBe('origin');
    expect(await client.message()).toBe('ada');
  });

  test('may answer as late as in onSend', async () => {
    const handler = jest.fn();
    const { port } = await openSite((app) => {
      app.addHook('onSend', async (_request, reply) => {
        reply.code(403);
        return 'on second thought, no';
      });
      app.get('/chat', { websocket: true }, handler);
    });
    const { status, headers, body } = await dial(port, '/chat');
    expect([status, body]).toEqual([403, 'on second thought, no']);
    expect(headers).toEqual({
      connection: 'close',
      'content-length': '21',
      date: expect.any(String),
    });
    expect(handler).not.toHaveBeenCalled();
  });

  test('that fail in onSend are answered by the error handler', async () => {
    const handler = jest.fn();
    const { port } = await openSite((app) => {
      let calls = 0;
      app.addHook('onSend', async () => {
        if (calls++ === 0) throw new Error('failed in onSend');
      });
      app.get('/chat', { websocket: true }, handler);
    });
    const { status, headers, body } = await dial(port, '/chat');
    expect([status, JSON.parse(body).message]).toEqual([500, 'failed in onSend']);
    expect(headers.connection).toBe('close');
    expect(headers).not.toHaveProperty('upgrade');
    expect(handler).not.toHaveBeenCalled();
  });

  test('that set a header that cannot be sent are an error as well', async () => {
    const { port } = await openSite((app) => {
      app.addHook('onSend', async (_request, reply) => {
        if (reply.statusCode === 101) reply.header('x-bad', 'a\nb');
        else reply.removeHeader('x-bad');
      });
      echo(app);
    });
    const { status, headers, body } = await dial(port, '/chat');
    expect([status, JSON.parse(body).code]).toEqual([500, 'ERR_INVALID_CHAR']);
    expect(headers).not.toHaveProperty('upgrade');
  });

  test('that are slow lose no message, nor does a handler that listens late', async () => {
    const { port } = await openSite((app) => {
      const wait = () => new Promise((resolve) => setTimeout(resolve, 30));
      app.addHook('onRequest', async () => void (await wait()));
      app.addHook('onSend', async () => void (await wait()));
      app.get('/chat', { websocket: true }, async (webSocket) => {
        await wait();
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      });
    });
    const raw = await knockAt(port, '/chat');
    // In the segment behind the handshake, or in the same one.
    raw.write(masked({ opcode: 1, payload: 'one' }), masked({ opcode: 1, payload: 'two' }));
    await raw.head();
    raw.write(masked({ opcode: 1, payload: 'three' }));
    for (const text of ['got one', 'got two', 'got three']) {
      expect((await raw.frame())?.payload.toString()).toBe(text);
    }
  });
});

describe('what hooks answer reaches the client as it is', () => {
  test.each<[string, (app: FastifyInstance) => void, object]>([
    [
      '401 with JSON',
      (app) =>
        app.addHook('onRequest', (_request, reply) => {
          reply.code(401).send({ error: 'log in first' });
        }),
      {
        status: 401,
        body: '{"error":"log in first"}',
        headers: { 'content-type': 'application/json; charset=utf-8', 'content-length': '24' },
      },
    ],
    [
      'from an async hook',
      (app) => app.addHook('preHandler', async (_request, reply) => reply.code(403).send('no')),
      { status: 403, body: 'no' },
    ],
    [
      'a redirect',
      (app) => app.addHook('preValidation', async (_request, reply) => reply.redirect('/login')),
      { status: 302, headers: { location: '/login' }, body: '' },
    ],
    [
      'a page',
      (app) => app.addHook('onRequest', async (_request, reply) => reply.send('a page')),
      { status: 200, body: 'a page' },
    ],
    [
      'an error',
      (app) =>
        app.addHook('preHandler', async () => {
          throw Object.assign(new Error('teapot'), { statusCode: 418 });
        }),
      { status: 418, body: '{"statusCode":418,"error":"I\'m a Teapot","message":"teapot"}' },
    ],
    [
      'an error, by the error handler',
      (app) => {
        app.setErrorHandler((error: Error, _request, reply) => {
          reply.code(503).header('x-sorry', '1').send(`sorry: ${error.message}`);
        });
        app.addHook('onRequest', async () => {
          throw new Error('broken');
        });
      },
      { status: 503, body: 'sorry: broken', headers: { 'x-sorry': '1' } },
    ],
  ])('%s', async (_what, setUp, expected) => {
    const handler = jest.fn();
    const { port } = await openSite((app) => {
      setUp(app);
      app.get('/chat', { websocket: true }, handler);
    });
    const answer = await dial(port, '/chat');
    expect(answer).toMatchObject(expected);
    expect(answer.headers.connection).toBe('close');
    expect(answer.headers).not.toHaveProperty('sec-websocket-accept');
    expect(handler).not.toHaveBeenCalled();
  });

  test('an error, by the handler of the route', async () => {
    const { port } = await openSite((app) => {
      app.get(
        '/chat',
        {
          websocket: true,
          preHandler: async () => {
            throw new Error('broken');
          },
          errorHandler: (error, _request, reply) => void reply.code(502).send(error.message),
        },
        jest.fn(),
      );
    });
    expect(await dial(port, '/chat')).toMatchObject({ status: 502, body: 'broken' });
  });
});

describe('the schema of a route', () => {
  const schema = {
    params: { type: 'object', properties: { room: { type: 'integer' } } },
    querystring: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    headers: { type: 'object', properties: { 'x-version': { type: 'integer', minimum: 2 } } },
  } as const;

  async function openRooms() {
    const handler = jest.fn();
    const { port } = await openSite((app) => {
      app.get<{ Params: { room: number }; Querystring: { name: string } }>(
        '/rooms/:room',
        { websocket: true, schema },
        (webSocket, { params, query }) => {
          handler();
          webSocket.send(JSON.stringify([params.room, query.name]));
        },
      );
    });
    return { port, handler };
  }

  test('converts what it lets through', async () => {
    const { port } = await openRooms();
    expect(await (await open(port, '/rooms/7?name=ada')).message()).toBe('[7,"ada"]');
  });

  test.each<[string, Record<string, string>, string]>([
    ['/rooms/red?name=ada', {}, 'params/room must be integer'],
    ['/rooms/7', {}, "querystring must have required property 'name'"],
    ['/rooms/7?name=ada', { 'x-version': '1' }, 'headers/x-version must be >= 2'],
  ])('refuses %s %p before the 101', async (path, headers, message) => {
    const { port, handler } = await openRooms();
    const answer = await dial(port, path, { headers });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toEqual({
      statusCode: 400,
      code: 'FST_ERR_VALIDATION',
      error: 'Bad Request',
      message,
    });
    expect(handler).not.toHaveBeenCalled();
  });
});

test('Fastify’s own log has the 101 once', async () => {
  const lines: { msg: string; res?: { statusCode: number } }[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const { port } = await openSite((app) => echo(app), { fastify: { logger: { stream } } });
  const client = await open(port, '/chat');
  await client.ask('hi');
  client.webSocket.close(1000);
  await client.closed;
  await get(port, '/none');
  await until(() => lines.filter(({ msg }) => msg === 'request completed').length === 2);
  const seen = lines.filter(({ msg }) => !msg.startsWith('Server listening'));
  expect(seen.map(({ msg, res }) => `${msg} ${res?.statusCode ?? ''}`)).toEqual([
    'incoming request ',
    'request completed 101',
    'incoming request ',
    'Route GET:/none not found ',
    'request completed 404',
  ]);
});

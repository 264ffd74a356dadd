import { AsyncLocalStorage } from 'node:async_hooks';
import { dial, open } from '@upwire/adapter-contract';
import type { Middleware, Next, ParameterizedContext } from 'koa';
import { cleanUp, deferred } from '../../engine/test/support/site';
import type { WebSocketApp } from './support/site';
import { openSite, sleep, VERSIONS } from './support/site';
import { compose } from './support/versions';

afterEach(cleanUp);

describe.each(VERSIONS)('%s: the middleware unwinds before the 101', (_name, Koa) => {
  test('what it sets on the way back is there: headers, cookies, the response time', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.keys = ['secret'];
      app.use(async (context, next) => {
        const start = Date.now();
        await next();
        context.set('X-Response-Time', `${Date.now() - start} ms`);
      });
      app.use(async (context, next) => {
        context.cookies.set('before', '1');
        await next();
        context.cookies.set('behind', '2', { signed: true });
      });
      app.ws(
        '/chat',
        async (_context, next) => {
          await sleep(10);
          await next();
          await sleep(10);
        },
        (webSocket) => webSocket.send('hello'),
      );
    });
    const { status, headers, client } = await dial(port, '/chat');
    expect(status).toBe(101);
    expect(headers).toMatchObject({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'x-response-time': expect.stringMatching(/^\d+ ms$/),
      'set-cookie': [
        'before=1; path=/; httponly',
        'behind=2; path=/; httponly',
        expect.stringMatching(/^behind\.sig=.+; path=\/; httponly$/),
      ],
    });
    expect(headers).not.toHaveProperty('content-length');
    expect(headers).not.toHaveProperty('content-type');
    expect(await client.message()).toBe('hello');
  });

  test('each runs once, in its order; the handler is last, and sees the same context', async () => {
    const calls: string[] = [];
    const note =
      (name: string) => async (context: { state: object; url: string }, next: () => unknown) => {
        calls.push(`${name} ${context.url}`);
        Object.assign(context.state, { [name]: true });
        await next();
        calls.push(`${name} back`);
      };
    const { port } = await openSite(Koa, (app) => {
      app.use(note('first'));
      app.ws.use(note('sockets'));
      app.ws('/chat/:room', note('route'), note('two'), (webSocket, context) => {
        calls.push(`handler ${context.params.room} ${context.status}`);
        webSocket.send(JSON.stringify({ calls, state: context.state }));
      });
      app.use(note('never'));
    });
    const { client } = await dial(port, '/chat/red?x=%20y');
    expect(JSON.parse(await client.message())).toEqual({
      calls: [
        'first /chat/red?x=%20y',
        'sockets /chat/red?x=%20y',
        'route /chat/red?x=%20y',
        'two /chat/red?x=%20y',
        'two back',
        'route back',
        'sockets back',
        'first back',
        'handler red 101',
      ],
      state: { first: true, sockets: true, route: true, two: true },
    });
  });

  test('it may change its mind on the way back', async () => {
    const handler = jest.fn();
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context, next) => {
        await next();
        if (context.status === 101 && !context.get('Authorization')) {
          context.status = 401;
          context.body = { error: 'who are you?' };
        }
      });
      app.ws('/chat', handler);
    });
    expect(await dial(port, '/chat')).toMatchObject({
      status: 401,
      body: '{"error":"who are you?"}',
      headers: { connection: 'close', 'content-type': 'application/json; charset=utf-8' },
    });
    expect(handler).not.toHaveBeenCalled();
    expect((await dial(port, '/chat', { headers: { Authorization: 'x' } })).status).toBe(101);
  });

  test('an envelope that it puts around every body is not for the 101', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context, next) => {
        await next();
        context.body = { data: context.body ?? null };
      });
      app.ws('/chat', (webSocket) => webSocket.send('hello'));
    });
    const { headers, client } = await dial(port, '/chat');
    expect(await client.message()).toBe('hello');
    expect(headers).not.toHaveProperty('content-type');
    expect(headers).not.toHaveProperty('content-length');
  });

  test('an error on the way back is answered by Koa, and the handler does not run', async () => {
    const handler = jest.fn();
    const { port, errors } = await openSite(Koa, (app) => {
      app.use(async (_context, next) => {
        await next();
        throw new Error('too late');
      });
      app.ws('/chat', handler);
    });
    expect(await dial(port, '/chat')).toMatchObject({ status: 500, body: 'Internal Server Error' });
    expect(errors).toEqual([new Error('too late')]);
    expect(handler).not.toHaveBeenCalled();
  });
});

type SetUp = (app: WebSocketApp) => void;

describe.each(VERSIONS)('%s: what middleware answers reaches the client as it is', (_name, Koa) => {
  test.each<[string, SetUp, object]>([
    [
      'ctx.throw(401)',
      (app) => app.use((context) => context.throw(401, 'log in first')),
      { status: 401, body: 'log in first' },
    ],
    [
      'ctx.throw with headers',
      (app) =>
        app.use((context) =>
          context.throw(401, 'no', { headers: { 'WWW-Authenticate': 'Basic realm="x"' } }),
        ),
      { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
    ],
    [
      'a JSON body',
      (app) =>
        app.use((context) => {
          context.status = 403;
          context.body = { error: 'no' };
        }),
      { status: 403, body: '{"error":"no"}' },
    ],
    [
      'a redirect',
      (app) => app.use((context) => context.redirect('/login')),
      { status: 302, headers: { location: '/login' } },
    ],
    [
      '204 with nothing',
      (app) =>
        app.use((context) => {
          context.status = 204;
        }),
      { status: 204, body: '' },
    ],
    [
      'an error',
      (app) =>
        app.use(() => {
          throw new Error('broken');
        }),
      { status: 500, body: 'Internal Server Error' },
    ],
    [
      'ctx.respond = false and the bare response',
      (app) =>
        app.use((context) => {
          context.respond = false;
          context.res.writeHead(418, { 'X-Own': '1' }).end('short and stout');
        }),
      { status: 418, body: 'short and stout', headers: { 'x-own': '1' } },
    ],
    [
      'the application’s own page for errors',
      (app) => {
        app.use(async (context, next) => {
          try {
            await next();
          } catch (error) {
            context.status = (error as { status: number }).status;
            context.body = `sorry: ${(error as Error).message}`;
          }
        });
        app.use((context) => context.throw(429, 'slow down'));
      },
      { status: 429, body: 'sorry: slow down' },
    ],
  ])('%s', async (_what, setUp, expected) => {
    const handler = jest.fn();
    const { port } = await openSite(Koa, (app) => {
      setUp(app);
      app.ws('/chat', handler);
    });
    const answer = await dial(port, '/chat');
    expect(answer).toMatchObject(expected);
    expect(answer.headers.connection).toBe('close');
    expect(answer.headers).not.toHaveProperty('sec-websocket-accept');
    expect(handler).not.toHaveBeenCalled();
  });
});

describe.each(VERSIONS)('%s: what Koa gives to its applications', (_name, Koa) => {
  test('app.context and subclasses are as for any other request', async () => {
    class Own extends Koa {
      readonly #greeting = 'hello';
      override callback() {
        // A private member, which only the instance itself has.
        this.context.greet = () => this.#greeting;
        return super.callback();
      }
    }
    const { port } = await openSite(new Own(), (app) => {
      app.context.shout = function (this: { path: string }) {
        return this.path.toUpperCase();
      };
      app.ws('/chat', (webSocket, context) =>
        webSocket.send(`${context.greet()} ${context.shout()} ${context.app === app}`),
      );
    });
    expect(await (await open(port, '/chat')).message()).toBe('hello /CHAT true');
  });

  test('app.currentContext is the context, in middleware and in the handler', async () => {
    const own = new Koa({ asyncLocalStorage: true });
    const seen: unknown[] = [];
    const done = deferred();
    const { port } = await openSite(own, (app) => {
      app.use(async (context, next) => {
        seen.push(app.currentContext === context);
        await next();
        seen.push(app.currentContext === context);
      });
      app.ws('/chat', async (_webSocket, context) => {
        seen.push(app.currentContext === context);
        await sleep(1);
        seen.push(app.currentContext === context);
        done.resolve();
      });
    });
    await open(port, '/chat');
    await done.promise;
    expect(seen).toEqual([true, true, true, true]);
  });

  test('so is the storage of middleware around the route', async () => {
    const storage = new AsyncLocalStorage<string>();
    const { port } = await openSite(Koa, (app) => {
      app.use((_context, next) => storage.run('mine', next));
      app.ws('/chat', (webSocket) => webSocket.send(String(storage.getStore())));
    });
    expect(await (await open(port, '/chat')).message()).toBe('mine');
  });

  test('middleware counts that was added before upwire(), or is added behind it', async () => {
    const own = new Koa();
    const mark = (name: string) => (context: ParameterizedContext, next: Next) => {
      context.append('X-Mark', name);
      return next();
    };
    own.use(mark('early'));
    const { port, app } = await openSite(own, (it) => {
      it.use(mark('late'));
      it.ws('/chat', () => undefined);
    });
    expect((await dial(port, '/chat')).headers['x-mark']).toBe('early, late');

    // As long as the application runs, where Koa itself has stopped looking.
    app.ws('/more', () => undefined);
    expect((await dial(port, '/more')).headers['x-mark']).toBe('early, late');
    app.middleware.unshift(mark('guard'));
    expect((await dial(port, '/chat')).headers['x-mark']).toBe('guard, early, late');
  });

  test('it is the application’s own compose() that composes', async () => {
    const calls: number[] = [];
    // Only Koa 3 has this option.
    const own = new Koa({
      compose: (middleware: Middleware[]) => {
        calls.push(middleware.length);
        return compose(middleware);
      },
    } as object);
    const { port } = await openSite(own, (app) => void app.ws('/chat', () => undefined));
    expect((await dial(port, '/chat')).status).toBe(101);
    expect((await dial(port, '/chat')).status).toBe(101);
    // For the server, and for WebSockets; Koa 2 does it behind everybody's back.
    expect(calls).toEqual('compose' in own ? [1, 2] : []);
    expect(own.middleware).toHaveLength(1);
  });
});

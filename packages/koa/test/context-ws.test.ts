import { dial, enterAt, get, open } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import { request } from '../../engine/test/support/raw-client';
import { cleanUp, connect, deferred, masked } from '../../engine/test/support/site';
import { openSite, sleep, VERSIONS } from './support/site';

afterEach(cleanUp);

describe.each(VERSIONS)('%s: ctx.ws()', (_name, Koa) => {
  test('is there for WebSockets alone', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context) => {
        if (context.ws) (await context.ws()).send('a message');
        else context.body = 'a page';
      });
    });
    expect(await (await open(port, '/')).message()).toBe('a message');
    expect((await get(port, '/')).body).toBe('a page');
  });

  test('accepts at once: what is set on the way back is not on the 101, and harms nothing', async () => {
    const done = deferred();
    const { port, errors } = await openSite(Koa, (app) => {
      app.keys = ['secret'];
      app.use(async (context, next) => {
        context.set('X-Before', '1');
        await next();
        context.set('X-Behind', '1');
        context.cookies.set('behind', '1');
        done.resolve();
      });
      app.use(async (context) => {
        const webSocket = await context.ws?.();
        webSocket?.on('message', (text) => webSocket.send(`got ${text}`));
      });
    });
    const { status, headers, client } = await dial(port, '/');
    await done.promise;
    expect([status, headers['x-before']]).toEqual([101, '1']);
    expect(headers).not.toHaveProperty('x-behind');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(await client.ask('hi')).toBe('got hi');
    expect(errors).toEqual([]);
  });

  test('loses no message: of those that came with the handshake, nor for a late listener', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context) => {
        await sleep(20);
        const webSocket = await context.ws?.();
        await sleep(20);
        webSocket?.on('message', (text) => webSocket.send(`got ${text}`));
      });
    });
    const client = await connect(port);
    const texts = ['a', 'b', 'c'];
    const frames = texts.map((payload) => masked({ opcode: 1, payload }));
    client.write(request(), ...frames);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    for (const text of texts) {
      expect((await client.frame())?.payload.toString()).toBe(`got ${text}`);
    }
  });

  test('resolves to the same WebSocket every time', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context) => {
        const both = await Promise.all([context.ws?.(), context.ws?.()]);
        both[0]?.send(`${both[0] === both[1] && both[0] === (await context.ws?.())}`);
      });
    });
    expect(await (await open(port, '/')).message()).toBe('true');
  });

  test('needs not be awaited by the middleware', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.use((context) => {
        context.ws?.().then((webSocket) => webSocket.send('hello'));
        context.body = 'not sent';
      });
    });
    expect(await (await open(port, '/')).message()).toBe('hello');
    expect(errors).toEqual([]);
  });

  test.each<[string, object, string, number]>([
    ['its origin', {}, 'http://evil.example', 403],
    ['verifyClient', { verifyClient: () => false, origins: '*' }, 'http://evil.example', 401],
  ])(
    'rejects when the client is refused because of %s, and the middleware unwinds',
    async (_what, options, origin, status) => {
      const seen: unknown[] = [];
      const handler = jest.fn();
      const { port, errors } = await openSite(
        Koa,
        (app) => {
          app.use(async (context, next) => {
            try {
              await next();
            } catch (error) {
              seen.push([(error as Error).message, context.status]);
              throw error;
            } finally {
              seen.push('cleaned up');
            }
          });
          app.use(async (context) => handler(await context.ws?.()));
        },
        options,
      );
      expect((await dial(port, '/', { origin })).status).toBe(status);
      expect(seen).toEqual([['The WebSocket handshake was not accepted', status], 'cleaned up']);
      expect(handler).not.toHaveBeenCalled();
      // It is no fault of the application's.
      expect(errors).toEqual([]);
    },
  );

  test('rejects when the client has gone', async () => {
    const hanging = deferred();
    const failed = deferred<unknown>();
    const { port, errors } = await openSite(Koa, (app) => {
      app.use(async (context) => {
        const gone = new Promise((resolve) => context.res.once('close', resolve));
        hanging.resolve();
        await gone;
        await context.ws?.().catch(failed.resolve);
      });
    });
    const client = await connect(port);
    client.write(request());
    await hanging.promise;
    client.reset();
    expect(await failed.promise).toEqual(new Error('The WebSocket handshake was not accepted'));
    // As Koa tells it of any request.
    expect(errors).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
  });

  test('rejects when the time for the handshake is over', async () => {
    const failed = deferred<unknown>();
    const { port } = await openSite(
      Koa,
      (app) => {
        app.use(async (context) => {
          await new Promise((resolve) => context.res.once('close', resolve));
          await context.ws?.().catch(failed.resolve);
        });
      },
      { handshakeTimeout: 20 },
    );
    expect((await dial(port, '/')).status).toBe(503);
    expect(await failed.promise).toEqual(new Error('The WebSocket handshake was not accepted'));
  });

  test('what is thrown behind a refusal is told once', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.use(async (context) => {
        await context.ws?.().catch(() => undefined);
        throw new Error('of its own');
      });
    });
    expect((await dial(port, '/', { origin: 'http://evil.example' })).status).toBe(403);
    expect(errors).toEqual([new Error('of its own')]);
  });

  test('what is thrown while it is on its way is told once, and closes with 1011', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.use((context) => {
        context.ws?.();
        throw new Error('hasty');
      });
    });
    expect(await (await open(port, '/')).closed).toEqual([1011, '']);
    expect(errors).toEqual([new Error('hasty')]);
  });

  test('goes before a route, and a route before it', async () => {
    const { port } = await openSite(Koa, (app) => {
      app.use(async (context, next) => {
        if (context.path === '/first') (await context.ws?.())?.send('ctx.ws()');
        return next();
      });
      app.ws('/:any', async (webSocket, context) => {
        webSocket.send('route');
        (await context.ws?.())?.send('the same');
      });
    });
    expect(await (await open(port, '/first')).message()).toBe('ctx.ws()');
    const client = await open(port, '/second');
    expect([await client.message(), await client.message()]).toEqual(['route', 'the same']);
  });

  test('the WebSocket lives on when the middleware is done', async () => {
    const webSockets: WebSocket[] = [];
    const unwound = deferred();
    const { port } = await openSite(Koa, (app) => {
      app.use(async (_context, next) => {
        await next();
        unwound.resolve();
      });
      app.use(async (context) => {
        const webSocket = await context.ws?.();
        if (webSocket) webSockets.push(webSocket);
      });
    });
    const client = await enterAt(port, '/');
    await unwound.promise;
    webSockets[0].send('still there');
    expect((await client.frame())?.payload.toString()).toBe('still there');
  });
});

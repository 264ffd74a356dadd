import { once } from 'node:events';
import type { ReadStream } from 'node:fs';
import { createReadStream } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Router from '@koa/router';
import type { Transport } from '@upwire/adapter-contract';
import { dial, get, listen, open, tls } from '@upwire/adapter-contract';
import type { Middleware } from 'koa';
import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer as WsServer } from 'ws';
import { cleanUp, deferred, later, portOf } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { KoaClass } from './support/site';
import { closeLater, openSite, sleep, VERSIONS } from './support/site';

afterEach(cleanUp);

/** An instance with a route that greets. */
function greeter(Koa: KoaClass, server?: Server, options?: upwire.Options) {
  const instance = upwire(new Koa(), server, options);
  instance.app.ws('/chat', (webSocket) => webSocket.send('hello'));
  instance.app.use((context) => {
    context.body = 'page';
  });
  return instance;
}

describe.each(VERSIONS)('%s: servers', (_name, Koa) => {
  test('app.listen() returns its server and calls back', async () => {
    const instance = greeter(Koa);
    const called = deferred();
    const server = instance.app.listen(0, '127.0.0.1', () => called.resolve());
    closeLater(server, instance);
    await called.promise;
    expect(await (await open(portOf(server), '/chat')).message()).toBe('hello');
    expect((await get(portOf(server), '/page')).body).toBe('page');
  });

  test.each<[Transport]>([['http'], ['https'], ['unix']])(
    'a server of one’s own and attach(), once or twice, over %s',
    async (transport) => {
      const instance = greeter(Koa);
      const answer = instance.app.callback();
      const server = transport === 'https' ? createSecureServer(tls, answer) : createServer(answer);
      closeLater(server, instance);
      instance.attach(server);
      instance.attach(server);
      const address = await listen(server, transport);
      expect(await (await open(address, '/chat')).message()).toBe('hello');
      expect((await get(address, '/page')).body).toBe('page');
      expect(instance.getWss().clients?.size).toBe(1);
    },
  );

  test('upwire(app, server), where the server listens already', async () => {
    const server = createServer((request, response) => void answer(request, response));
    const address = await listen(server, 'http');
    const instance = greeter(Koa, server);
    const answer = instance.app.callback();
    closeLater(server, instance);
    expect(await (await open(address, '/chat')).message()).toBe('hello');
  });

  test('several, each with its own end', async () => {
    const instance = greeter(Koa);
    const servers = [createServer(instance.app.callback()), createServer(instance.app.callback())];
    for (const server of servers) {
      instance.attach(server);
      await listen(server, 'http');
    }
    servers.push(instance.app.listen(0, '127.0.0.1'));
    await once(servers[2], 'listening');
    for (const server of servers) closeLater(server, instance);
    const clients = [];
    for (const server of servers) clients.push(await open(portOf(server), '/chat'));
    expect(instance.getWss().clients?.size).toBe(3);

    const closed = new Promise((done) => servers[1].close(done));

    expect(await clients[1].closed).toEqual([1001, '']);
    await closed;
    for (const server of [servers[0], servers[2]]) {
      expect(await (await open(portOf(server), '/chat')).message()).toBe('hello');
    }
  });

  test('one for two applications, each of which takes what the other leaves', async () => {
    const server = createServer();
    const instances = ['/a', '/b'].map((path) => {
      const instance = upwire(new Koa(), server);
      instance.app.use(async (context, next) => {
        if (context.path !== path) return next();
        const webSocket = await context.ws?.();
        webSocket?.send(`by ${path}`);
      });
      return instance;
    });
    for (const instance of instances) closeLater(server, instance);
    const address = await listen(server, 'http');
    for (const path of ['/a', '/b']) {
      expect(await (await open(address, path)).message()).toBe(`by ${path}`);
    }
    expect((await dial(address, '/c')).status).toBe(404);
  });

  test('two for one application, each by a call of its own', async () => {
    const app = new Koa();
    const servers: Server[] = [];
    const instances: upwire.Instance<typeof app>[] = [];
    for (let count = 0; count < 2; count++) {
      servers.push(createServer((request, response) => void app.callback()(request, response)));
      instances.push(upwire(app, servers[count]));
    }
    instances[1].app.ws('/chat', (webSocket) => webSocket.send('hello'));
    for (const [index, server] of servers.entries()) {
      const address = await listen(server, 'http');
      closeLater(server, instances[index]);
      expect(await (await open(address, '/chat')).message()).toBe('hello');
      expect((await dial(address, '/none')).status).toBe(404);
      expect((await get(address, '/chat')).status).toBe(426);
    }
    expect(instances.map(({ getWss }) => getWss().clients?.size)).toEqual([1, 1]);
  });

  test('getWss(), which is app.ws.server, has the clients, and tells of each', async () => {
    const seen: (string | undefined)[] = [];
    const { port, getWss } = await openSite(Koa, (app, instance) => {
      expect(app.ws.server).toBe(instance.getWss());
      app.ws.server.on('connection', (webSocket, request) => {
        seen.push(request.url);
        webSocket.send(`${app.ws.server.clients?.has(webSocket)}`);
      });
      app.ws('/chat', () => undefined);
    });
    const client = await open(port, '/chat?x');
    expect(await client.message()).toBe('true');
    expect(seen).toEqual(['/chat?x']);
    const [webSocket] = getWss().clients ?? [];
    const closed = new Promise((done) => webSocket.once('close', done));
    client.webSocket.close(1000, 'bye');
    await closed;
    expect(getWss().clients?.size).toBe(0);
  });

  test('server.close() says 1001 to all and calls back', async () => {
    const { port, server } = await openSite(Koa, (app) => void app.ws('/chat', () => undefined));
    const clients = [await open(port, '/chat'), await open(port, '/chat')];
    const closed = new Promise((done) => server.close(done));
    for (const client of clients) expect(await client.closed).toEqual([1001, '']);
    expect(await closed).toBeUndefined();
  });
});

/** Ways in which an application answers whatever no route has taken. */
const CATCH_ALLS: Record<string, Middleware> = {
  'a page for everything': (context) => {
    context.body = '<div id="app">';
  },
  'a 404 of its own': (context) => {
    context.status = 404;
    context.body = 'nothing here';
  },
  'Koa’s 404': () => undefined,
  'an error that is thrown': (context) => context.throw(401, 'log in first'),
};

describe.each(VERSIONS)('%s: beside another listener', (_name, Koa) => {
  async function openBeside(
    other: (server: Server) => void,
    order: 'before' | 'after',
    catchAll: Middleware = CATCH_ALLS['Koa’s 404'],
  ) {
    const instance = upwire(new Koa());
    const { app } = instance;
    const errors: unknown[] = [];
    app.on('error', (error) => errors.push(error));
    app.ws('/chat/:room', (webSocket, { params }) => webSocket.send(`chat ${params.room}`));
    app.ws(
      '/slow',
      async (_context, next) => {
        await sleep(1_500);
        await next();
      },
      (webSocket) => webSocket.send('slow'),
    );
    const inner = new Router();
    inner.get(
      '/in/:x',
      upwire.ws((webSocket, { params }) => webSocket.send(`in ${params.x}`)),
    );
    const outer = new Router({ prefix: '/outer' });
    outer.use('/nested', inner.routes());
    outer.get(
      '/guarded',
      (context) => context.throw(403, 'no'),
      upwire.ws(() => undefined),
    );
    app.use(outer.routes() as Middleware);
    // Nobody can see beforehand what a function wants.
    app.use(async (context, next) => {
      if (context.path === '/unseen') (await context.ws?.())?.send('unseen');
      else await next();
    });
    app.use(catchAll);
    const server = createServer(app.callback());
    if (order === 'before') other(server);
    instance.attach(server);
    if (order === 'after') other(server);
    const address = await listen(server, 'http');
    closeLater(server, instance);
    return { address, errors };
  }

  function bareWs(server: Server): void {
    const foreign = new WsServer({ server, path: '/bare' });
    foreign.on('connection', (webSocket) => webSocket.send('hello from ws'));
    later(() => {
      for (const webSocket of foreign.clients) webSocket.terminate();
    });
  }

  describe.each(['before', 'after'] as const)('that came %s', (order) => {
    test.each(Object.entries(CATCH_ALLS))(
      'each gets what is its own, with %s',
      async (_what, catchAll) => {
        const { address, errors } = await openBeside(bareWs, order, catchAll);
        const messages: Record<string, string> = {};
        for (const path of ['/chat/red', '/CHAT/red/', '/outer/nested/in/7', '/unseen', '/bare']) {
          messages[path] = await (await open(address, path)).message();
        }
        expect(messages).toEqual({
          '/chat/red': 'chat red',
          '/CHAT/red/': 'chat red',
          '/outer/nested/in/7': 'in 7',
          '/unseen': 'unseen',
          '/bare': 'hello from ws',
        });
        expect(errors).toEqual([]);
        // The other's answer, as it is without us.
        expect((await dial(address, '/neither')).status).toBe(400);
        // A guard's, in front of a route that is known.
        expect(await dial(address, '/outer/guarded')).toMatchObject({ status: 403, body: 'no' });
      },
    );

    test('a handshake may take longer than socket.io allows, and socket.io works', async () => {
      const { address } = await openBeside(
        (server) => {
          const io = new SocketIoServer(server, { serveClient: false });
          io.on('connection', (socket) => socket.emit('news', 'hello'));
          later(() => io.engine.close());
        },
        order,
        CATCH_ALLS['a page for everything'],
      );

      const slow = open(address, '/slow');
      const client = await open(address, '/socket.io/?EIO=4&transport=websocket');
      expect(await client.message()).toMatch(/^0\{"sid":/);
      client.send('40');
      expect(await client.message()).toMatch(/^40\{"sid":/);
      expect(await client.message()).toBe('42["news","hello"]');
      expect(await (await slow).message()).toBe('slow');
    });

    test('a fault of the middleware is told, and harms no other', async () => {
      const { address, errors } = await openBeside(bareWs, order, () => {
        throw new Error('broken');
      });
      expect(await (await open(address, '/bare')).message()).toBe('hello from ws');
      expect(errors).toEqual([new Error('broken')]);
    });

    test('a stream that would have been the answer is let go of', async () => {
      const streams: ReadStream[] = [];
      const { address } = await openBeside(bareWs, order, (context) => {
        streams.push(createReadStream(__filename));
        context.body = streams[0];
      });
      expect(await (await open(address, '/bare')).message()).toBe('hello from ws');
      expect(streams[0].destroyed).toBe(true);
    });
  });
});

import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Router from '@koa/router';
import type { Address } from '@upwire/adapter-contract';
import { addressOf, dial, get, listen, open, tls } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import supertest from 'supertest';
import superwstest from 'superwstest';
import { WebSocketServer as WsServer } from 'ws';
import { RawClient } from '../../engine/test/support/raw-client';
import { cleanUp, later } from '../../engine/test/support/site';
import type Easy from '../src/easy';
import { framesBehind101, ONLY_1011 } from './support/frames';
import type { App, KoaClass } from './support/versions';
import { VERSIONS } from './support/versions';

afterEach(cleanUp);

/** The package as it is in a program where `import 'koa'` finds the given copy. */
function packageWith(Koa: KoaClass): typeof Easy {
  let found: typeof Easy | undefined;
  jest.isolateModules(() => {
    jest.doMock('koa', () => Koa);
    found = require('../src/easy');
  });
  jest.dontMock('koa');
  if (found === undefined) throw new Error('Not loaded');
  return found;
}

function closeLater(server: Server): void {
  later(() => {
    server.close();
    server.closeAllConnections();
  });
}

async function listening(app: App): Promise<Address> {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(server);
  return addressOf(server, 'http');
}

describe.each(VERSIONS)('%s: what was written for koa-easy-ws', (_name, Koa) => {
  const easy = packageWith(Koa);

  test('runs with another import', async () => {
    const app = new Koa();

    app.use(easy());
    app.use(async (ctx, next) => {
      if (!ctx.ws) return next();
      const ws = await ctx.ws();
      ws.on('message', (text: string) => ws.send(`got ${text}`));
      return ws.send('hello there');
    });
    app.use((ctx) => {
      ctx.body = 'not a WebSocket';
    });

    const address = await listening(app);
    const client = await open(address, '/');
    expect(await client.message()).toBe('hello there');
    expect(await client.ask('hi')).toBe('got hi');
    expect((await get(address, '/')).body).toBe('not a WebSocket');
  });

  test('in routers, with refusals and errors of Koa', async () => {
    const app = new Koa();
    const errors: unknown[] = [];
    app.on('error', (error) => errors.push(error));
    const router = new Router();
    app.use(easy());
    router.get('/user/:name', async (ctx) => {
      if (ctx.params.name === 'eve') ctx.throw(403, 'not you');
      const ws = await ctx.ws?.();
      if (ctx.params.name === 'bob') throw new Error('bob');
      ws?.send(`hello ${ctx.params.name}`);
    });
    app.use(router.routes()).use(router.allowedMethods());
    const address = await listening(app);
    expect(await (await open(address, '/user/ada')).message()).toBe('hello ada');
    expect(await dial(address, '/user/eve')).toMatchObject({ status: 403, body: 'not you' });
    expect(await dial(address, '/none')).toMatchObject({ status: 404, body: 'Not Found' });
    // No page in the frames.
    expect(await framesBehind101(address.port, '/user/bob')).toEqual(ONLY_1011);
    expect(errors).toEqual([expect.objectContaining({ status: 403 }), new Error('bob')]);
  });

  test('propertyName, wsOptions, exposeServerOn and the property server', async () => {
    const app = new Koa();
    const websocket = easy('openWebSocket', {
      wsOptions: { maxPayload: 5, handleProtocols: () => 'b' },
      exposeServerOn: 'wss',
      noServerWorkaround: true,
    });
    app.use(websocket);
    app.use(async (ctx) => {
      ctx.body = String(ctx.wss === websocket.server);
      const ws: WebSocket | undefined = await ctx.openWebSocket?.();
      ws?.send(`${ws.protocol} ${websocket.server.clients.has(ws)} ${'ws' in ctx}`);
    });
    const address = await listening(app);
    const client = await open(address, '/', { subprotocols: ['a', 'b'] });
    expect(await client.message()).toBe('b true false');
    client.send('too long');
    expect((await client.closed)[0]).toBe(1009);
    expect((await get(address, '/')).body).toBe('true');
  });

  test.each(['http', 'https'] as const)(
    'a server that is given app.callback(), over %s',
    async (transport) => {
      const app = new Koa();
      app.use(easy());
      app.use(async (ctx) => (await ctx.ws?.())?.send('hello'));
      const answer = app.callback();
      const server = transport === 'https' ? createSecureServer(tls, answer) : createServer(answer);
      closeLater(server);
      const address = await listen(server, transport);
      // The very first request is a WebSocket, and its first frame comes with it.
      expect(await (await open(address, '/')).message()).toBe('hello');
    },
  );

  test('the server as an option, before or behind app.use()', async () => {
    for (const options of ['server', 'options'] as const) {
      const app = new Koa();
      const server = createServer((request, response) => void app.callback()(request, response));
      closeLater(server);
      app.use(easy('ws', options === 'server' ? server : { server }));
      app.use(async (ctx) => (await ctx.ws?.())?.send('hello'));
      const address = await listen(server, 'http');
      expect(await (await open(address, '/')).message()).toBe('hello');
    }
  });

  test('two of them, each with its own options and clients', async () => {
    const app = new Koa();
    const [small, large] = [
      easy('ws', { wsOptions: { maxPayload: 5 } }),
      easy('large', { wsOptions: { maxPayload: 50 } }),
    ];
    app.use(small).use(large);
    app.use(async (ctx) => {
      const ws: WebSocket | undefined = await (ctx.path === '/large' ? ctx.large?.() : ctx.ws?.());
      ws?.on('message', (text) => ws.send(`got ${text}`));
    });
    const address = await listening(app);
    const client = await open(address, '/large');
    expect(await client.ask('more than five')).toBe('got more than five');
    const other = await open(address, '/');
    expect([small.server.clients.size, large.server.clients.size]).toEqual([1, 1]);
    other.send('more than five');
    expect((await other.closed)[0]).toBe(1009);
  });

  test('beside another upgrade listener, where koa-easy-ws goes dead', async () => {
    const app = new Koa();
    let runs = 0;
    app.use(easy());
    app.use(async (ctx) => {
      runs += 1;
      if (ctx.path === '/ours') (await ctx.ws?.())?.send('ours');
    });
    const server = createServer(app.callback());
    const foreign = new WsServer({ server, path: '/theirs' });
    foreign.on('connection', (webSocket) => webSocket.send('theirs'));
    closeLater(server);
    const address = await listen(server, 'http');
    expect(await (await open(address, '/ours')).message()).toBe('ours');
    expect(await (await open(address, '/theirs')).message()).toBe('theirs');
    expect(runs).toBe(2);
    for (const webSocket of foreign.clients) webSocket.terminate();
  });

  test('server.close() ends, and supertest and superwstest work', async () => {
    const app = new Koa();
    app.use(easy());
    app.use(async (ctx) => {
      ctx.body = 'a page';
      const ws = await ctx.ws?.();
      ws?.on('message', (text) => ws.send(`got ${text}`));
    });
    await supertest(app.callback()).get('/').expect(200, 'a page');
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await superwstest(server).ws('/').sendText('hi').expectText('got hi').close().expectClosed();
    await new Promise((resolve) => server.close(resolve));

    const another = app.listen(0, '127.0.0.1');
    await once(another, 'listening');
    const client = await open(addressOf(another, 'http'), '/');
    const closed = new Promise((resolve) => another.close(resolve));
    expect(await client.closed).toEqual([1001, '']);
    await closed;
  });
});

describe.each(VERSIONS)('%s: easy()', (_name, Koa) => {
  const easy = packageWith(Koa);

  test('in an application of another copy of Koa works where it is given the server', async () => {
    const [other] = VERSIONS.map(([, it]) => it).filter((it) => it !== Koa);
    const app = new other();
    const server = createServer((request, response) => void app.callback()(request, response));
    closeLater(server);
    app.use(async (ctx, next) => {
      ctx.set('X-Outer', '1');
      await next();
    });
    app.use(easy('ws', server));
    app.use(async (ctx) => {
      if (ctx.path === '/chat') (await ctx.ws?.())?.send('hello');
    });
    const address = await listen(server, 'http');
    const { headers, client } = await dial(address, '/chat');
    expect([headers['x-outer'], await client.message()]).toEqual(['1', 'hello']);
    expect(await dial(address, '/none')).toMatchObject({ status: 404, body: 'Not Found' });
  });

  test('says so where the server is not known', async () => {
    const [other] = VERSIONS.map(([, it]) => it).filter((it) => it !== Koa);
    const app = new other();
    const errors: Error[] = [];
    app.on('error', (error) => errors.push(error));
    app.use(easy());
    app.use((ctx) => {
      ctx.body = 'a page';
    });
    const address = await listening(app);
    expect((await dial(address, '/')).status).toBe(500);
    expect(errors.map(({ message }) => message)).toEqual([
      "The server does not hand over WebSocket handshakes, because it is not known: give it to easy('ws', server)",
    ]);
    expect((await get(address, '/')).body).toBe('a page');
    expect((await get(address, '/', { headers: { Upgrade: 'h2c' } })).body).toBe('a page');
    const old = await RawClient.connect(address.port);
    old.write('GET / HTTP/1.0\r\n\r\n');
    expect(String(await old.rest())).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\na page$/s);
  });

  test('is for one application', () => {
    const middleware = easy();
    const app = new Koa();
    app.use(middleware).use(middleware);
    const other = new Koa();
    expect(() => other.use(middleware)).toThrow(
      new TypeError('This middleware is for one application, and is given to a second one'),
    );
    expect(other.middleware).toEqual([]);
  });

  test('leaves app.use() as it was', () => {
    const app = new Koa();
    const plain = () => undefined;
    expect(app.use(plain)).toBe(app);
    expect(app.middleware).toEqual([plain]);
    expect(() => Reflect.apply(app.use, app, ['x'])).toThrow('middleware must be a function!');
  });

  test.each<[string, unknown[], string]>([
    ['a name that is none', [5], 'The first argument must be a name, got 5'],
    [
      'options that are none',
      ['ws', 5],
      'The second argument must be an object of options or a server, got 5',
    ],
    [
      'null',
      ['ws', null],
      'The second argument must be an object of options or a server, got null',
    ],
    [
      'wsOptions 5',
      ['ws', { wsOptions: 5 }],
      'The "wsOptions" option must be an object of options, got 5',
    ],
    ['a wrong option', ['ws', { wsOptions: { origins: 5 } }], 'The option "origins" must be'],
    [
      'a wrong server',
      ['ws', { server: 5 }],
      'The server must be one of node:http or node:https, got 5',
    ],
    [
      'exposeServerOn 5',
      ['ws', { exposeServerOn: 5 }],
      'The "exposeServerOn" option must be a string, got 5',
    ],
  ])('%s throws', (_what, args, message) => {
    expect(() => Reflect.apply(easy, undefined, args)).toThrow(TypeError);
    expect(() => Reflect.apply(easy, undefined, args)).toThrow(message);
  });
});

import { dial, open } from '@upwire/adapter-contract';
import Fastify from 'fastify';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, prepare } from './support/site';

afterEach(cleanUp);

/** What registering the plugin with these options fails with. */
async function failure(options: unknown): Promise<unknown> {
  const app = Fastify();
  try {
    await app.register(upwire, options as upwire.Options);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await app.close();
  }
}

describe('registering', () => {
  test.each<[string, unknown, Error]>([
    [
      'maxPayload -1',
      { maxPayload: -1 },
      new RangeError(
        'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
      ),
    ],
    [
      'maxPayload of options',
      { options: { maxPayload: '1mb' } },
      new TypeError('The "maxPayload" option must be a number, got "1mb"'),
    ],
    ['onError 5', { onError: 5 }, new TypeError('The "onError" option must be a function, got 5')],
    [
      'errorHandler "log"',
      { errorHandler: 'log' },
      new TypeError('The "errorHandler" option must be a function, got "log"'),
    ],
    [
      'preClose true',
      { preClose: true },
      new TypeError('The "preClose" option must be a function, got true'),
    ],
    [
      'options null',
      { options: null },
      new TypeError('The "options" option must be an object of options, got null'),
    ],
    [
      'options 5',
      { options: 5 },
      new TypeError('The "options" option must be an object of options, got 5'),
    ],
    [
      'a path',
      { options: { path: '/chat' } },
      new TypeError('The "path" option is not one of this plugin: declare a route with that path'),
    ],
    [
      'noServer',
      { options: { noServer: true } },
      new TypeError(
        'The "noServer" option is not one of this plugin: leave it out, it is always so',
      ),
    ],
    [
      'a port',
      { port: 80 },
      new TypeError('The "port" option is not one of this plugin: listen with the instance'),
    ],
    [
      'a server that is none',
      { server: 3000 },
      new TypeError('The server must be one of node:http or node:https, got 3000'),
    ],
  ])('with %s fails', async (_what, options, error) => {
    const failed = await failure(options);
    expect(failed).toEqual(error);
    expect(failed).toBeInstanceOf(error.constructor);
  });

  test('twice on one instance fails in Fastify’s words', async () => {
    const app = await prepare();
    await expect(app.register(upwire)).rejects.toThrow(
      expect.objectContaining({ code: 'FST_ERR_DEC_ALREADY_PRESENT' }),
    );
  });

  test('may give functions, undefined, and options beside options, which go first', async () => {
    const given = async (options: upwire.Options) =>
      (await prepare(options)).websocketServer.options;
    expect(await given({})).toMatchObject({ maxPayload: 1_048_576, closeTimeout: 10_000 });
    expect(await given({ maxPayload: undefined, options: undefined })).toMatchObject({
      maxPayload: 1_048_576,
    });
    expect(
      await given({ maxPayload: 5, options: { maxPayload: 6, closeTimeout: 7 } }),
    ).toMatchObject({ maxPayload: 5, closeTimeout: 7 });
    expect(await given({ maxPayload: undefined, options: { maxPayload: 6 } })).toMatchObject({
      maxPayload: 6,
    });
  });

  test('names the plugin, for those that depend on it', async () => {
    const app = await prepare();
    expect(app.hasPlugin('@upwire/fastify')).toBe(true);
  });
});

describe('two registrations, each in a plugin of its own', () => {
  test('have options, clients and routes of their own', async () => {
    const outer = Fastify();
    const sizes = new Map<string, () => number | undefined>();
    for (const [name, maxPayload] of [
      ['small', 10],
      ['large', 1000],
    ] as const) {
      outer.register(
        async (scope) => {
          await scope.register(upwire, { maxPayload });
          sizes.set(name, () => scope.websocketServer.clients?.size);
          scope.get('/chat', { websocket: true }, (webSocket) => {
            webSocket.on('message', (text) => webSocket.send(text));
          });
        },
        { prefix: `/${name}` },
      );
    }
    outer.get('/page', async () => 'page');
    await outer.listen({ port: 0, host: '127.0.0.1' });
    const address = outer.addresses()[0] as { port: number };
    const text = 'x'.repeat(11);

    const large = await open(address.port, '/large/chat');
    expect(await large.ask(text)).toBe(text);
    const small = await open(address.port, '/small/chat');
    expect([sizes.get('small')?.(), sizes.get('large')?.()]).toEqual([1, 1]);
    small.send(text);
    expect((await small.closed)[0]).toBe(1009);
    expect((await dial(address.port, '/page')).status).toBe(200);
    expect((await dial(address.port, '/none')).status).toBe(404);
    await outer.close();
    expect((await large.closed)[0]).toBe(1001);
  });
});

describe('the options of ws', () => {
  test('verifyClient decides behind the hooks', async () => {
    const { port } = await openSite(
      (app) => {
        app.get('/chat', { websocket: true }, () => undefined);
      },
      {
        options: {
          verifyClient: ({ req }: { req: { headers: { authorization?: string } } }) =>
            req.headers.authorization === 'Bearer 1',
        },
      },
    );
    expect((await dial(port, '/chat')).status).toBe(401);
    expect((await dial(port, '/chat', { headers: { authorization: 'Bearer 1' } })).status).toBe(
      101,
    );
  });

  test('handleProtocols and headers listeners have their say on the 101', async () => {
    const { app, port } = await openSite(
      (app) => {
        app.addHook('onSend', async (_request, reply) => void reply.header('set-cookie', 'a=1'));
        app.get('/chat', { websocket: true }, (webSocket) => webSocket.send(webSocket.protocol));
      },
      { options: { handleProtocols: (offered: Set<string>) => [...offered][1] } },
    );
    app.websocketServer.on('headers', (lines: string[]) => lines.push('Set-Cookie: b=2'));
    const { headers, client } = await dial(port, '/chat', { subprotocols: ['one', 'two'] });
    expect(headers).toMatchObject({
      'sec-websocket-protocol': 'two',
      'set-cookie': ['a=1', 'b=2'],
    });
    expect(await client.message()).toBe('two');
  });

  test('clientTracking: false is well, and still everybody is told of the end', async () => {
    const { app, port } = await openSite(
      (app) => {
        app.get('/chat', { websocket: true }, () => undefined);
      },
      { clientTracking: false },
    );
    const client = await open(port, '/chat');
    expect(app.websocketServer.clients).toBeUndefined();
    await app.close();
    expect((await client.closed)[0]).toBe(1001);
  });
});

describe('the options of a route', () => {
  test('go before those of the plugin', async () => {
    const { port } = await openSite(
      (app) => {
        const echo: upwire.WebSocketHandler = (webSocket) =>
          void webSocket.on('message', (text) => webSocket.send(text));
        app.get('/ten', { websocket: { maxPayload: 10 } }, echo);
        app.route({
          method: 'GET',
          url: '/twenty',
          websocket: { maxPayload: 20 },
          handler: (_request, reply) => reply.send('page'),
          wsHandler: echo,
        });
        app.get('/none', { websocket: true }, echo);
        app.get('/empty', { websocket: {} }, echo);
      },
      { maxPayload: 40 },
    );
    for (const [path, size] of [
      ['/ten', 10],
      ['/twenty', 20],
      ['/none', 40],
      ['/empty', 40],
    ] as const) {
      const client = await open(port, path);
      expect(await client.ask('x'.repeat(size))).toBe('x'.repeat(size));
      client.send('x'.repeat(size + 1));
      expect(await client.closed).toEqual([1009, '']);
    }
  });

  test('count connections by the address that trustProxy makes of a request', async () => {
    const { port } = await openSite(
      (app) => {
        app.get('/chat', { websocket: { maxConnections: { perKey: 1 } } }, () => undefined);
      },
      { fastify: { trustProxy: true } },
    );
    const from = async (address: string) =>
      (await dial(port, '/chat', { headers: { 'X-Forwarded-For': address } })).status;
    expect(await from('192.0.2.1')).toBe(101);
    expect(await from('192.0.2.2')).toBe(101);
    expect(await from('192.0.2.1')).toBe(429);
  });

  test('handshakeTimeout holds for the hooks behind that of the plugin', async () => {
    const { port } = await openSite(
      (app) => {
        const slow = { preHandler: () => new Promise((resolve) => setTimeout(resolve, 60)) };
        app.get('/longer', { websocket: { handshakeTimeout: 10_000 }, ...slow }, (webSocket) =>
          webSocket.send('in'),
        );
        app.get('/none', { websocket: true, ...slow }, (webSocket) => webSocket.send('in'));
      },
      { handshakeTimeout: 20 },
    );
    expect(await (await open(port, '/longer')).message()).toBe('in');
    expect((await dial(port, '/none')).status).toBe(503);
  });

  test('have functions that are given Fastify’s request', async () => {
    const rooms: unknown[] = [];
    const { port } = await openSite((app) => {
      app.get<{ Params: { room: string } }>(
        '/chat/:room',
        {
          websocket: {
            origins: (_origin, { params }) => rooms.push(params) > 0,
            subprotocols: (_offered, { params }) => void rooms.push(params),
            onError: (_error, _webSocket, { params }) => rooms.push(params),
          },
        },
        () => {
          throw new Error('broken');
        },
      );
    });
    const client = await open(port, '/chat/red', {
      origin: 'https://a.example',
      subprotocols: [],
      headers: { 'Sec-WebSocket-Protocol': 'a' },
    });
    expect(await client.closed).toEqual([1011, '']);
    expect(rooms).toEqual([{ room: 'red' }, { room: 'red' }, { room: 'red' }]);
  });
});

import dns from 'node:dns';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { connect as connectSecurely } from 'node:tls';
import { dial, get, open, tls } from '@upwire/adapter-contract';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import Fastify from 'fastify';
import type { WebSocket as WsWebSocket } from 'ws';
import { WebSocketServer as WsServer } from 'ws';
import { request } from '../../engine/test/support/raw-client';
import { cleanUp, later, listen, portOf } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, prepare } from './support/site';

afterEach(cleanUp);

/** Adds a route that greets, and a page. */
function greeter(app: FastifyInstance): void {
  app.get('/chat', { websocket: true }, (webSocket) => webSocket.send('hello'));
  app.get('/page', async () => 'page');
}

async function greeting(port: number, path = '/chat'): Promise<string> {
  return (await open(port, path)).message();
}

describe('the server', () => {
  test('of https knows its origin', async () => {
    const { port } = await openSite(greeter, { fastify: { https: tls } as FastifyServerOptions });
    const address = { transport: 'https', port } as const;
    expect(await (await open(address, '/chat')).message()).toBe('hello');
    const origin = `https://127.0.0.1:${port}`;
    expect((await dial(address, '/chat', { origin })).status).toBe(101);
    expect((await dial(address, '/chat', { origin: `http://127.0.0.1:${port}` })).status).toBe(403);
  });

  test('of http2 takes WebSockets of HTTP/1.1, where it is allowed', async () => {
    const app = Fastify({ http2: true, https: { ...tls, allowHTTP1: true } });
    later(() => app.close());
    await app.register(upwire);
    app.get('/chat', { websocket: true }, (webSocket) => webSocket.send('hello'));
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.addresses()[0] as { port: number };
    const socket = connectSecurely({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    later(() => socket.destroy());
    await once(socket, 'secureConnect');
    socket.write(request({}, 'GET /chat HTTP/1.1'));
    let text = '';
    for await (const chunk of socket) {
      text += chunk.toString('latin1');
      if (text.endsWith('hello')) break;
    }
    expect(text).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('of a connectionTimeout lets quiet WebSockets be', async () => {
    const { port } = await openSite(
      (app) => {
        app.addHook('onTimeout', async () => {
          throw new Error('A WebSocket is no request that hangs');
        });
        app.get('/chat', { websocket: true }, (webSocket) => {
          webSocket.on('message', (text) => webSocket.send(`got ${text}`));
        });
      },
      { fastify: { connectionTimeout: 50 } },
    );
    const client = await open(port, '/chat');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await client.ask('still there')).toBe('got still there');
  });

  test('of a serverFactory', async () => {
    let made: Server | undefined;
    const { app, port } = await openSite(greeter, {
      fastify: {
        serverFactory: (handler) => {
          made = createServer(handler);
          return made;
        },
      },
    });
    expect(app.server).toBe(made);
    expect(await greeting(port)).toBe('hello');
    expect((await get(port, '/page')).body).toBe('page');
    await app.close();
    expect(made?.listening).toBe(false);
  });

  test('of localhost, which is several addresses, ends with the WebSockets of all of them', async () => {
    // What a name stands for is the machine's to say; here it is two addresses of the loopback interface.
    const { lookup } = dns;
    const spy = jest.spyOn(dns, 'lookup');
    // One of its overloads, which the types of a mock cannot name.
    spy.mockImplementation(((name: string, options: { all?: boolean }, done: Lookup) => {
      if (!options.all || name !== 'localhost')
        return Reflect.apply(lookup, dns, [name, options, done]);
      const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
      return process.nextTick(done, null, addresses);
    }) as never);
    later(() => spy.mockRestore());
    const app = await prepare({ closeTimeout: 80 });
    greeter(app);
    await app.listen({ port: 0, host: 'localhost' });
    const { port } = app.server.address() as { port: number };
    expect(app.addresses()).toHaveLength(2);

    const clients = [];
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      const socket = await rawHandshake(port, host);
      clients.push(socket);
    }
    expect(app.websocketServer.clients?.size).toBe(2);
    const started = performance.now();
    await app.close();
    // They are silent, and none of them outlives the instance.
    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
    expect(app.websocketServer.clients?.size).toBe(0);
  });
});

type Lookup = (error: Error | null, addresses: unknown) => void;

/** A client that sends its handshake and nothing else. */
async function rawHandshake(port: number, host: string) {
  const { connect } = await import('node:net');
  const socket = connect({ port, host });
  later(() => socket.destroy());
  socket.write(request({}, 'GET /chat HTTP/1.1'));
  const [head] = await once(socket, 'data');
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  socket.resume();
  return socket;
}

describe('the option server', () => {
  test.each<[string, (server: Server) => upwire.Options]>([
    ['by its own', (server) => ({ server })],
    ['among those of ws', (server) => ({ options: { server } })],
  ])('gives another server to the routes, %s', async (_how, optionsFor) => {
    const server = createServer((_request, response) => response.end('not Fastify'));
    const port = await listen(server);
    const app = await prepare(optionsFor(server));
    greeter(app);
    await app.listen({ port: 0, host: '127.0.0.1' });
    const client = await open(port, '/chat');
    expect(await client.message()).toBe('hello');
    expect((await get(port, '/page')).body).toBe('not Fastify');
    expect((await dial(portOf(app.server), '/chat')).status).toBe(426);

    await app.close();

    expect((await client.closed)[0]).toBe(1001);
    expect(server.listening).toBe(true);
    expect(server.listenerCount('upgrade')).toBe(0);
    expect((await get(port, '/page')).body).toBe('not Fastify');
  });

  test('may listen before the instance is ready: handshakes wait for its hooks', async () => {
    const server = createServer();
    const port = await listen(server);
    const app = await prepare({ server });
    app.get('/chat', { websocket: true }, (webSocket) => webSocket.send('hello'));
    app.register(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
    });
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization === undefined) return reply.code(401).send('no');
      return undefined;
    });
    const answers = [
      dial(port, '/chat'),
      dial(port, '/chat', { headers: { authorization: 'Bearer 1' } }),
    ];
    expect((await answers[0]).status).toBe(401);
    expect((await answers[1]).status).toBe(101);
    await app.ready();
  });

  test('may listen for an instance that never is: its handshakes are 500', async () => {
    const warnings: unknown[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      warnings.push(warning);
    });
    later(() => warn.mockRestore());
    const server = createServer();
    const port = await listen(server);
    const app = await prepare({ server });
    app.get('/chat', { websocket: true }, (webSocket) => webSocket.send('hello'));
    app.register(async () => {
      throw new Error('no database');
    });
    expect((await dial(port, '/chat')).status).toBe(500);
    expect(warnings).toEqual([new Error('no database')]);
  });

  test('may have one instance after another', async () => {
    const server = createServer();
    const port = await listen(server);
    for (const name of ['first', 'second']) {
      const app = await prepare({ server });
      app.get('/chat', { websocket: true }, (webSocket) => webSocket.send(name));
      await app.ready();
      const client = await open(port, '/chat');
      expect(await client.message()).toBe(name);
      await app.close();
      expect((await client.closed)[0]).toBe(1001);
    }
  });
});

describe('beside another listener on the server', () => {
  /** Fastify with the routes that are declared, and a bare `ws` server that takes all that is left to it. */
  async function openBeside(
    declare: (app: FastifyInstance) => unknown,
    fastify: FastifyServerOptions = {},
  ): Promise<{ port: number; log: string[] }> {
    const log: string[] = [];
    const app = Fastify(fastify);
    const foreign = new WsServer({ server: app.server });
    foreign.on('connection', (webSocket: WsWebSocket) => webSocket.send('foreign'));
    later(async () => {
      foreign.close();
      for (const webSocket of foreign.clients) webSocket.terminate();
      for (const webSocket of app.websocketServer.clients ?? []) webSocket.terminate();
      await app.close();
    });
    await app.register(upwire);
    app.addHook('onRequest', async ({ url }) => void log.push(url));
    await declare(app);
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: portOf(app.server), log };
  }

  test('hooks run for nothing but what comes to our routes', async () => {
    const { port, log } = await openBeside((app) => {
      greeter(app);
      app.get('/rooms/:room', { websocket: true }, (webSocket) => webSocket.send('room'));
      app.get('/*', async () => 'a page for everything else');
    });
    expect(await greeting(port)).toBe('hello');
    expect(await greeting(port, '/rooms/red?a=1')).toBe('room');
    for (const path of ['/', '/socket.io/?EIO=4', '/rooms', '/rooms/red/blue', '/page']) {
      expect(await greeting(port, path)).toBe('foreign');
    }
    expect(log).toEqual(['/chat', '/rooms/red?a=1']);
  });

  test('what comes to a page of the same shape is left to it as well', async () => {
    const { port, log } = await openBeside((app) => {
      app.get('/a/:id', { websocket: true }, (webSocket) => webSocket.send('ours'));
      app.get('/b/:id', async () => 'page');
      app.get('/only/pages', async () => 'page');
    });
    expect(await greeting(port, '/a/1')).toBe('ours');
    expect(await greeting(port, '/b/1')).toBe('foreign');
    expect(await greeting(port, '/only/pages')).toBe('foreign');
    // Settled by the plugin's own hook, in front of the others.
    expect(log).toEqual(['/a/1']);
  });

  test('a URL that is rewritten comes to our route', async () => {
    const { port } = await openBeside(greeter, {
      rewriteUrl: ({ url = '' }) => url.replace('/old', ''),
    });
    expect(await greeting(port, '/old/chat')).toBe('hello');
    expect(await greeting(port, '/old/none')).toBe('foreign');
  });

  test('a route for one host comes to that, and to nobody else', async () => {
    const { port } = await openBeside((app) => {
      app.get('/chat', { websocket: true, constraints: { host: 'a.example' } }, (webSocket) =>
        webSocket.send('at a'),
      );
    });
    const at = async (host: string) => (await open(port, '/chat', { headers: { host } })).message();
    expect(await at('a.example')).toBe('at a');
    expect(await at('b.example')).toBe('foreign');
  });

  test('a parser of query strings that throws is the application’s own error', async () => {
    const { port } = await openBeside(greeter, {
      routerOptions: {
        querystringParser: () => {
          throw new Error('no such query');
        },
      },
    });
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    later(() => warn.mockRestore());
    expect((await dial(port, '/chat?x')).status).toBe(500);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('an answer of our hooks is an answer', async () => {
    const { port } = await openBeside((app) => {
      app.addHook('onRequest', (_request, reply) => void reply.code(401).send('no'));
      greeter(app);
    });
    expect(await dial(port, '/chat')).toMatchObject({ status: 401, body: 'no' });
    expect(await greeting(port, '/none')).toBe('foreign');
  });
});

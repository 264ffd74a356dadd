import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { dial, get, open } from '@upwire/adapter-contract';
import { WebSocketServer as WsServer } from 'ws';
import { cleanUp, deferred, later, listen, portOf } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { Express } from './support/site';
import { closeLater, openSite, prepare, VERSIONS } from './support/site';

afterEach(cleanUp);

/** An instance with a route that greets. */
function greeter(express: Express, options?: upwire.Options) {
  const instance = prepare(express, options);
  instance.app.ws('/chat', (webSocket) => webSocket.send('hello'));
  instance.app.get('/page', (_request, response) => void response.send('page'));
  return instance;
}

async function greeting(port: number): Promise<string> {
  return (await open(port, '/chat')).message();
}

describe.each(VERSIONS)('%s: servers', (_name, express) => {
  test('app.listen() returns its server and calls back', async () => {
    const instance = greeter(express);
    const called = deferred();
    const server = instance.app.listen(0, '127.0.0.1', () => called.resolve());
    closeLater(server, instance);
    await called.promise;
    expect(await greeting(portOf(server))).toBe('hello');
    expect((await get(portOf(server), '/page')).body).toBe('page');
  });

  test('http.createServer(app) and attach(), once or twice', async () => {
    const instance = greeter(express);
    const server = createServer(instance.app);
    instance.attach(server);
    instance.attach(server);
    const port = await listen(server);
    closeLater(server, instance);
    expect(await greeting(port)).toBe('hello');
    expect(instance.getWss().clients?.size).toBe(1);
  });

  test('upwire(app, server)', async () => {
    const app = express();
    const server = createServer(app);
    const instance = upwire(app, server);
    app.ws('/chat', (webSocket) => webSocket.send('hello'));
    const port = await listen(server);
    closeLater(server, instance);
    expect(instance.app).toBe(app);
    expect(await greeting(port)).toBe('hello');
  });

  test('several, each with its own end', async () => {
    const instance = greeter(express);
    const servers = [createServer(instance.app), createServer(instance.app)];
    for (const server of servers) {
      instance.attach(server);
      await listen(server);
    }
    const listening = instance.app.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    closeLater(listening, instance);
    const clients = [];
    for (const server of [...servers, listening]) clients.push(await open(portOf(server), '/chat'));
    expect(instance.getWss().clients?.size).toBe(3);

    const closed = new Promise((done) => servers[1].close(done));

    expect(await clients[1].closed).toEqual([1001, '']);
    await closed;
    expect(await greeting(portOf(servers[0]))).toBe('hello');
    expect(await greeting(portOf(listening))).toBe('hello');
  });

  test('two for one application, each by a call of its own', async () => {
    const app = express();
    const servers = [createServer(app), createServer(app)];
    const instances = servers.map((server) => upwire(app, server));
    app.ws('/chat', (webSocket) => webSocket.send('hello'));
    for (const [index, server] of servers.entries()) {
      const port = await listen(server);
      closeLater(server, instances[index]);
      expect(await greeting(port)).toBe('hello');
      expect((await dial(port, '/none')).status).toBe(404);
      expect((await get(port, '/chat')).status).toBe(426);
    }
    expect(instances.map(({ getWss }) => getWss().clients?.size)).toEqual([1, 1]);
  });

  test('getWss() has the clients, and tells of each', async () => {
    const seen: (string | undefined)[] = [];
    const { port, getWss } = await openSite(express, (app, instance) => {
      instance.getWss().on('connection', (webSocket, request) => {
        seen.push(request.url);
        webSocket.send(`${instance.getWss().clients?.has(webSocket)}`);
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
});

describe.each(VERSIONS)('%s: beside another listener', (_name, express) => {
  /** Routes of all kinds, and a catch-all that would answer everything else. */
  async function openBeside(other: (server: Server) => void, order: 'before' | 'after') {
    const instance = prepare(express);
    const { app, applyTo } = instance;
    const server = createServer(app);
    if (order === 'before') other(server);
    instance.attach(server);
    if (order === 'after') other(server);

    const inner = express();
    applyTo(inner);
    inner.ws('/chat', (webSocket) => webSocket.send('inner'));
    const routed = express();
    applyTo(routed);
    routed.ws('/chat', (webSocket) => webSocket.send('routed'));
    const router = express.Router();
    router.ws('/in/:x', (webSocket, request) => webSocket.send(`router ${request.params.x}`));
    router.use('/app', routed);
    const outer = express.Router();
    outer.use('/nested', router);
    app.use('/root', (_request, _response, next) => next());
    app.ws('/chat/:room', (webSocket, request) => webSocket.send(`chat ${request.params.room}`));
    app.ws(
      '/slow',
      (_request, _response, next) => void setTimeout(next, 1_500),
      (webSocket) => webSocket.send('slow'),
    );
    app.use('/outer', outer);
    app.use(inner);
    app.use('/never', (_request, response) => void response.status(401).send('never'));
    app.use((_request, response) => void response.send('<div id="app">'));
    const port = await listen(server);
    closeLater(server, instance);
    return port;
  }

  function bareWs(server: Server): void {
    const foreign = new WsServer({ server, path: '/bare' });
    foreign.on('connection', (webSocket) => webSocket.send('hello from ws'));
  }

  describe.each(['before', 'after'] as const)('that came %s', (order) => {
    test('each gets what is its own', async () => {
      const port = await openBeside(bareWs, order);
      const messages: Record<string, string> = {};
      for (const path of [
        '/chat/red',
        '/CHAT/red/',
        '/outer/nested/in/7',
        '/outer/nested/app/chat',
        '/chat',
        '/bare',
      ]) {
        messages[path] = await (await open(port, path)).message();
      }
      expect(messages).toEqual({
        '/chat/red': 'chat red',
        '/CHAT/red/': 'chat red',
        '/outer/nested/in/7': 'router 7',
        '/outer/nested/app/chat': 'routed',
        '/chat': 'inner',
        '/bare': 'hello from ws',
      });
    });
  });
});

describe.each(VERSIONS)('%s: what is not seen beforehand', (_name, express) => {
  test('is settled by running it: an application inside one that was mounted before', async () => {
    const app = express();
    const innermost = express();
    const inner = express();
    inner.use('/deep', innermost);
    app.use('/sub', inner);
    const instance = upwire(app);
    instance.applyTo(innermost);
    innermost.ws('/chat', (webSocket) => webSocket.send('deep'));
    const server = createServer(app);
    instance.attach(server);
    const foreign = new WsServer({ server });
    foreign.on('connection', (webSocket) => webSocket.send('foreign'));
    const port = await listen(server);
    closeLater(server, instance);
    later(() => {
      for (const webSocket of foreign.clients) webSocket.terminate();
    });

    expect(await (await open(port, '/sub/deep/chat')).message()).toBe('deep');
    expect(await (await open(port, '/sub/deep/other')).message()).toBe('foreign');
    expect(await (await open(port, '/other')).message()).toBe('foreign');
  });
});

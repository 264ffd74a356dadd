import { dial, get, open, until } from '@upwire/adapter-contract';
import type { FastifyServerOptions } from 'fastify';
import { request } from '../../engine/test/support/raw-client';
import {
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  masked,
} from '../../engine/test/support/site';
import type { SiteOptions } from './support/site';
import { openSite } from './support/site';

afterEach(cleanUp);

const GOING_AWAY = Buffer.from([0x03, 0xe9]);

const openChat = (options?: SiteOptions) =>
  openSite((app) => {
    app.get('/chat', { websocket: true }, (webSocket) => {
      webSocket.on('message', (text) => webSocket.send(`got ${text}`));
    });
    app.get('/page', async () => 'page');
  }, options);

test('an instance that closes says 1001, waits for all, and then runs what closes behind it', async () => {
  const events: string[] = [];
  const { app, port } = await openSite((app) => {
    // Fastify runs these the last one first, behind the end of the server.
    app.addHook('onClose', async () => void events.push('the database'));
    app.get('/chat', { websocket: true }, (webSocket) => {
      webSocket.on('close', (code) => events.push(`close ${code}`));
    });
  });
  const [polite, slow] = [await open(port, '/chat'), await enter(port, 'GET /chat HTTP/1.1')];
  const closed = app.close().then(() => events.push('closed'));
  expect((await polite.closed)[0]).toBe(1001);
  expect((await slow.frame())?.payload).toEqual(GOING_AWAY);
  await new Promise((resolve) => setTimeout(resolve, 30));
  slow.write(masked({ opcode: 8, payload: GOING_AWAY }));
  await closed;
  expect(events).toEqual(['close 1001', 'close 1001', 'the database', 'closed']);
  expect(app.websocketServer.clients?.size).toBe(0);
});

test.each<[string, FastifyServerOptions]>([
  ['by default', {}],
  ['with return503OnClosing: false', { return503OnClosing: false }],
])('handshakes that come meanwhile are 503, %s', async (_how, fastify) => {
  const { app, port } = await openChat({ fastify });
  const client = await enter(port, 'GET /chat HTTP/1.1');
  // A connection that was there before, with half of a handshake, for a closing server takes no new one.
  const late = await connect(port);
  const handshake = request({}, 'GET /chat HTTP/1.1');
  late.write(handshake.slice(0, 40));
  await until(() => late.socket.bytesWritten === 40 && late.socket.writableLength === 0);
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);

  const closed = app.close();
  expect((await client.frame())?.payload).toEqual(GOING_AWAY);
  late.write(handshake.slice(40));

  const { status, headers } = await answerOf(late);
  expect([status, headers.connection]).toEqual([503, 'close']);
  client.socket.destroy();
  late.end();
  await closed;
});

test('injectWS() is refused when the instance has closed', async () => {
  const { app } = await openChat();
  await app.close();
  await expect(app.injectWS('/chat')).rejects.toMatchObject({ status: 503 });
});

test('waiting for clients may take longer than Fastify gives its plugins', async () => {
  const { app, port } = await openChat({ closeTimeout: 400, fastify: { pluginTimeout: 100 } });
  const silent = await enter(port, 'GET /chat HTTP/1.1');
  const started = performance.now();
  await app.close();
  expect(performance.now() - started).toBeGreaterThanOrEqual(399);
  expect((await silent.frames()).map(({ payload }) => payload)).toEqual([GOING_AWAY]);
});

describe('the option preClose', () => {
  test('may say something else, with a callback', async () => {
    const { app, port } = await openChat({
      preClose(this: unknown, done: () => void) {
        for (const webSocket of app.websocketServer.clients ?? []) webSocket.close(1012, 'restart');
        app.websocketServer.close(done);
      },
    });
    const client = await open(port, '/chat');
    await app.close();
    expect(await client.closed).toEqual([1012, 'restart']);
  });

  test('may wait for something, with a promise; whom it leaves is told 1001', async () => {
    const ready = deferred();
    const { app, port } = await openChat({ preClose: () => ready.promise });
    const client = await open(port, '/chat');
    const closing = app.close();
    // Fastify answers pages with 503 from the beginning.
    let status = 0;
    while (status !== 503) status = (await get(port, '/page')).status;
    expect(await client.ask('hi')).toBe('got hi');
    ready.resolve();
    expect((await client.closed)[0]).toBe(1001);
    await closing;
  });

  test('that fails keeps nothing from closing', async () => {
    const { app, port } = await openChat({ preClose: () => Promise.reject(new Error('failed')) });
    const client = await open(port, '/chat');
    await Promise.allSettled([app.close()]);
    expect((await client.closed)[0]).toBe(1001);
    expect(app.server.listening).toBe(false);
  });
});

test('websocketServer.close() takes no more WebSockets and calls back when all have gone', async () => {
  const { app, port } = await openChat();
  const client = await open(port, '/chat');
  const closed = deferred();
  app.websocketServer.close(() => closed.resolve());
  expect((await dial(port, '/chat')).status).toBe(503);
  expect(await client.ask('hi')).toBe('got hi');
  client.webSocket.close(1000);
  await closed.promise;
  expect((await get(port, '/page')).body).toBe('page');
});

test('an instance that never listened closes as well', async () => {
  const { app } = await openChat();
  const client = await app.injectWS('/chat');
  const closed = new Promise((resolve) => client.once('close', resolve));
  await app.close();
  expect(await closed).toBe(1001);
  await until(() => app.websocketServer.clients?.size === 0);
});

import { once } from 'node:events';
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import { cleanUp, later } from '../../engine/test/support/site';
import upwire from '../src/index';
import { prepare } from './support/site';

afterEach(cleanUp);

/** A chat behind a login, as a program may export it: it does not listen. */
async function createChat(): Promise<FastifyInstance> {
  const app = await prepare();
  await app.register(cookie);
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    cookie: { secure: false },
    saveUninitialized: false,
  });
  app.post<{ Params: { user: string } }>('/login/:user', async (request, reply) => {
    request.session.set('user', request.params.user);
    return reply.code(204).send();
  });
  app.get<{ Params: { room: string } }>(
    '/rooms/:room',
    {
      websocket: true,
      preHandler: async (request, reply) => {
        if (request.session.get('user') === undefined) {
          return reply.code(401).send({ error: 'who are you?' });
        }
        return undefined;
      },
    },
    (webSocket, request) => {
      webSocket.send(`${request.session.get('user')} in ${request.params.room}`);
      webSocket.on('message', (text) => webSocket.send(`echo ${text}`));
    },
  );
  return app;
}

describe('injectWS()', () => {
  test('goes through the instance, which does not listen, beside inject()', async () => {
    const app = await createChat();
    const { headers, statusCode } = await app.inject({ method: 'POST', url: '/login/alice' });
    expect(statusCode).toBe(204);
    const sessionCookie = String(headers['set-cookie']).split(';')[0];

    const client = await app.injectWS('/rooms/red', { headers: { cookie: sessionCookie } });

    expect(String((await once(client, 'message'))[0])).toBe('alice in red');
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('echo hello');
    expect(app.websocketServer.clients?.size).toBe(1);
    client.close();
    await once(client, 'close');
  });

  test('rejects with what the instance has answered', async () => {
    const app = await createChat();
    await expect(app.injectWS('/rooms/red')).rejects.toMatchObject({
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      status: 401,
      headers: { 'content-type': 'application/json; charset=utf-8', connection: 'close' },
      body: '{"error":"who are you?"}',
    });
    await expect(app.injectWS()).rejects.toMatchObject({
      status: 404,
      body: expect.stringContaining('Route GET:/ not found'),
    });
  });

  test('waits until the instance is ready, and starts it', async () => {
    const app = Fastify();
    later(() => app.close());
    app.register(upwire);
    app.register(async (inner) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      inner.get('/chat', { websocket: true }, (webSocket) => webSocket.send('hello'));
    });
    // It is there as soon as the plugin is.
    await app.after();
    const client = await app.injectWS('/chat');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
  });

  test('rejects where the instance does not start', async () => {
    const app = await prepare();
    app.register(async () => {
      throw new Error('no database');
    });
    await expect(app.injectWS('/chat')).rejects.toThrow('no database');
  });

  test('is there in every plugin, and takes options and hooks', async () => {
    const app = await prepare();
    let inner: FastifyInstance | undefined;
    app.register(
      async (scope) => {
        inner = scope;
        scope.get('/chat', { websocket: true }, (webSocket, request) => {
          webSocket.send(`${webSocket.protocol} ${request.headers['x-a']} ${request.ip}`);
        });
      },
      { prefix: '/in' },
    );
    await app.ready();
    const seen: string[] = [];
    const client = await inner?.injectWS(
      '/in/chat',
      { headers: { 'X-A': '1' }, subprotocols: ['a'], remoteAddress: '192.0.2.7' },
      {
        onInit: (webSocket) => seen.push(`init ${webSocket.readyState}`),
        onOpen: (webSocket) => seen.push(`open ${webSocket.readyState}`),
      },
    );
    expect(seen).toEqual(['init 0', 'open 1']);
    const [data] = client === undefined ? [] : await once(client, 'message');
    expect(String(data)).toBe('a 1 192.0.2.7');
  });

  test.each([5, 'chat', null])('with the path %p rejects', async (path) => {
    const app = await prepare();
    await expect(app.injectWS(path as never)).rejects.toThrow(
      /^The path must be a string that begins with a slash, got /,
    );
  });
});

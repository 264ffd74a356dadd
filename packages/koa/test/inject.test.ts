import { once } from 'node:events';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import session from 'koa-session';
import supertest from 'supertest';
import superwstest from 'superwstest';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { KoaClass } from './support/versions';
import { VERSIONS } from './support/versions';

afterEach(cleanUp);

/** A chat behind a login, as a program may export it: it does not listen. */
function createChat(Koa: KoaClass) {
  const instance = upwire(new Koa());
  const { app } = instance;
  app.keys = ['tests'];
  app.use(session(app));
  const router = new Router();
  router.post('/login/:user', (context) => {
    context.session.user = context.params.user;
    context.status = 204;
  });
  router.get(
    '/rooms/:room',
    (context, next) => {
      if (context.session.user !== undefined) return next();
      context.status = 401;
      context.body = { error: 'who are you?' };
      return undefined;
    },
    upwire.ws((webSocket, context) => {
      webSocket.send(`${context.session.user} in ${context.params.room}`);
      webSocket.on('message', (text) => webSocket.send(`echo ${text}`));
    }),
  );
  app.use(router.routes() as Middleware);
  return instance;
}

/** The session cookies of somebody who has logged in. */
async function logIn(agent: ReturnType<typeof supertest>, user: string): Promise<string> {
  const { headers } = await agent.post(`/login/${user}`).expect(204);
  // Supertest has more than one cookie as a list, which its types do not say.
  const cookies = headers['set-cookie'] as unknown as string[];
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ');
}

describe.each(VERSIONS)('%s: injectWS()', (_name, Koa) => {
  test('goes through the application, which does not listen, beside supertest', async () => {
    const { app, injectWS } = createChat(Koa);
    const cookie = await logIn(supertest(app.callback()), 'alice');

    const client = await injectWS('/rooms/red', { headers: { cookie } });

    expect(String((await once(client, 'message'))[0])).toBe('alice in red');
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('echo hello');
    client.close();
    await once(client, 'close');
  });

  test('rejects with what the application has answered', async () => {
    const { injectWS } = createChat(Koa);
    await expect(injectWS('/rooms/red')).rejects.toMatchObject({
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      status: 401,
      headers: { 'content-type': 'application/json; charset=utf-8', connection: 'close' },
      body: '{"error":"who are you?"}',
    });
    await expect(injectWS('/elsewhere')).rejects.toMatchObject({ status: 404, body: 'Not Found' });
  });

  test('is a request as any other to Koa', async () => {
    const { app, injectWS } = upwire(new Koa({ proxy: true }));
    app.ws('/where', (webSocket, { ip, protocol, host, originalUrl, query }) => {
      webSocket.send(JSON.stringify({ ip, protocol, host, originalUrl, query }));
    });
    const told = async (...args: Parameters<typeof injectWS>) =>
      JSON.parse(String((await once(await injectWS(...args), 'message'))[0]));

    const request = { protocol: 'http', originalUrl: '/where?a=1', query: { a: '1' } };
    expect(await told('/where?a=1')).toEqual({ ...request, ip: '127.0.0.1', host: 'localhost' });
    const headers = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Host': 'a.example' };
    expect(await told('/where?a=1', { headers })).toEqual({
      ...request,
      ip: '192.0.2.1',
      host: 'a.example',
    });
  });

  test('opens what ctx.ws() accepts', async () => {
    const { app, injectWS } = upwire(new Koa());
    app.use(async (context) => (await context.ws?.())?.send('hello'));
    expect(String((await once(await injectWS('/'), 'message'))[0])).toBe('hello');
  });
});

describe.each(VERSIONS)('%s: close()', (_name, Koa) => {
  test('says goodbye to all WebSockets, injected ones among them, and takes no more', async () => {
    const { app, close, getWss, injectWS } = upwire(new Koa());
    app.ws('/chat', () => undefined);
    app.use((context) => {
      context.body = 'a page';
    });
    const clients = [await injectWS('/chat'), await injectWS('/chat')];
    const ends = Promise.all(clients.map((client) => once(client, 'close')));

    await close({ code: 1012, reason: 'a new version', timeout: 5_000 });

    expect(await ends).toEqual([
      [1012, Buffer.from('a new version')],
      [1012, Buffer.from('a new version')],
    ]);
    expect(getWss().clients.size).toBe(0);
    await expect(injectWS('/chat')).rejects.toMatchObject({ status: 503 });
    await supertest(app.callback()).get('/page').expect(200, 'a page');
    expect(() => close({ code: 999 })).toThrow(RangeError);
  });
});

describe.each(VERSIONS)('%s: superwstest', (_name, Koa) => {
  test('talks to the application', async () => {
    const { app } = createChat(Koa);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cookie = await logIn(supertest(server), 'bob');

    await superwstest(server)
      .ws('/rooms/red', { headers: { cookie } })
      .expectText('bob in red')
      .sendText('one')
      .expectText('echo one')
      .close(4000, 'bye')
      .expectClosed(4000, 'bye');
    await superwstest(server).ws('/rooms/red').expectConnectionError(401);
    await superwstest(server).ws('/elsewhere').expectConnectionError(404);
    await superwstest(server).get('/rooms/red').set('Cookie', cookie).expect(426);

    // What a test leaves open ends with the server.
    await superwstest(server).ws('/rooms/red', { headers: { cookie } }).expectText('bob in red');
    await new Promise((resolve) => server.close(resolve));
  });
});

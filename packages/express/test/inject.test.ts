import { once } from 'node:events';
import type { Application } from 'express';
import session from 'express-session';
import supertest from 'supertest';
import superwstest from 'superwstest';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import type { Express } from './support/versions';
import { VERSIONS } from './support/versions';

afterEach(cleanUp);

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

/** A chat behind a login, as a program may export it: it does not listen. */
function createChat(express: Express): upwire.Instance<Application> {
  const instance = upwire(express());
  const { app } = instance;
  instance.applyTo(express.Router);
  app.use(session({ secret: 'tests', resave: false, saveUninitialized: false }));
  app.post('/login/:user', (request, response) => {
    request.session.user = request.params.user;
    response.sendStatus(204);
  });
  const rooms = express.Router();
  rooms.ws(
    '/:room',
    (request, response, next) => {
      if (request.session.user === undefined) response.status(401).json({ error: 'who are you?' });
      else next();
    },
    (webSocket, request) => {
      webSocket.send(`${request.session.user} in ${request.params.room}`);
      webSocket.on('message', (text) => webSocket.send(`echo ${text}`));
    },
  );
  app.use('/rooms', rooms);
  return instance;
}

/** The session cookie of somebody who has logged in. */
async function logIn(agent: ReturnType<typeof supertest>, user: string): Promise<string> {
  const { headers } = await agent.post(`/login/${user}`).expect(204);
  return headers['set-cookie'][0].split(';')[0];
}

describe.each(VERSIONS)('%s: injectWS()', (_name, express) => {
  test('goes through the application, which does not listen, beside supertest', async () => {
    const { app, injectWS } = createChat(express);
    const cookie = await logIn(supertest(app), 'alice');

    const client = await injectWS('/rooms/red', { headers: { cookie } });

    expect(String((await once(client, 'message'))[0])).toBe('alice in red');
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('echo hello');
    client.close();
    await once(client, 'close');
  });

  test('rejects with what the application has answered', async () => {
    const { injectWS } = createChat(express);
    await expect(injectWS('/rooms/red')).rejects.toMatchObject({
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      status: 401,
      headers: { 'content-type': 'application/json; charset=utf-8', connection: 'close' },
      body: '{"error":"who are you?"}',
    });
    await expect(injectWS('/elsewhere')).rejects.toMatchObject({
      status: 404,
      body: expect.stringContaining('Cannot GET /elsewhere'),
    });
  });

  test('is a request as any other to Express', async () => {
    const { app, injectWS, applyTo } = upwire(express());
    applyTo(express.Router);
    app.set('trust proxy', true);
    app.ws('/where', (webSocket, request) => {
      const { ip, protocol, hostname, originalUrl, query } = request;
      webSocket.send(JSON.stringify({ ip, protocol, hostname, originalUrl, query }));
    });
    const told = async (...args: Parameters<typeof injectWS>) =>
      JSON.parse(String((await once(await injectWS(...args), 'message'))[0]));

    const request = { protocol: 'http', originalUrl: '/where?a=1', query: { a: '1' } };
    expect(await told('/where?a=1')).toEqual({
      ...request,
      ip: '127.0.0.1',
      hostname: 'localhost',
    });
    const headers = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Host': 'a.example' };
    expect(await told('/where?a=1', { headers })).toEqual({
      ...request,
      ip: '192.0.2.1',
      hostname: 'a.example',
    });
  });
});

describe.each(VERSIONS)('%s: close()', (_name, express) => {
  test('says goodbye to all WebSockets, injected ones among them, and takes no more', async () => {
    const { app, close, getWss, injectWS } = upwire(express());
    app.ws('/chat', () => undefined);
    app.get('/page', (_request, response) => void response.send('a page'));
    const clients = [await injectWS('/chat'), await injectWS('/chat')];
    const ends = Promise.all(clients.map((client) => once(client, 'close')));

    await close({ code: 1012, reason: 'a new version', timeout: 5_000 });

    expect(await ends).toEqual([
      [1012, Buffer.from('a new version')],
      [1012, Buffer.from('a new version')],
    ]);
    expect(getWss().clients.size).toBe(0);
    await expect(injectWS('/chat')).rejects.toMatchObject({ status: 503 });
    await supertest(app).get('/page').expect(200, 'a page');
  });

  test('throws for what no close frame can carry', () => {
    const { close } = upwire(express());
    expect(() => close({ code: 999 })).toThrow(RangeError);
  });
});

describe.each(VERSIONS)('%s: superwstest', (_name, express) => {
  test('talks to the application', async () => {
    const { app } = createChat(express);
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cookie = await logIn(supertest(server), 'bob');

    await superwstest(server)
      .ws('/rooms/red', { headers: { cookie } })
      .expectText('bob in red')
      .sendText('one')
      .expectText('echo one')
      .sendText('two')
      .expectText('echo two')
      .close()
      .expectClosed(1005);
    await superwstest(server)
      .ws('/rooms/red', { headers: { cookie } })
      .expectText('bob in red')
      .close(4000, 'bye')
      .expectClosed(4000, 'bye');
    await superwstest(server).ws('/rooms/red').expectConnectionError(401);
    await superwstest(server).ws('/elsewhere').expectConnectionError(404);
    await superwstest(server).get('/rooms/red').expect(426);

    // What a test leaves open ends with the server.
    await superwstest(server).ws('/rooms/red', { headers: { cookie } }).expectText('bob in red');
    await new Promise((resolve) => server.close(resolve));
  });
});

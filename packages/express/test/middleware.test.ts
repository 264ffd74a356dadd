import { dial, get, open } from '@upwire/adapter-contract';
import cookieSession from 'cookie-session';
import cors from 'cors';
import type { ErrorRequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import supertest from 'supertest';
import { cleanUp } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

// Where the types of express-session are there as well, they say what a session is.
declare module 'express-session' {
  interface SessionData {
    visits: number;
  }
}

describe.each(VERSIONS)('%s: cookie-session', (_name, express) => {
  test('is read by the handshake, and what the handshake changes is on the 101', async () => {
    const { port } = await openSite(express, (app) => {
      app.use(cookieSession({ name: 'session', keys: ['tests'] }));
      app.post('/login', (request, response) => {
        Object.assign(request.session, { user: 'alice', visits: 0 });
        response.sendStatus(204);
      });
      app.ws(
        '/chat',
        (request, response, next) => {
          if (!request.session?.user) {
            response.status(401).send('who are you?');
            return;
          }
          request.session.visits = (request.session.visits ?? 0) + 1;
          next();
        },
        (webSocket, { session }) => webSocket.send(`${session?.user} ${session?.visits}`),
      );
    });
    expect(await dial(port, '/chat')).toMatchObject({ status: 401, body: 'who are you?' });

    const login = await supertest(`http://127.0.0.1:${port}`).post('/login').expect(204);
    let cookies: string[] = [...login.headers['set-cookie']];
    for (const visit of [1, 2]) {
      const Cookie = cookies.map((cookie) => cookie.split(';')[0]).join('; ');
      const { status, headers, client } = await dial(port, '/chat', { headers: { Cookie } });
      expect(status).toBe(101);
      expect(await client.message()).toBe(`alice ${visit}`);
      // The session and its signature.
      cookies = headers['set-cookie'] ?? [];
      expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual(['session', 'session.sig']);
    }
  });
});

describe.each(VERSIONS)('%s: express-rate-limit', (_name, express) => {
  test('counts handshakes as any request, and its 429 reaches the client', async () => {
    const { port } = await openSite(express, (app) => {
      app.use(
        rateLimit({
          windowMs: 600_000,
          limit: 2,
          standardHeaders: 'draft-6',
          legacyHeaders: false,
        }),
      );
      app.get('/page', (_request, response) => void response.send('a page'));
      app.ws('/chat', (webSocket) => webSocket.send('hello'));
    });
    const { status, headers, client } = await dial(port, '/chat');
    expect(status).toBe(101);
    expect(headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
    expect(await client.message()).toBe('hello');
    expect((await get(port, '/page')).status).toBe(200);
    expect(await dial(port, '/chat')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '600', 'ratelimit-remaining': '0', connection: 'close' },
      body: 'Too many requests, please try again later.',
    });
  });
});

describe.each(VERSIONS)('%s: cors', (_name, express) => {
  test('does no harm, and lets nobody in: the option origins does', async () => {
    const { port } = await openSite(express, (app) => {
      app.use(cors({ origin: 'https://a.example', credentials: true }));
      app.get('/page', (_request, response) => void response.send('a page'));
      app.ws('/chat', (webSocket) => webSocket.send('hello'));
      app.ws('/open', { origins: ['https://a.example'] }, (webSocket) => webSocket.send('hello'));
    });
    const origin = 'https://a.example';
    const { status, headers, client } = await dial(port, '/open', { origin });
    expect(status).toBe(101);
    expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    expect(await client.message()).toBe('hello');
    expect(await (await open(port, '/chat')).message()).toBe('hello');
    expect(await dial(port, '/chat', { origin })).toMatchObject({ status: 403 });

    const preflight = await get(port, '/page', { method: 'OPTIONS', headers: { Origin: origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
  });
});

describe.each(VERSIONS)('%s: routers in applications in applications', (_name, express) => {
  test('each level’s middleware runs once, in its order, and knows where it is', async () => {
    const seen: string[] = [];
    const { port } = await openSite(express, (app, { applyTo }) => {
      const [outer, inner] = [express(), express()];
      for (const it of [outer, inner]) applyTo(it);
      const [first, second] = [
        express.Router({ mergeParams: true }),
        express.Router({ mergeParams: true }),
      ];
      for (const [name, level] of Object.entries({ app, outer, inner, first, second })) {
        level.use((request, response, next) => {
          seen.push(`${name} ${request.baseUrl} ${request.url}`);
          response.append('X-Seen', name);
          next();
        });
      }
      second.ws('/:seat', { subprotocols: ['chat'] }, (webSocket, request) => {
        webSocket.send(JSON.stringify([request.params, request.originalUrl, webSocket.protocol]));
      });
      first.use('/row/:row', second);
      inner.use('/hall/:hall', first);
      outer.use('/inner', inner);
      app.use('/outer', outer);
    });
    const url = '/outer/inner/hall/1/row/2/3?a=b';
    const { status, headers, client } = await dial(port, url, { subprotocols: ['other', 'chat'] });
    expect(status).toBe(101);
    expect(headers['x-seen']).toBe('app, outer, inner, first, second');
    expect(JSON.parse(await client.message())).toEqual([
      { hall: '1', row: '2', seat: '3' },
      url,
      'chat',
    ]);
    expect(seen).toEqual([
      `app  ${url}`,
      'outer /outer /inner/hall/1/row/2/3?a=b',
      'inner /outer/inner /hall/1/row/2/3?a=b',
      'first /outer/inner/hall/1 /row/2/3?a=b',
      'second /outer/inner/hall/1/row/2 /3?a=b',
    ]);
  });

  test('what a handler throws comes to the error middleware around it, the innermost first', async () => {
    const told: string[] = [];
    const errors =
      (name: string): ErrorRequestHandler =>
      (error, request, _response, next) => {
        told.push(`${name} ${error.message} ${request.originalUrl}`);
        next(error);
      };
    const { port } = await openSite(express, (app, { applyTo }) => {
      const inner = express();
      applyTo(inner);
      const router = express.Router();
      router.ws('/sync', () => {
        throw new Error('thrown');
      });
      router.ws('/async', async () => {
        throw new Error('rejected');
      });
      router.ws('/listener', (webSocket) => {
        webSocket.on('message', () => {
          throw new Error('heard');
        });
      });
      router.use(errors('router'));
      inner.use('/router', router);
      inner.use(errors('inner'));
      app.use('/inner', inner);
      app.use(errors('app'));
      app.use(((_error, _request, response, _next) => {
        response.status(500).send('nobody gets this');
      }) satisfies ErrorRequestHandler);
    });
    for (const [path, message] of [
      ['sync', 'thrown'],
      ['async', 'rejected'],
      ['listener', 'heard'],
    ]) {
      told.length = 0;
      const url = `/inner/router/${path}`;
      const client = await open(port, url);
      client.send('hi');
      expect(await client.closed).toEqual([1011, '']);
      expect(told).toEqual(['router', 'inner', 'app'].map((name) => `${name} ${message} ${url}`));
    }
  });
});

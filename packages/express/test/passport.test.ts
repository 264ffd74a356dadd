import { dial, open } from '@upwire/adapter-contract';
import type { Application, ErrorRequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Strategy } from 'passport-local';
import supertest from 'supertest';
import { cleanUp } from '../../engine/test/support/site';
import type upwire from '../src/index';
import type { Express } from './support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

interface User {
  readonly name: string;
}

/** The users that there are, by their names. */
const USERS: ReadonlyMap<string, User & { readonly password: string }> = new Map([
  ['alice', { name: 'alice', password: 'secret' }],
]);

/** Has users log in with passport, as its manual says. */
function usePassport(
  express: Express,
  app: Application,
  findUser: (name: string) => User | false = (name) => USERS.get(name) ?? false,
): InstanceType<typeof Passport> {
  const passport = new Passport();
  passport.use(
    new Strategy((name, password, done) => {
      const user = USERS.get(name);
      done(null, user?.password === password && user !== undefined ? user : false);
    }),
  );
  passport.serializeUser((user, done) => done(null, (user as User).name));
  // From a database, which takes its time.
  passport.deserializeUser((name: string, done) => {
    setTimeout(() => {
      try {
        done(null, findUser(name));
      } catch (error) {
        done(error);
      }
    }, 5);
  });
  app.use(session({ secret: 'tests', resave: false, saveUninitialized: false }));
  app.use(passport.initialize());
  app.use(passport.session());
  app.post(
    '/login',
    express.urlencoded({ extended: false }),
    passport.authenticate('local'),
    (_request, response) => void response.sendStatus(204),
  );
  app.post('/logout', (request, response, next) => {
    request.logout((error) => (error ? next(error) : response.sendStatus(204)));
  });
  return passport;
}

const cookieOf = (response: supertest.Response): string =>
  response.headers['set-cookie'][0].split(';')[0];

async function logIn(port: number, password = 'secret'): Promise<supertest.Response> {
  return supertest(`http://127.0.0.1:${port}`)
    .post('/login')
    .type('form')
    .send({ username: 'alice', password });
}

const greet: upwire.WebSocketHandler = (webSocket, request) => {
  const { name } = request.user as User;
  webSocket.send(`hello ${name}`);
  webSocket.on('message', (text) => webSocket.send(`${(request.user as User).name}: ${text}`));
};

describe.each(VERSIONS)('%s: passport', (_name, express) => {
  test('the handler has the user of the session, and who has none is refused', async () => {
    const { port } = await openSite(express, (app) => {
      usePassport(express, app);
      app.ws(
        '/chat',
        (request, response, next) => {
          if (request.isAuthenticated()) next();
          else response.status(401).json({ error: 'log in first' });
        },
        greet,
      );
    });
    expect(await dial(port, '/chat')).toMatchObject({
      status: 401,
      body: '{"error":"log in first"}',
    });
    expect((await logIn(port, 'wrong')).status).toBe(401);

    const login = await logIn(port);
    expect(login.status).toBe(204);
    const Cookie = cookieOf(login);
    const client = await open(port, '/chat', { headers: { Cookie } });
    expect(await client.message()).toBe('hello alice');
    expect(await client.ask('hi')).toBe('alice: hi');

    await supertest(`http://127.0.0.1:${port}`).post('/logout').set('Cookie', Cookie).expect(204);
    expect((await dial(port, '/chat', { headers: { Cookie } })).status).toBe(401);
    // The user of an open WebSocket is the one it was opened by.
    expect(await client.ask('still here')).toBe('alice: still here');
  });

  test('passport.authenticate() stands in front of a route: its refusal is the answer', async () => {
    const { port } = await openSite(express, (app) => {
      const passport = usePassport(express, app);
      app.ws(
        '/local',
        passport.authenticate('local', { session: false, failWithError: false }),
        greet,
      );
      app.ws(
        '/elsewhere',
        passport.authenticate('local', { session: false, failureRedirect: '/login' }),
        greet,
      );
    });
    const credentials = '?username=alice&password=secret';
    expect(await (await open(port, `/local${credentials}`)).message()).toBe('hello alice');
    expect(await dial(port, '/local?username=alice&password=wrong')).toMatchObject({
      status: 401,
      headers: { connection: 'close' },
      body: 'Unauthorized',
    });
    expect(await dial(port, '/elsewhere?username=mallory&password=x')).toMatchObject({
      status: 302,
      headers: { location: '/login' },
    });
  });

  test('a user that cannot be loaded is an error of the application', async () => {
    const sorry: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(503).send(error.message);
    };
    const { port } = await openSite(express, (app) => {
      usePassport(express, app, () => {
        throw new Error('no database');
      });
      app.ws('/chat', greet);
      app.use(sorry);
    });
    const Cookie = cookieOf(await logIn(port));
    expect(await dial(port, '/chat', { headers: { Cookie } })).toMatchObject({
      status: 503,
      headers: { connection: 'close' },
      body: 'no database',
    });
  });
});

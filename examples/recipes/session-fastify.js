// A session in Redis guards a page and a WebSocket alike: Fastify and @fastify/session.
const cookies = require('@fastify/cookie');
const session = require('@fastify/session');
const fastify = require('fastify');
const upwire = require('@upwire/fastify');
const { logIn, next, open } = require('./lib/client');
const { RedisClient } = require('./lib/redis');

/** The store that @fastify/session asks for. */
class RedisStore {
  constructor({ client }) {
    this.client = client;
  }

  get(id, done) {
    this.client.get(`sess:${id}`).then((json) => done(null, json && JSON.parse(json)), done);
  }

  set(id, data, done) {
    this.client.set(`sess:${id}`, JSON.stringify(data), { EX: 3600 }).then(() => done(), done);
  }

  destroy(id, done) {
    this.client.del(`sess:${id}`).then(() => done(), done);
  }
}

async function main() {
  const client = new RedisClient();
  const app = fastify();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request, body) => Object.fromEntries(new URLSearchParams(body)),
  );
  await app.register(cookies);
  await app.register(session, {
    store: new RedisStore({ client }),
    secret: 'read me from the environment, 32 characters at least',
    saveUninitialized: false,
    rolling: true,
    cookie: { secure: 'auto', maxAge: 3_600_000 },
  });
  await app.register(upwire);

  app.post('/login', async (request, reply) => {
    request.session.user = request.body.user;
    return reply.redirect('/');
  });
  app.get('/chat', { websocket: true, preHandler: requireLogin }, (webSocket, request) => {
    const { user } = request.session;
    webSocket.on('message', (text) => webSocket.send(`${user}: ${text}`));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });

  console.log(`a stranger: ${(await open(`${url}/chat`)).status}`);
  const cookie = await logIn(url, { user: 'ada' });
  const { status, headers, webSocket } = await open(`${url}/chat`, { headers: { cookie } });
  console.log(`with the session: ${status}, renewed on the 101: ${'set-cookie' in headers}`);
  webSocket.send('hello');
  console.log(await next(webSocket));
  console.log(`sessions in Redis: ${client.size}`);
  await app.close();
}

async function requireLogin(request, reply) {
  if (!request.session.user) return reply.code(401).send({ error: 'Log in first.' });
}

main();

/* Prints:
a stranger: 401
with the session: 101, renewed on the 101: true
ada: hello
sessions in Redis: 1
*/

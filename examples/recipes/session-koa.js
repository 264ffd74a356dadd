// A session in Redis guards a page and a WebSocket alike: Koa, @koa/router and koa-session.
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const Router = require('@koa/router');
const Koa = require('koa');
const { createSession } = require('koa-session');
const upwire = require('@upwire/koa');
const { logIn, next, open } = require('./lib/client');
const { RedisClient } = require('./lib/redis');

/** The store that koa-session asks for. */
function redisStore(client) {
  return {
    get: async (id) => JSON.parse(await client.get(`sess:${id}`)),
    set: (id, data) => client.set(`sess:${id}`, JSON.stringify(data), { EX: 3600 }),
    destroy: (id) => client.del(`sess:${id}`),
  };
}

async function main() {
  const client = new RedisClient();
  const { app } = upwire(new Koa());
  app.keys = ['read me from the environment'];
  app.use(createSession({ store: redisStore(client), rolling: true }, app));

  const router = new Router();
  router.post('/login', async (ctx) => {
    ctx.session.user = new URLSearchParams(await text(ctx.req)).get('user');
    ctx.redirect('/');
  });
  router.get(
    '/chat',
    requireLogin,
    upwire.ws((webSocket, ctx) => {
      const { user } = ctx.session;
      webSocket.on('message', (data) => webSocket.send(`${user}: ${data}`));
    }),
  );
  app.use(router.routes());
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;

  console.log(`a stranger: ${(await open(`${url}/chat`)).status}`);
  const cookie = await logIn(url, { user: 'ada' });
  const { status, headers, webSocket } = await open(`${url}/chat`, { headers: { cookie } });
  console.log(`with the session: ${status}, renewed on the 101: ${'set-cookie' in headers}`);
  webSocket.send('hello');
  console.log(await next(webSocket));
  console.log(`sessions in Redis: ${client.size}`);
  server.close();
}

function requireLogin(ctx, next) {
  if (ctx.session.user) return next();
  ctx.throw(401, 'Log in first.');
}

main();

/* Prints:
a stranger: 401
with the session: 101, renewed on the 101: true
ada: hello
sessions in Redis: 1
*/

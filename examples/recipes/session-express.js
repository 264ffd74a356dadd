// A session in Redis guards a page and a WebSocket alike: Express, express-session, and a store like connect-redis.
const { once } = require('node:events');
const express = require('express');
const session = require('express-session');
const upwire = require('@upwire/express');
const { logIn, next, open } = require('./lib/client');
const { RedisClient } = require('./lib/redis');

/** What `connect-redis` is, in a few lines. */
class RedisStore extends session.Store {
  constructor({ client }) {
    super();
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
  const { app } = upwire(express());
  app.use(
    session({
      store: new RedisStore({ client }),
      secret: 'read me from the environment',
      resave: false,
      saveUninitialized: false,
      rolling: true,
    }),
  );
  app.post('/login', express.urlencoded({ extended: false }), (req, res) => {
    req.session.user = req.body.user;
    res.redirect('/');
  });
  app.ws('/chat', requireLogin, (webSocket, req) => {
    webSocket.on('message', (text) => webSocket.send(`${req.session.user}: ${text}`));
  });
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

function requireLogin(req, res, next) {
  if (req.session.user) next();
  else res.status(401).json({ error: 'Log in first.' });
}

main();

/* Prints:
a stranger: 401
with the session: 101, renewed on the 101: true
ada: hello
sessions in Redis: 1
*/

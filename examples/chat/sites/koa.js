// The chat as a Koa application.
const { bodyParser } = require('@koa/bodyparser');
const Router = require('@koa/router');
const upwire = require('@upwire/koa');
const Koa = require('koa');
const { createSession } = require('koa-session');
const { LIFETIME, WEBSOCKETS } = require('../chat');
const { commonMiddleware, runMiddleware } = require('../middleware');
const { html } = require('../page');
const { readRoomName } = require('../rules');
const { cutLater } = require('../shutdown');

const NAME = 'Koa';

function createKoaSite(chat, { secret, store = new MemoryStore(), lifetime = LIFETIME, log }) {
  const { app, getWss } = upwire(new Koa(), null, WEBSOCKETS);
  app.keys = [secret];
  const middleware = commonMiddleware(log);

  // Each of these sees the upgrade requests too: the log has a line with the 101, and the 101 has
  // helmet's headers and the renewed session cookie.
  app.use(async (ctx, next) => {
    await runMiddleware(middleware, ctx.req, ctx.res);
    await next();
  });
  app.use(answerErrors);
  app.use(
    createSession(
      {
        key: 'chat.koa',
        store,
        rolling: true,
        maxAge: lifetime,
        httpOnly: true,
        sameSite: 'lax',
      },
      app,
    ),
  );

  const router = new Router();
  router.get('/', (ctx) => {
    ctx.set('Cache-Control', 'no-cache');
    ctx.type = 'html';
    ctx.body = html;
  });

  router.post('/login', bodyParser({ enableTypes: ['form'], formLimit: '1kb' }), async (ctx) => {
    const user = chat.logIn(ctx.request.body?.name, NAME, ctx.session.user);
    // A new session id, so that an id planted before the login is worth nothing after it.
    await ctx.session.regenerate();
    ctx.session.user = user;
    ctx.status = 303;
    ctx.redirect('/');
  });

  router.post('/logout', (ctx) => {
    chat.logOut(ctx.session.user);
    ctx.session = null;
    ctx.status = 303;
    ctx.redirect('/');
  });

  router.get('/me', requireLogin, (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = ctx.session.user;
  });

  router.get('/sites', (ctx) => {
    ctx.body = { here: NAME, sites: chat.sites };
  });

  // The guards of a page are the guards of a socket, and what they answer is what the client gets.
  router.get(
    '/chat/:room',
    requireLogin,
    requireRoomName,
    upwire.ws((ws, ctx) => {
      chat.converse(ws, ctx.session.user, ctx.state.roomName, lifetime);
    }),
  );
  app.use(router.routes());

  let server;
  return {
    name: NAME,
    /** Has `clients`, and `connection` events. */
    webSocketServer: () => getWss(),
    listen: (port, host) => {
      server = app.listen(port, host);
      return server;
    },
    close: () => {
      if (server === undefined) return;
      // Says 1001 to every socket as well.
      server.close();
      cutLater(server);
    },
  };
}

async function answerErrors(ctx, next) {
  try {
    await next();
  } catch (error) {
    const status = error.status ?? 500;
    if (status >= 500) throw error;
    ctx.status = status;
    ctx.body = { error: error.message };
  }
}

function requireLogin(ctx, next) {
  if (ctx.session.user) return next();
  ctx.status = 401;
  ctx.body = { error: 'Log in first.' };
}

function requireRoomName(ctx, next) {
  ctx.state.roomName = readRoomName(ctx.params.room);
  return next();
}

/** Sessions in this process's memory, which is for demos only; what is kept in a cookie cannot be ended by a log-out. */
class MemoryStore {
  #sessions = new Map();

  async get(id) {
    return this.#sessions.get(id);
  }

  async set(id, session) {
    this.#sessions.set(id, session);
  }

  async destroy(id) {
    this.#sessions.delete(id);
  }
}

module.exports = { createKoaSite };

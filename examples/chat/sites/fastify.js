// The chat as a Fastify application.
const cookie = require('@fastify/cookie');
const formbody = require('@fastify/formbody');
const session = require('@fastify/session');
const upwire = require('@upwire/fastify');
const fastify = require('fastify');
const { LIFETIME, WEBSOCKETS } = require('../chat');
const { commonMiddleware, runMiddleware } = require('../middleware');
const { html } = require('../page');
const { readRoomName } = require('../rules');
const { cutLater } = require('../shutdown');

const NAME = 'Fastify';

function createFastifySite(chat, { secret, store, lifetime = LIFETIME, log }) {
  const app = fastify({ bodyLimit: 1024 });
  const middleware = commonMiddleware(log);

  // Hooks see the upgrade requests too: the log has a line with the 101, and the 101 has helmet's
  // headers and the renewed session cookie.
  app.addHook('onRequest', (request, reply) => runMiddleware(middleware, request.raw, reply.raw));
  app.register(cookie);
  app.register(session, {
    cookieName: 'chat.fastify',
    secret,
    store,
    saveUninitialized: false,
    rolling: true,
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: lifetime },
  });
  app.register(formbody);
  app.register(upwire, WEBSOCKETS);

  app.setErrorHandler((error, _request, reply) => {
    const status = error.statusCode ?? error.status ?? 500;
    if (status >= 500) throw error;
    return reply.code(status).send({ error: error.message });
  });

  app.register(async (routes) => {
    routes.get('/', (_request, reply) =>
      reply.type('text/html; charset=utf-8').header('Cache-Control', 'no-cache').send(html),
    );

    routes.post('/login', async (request, reply) => {
      const user = chat.logIn(request.body?.name, NAME, request.session.user);
      // A new session id, so that an id planted before the login is worth nothing after it.
      await request.session.regenerate();
      request.session.user = user;
      return reply.redirect('/', 303);
    });

    routes.post('/logout', async (request, reply) => {
      chat.logOut(request.session.user);
      await request.session.destroy();
      return reply.clearCookie('chat.fastify', { path: '/' }).redirect('/', 303);
    });

    routes.get('/me', { preHandler: requireLogin }, (request, reply) =>
      reply.header('Cache-Control', 'no-store').send(request.session.user),
    );

    routes.get('/sites', async () => ({ here: NAME, sites: chat.sites }));

    // The guards of a page are the guards of a socket, and what they answer is what the client gets.
    routes.get(
      '/chat/:room',
      { websocket: true, preHandler: [requireLogin, requireRoomName] },
      (ws, request) => {
        chat.converse(ws, request.session.user, request.roomName, lifetime);
      },
    );
  });
  app.decorateRequest('roomName', null);

  return {
    name: NAME,
    /** Has `clients`, and `connection` events. */
    webSocketServer: () => app.websocketServer,
    listen: (port, host) => {
      app.listen({ port, host }).catch(() => {
        // Whoever listens to the server is told of it.
      });
      return app.server;
    },
    close: () => {
      // Says 1001 to every socket as well.
      app.close();
      cutLater(app.server);
    },
  };
}

async function requireLogin(request, reply) {
  if (!request.session.user) return reply.code(401).send({ error: 'Log in first.' });
}

async function requireRoomName(request) {
  request.roomName = readRoomName(request.params.room);
}

module.exports = { createFastifySite };

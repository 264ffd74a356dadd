import cookie from '@fastify/cookie';
import session from '@fastify/session';
import Fastify from 'fastify';
import { converse, secret, serveAdapters, user } from './site.mjs';

async function setUp(server, plugin) {
  const fastify = Fastify({
    serverFactory(handler) {
      server.on('request', handler);
      return server;
    },
  });
  fastify.register(cookie);
  fastify.register(session, { secret, cookie: { secure: false }, saveUninitialized: false });
  fastify.register(plugin);
  fastify.get('/login', async (request) => {
    request.session.user = user;
    return 'welcome';
  });
  fastify.register(async (scope) => {
    scope.get('/echo', { websocket: true }, (ws, request) => converse(ws, request.session));
  });
  await fastify.ready();
}

serveAdapters({
  async peer(server) {
    const { default: websocket } = await import('@fastify/websocket');
    await setUp(server, websocket);
  },
  async upwire(server) {
    const { default: upwire } = await import('@upwire/fastify');
    await setUp(server, upwire);
  },
});

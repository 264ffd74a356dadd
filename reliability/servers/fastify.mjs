import Fastify from 'fastify';
import { page, serveSubject } from './site.mjs';

/** A hook that refuses with what a guard says. */
const hookOf = (guard) => async (request, reply) => {
  const status = await guard(request.raw);
  if (status !== 0) return reply.code(status).send('refused');
};

async function setUp(plugin, options, { http, routes }) {
  const fastify = Fastify({
    serverFactory(handler) {
      http.on('request', handler);
      return http;
    },
  });
  fastify.register(plugin, options);
  fastify.get(page.path, async () => {
    await page.delay();
    return page.body;
  });
  fastify.register(async (scope) => {
    for (const { path, guard, handle } of routes) {
      const onRequest = guard === undefined ? [] : [hookOf(guard)];
      scope.get(path, { websocket: true, onRequest }, (ws) => handle(ws));
    }
  });
  await fastify.ready();
  return fastify;
}

serveSubject({
  async upwire(site) {
    const { default: upwire } = await import('@upwire/fastify');
    const { WebSocket } = await import('@upwire/engine');
    const fastify = await setUp(upwire, site.options, site);
    return {
      classes: [WebSocket],
      lasting: [fastify.websocketServer],
      close: () => fastify.close(),
    };
  },
  async peer(site) {
    const { default: websocket } = await import('@fastify/websocket');
    const { WebSocket } = await import('ws');
    const fastify = await setUp(websocket, { options: site.options }, site);
    return { classes: [WebSocket], close: () => fastify.close() };
  },
});

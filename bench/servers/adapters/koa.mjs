import Router from '@koa/router';
import Koa from 'koa';
import { createSession } from 'koa-session';
import { converse, secret, serveAdapters, user } from './site.mjs';

/** Adds the session and the routes; `route` is the middleware that ends the WebSocket route. */
function setUp(app, route) {
  app.keys = [secret];
  app.use(createSession({}, app));
  const router = new Router();
  router.get('/login', (context) => {
    context.session.user = user;
    context.body = 'welcome';
  });
  router.get('/echo', route);
  app.use(router.routes());
}

serveAdapters({
  async peer(server) {
    const { default: easyWebSocket } = await import('koa-easy-ws');
    const app = new Koa();
    app.use(easyWebSocket());
    setUp(app, async (context) => {
      const ws = await context.ws();
      converse(ws, context.session);
    });
    server.on('request', app.callback());
  },
  async upwire(server) {
    const { default: upwire } = await import('@upwire/koa');
    const { app } = upwire(new Koa(), server);
    setUp(
      app,
      upwire.ws((ws, context) => converse(ws, context.session)),
    );
    server.on('request', app.callback());
  },
});

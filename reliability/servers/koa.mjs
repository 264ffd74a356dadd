import Router from '@koa/router';
import Koa from 'koa';
import { closeHttp, page, serveSubject } from './site.mjs';

/** Middleware that refuses with what a guard says. */
const middlewareOf = (guard) => async (context, next) => {
  const status = await guard(context.req);
  if (status === 0) await next();
  else context.status = status;
};

/** Adds the routes; `endpoint` makes of a handler the middleware that ends its route. */
function setUp(app, { http, routes }, endpoint) {
  // Koa writes what fails to the console where nobody listens.
  app.on('error', () => undefined);
  const router = new Router();
  router.get(page.path, async (context) => {
    await page.delay();
    context.body = page.body;
  });
  for (const { path, guard, handle } of routes) {
    const guards = guard === undefined ? [] : [middlewareOf(guard)];
    router.get(path, ...guards, endpoint(handle));
  }
  app.use(router.routes());
  http.on('request', app.callback());
}

serveSubject({
  async upwire(site) {
    const { default: upwire } = await import('@upwire/koa');
    const { WebSocket } = await import('@upwire/engine');
    const { app, getWss } = upwire(new Koa(), site.http, site.options);
    setUp(app, site, (handle) => upwire.ws((ws) => handle(ws)));
    return { classes: [WebSocket], lasting: [app, getWss()], close: () => closeHttp(site.http) };
  },
  async peer(site) {
    const { default: easyWebSocket } = await import('koa-easy-ws');
    const { WebSocket } = await import('ws');
    const app = new Koa();
    app.use(easyWebSocket('ws', { wsOptions: site.options }));
    setUp(app, site, (handle) => async (context) => {
      // Whoever asks for a page there is answered by nothing of this application.
      if (context.ws) return handle(await context.ws());
      return undefined;
    });
    return { classes: [WebSocket], lasting: [app], close: () => closeHttp(site.http) };
  },
});

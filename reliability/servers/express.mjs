import express from 'express';
import { closeHttp, page, serveSubject } from './site.mjs';

/** Middleware that refuses with what a guard says. */
const middlewareOf = (guard) => async (request, response, next) => {
  const status = await guard(request);
  if (status === 0) next();
  else response.status(status).send('refused');
};

function setUp(app, { http, routes }) {
  app.get(page.path, async (_request, response) => {
    await page.delay();
    response.send(page.body);
  });
  for (const { path, guard, guarded, handle } of routes) {
    if (guard !== undefined) app.use(guarded, middlewareOf(guard));
    app.ws(path, (ws) => handle(ws));
  }
  http.on('request', app);
}

serveSubject({
  async upwire(site) {
    const { default: upwire } = await import('@upwire/express');
    const { WebSocket } = await import('@upwire/engine');
    const { app, getWss } = upwire(express(), site.http, site.options);
    setUp(app, site);
    return { classes: [WebSocket], lasting: [getWss()], close: () => closeHttp(site.http) };
  },
  async peer(site) {
    const { default: expressWs } = await import('express-ws');
    const { WebSocket } = await import('ws');
    const app = express();
    expressWs(app, site.http, { wsOptions: site.options });
    setUp(app, site);
    return { classes: [WebSocket], close: () => closeHttp(site.http) };
  },
});

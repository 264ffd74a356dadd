import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import Router from '@koa/router';
import type { Middleware } from 'koa';
import upwire from '../src/index';
import { lookAhead } from '../src/lookahead';
import type { WebSocketApp } from './support/site';
import { VERSIONS } from './support/versions';

const handler = () => undefined;

function look(app: WebSocketApp, url: string) {
  const request = new IncomingMessage(new Socket());
  request.url = url;
  return lookAhead(app, app.middleware, request);
}

describe.each(VERSIONS)('%s: lookAhead', (_name, Koa) => {
  test('tells the routes of app.ws() and of routers, and runs nothing', () => {
    const middleware = jest.fn();
    const { app } = upwire(new Koa());
    app.use(middleware);
    app.ws('/chat/:room', middleware, handler);
    app.use(middleware);
    app.ws(['/list', /^\/re(x+)$/], handler);
    const inner = new Router();
    inner.use(middleware).get('/in/:x', middleware, upwire.ws(handler));
    inner.get('/page', middleware);
    const outer = new Router({ prefix: '/outer' });
    outer.use('/nested', inner.routes());
    outer.post('/posted', upwire.ws(handler));
    app.use(outer.routes() as Middleware);
    const expected = {
      '/chat/red': 'here',
      '/CHAT/red/?x=y': 'here',
      '/chat/%E0%A4%A': 'here',
      'http://localhost/chat/red': 'here',
      '/list': 'here',
      '/rexx': 'here',
      '/outer/nested/in/7': 'here',
      '/outer/nested/page': 'maybe',
      '/outer/posted': 'maybe',
      '/nested/in/7': 'maybe',
      '/chat': 'maybe',
      '/': 'maybe',
      '*': 'maybe',
    };
    const paths = Object.keys(expected);
    expect(Object.fromEntries(paths.map((path) => [path, look(app, path)]))).toEqual(expected);
    expect(middleware).not.toHaveBeenCalled();
  });

  test('is certain of ws(handler) in the application itself, which takes everything', () => {
    const { app } = upwire(new Koa());
    app.use(upwire.ws(handler));
    expect(look(app, '/anything')).toBe('here');
  });

  test('is not certain of a router for one host, nor of what only looks like one', () => {
    const { app } = upwire(new Koa());
    const router = new Router({ host: 'a.example' });
    router.get('/chat', upwire.ws(handler));
    app.use(router.routes() as Middleware);
    for (const inside of [undefined, null, {}, { match: 5 }]) {
      app.use(Object.assign(() => undefined, { router: inside }));
    }
    expect(look(app, '/chat')).toBe('maybe');
  });
});

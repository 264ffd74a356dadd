import type Router from '@koa/router';
import type { RouteOptions as EngineRouteOptions } from '@upwire/engine/internal';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { passBy, ws } from './endpoint';
import { handshakeOf } from './handshake';
import { checkedOptions, isOptions } from './options';
import type { RoutePath, WebSocketHandler } from './types';

/** The routers that hold routes of `app.ws()`, by the middleware that stands for them. */
const routers = new WeakMap<Middleware, Router>();

/** Adds a WebSocket route to an application, at the end of its middleware. */
export function addRoute(app: Koa, path: RoutePath, rest: unknown[]): void {
  const [first, ...others] = rest;
  const options = isOptions(first) ? first : undefined;
  const functions = options === undefined ? rest : others;
  const types = functions.map((it) => typeof it);
  const wrong = types.find((type) => type !== 'function');
  if (types.length === 0 || wrong !== undefined) {
    const got = wrong === undefined ? 'no function' : `a value of type ${wrong}`;
    throw new TypeError(
      `ws() takes a path, options if any, middleware functions and, last, a handler function; it got ${got} for ${String(path)}`,
    );
  }
  // The check above leaves nothing but functions, which the types of `ws` have named.
  const handler = functions[functions.length - 1] as WebSocketHandler;
  const middleware = functions.slice(0, -1) as Middleware[];
  const endpoint = ws(handler, options);
  const paths = [path].flat();
  if (paths.length === 0) throw new TypeError('ws() takes a path, got an empty list of paths');
  const router = routerAtTheEnd(app);
  // One by one, because the router takes no regular expressions in a list.
  for (const one of paths) {
    router.get(one, begin(checkedOptions(options)), ...middleware, endpoint);
  }
}

/** Tells the handshake that it has come to a route, in front of the route's own middleware. */
function begin(options: EngineRouteOptions | undefined): Middleware {
  return (context, next) => {
    handshakeOf(context.req)?.reach(options);
    return next();
  };
}

/** Adds middleware to an application that runs for WebSockets alone. */
export function addMiddleware(app: Koa, middleware: Middleware): void {
  if (typeof middleware !== 'function') {
    throw new TypeError(`ws.use() takes a function, got a value of type ${typeof middleware}`);
  }
  app.use((context, next) => {
    const handshake = handshakeOf(context.req);
    if (handshake === undefined) return next();
    handshake.showWebSocket(false);
    return middleware(context, next);
  });
}

/** The router of the last route, where nothing has been added since: order counts. */
function routerAtTheEnd(app: Koa): Router {
  const last = app.middleware.at(-1);
  const known = last && routers.get(last);
  if (known !== undefined) return known;
  const router = newRouter();
  // A router of Koa's takes any context of Koa's, and makes of it what its own routes expect.
  const routes = router.routes() as Middleware;
  const middleware: Middleware = (context, next) => {
    if (handshakeOf(context.req) !== undefined) return routes(context, next);
    // Middleware of the routes is not for plain requests.
    return router.match(context.path, context.method).route ? passBy(context, next) : next();
  };
  app.use(Object.assign(middleware, { router }));
  routers.set(middleware, router);
  return router;
}

function newRouter(): Router {
  let found: typeof import('@koa/router');
  try {
    found = require('@koa/router');
  } catch (cause) {
    throw new Error(
      'app.ws(path, ...) needs the package @koa/router; with another router, use ws(handler) in its routes',
      { cause },
    );
  }
  return new found.Router();
}

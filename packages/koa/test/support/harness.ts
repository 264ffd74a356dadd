import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Router from '@koa/router';
import type {
  Application,
  Context,
  Facts,
  Handler,
  Harness,
  Middleware,
  Scope,
  Server,
  Site,
  SiteOptions,
  SlowStore,
  WebSocketRoute,
} from '@upwire/adapter-contract';
import { listen, tls } from '@upwire/adapter-contract';
import type { ConnectionLimits } from '@upwire/engine/internal';
import type { Middleware as KoaMiddleware, ParameterizedContext } from 'koa';
import session from 'koa-session';
import upwire from '../../src/index';
import type { App, KoaClass } from './versions';
import { compose, VERSIONS } from './versions';

const FACTS: Facts = {
  sessions: [
    { name: 'koa-session', stored: true },
    { name: 'koa-session in the cookie', stored: false },
  ],
  groups: ['router', 'application'],
  wildcard: (prefix) => `${prefix}/*rest`,
  notFound: () => /^Not Found$/,
  errorPage: (status) => new RegExp(`^${STATUS_CODES[status]}$`, 'i'),
  takesAbsoluteForm: true,
  knowsRoutes: true,
};

/** The contract's harness for both major versions. */
export const harnesses: readonly Harness<KoaScope>[] = VERSIONS.map(([name, Koa]) => ({
  name,
  file: __filename,
  facts: FACTS,
  open: (setUp, options) => openApplication(Koa, setUp, options),
  wirings: {
    'app.ws.use() in front of app.ws()': ({ app }, guard, handle) => {
      app.ws.use(middlewareOf(guard));
      app.ws('/admin/:x', handlerOf(handle));
    },
    'ws(handler) in a router': ({ app }, guard, handle) => {
      const router = newRouter('/admin');
      router.use(middlewareOf(guard)).get('/x', upwire.ws(handlerOf(handle)));
      app.use(middlewareOfRouter(router));
    },
    'ctx.ws()': ({ app }, guard, handle) => {
      const router = new Router();
      router.get('/admin/x', middlewareOf(guard), async (context) => {
        const webSocket = await context.ws?.();
        if (webSocket) await handle(webSocket, contextOf(context));
      });
      app.use(middlewareOfRouter(router));
    },
  },
}));

async function openApplication(
  Koa: KoaClass,
  setUp: (app: KoaScope) => void,
  options: SiteOptions,
): Promise<Site> {
  const { transport = 'http', onError, before, after } = options;
  let answer = (_request: IncomingMessage, _response: ServerResponse): unknown => undefined;
  // Koa's own listener knows the middleware that there was when it was made, and no other.
  const listener = (...args: Parameters<typeof answer>) => void answer(...args);
  const server = transport === 'https' ? createSecureServer(tls, listener) : createServer(listener);
  before?.(server);
  const { app, getWss, injectWS } = upwire(new Koa(), server, {
    ...adapterOptions(options.upwire),
    onError: onError && ((error, webSocket) => onError(error, webSocket)),
  });
  after?.(server);

  const log: string[] = [];
  const errors: unknown[] = [];
  app.on('error', (error) => {
    // Koa tells of every client that resets its connection before the answer, whatever it has asked for.
    if (error.code !== 'ECONNRESET') errors.push(error);
  });
  if (options.trustProxy !== undefined) app.proxy = options.trustProxy;
  app.use(({ method, originalUrl, res }, next) => {
    res.once('finish', () => log.push(`${method} ${originalUrl} ${res.statusCode}`));
    return next();
  });
  if (options.session !== undefined) app.use(sessionsOf(app, options.session, options.store));
  setUp(new KoaScope(app));
  answer = app.callback();

  const address = await listen(server, transport);
  return {
    address,
    server,
    webSockets: getWss(),
    log,
    errors,
    inject: injectWS,
    close: () => end(server),
  };
}

/** The contract's functions look at Node's request, where Koa's are given a context. */
function adapterOptions({
  maxConnections,
  origins,
  subprotocols,
  ...others
}: SiteOptions['upwire'] = {}): upwire.Options {
  return {
    ...others,
    maxConnections: typeof maxConnections === 'object' ? limits(maxConnections) : maxConnections,
    origins: typeof origins === 'function' ? (origin, { req }) => origins(origin, req) : origins,
    subprotocols:
      typeof subprotocols === 'function'
        ? (offered, { req }) => subprotocols(offered, req)
        : subprotocols,
  };
}

function limits({ key, ...numbers }: ConnectionLimits): ConnectionLimits<ParameterizedContext> {
  return { ...numbers, key: key && (({ req }) => key(req)) };
}

function end(server: Server): Promise<void> {
  return new Promise((resolve, reject) =>
    server.close((error) => (error ? reject(error) : resolve())),
  );
}

/** An application as a scope of the contract. */
export class KoaScope implements Application {
  readonly app: upwire.Instance<App>['app'];

  constructor(app: upwire.Instance<App>['app']) {
    this.app = app;
  }

  use(middleware: Middleware): void {
    this.app.use(middlewareOf(middleware));
  }

  ws(path: string, handle: Handler, { guards = [], options = {} }: WebSocketRoute = {}): void {
    this.app.ws(path, adapterOptions(options), ...guards.map(middlewareOf), handlerOf(handle));
  }

  page(method: 'GET' | 'POST', path: string, handler: Middleware): void {
    const router = new Router();
    new RouterScope(router).page(method, path, handler);
    this.app.use(middlewareOfRouter(router));
  }

  group(prefix: string, setUp: (scope: Scope) => void, kind = 'router'): void {
    if (kind === 'router') {
      const router = newRouter(prefix);
      setUp(new RouterScope(router));
      this.app.use(middlewareOfRouter(router));
    } else {
      const { app } = upwire(new (this.app.constructor as KoaClass)());
      setUp(new KoaScope(app));
      this.app.use(mounted(prefix, app));
    }
  }

  otherwise(handler: Middleware): void {
    this.use(handler);
  }
}

/** A router as a scope of the contract, whose WebSocket routes are made by `ws(handler)`. */
class RouterScope implements Scope {
  private readonly router: Router;

  constructor(router: Router) {
    this.router = router;
  }

  use(middleware: Middleware): void {
    this.router.use(middlewareOf(middleware));
  }

  ws(path: string, handle: Handler, { guards = [], options = {} }: WebSocketRoute = {}): void {
    const endpoint = upwire.ws(handlerOf(handle), adapterOptions(options));
    this.router.get(path, ...guards.map(middlewareOf), endpoint);
  }

  page(method: 'GET' | 'POST', path: string, handler: Middleware): void {
    this.router.register(path, [method], [middlewareOf(handler)]);
  }

  group(prefix: string, setUp: (scope: Scope) => void): void {
    const inner = new Router({ sensitive: true });
    setUp(new RouterScope(inner));
    if (prefix === '/') this.router.use(inner.routes());
    else this.router.use(prefix, inner.routes());
  }
}

/** An application below a path of another, in the way of koa-mount. */
function mounted(prefix: string, { middleware }: App): KoaMiddleware {
  const inner = compose(middleware);
  return async (context, next) => {
    const { path } = context;
    if (path !== prefix && !path.startsWith(`${prefix}/`)) return next();
    context.path = path.slice(prefix.length) || '/';
    try {
      return await inner(context, async () => {
        context.path = path;
        await next();
      });
    } finally {
      context.path = path;
    }
  };
}

/**
 * Middleware of a router with a prefix is for the prefix as it is written, where its routes are for any case: only a
 * router that is strict about case lets nobody by its guard.
 */
function newRouter(prefix: string): Router {
  return new Router({ prefix, sensitive: true });
}

/** Routers make of any context what their routes expect. */
function middlewareOfRouter(router: Router): KoaMiddleware {
  return router.routes() as KoaMiddleware;
}

const answered = new WeakSet<IncomingMessage>();

function middlewareOf(middleware: Middleware): KoaMiddleware {
  return async (context, next) => {
    await middleware(contextOf(context));
    if (!answered.has(context.req)) await next();
  };
}

function handlerOf(handle: Handler): upwire.WebSocketHandler {
  return (webSocket, context) => handle(webSocket, contextOf(context));
}

function contextOf(context: ParameterizedContext): Context {
  const { originalUrl, req, res, state } = context;
  return {
    url: originalUrl,
    params: context.params ?? {},
    header: (name) => context.get(name) || undefined,
    set: (name, value) => context.set(name, value),
    answer: (status, body, headers = {}) => {
      answered.add(req);
      context.set({ ...headers });
      context.status = status;
      if (body !== undefined) context.body = body;
    },
    session: {
      get: (name) => context.session[name],
      set: (name, value) => {
        context.session[name] = value;
      },
    },
    state,
    request: req,
    response: res,
  };
}

function sessionsOf(app: App, name: string, store: SlowStore | undefined): KoaMiddleware {
  app.keys = ['test'];
  if (name !== 'koa-session' || store === undefined) return session(app);
  return session(
    {
      store: {
        get: (id: string) => store.get(id),
        set: (id: string, data: unknown) => store.set(id, data),
        destroy: (id: string) => store.destroy(id),
      },
    },
    app,
  );
}

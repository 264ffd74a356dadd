import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
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
import cookieSession from 'cookie-session';
import type {
  ErrorRequestHandler,
  Application as ExpressApplication,
  IRouter,
  Request,
  RequestHandler,
  Response,
} from 'express';
import session from 'express-session';
import morgan from 'morgan';
import upwire from '../../src/index';
import type { Express } from './versions';
import { VERSIONS } from './versions';

type Wirings = Harness<ExpressScope & Application>['wirings'];

/** Ways to guard a path that only Express has: they do not stand in a scope with the route. */
const WIRINGS: Wirings = {
  'app.use and app.ws': (app, guard, handle) => {
    app.native.use('/admin', handlerOf(guard));
    app.ws('/admin/x', handle);
  },
  'app.use and a parameter': (app, guard, handle) => {
    app.native.use('/admin', handlerOf(guard));
    app.ws('/admin/:x', handle);
  },
  'app.use and a mounted router': (app, guard, handle) => {
    app.native.use('/admin', handlerOf(guard));
    app.group('/admin', (router) => router.ws('/x', handle));
  },
  'app.use and a mounted application': (app, guard, handle) => {
    app.native.use('/admin', handlerOf(guard));
    app.group('/admin', (inner) => inner.ws('/x', handle), 'application');
  },
  'app.all and app.ws': (app, guard, handle) => {
    app.native.all(/^\/admin(\/|$)/i, handlerOf(guard));
    app.ws('/admin/x', handle);
  },
};

/** The contract's harness for both major versions. */
export const harnesses: readonly Harness<ExpressScope & Application>[] = VERSIONS.map(
  ([name, express]) => ({
    name,
    file: __filename,
    facts: factsOf(name === 'Express 4'),
    open: (setUp, options) => openApplication(express, setUp, options),
    wirings: WIRINGS,
  }),
);

function factsOf(is4: boolean): Facts {
  return {
    sessions: [
      { name: 'express-session', stored: true },
      { name: 'cookie-session', stored: false },
    ],
    groups: ['router', 'application'],
    wildcard: (prefix) => (is4 ? `${prefix}/*` : `${prefix}/*rest`),
    notFound: (method, path) => new RegExp(`<pre>Cannot ${method} ${path}</pre>`),
    errorPage: (_status, message) => new RegExp(`<pre>Error: ${message}<br>`),
    knowsRoutes: true,
    takesAbsoluteForm: true,
  };
}

async function openApplication(
  express: Express,
  setUp: (app: ExpressScope & Application) => void,
  options: SiteOptions,
): Promise<Site> {
  const { transport = 'http', accessLog = true, onError, before, after } = options;
  const own = express();
  const server = transport === 'https' ? createSecureServer(tls, own) : createServer(own);
  before?.(server);
  const instance = upwire(own, server, {
    ...options.upwire,
    onError: onError && ((error, webSocket) => onError(error, webSocket)),
  });
  instance.applyTo(express.Router);
  after?.(server);

  const log: string[] = [];
  const errors: unknown[] = [];
  // Express writes no error to the console of a test.
  own.set('env', 'test');
  if (options.trustProxy !== undefined) own.set('trust proxy', options.trustProxy);
  const stream = { write: (line: string) => log.push(line.trim()) };
  if (accessLog) own.use(morgan(':method :url :status', { stream }));
  if (options.session !== undefined) own.use(sessionsOf(options.session, options.store));
  setUp(new ExpressScope(express, own, instance));
  own.use(((error, _request, _response, next) => {
    errors.push(error);
    next(error);
  }) as ErrorRequestHandler);

  const address = await listen(server, transport);
  return {
    address,
    server,
    webSockets: instance.getWss(),
    log,
    errors,
    inject: instance.injectWS,
    close: () => end(server),
  };
}

function end(server: Server): Promise<void> {
  return new Promise((resolve, reject) =>
    server.close((error) => (error ? reject(error) : resolve())),
  );
}

/** An application or a router, as a scope of the contract. */
export class ExpressScope implements Scope {
  readonly express: Express;
  readonly native: IRouter;
  private readonly instance: upwire.Instance<ExpressApplication>;

  constructor(express: Express, native: IRouter, instance: upwire.Instance<ExpressApplication>) {
    this.express = express;
    this.native = native;
    this.instance = instance;
  }

  use(middleware: Middleware): void {
    this.native.use(handlerOf(middleware));
  }

  ws(path: string, handle: Handler, { guards = [], options = {} }: WebSocketRoute = {}): void {
    this.native.ws(path, options, guards.map(handlerOf), (webSocket, request) =>
      handle(webSocket, contextOf(request, responseOf(request))),
    );
  }

  page(method: 'GET' | 'POST', path: string, handler: Middleware): void {
    if (method === 'GET') this.native.get(path, handlerOf(handler));
    else this.native.post(path, handlerOf(handler));
  }

  group(prefix: string, setUp: (scope: Scope) => void, kind = 'router'): void {
    const inner = kind === 'router' ? this.express.Router() : this.express();
    if (kind !== 'router') this.instance.applyTo(inner);
    setUp(new ExpressScope(this.express, inner, this.instance));
    this.native.use(prefix, inner);
  }

  otherwise(handler: Middleware): void {
    this.use(handler);
  }
}

function handlerOf(middleware: Middleware): RequestHandler {
  return (request, response, next) => {
    const done = (): void => {
      if (!response.headersSent) next();
    };
    const result = middleware(contextOf(request, response));
    if (result instanceof Promise) result.then(done).catch(next);
    else done();
  };
}

function responseOf(request: Request): Response {
  if (request.res === undefined) throw new Error('Express has given the request no response');
  return request.res;
}

function contextOf(request: Request, response: Response): Context {
  return {
    url: request.originalUrl,
    // Express 5 has lists for wildcards, which the contract does not look at.
    params: request.params as Record<string, string>,
    header: (name) => request.get(name),
    set: (name, value) => void response.set(name, value),
    answer: (status, body, headers = {}) => {
      response.status(status).set(headers);
      if (typeof body === 'object') response.json(body);
      else response.send(body);
    },
    get session() {
      // Either package's session is an object that holds whatever is put into it.
      const kept = request.session as unknown as Record<string, unknown>;
      return {
        get: (name: string) => kept[name],
        set: (name: string, value: unknown) => {
          kept[name] = value;
        },
      };
    },
    state: response.locals,
    request,
    response,
  };
}

function sessionsOf(name: string, store: SlowStore | undefined): RequestHandler {
  // What it does to a request is typed for Express alone.
  if (name === 'cookie-session') return cookieSession({ keys: ['test'] }) as RequestHandler;
  return session({
    secret: 'test',
    resave: false,
    saveUninitialized: true,
    store: store && new Store(store),
  });
}

/** The contract's store, as express-session asks it. */
class Store extends session.Store {
  private readonly kept: SlowStore;

  constructor(kept: SlowStore) {
    super();
    this.kept = kept;
  }

  get(id: string, callback: (error: unknown, session?: session.SessionData) => void): void {
    // It gives back what it was given below.
    this.kept.get(id).then((data) => callback(null, data as session.SessionData), callback);
  }

  set(id: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    this.kept.set(id, data).then(() => callback?.(), callback);
  }

  destroy(id: string, callback?: (error?: unknown) => void): void {
    this.kept.destroy(id).then(() => callback?.(), callback);
  }
}

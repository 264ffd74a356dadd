import cookie from '@fastify/cookie';
import secureSession from '@fastify/secure-session';
import session from '@fastify/session';
import type {
  Application,
  Context,
  Handler,
  Harness,
  Middleware,
  Scope,
  Site,
  SiteOptions,
  SlowStore,
  WebSocketRoute,
} from '@upwire/adapter-contract';
import { addressOf, listenArguments, tls } from '@upwire/adapter-contract';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Fastify from 'fastify';
import upwire from '../../src/index';

// Both session packages say what a request's session is, and this one's word holds in a program that has both.
declare module '@fastify/secure-session' {
  interface SessionData {
    [name: string]: unknown;
  }
}

/** The contract's harness. */
export const harnesses: readonly Harness<FastifyScope & Application>[] = [
  {
    name: 'Fastify 5',
    file: __filename,
    facts: {
      sessions: [
        { name: '@fastify/session', stored: true },
        { name: '@fastify/secure-session', stored: false },
      ],
      groups: ['plugin'],
      wildcard: (prefix) => `${prefix}/*`,
      notFound: (method, path) => new RegExp(`"message":"Route ${method}:${path} not found"`),
      errorPage: (status, message) => new RegExp(`"statusCode":${status},.*"message":"${message}"`),
      knowsRoutes: true,
      takesAbsoluteForm: true,
    },
    open: openApplication,
    wirings: {
      'a preParsing hook of a plugin': (app, guard, handle) => {
        app.group('/admin', (inner) => {
          (inner as FastifyScope).native.addHook('preParsing', hookOf(guard));
          inner.ws('/x', handle);
        });
      },
      'a preValidation hook of a plugin': (app, guard, handle) => {
        app.group('/admin', (inner) => {
          (inner as FastifyScope).native.addHook('preValidation', hookOf(guard));
          inner.ws('/:x', handle);
        });
      },
      'a hook that is added behind the route': (app, guard, handle) => {
        app.group('/admin', (inner) => {
          inner.ws('/x', handle);
          inner.use(guard);
        });
      },
    },
  },
];

async function openApplication(
  setUp: (app: FastifyScope & Application) => void,
  options: SiteOptions,
): Promise<Site> {
  const { transport = 'http', trustProxy, onError, before, after } = options;
  const logger = new Logger();
  const loggerInstance: FastifyBaseLogger = logger;
  const app: FastifyInstance = Fastify({
    loggerInstance,
    trustProxy,
    https: transport === 'https' ? tls : null,
  });
  before?.(app.server);
  await app.register(upwire, {
    // The options are typed for functions that are given Node's request, which the contract leaves alone.
    ...(options.upwire as upwire.Options),
    onError: onError && ((error, webSocket) => onError(error, webSocket)),
  });
  after?.(app.server);
  if (options.session !== undefined) await registerSessions(app, options.session, options.store);
  app.decorateRequest('locals');
  app.addHook('onRequest', async (request, reply) => {
    request.setDecorator('locals', {});
    replies.set(request, reply);
  });
  setUp(new FastifyScope(app));

  await app.listen(listenArguments(transport));
  const { server, websocketServer } = app;
  return {
    address: addressOf(server, transport),
    server,
    webSockets: websocketServer,
    log: logger.completed,
    errors: logger.errors,
    inject: (path, how) => app.injectWS(path, how),
    close: () => app.close(),
  };
}

/** An instance, or one inside another, as a scope of the contract. */
export class FastifyScope implements Application {
  readonly native: FastifyInstance;

  constructor(native: FastifyInstance) {
    this.native = native;
  }

  use(middleware: Middleware): void {
    this.native.addHook('onRequest', hookOf(middleware));
  }

  ws(path: string, handle: Handler, { guards = [], options = {} }: WebSocketRoute = {}): void {
    const preHandler = guards.map(hookOf);
    // As for those of the site.
    const websocket = options as unknown as upwire.RouteOptions;
    this.native.get(path, { websocket, preHandler }, (webSocket, request) =>
      handle(webSocket, contextOf(request, replyTo(request))),
    );
  }

  page(method: 'GET' | 'POST', url: string, handler: Middleware): void {
    this.native.route({ method, url, handler: hookOf(handler) });
  }

  group(prefix: string, setUp: (scope: Scope) => void): void {
    this.native.register(async (inner) => setUp(new FastifyScope(inner)), { prefix });
  }

  otherwise(handler: Middleware): void {
    this.native.setNotFoundHandler(hookOf(handler));
  }
}

const replies = new WeakMap<FastifyRequest, FastifyReply>();
/** Those that are answered, if the answer may still wait for hooks. */
const answered = new WeakSet<FastifyReply>();

function replyTo(request: FastifyRequest): FastifyReply {
  const reply = replies.get(request);
  if (reply === undefined) throw new Error('The request has not come by the first hook');
  return reply;
}

function hookOf(middleware: Middleware) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    await middleware(contextOf(request, reply));
    // Fastify goes on behind the answer that it waits for, and finds that it has been given.
    return answered.has(reply) ? reply : undefined;
  };
}

function contextOf(request: FastifyRequest, reply: FastifyReply): Context {
  return {
    url: request.originalUrl,
    // No route of the contract has a schema.
    params: request.params as Record<string, string>,
    header: (name) => {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    set: (name, value) => void reply.header(name, value),
    answer: (status, body, headers = {}) => {
      answered.add(reply);
      reply.code(status).headers(headers).send(body);
    },
    get session() {
      const kept = request.session;
      return {
        get: (name: string) => kept.get(name),
        set: (name: string, value: unknown) => kept.set(name, value),
      };
    },
    get state() {
      return request.getDecorator<Record<string, unknown>>('locals');
    },
    request: request.raw,
    response: reply.raw,
  };
}

async function registerSessions(
  app: FastifyInstance,
  name: string,
  store: SlowStore | undefined,
): Promise<void> {
  if (name === '@fastify/secure-session') {
    await app.register(secureSession, { key: Buffer.alloc(32, 7), cookie: { path: '/' } });
    return;
  }
  await app.register(cookie);
  await app.register(session, {
    secret: 'a secret of at least thirty-two characters',
    cookie: { secure: false },
    // It gives back what it was given.
    store: store && {
      get: (id, done) => void store.get(id).then((it) => done(null, it as never), done),
      set: (id, data, done) => void store.set(id, data).then(() => done(), done),
      destroy: (id, done) => void store.destroy(id).then(() => done(), done),
    },
  });
}

/** What Fastify logs, as it is given to the log. */
class Logger implements FastifyBaseLogger {
  level = 'info';
  readonly completed: string[] = [];
  readonly errors: unknown[] = [];

  readonly info = (entry: unknown, message?: string): void => this.write(entry, message);
  readonly error = this.info;
  readonly warn = this.info;
  readonly fatal = this.info;
  readonly debug = (): void => undefined;
  readonly trace = this.debug;
  readonly silent = this.debug;

  child(): FastifyBaseLogger {
    return this;
  }

  private write(entry: unknown, message: string | undefined): void {
    if (typeof entry !== 'object' || entry === null) return;
    if ('err' in entry) this.errors.push(entry.err);
    if (message !== 'request completed' || !('res' in entry)) return;
    // The reply, before serializers have made anything of it.
    const { request, statusCode } = entry.res as FastifyReply;
    this.completed.push(`${request.method} ${request.originalUrl} ${statusCode}`);
  }
}

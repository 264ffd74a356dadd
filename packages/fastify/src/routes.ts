import type { Gateway, RouteOptions } from '@upwire/engine/internal';
import { checkRouteOptions, upgradeOf, upgradeRequired } from '@upwire/engine/internal';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RouteOptions as FastifyRoute,
  RouteHandlerMethod,
} from 'fastify';
import type { Target } from './handshake';
import { HandshakeRoute } from './handshake';
import type { DeclaredRoute } from './lookahead';
import { isJsonSchema, JsonMessageSchema } from './message';
import type { ErrorHandler } from './options';
import type { WebSocketHandler } from './types';

/** Where a route that takes WebSockets says so: in its `config`, which Fastify hands out with every request. */
const mark = Symbol('upwire.websocket');

interface Mark {
  readonly gateway: Gateway;
  readonly options: RouteOptions | undefined;
}

type PageHandler = (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) => unknown;

/** The WebSocket routes of one registration. */
export class WebSocketRoutes {
  readonly declared: DeclaredRoute[] = [];
  /** Whether there will be no more, and their hooks and schemas are in force. */
  complete = false;
  private readonly gateway: Gateway;
  private readonly errorHandler: ErrorHandler | undefined;
  private readonly messageSchema: object | undefined;
  private readonly messageSchemas: JsonMessageSchema[] = [];
  /** Handlers of WebSocket routes, by which the HEAD route that Fastify adds to a GET route is told. */
  private readonly handlers = new WeakSet<object>();
  private readonly urls = new Set<string>();

  /** @param messageSchema a JSON Schema for the messages of routes that say nothing else */
  constructor(
    gateway: Gateway,
    errorHandler: ErrorHandler | undefined,
    messageSchema: object | undefined,
  ) {
    this.gateway = gateway;
    this.errorHandler = errorHandler;
    this.messageSchema = messageSchema;
  }

  /**
   * Looks at a route that is being declared, and makes it take WebSockets if it wants them.
   *
   * @throws TypeError or RangeError for a route that cannot take them, or options that are wrong
   */
  add(instance: FastifyInstance, route: FastifyRoute): void {
    this.urls.add(route.url);
    const { websocket, wsHandler } = route;
    checkKinds(route);
    if (!websocket && wsHandler === undefined) return;
    // Without a `wsHandler`, the handler is for WebSockets, as its type has told.
    const handler = wsHandler ?? (route.handler as unknown as WebSocketHandler);
    const page = wsHandler === undefined ? requireUpgrade : (route.handler as PageHandler);
    if (route.method === 'HEAD' && this.handlers.has(handler)) {
      route.handler = page as RouteHandlerMethod;
      return;
    }
    checkMethods(route);
    const options = this.optionsOf(instance, route);
    this.handlers.add(handler);
    this.declared.push({ url: route.url, constrained: route.constraints !== undefined });
    const { errorHandler, gateway } = this;
    route.config = Object.assign({}, route.config, { [mark]: { gateway, options } });
    route.handler = both({ instance, handler, options, errorHandler }, page, gateway);
  }

  /**
   * Compiles what can be compiled when everything is declared.
   *
   * @throws Error that names the route
   */
  ready(): void {
    for (const schema of this.messageSchemas) schema.compileEarly();
    this.complete = true;
  }

  private optionsOf(instance: FastifyInstance, route: FastifyRoute): RouteOptions | undefined {
    const own = typeof route.websocket === 'object' ? route.websocket : {};
    const message = own.message ?? this.messageSchema;
    if (!isJsonSchema(message)) {
      return typeof route.websocket === 'object' ? checkRouteOptions(own) : undefined;
    }
    const schema = new JsonMessageSchema(message, instance, route);
    this.messageSchemas.push(schema);
    return checkRouteOptions({ ...own, message: schema });
  }

  /**
   * Sees a request before the hooks behind it do. A handshake that has not come to a WebSocket route is left to other
   * listeners of the server.
   *
   * @returns true when nobody here may answer it any more
   */
  pass(request: FastifyRequest, reply: FastifyReply): boolean {
    const upgrade = upgradeOf(request.raw);
    if (upgrade === undefined) return false;
    upgrade.keepsHeaders(() => reply.getHeaders());
    const { config, url } = request.routeOptions;
    const marked = markOf({ config });
    if (marked !== undefined) {
      upgrade.reach(marked.options, marked.gateway);
      return false;
    }
    if (upgrade.unrouted()) {
      reply.hijack();
      return true;
    }
    if (!request.is404 && url !== undefined) this.warnOfEarlyRoute(url, request);
    return false;
  }

  /** Where the plugin was not there to see a route, it cannot tell what that was meant to be. */
  private warnOfEarlyRoute(url: string, request: FastifyRequest): void {
    if (this.urls.has(url)) return;
    this.urls.add(url);
    request.log.warn(
      `A WebSocket was refused by the route ${url}, which was declared before @upwire/fastify was ready. ` +
        'If it is to take WebSockets, write "await fastify.register(upwire)" before it',
    );
  }
}

/** Whether a route takes WebSockets by one of our registrations. */
export function isTaken(route: FastifyRoute): boolean {
  return markOf(route) !== undefined;
}

function markOf({ config }: { readonly config?: object | undefined }): Mark | undefined {
  // Nobody else has the symbol.
  return config && (Reflect.get(config, mark) as Mark | undefined);
}

/** A handler of requests that gives each kind to its own. */
function both(target: Target, page: PageHandler, gateway: Gateway): RouteHandlerMethod {
  return function (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
    const upgrade = upgradeOf(request.raw);
    if (upgrade === undefined) return page.call(this, request, reply);
    const message = target.options?.message;
    if (message instanceof JsonMessageSchema) message.compileFor(request);
    upgrade.accept(new HandshakeRoute(request, reply, target), gateway);
    // Fastify takes it that the reply is sent later.
    return undefined;
  } as RouteHandlerMethod;
}

function requireUpgrade(_request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = upgradeRequired(reply.raw);
  reply.code(status).headers(headers).send(body);
}

function checkKinds(route: FastifyRoute): void {
  const { websocket, wsHandler }: { websocket?: unknown; wsHandler?: unknown } = route;
  if (!['undefined', 'boolean', 'object'].includes(typeof websocket) || websocket === null) {
    throw new TypeError(
      `"websocket" of ${nameOf(route)} must be a boolean or options, got ${String(websocket)}`,
    );
  }
  if (wsHandler !== undefined && typeof wsHandler !== 'function') {
    throw new TypeError(
      `"wsHandler" of ${nameOf(route)} must be a function, got ${String(wsHandler)}`,
    );
  }
}

/** A handshake is a GET request (RFC 6455 4.2.1); HEAD goes with that. */
function checkMethods(route: FastifyRoute): void {
  const methods: readonly string[] = [route.method].flat();
  const others = methods.filter((method) => method !== 'GET' && method !== 'HEAD');
  if (others.length === 0 && methods.includes('GET')) return;
  throw new TypeError(`${nameOf(route)} cannot take WebSockets, whose method is GET`);
}

function nameOf({ method, url }: FastifyRoute): string {
  return `the route ${[method].flat().join(', ')} ${url}`;
}

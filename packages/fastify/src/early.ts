import { subscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';

/** A route for WebSockets, declared while it may be that nobody takes them. */
interface WatchedRoute {
  readonly instance: FastifyInstance;
  readonly route: RouteOptions;
}

/** By the outermost instance. */
const watchedRoutes = new WeakMap<object, WatchedRoute[]>();

// Fastify tells of each instance that is made. So routes are seen that are declared before the plugin is ready, which
// would be given a request in the place of a WebSocket.
subscribe('fastify.initialization', (message) => {
  // What the channel carries, by Fastify's documentation.
  const { fastify } = message as { readonly fastify: FastifyInstance };
  const watched: WatchedRoute[] = [];
  watchedRoutes.set(fastify, watched);
  fastify.addHook('onRoute', function (route) {
    const wanted = route.websocket || route.wsHandler !== undefined;
    if (wanted && route.method !== 'HEAD') watched.push({ instance: this, route });
  });
});

/**
 * Looks for routes for WebSockets that were declared before the plugin that takes them.
 *
 * @param isTaken whether somebody takes the WebSockets of a route
 * @throws Error where there is one
 */
export function refuseEarlyRoutes(
  instance: FastifyInstance,
  isTaken: (route: RouteOptions) => boolean,
): void {
  const lost = watchedBy(instance).find(
    (watched) => isWithin(instance, watched.instance) && !isTaken(watched.route),
  );
  if (lost === undefined) return;
  const { method, url } = lost.route;
  throw new Error(
    `The WebSocket route ${[method].flat().join(', ')} ${url} was declared before @upwire/fastify was ready: write ` +
      '"await fastify.register(upwire)" before it, or declare it in a plugin that is registered behind',
  );
}

function watchedBy(instance: FastifyInstance): readonly WatchedRoute[] {
  for (let owner: object | null = instance; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const watched = watchedRoutes.get(owner);
    if (watched !== undefined) return watched;
  }
  return [];
}

/** Whether an instance is another one, or one inside it that does not have WebSockets of its own. */
function isWithin(outer: FastifyInstance, inner: FastifyInstance): boolean {
  if (inner === outer) return true;
  // Instances inherit from the one that they were registered in.
  return (
    Object.prototype.isPrototypeOf.call(outer, inner) && !inner.hasDecorator('websocketServer')
  );
}

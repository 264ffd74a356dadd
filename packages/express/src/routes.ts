import type { OwnAuthority, Route, RouteOptions, WebSocket } from '@upwire/engine/internal';
import { checkRouteOptions, upgradeOf } from '@upwire/engine/internal';
import type { NextFunction, Request, RequestHandler } from 'express';
import type { PathParams } from 'express-serve-static-core';
import { countIn } from './clients';
import type { WebSocketHandler } from './types';

/** What an application and a router have in common. */
interface Routable {
  get(path: PathParams, ...handlers: RequestHandler[]): unknown;
}

/** Plain requests that have met a WebSocket route and nothing else yet. */
const plainRequests = new WeakSet<object>();

/** Whether a plain request has come by a WebSocket route. */
export function metWebSocketRoute(request: object): boolean {
  return plainRequests.has(request);
}

/**
 * Gives the method `ws` to an application, a router, or to all routers of a copy of Express by its `Router`.
 *
 * @throws TypeError for anything else
 */
export function addWebSocketMethod(target: object): void {
  const { prototype, get } = target as { prototype?: { get?: unknown } | undefined; get?: unknown };
  // What all routers inherit from: the constructor's prototype in Express 5, the function itself in Express 4.
  const routable = typeof prototype?.get === 'function' ? prototype : target;
  if (routable === target && typeof get !== 'function') {
    throw new TypeError(
      'Only an application, a router or express.Router can be given the method ws',
    );
  }
  Object.defineProperty(routable, 'ws', { value: addRoute, configurable: true, writable: true });
}

/** The functions that begin a WebSocket route. */
const beginnings = new WeakSet<object>();

/** Whether a function of a route's stack is one that begins a WebSocket route. */
export function beginsWebSocketRoute(handle: unknown): boolean {
  return typeof handle === 'function' && beginnings.has(handle);
}

function addRoute<Target extends Routable>(
  this: Target,
  path: PathParams,
  ...rest: unknown[]
): Target {
  const options = isOptions(rest[0]) ? checkRouteOptions(rest.shift()) : undefined;
  const functions = rest.flat(Number.POSITIVE_INFINITY);
  const types = functions.map((it) => typeof it);
  const wrong = types.find((type) => type !== 'function');
  if (types.length === 0 || wrong !== undefined) {
    const got = wrong === undefined ? 'no function' : `a value of type ${wrong}`;
    throw new TypeError(
      `ws() takes a path, options if any, middleware functions and, last, a handler function; it got ${got} for ${String(path)}`,
    );
  }
  // The check above leaves nothing but functions, which the types of `ws` have named.
  const handler = functions.pop() as WebSocketHandler;
  const middleware = functions as RequestHandler[];
  this.get(path, begin(options), ...middleware, accept(handler, options));
  return this;
}

/** Whether a value is a plain object, of whatever realm. */
function isOptions(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Lets plain requests pass the route by, to whatever else may answer them. */
function begin(options: RouteOptions | undefined): RequestHandler {
  const onlyUpgrades: RequestHandler = (request, _response, next) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) {
      plainRequests.add(request);
      next('route');
    } else {
      upgrade.reach(options);
      next();
    }
  };
  beginnings.add(onlyUpgrades);
  return onlyUpgrades;
}

function accept(handler: WebSocketHandler, options: RouteOptions | undefined): RequestHandler {
  return (request, _response, next) => {
    const count = countIn(request);
    const handle = (webSocket: WebSocket): unknown => {
      count(webSocket);
      return handler(webSocket, request, next);
    };
    upgradeOf(request)?.accept(new HandshakeRoute(request, next, handle, options));
  };
}

/** One handshake that has come to its route. Express works out what is asked for, and nothing before. */
class HandshakeRoute implements Route, OwnAuthority {
  readonly options: RouteOptions | undefined;
  readonly handle: Route['handle'];
  readonly onError: Route['onError'];
  private readonly asked: Request;

  constructor(
    request: Request,
    next: NextFunction,
    handle: Route['handle'],
    options: RouteOptions | undefined,
  ) {
    this.options = options;
    this.handle = handle;
    // Express takes what is falsy for no error.
    this.onError = (error) => next(error || new Error(`A WebSocket handler failed with ${error}`));
    this.asked = request;
  }

  get authority(): OwnAuthority {
    return this;
  }

  get secure(): boolean {
    return this.asked.secure;
  }

  get host(): string | undefined {
    return hostOf(this.asked);
  }

  get clientAddress(): string | undefined {
    return this.asked.ip;
  }
}

/** The host with its port, from the proxy where `trust proxy` says so. Express 4 has no such property. */
function hostOf(request: Request): string | undefined {
  const trust: (address: string | undefined, hop: number) => boolean =
    request.app.get('trust proxy fn');
  const forwarded = request.get('X-Forwarded-Host');
  if (forwarded === undefined || !trust(request.socket.remoteAddress, 0))
    return request.get('Host');
  return forwarded.split(',')[0].trim();
}

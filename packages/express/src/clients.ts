import type { WebSocket } from '@upwire/engine/internal';
import type { Request } from 'express';

/** The path of a route, as it was declared. */
export type RoutePath = string | RegExp;

/** Where a WebSocket is counted. */
interface Membership {
  readonly clients: RouteClients;
  readonly keys: readonly string[];
}

const kMembership = Symbol('upwire.membership');

type MaybeMember = WebSocket & { [kMembership]?: Membership };

function leave(this: MaybeMember): void {
  const { [kMembership]: membership } = this;
  membership?.clients.leave(this, membership.keys);
}

/** The open WebSockets of an application, by their routes. */
export class RouteClients {
  private readonly sets = new Map<string, Set<WebSocket>>();
  /** The routes that somebody has asked for, whose sets stay when they are empty. */
  private readonly wanted = new Set<string>();

  /** The WebSockets of one route: the same set from now on, whenever the route is declared. */
  of(path: RoutePath): ReadonlySet<WebSocket> {
    const key = keyOf('', path);
    this.wanted.add(key);
    return this.setOf(key);
  }

  /** Counts a WebSocket among those of its routes until it ends. */
  add(webSocket: WebSocket, keys: readonly string[]): void {
    for (const key of keys) this.setOf(key).add(webSocket);
    const member: MaybeMember = webSocket;
    member[kMembership] = { clients: this, keys };
    // One listener for all, which is no memory for each; and once is how often it is told.
    webSocket.on('close', leave);
  }

  /** @internal */
  leave(webSocket: WebSocket, keys: readonly string[]): void {
    for (const key of keys) this.remove(webSocket, key);
  }

  private setOf(key: string): Set<WebSocket> {
    let set = this.sets.get(key);
    if (set === undefined) {
      set = new Set();
      this.sets.set(key, set);
    }
    return set;
  }

  private remove(webSocket: WebSocket, key: string): void {
    const set = this.sets.get(key);
    set?.delete(webSocket);
    // A path of a router is known by where it was mounted, which may be as many places as there are requests.
    if (set?.size === 0 && !this.wanted.has(key)) this.sets.delete(key);
  }
}

const kClients = Symbol('upwire.clients');

type MaybeClaimed = object & { [kClients]?: RouteClients };

/** Notes whose WebSocket a request will be. */
export function claimRequest(request: MaybeClaimed, clients: RouteClients): void {
  request[kClients] = clients;
}

/** Where a request that has come to its route is to be counted, when it is a WebSocket. */
export function countIn(request: Request): (webSocket: WebSocket) => void {
  const clients = (request as MaybeClaimed)[kClients];
  // Asked for at once: in a router, both are about the router alone, and only while it runs.
  const { baseUrl } = request;
  const { path } = request.route;
  const keys = Array.isArray(path) ? keysOf(baseUrl, path) : [keyOf(baseUrl, path)];
  return (webSocket) => clients?.add(webSocket, keys);
}

function keysOf(baseUrl: string, nested: readonly unknown[]): string[] {
  // Express has checked them when the route was declared.
  const paths = nested.flat(Number.POSITIVE_INFINITY) as RoutePath[];
  return [...new Set(paths.map((path) => keyOf(baseUrl, path)))];
}

/** A route's name: capitals make no difference, nor does a slash at the end, as it is with Express's own routes. */
function keyOf(baseUrl: string, path: RoutePath): string {
  if (typeof path !== 'string') return String(path);
  const whole = `${baseUrl}${path}`.toLowerCase();
  return whole.length > 1 && whole.endsWith('/') ? whole.slice(0, -1) : whole;
}

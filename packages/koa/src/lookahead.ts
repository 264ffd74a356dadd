import type { IncomingMessage } from 'node:http';
import type { RouteKnowledge } from '@upwire/engine/internal';
import type Koa from 'koa';
import { isEndpoint } from './endpoint';

/** What `@koa/router` shows of itself, in the releases that we know of. */
interface RouterInside {
  readonly host?: unknown;
  match(path: string, method: string): { readonly pathAndMethod: readonly LayerInside[] };
}

interface LayerInside {
  readonly stack: readonly unknown[];
}

/**
 * Tells whether a request comes to a WebSocket route, without running anything.
 *
 * It decides only who answers where other libraries listen for upgrades on the same server. Any middleware may want a
 * WebSocket, so nothing but a router can be certain, and that only of what it has.
 *
 * @param layers the middleware that requests run through
 */
export function lookAhead(
  app: Koa,
  layers: readonly unknown[],
  request: IncomingMessage,
): RouteKnowledge {
  // Koa's own reading of the request target.
  const { path } = Object.create(app.request, { req: { value: request } }) as Koa.Request;
  return layers.some((it) => leadsToEndpoint(it, path)) ? 'here' : 'maybe';
}

function leadsToEndpoint(middleware: unknown, path: string): boolean {
  if (isEndpoint(middleware)) return true;
  const { router } = middleware as { router?: Partial<RouterInside> };
  // A router of one host does not see the others' requests.
  if (typeof router?.match !== 'function' || router.host !== undefined) return false;
  const { pathAndMethod } = router.match(path, 'GET');
  return pathAndMethod.some(({ stack }) => stack.some(isEndpoint));
}

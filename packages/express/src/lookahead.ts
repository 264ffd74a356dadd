import type { RouteKnowledge } from '@upwire/engine/internal';
import { beginsWebSocketRoute } from './routes';

/** A layer of a router's stack, as Express 4 and 5 have it. */
interface Layer {
  readonly name?: string;
  readonly path?: string;
  readonly handle: { readonly stack?: readonly Layer[] };
  readonly route?: { readonly stack: readonly { readonly handle: unknown }[] };
  match(path: string): boolean;
}

/**
 * Tells whether a path comes to a WebSocket route, without running anything.
 *
 * It decides only who answers where other libraries listen for upgrades on the same server; what is routed is always
 * decided by Express. So what cannot be seen from here (an application mounted in this one) is `'maybe'`.
 */
export function lookAhead(stack: readonly Layer[], path: string): RouteKnowledge {
  let knowledge: RouteKnowledge = 'elsewhere';
  for (const layer of stack) {
    const below = lookIn(layer, path);
    if (below === 'here') return 'here';
    if (below === 'maybe') knowledge = 'maybe';
  }
  return knowledge;
}

function lookIn(layer: Layer, path: string): RouteKnowledge {
  if (layer.route !== undefined) {
    const isWebSocket = layer.route.stack.some(({ handle }) => beginsWebSocketRoute(handle));
    return isWebSocket && matches(layer, path) ? 'here' : 'elsewhere';
  }
  const { stack } = layer.handle;
  if (stack !== undefined && matches(layer, path)) {
    const rest = path.slice(layer.path?.length ?? 0);
    return lookAhead(stack, rest.startsWith('/') ? rest : `/${rest}`);
  }
  return layer.name === 'mounted_app' && matches(layer, path) ? 'maybe' : 'elsewhere';
}

function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    // A parameter that cannot be decoded: the path is this layer's all the same, and Express answers it with 400.
    return true;
  }
}

/** The path of a request target, which may be a whole URL (RFC 9112 3.2.2). */
export function pathOf(target: string): string {
  if (!target.startsWith('/') && URL.canParse(target)) return new URL(target).pathname;
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

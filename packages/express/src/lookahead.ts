import type { RouteKnowledge } from '@upwire/engine/internal';
import { parseUrl } from '@upwire/engine/internal';
import type { ApplicationInside, Layer, RouterInside } from './inside';
import { isApplication, routerOf } from './inside';
import { beginsWebSocketRoute } from './routes';

/** Applications mounted in others, by their layers: Express hides them in a closure. */
const mounted = new WeakMap<Layer, ApplicationInside>();

/** Notes which applications are mounted in this one, from now on. */
export function watchMounts(app: ApplicationInside): void {
  const { use } = app;
  app.use = (...args) => {
    const { length } = routerOf(app).stack;
    const result = use.apply(app, args);
    // One layer for each function, in their order.
    const functions = args.flat(Number.POSITIVE_INFINITY).filter((it) => typeof it === 'function');
    for (const [index, layer] of routerOf(app).stack.slice(length).entries()) {
      const inner: unknown = functions[index];
      if (isApplication(inner)) mounted.set(layer, inner);
    }
    return result;
  };
}

/**
 * Tells whether a path comes to a WebSocket route, without running anything.
 *
 * It decides only who answers where other libraries listen for upgrades on the same server; what is routed is always
 * decided by Express. So what cannot be seen from here (an application in one that was mounted before we came) is
 * `'maybe'`.
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
    return isWebSocket && taken(layer, path) !== undefined ? 'here' : 'elsewhere';
  }
  const stack = stackBehind(layer);
  if (stack === undefined && layer.name !== 'mounted_app') return 'elsewhere';
  const prefix = taken(layer, path);
  if (prefix === undefined) return 'elsewhere';
  if (stack === undefined) return 'maybe';
  const rest = path.slice(prefix.length);
  return lookAhead(stack, rest.startsWith('/') ? rest : `/${rest}`);
}

/** The layers of the router or application that a layer stands for. */
function stackBehind(layer: Layer): readonly Layer[] | undefined {
  const inner = mounted.get(layer) ?? layer.handle;
  if (isApplication(inner)) return routerOf(inner).stack;
  return (inner as Partial<RouterInside>).stack;
}

/** What a layer takes of a path; `undefined` where the path is not its own. */
function taken(layer: Layer, path: string): string | undefined {
  try {
    const match = layer.match(path);
    if (!match) return undefined;
    return (match === true ? layer.path : match.path) ?? '';
  } catch {
    // A parameter that cannot be decoded: the path is this layer's all the same, and Express answers it with 400.
    return '';
  }
}

/** The path of a request target, which may be a whole URL (RFC 9112 3.2.2). */
export function pathOf(target: string): string {
  const url = target.startsWith('/') ? null : parseUrl(target);
  if (url !== null) return url.pathname;
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

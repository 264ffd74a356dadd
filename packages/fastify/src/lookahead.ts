import type { IncomingMessage } from 'node:http';
import type { RouteKnowledge } from '@upwire/engine/internal';
import type { FastifyInstance } from 'fastify';
import { rewritesUrls } from './inside';

/** A route that takes WebSockets, as far as it matters for finding it. */
export interface DeclaredRoute {
  readonly url: string;
  readonly constrained: boolean;
}

/**
 * Tells whether a request may come to a WebSocket route, without running anything.
 *
 * It decides only who answers where other libraries listen for upgrades on the same server; what is routed is always
 * decided by Fastify. Fastify tells whether there is a route and what its parameters are, but not which route it is; so
 * the answer is `'elsewhere'` where that excludes all of ours, and `'maybe'` otherwise.
 */
export function lookAhead(
  instance: FastifyInstance,
  { url = '' }: IncomingMessage,
  declared: readonly DeclaredRoute[],
): RouteKnowledge {
  if (declared.length === 0) return 'elsewhere';
  if (rewritesUrls(instance) || declared.some(({ constrained }) => constrained)) return 'maybe';
  const names = parameters(instance, url);
  if (names === undefined) return 'maybe';
  if (names === null) return 'elsewhere';
  return declared.some((route) => mayMatch(route.url, names)) ? 'maybe' : 'elsewhere';
}

/** The names of the parameters with which Fastify matches a URL; `null` where there is no route. */
function parameters(instance: FastifyInstance, url: string): string[] | null | undefined {
  try {
    const route = instance.findRoute({ method: 'GET', url });
    // Its type leaves out that there may be none.
    return (route as typeof route | null) === null ? null : Object.keys(route.params);
  } catch {
    // The application's own parser of query strings has failed; when the request is routed, that is answered.
    return undefined;
  }
}

/** Whether a match with these parameters can be one of this pattern. */
function mayMatch(pattern: string, names: readonly string[]): boolean {
  if (names.length > 0) {
    return names.every((name) => pattern.includes(name === '*' ? '*' : `:${name}`));
  }
  // A colon is written as two; the last parameter may be optional.
  return !/[:*]/.test(pattern.replaceAll('::', '')) || pattern.endsWith('?');
}

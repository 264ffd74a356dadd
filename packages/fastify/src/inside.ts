import type { FastifyInstance } from 'fastify';

/**
 * Whether the instance rewrites URLs before it routes them, or may do so. Fastify has no public way to ask for it, and
 * what its options are kept under is found by its description.
 */
export function rewritesUrls(instance: FastifyInstance): boolean {
  // Instances inherit from the one that they were registered in, and the outermost has the options.
  for (let owner: object | null = instance; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const key = Object.getOwnPropertySymbols(owner).find(
      ({ description }) => description === 'fastify.options',
    );
    if (key === undefined) continue;
    const options: unknown = Reflect.get(owner, key);
    return (options as { readonly rewriteUrl?: unknown } | undefined)?.rewriteUrl !== undefined;
  }
  return true;
}

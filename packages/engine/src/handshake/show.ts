import { inspect } from 'node:util';

/**
 * A value as an error text shows it: a text in quotes with its control characters escaped and no longer than 100,
 * an object by its class alone, for what it holds may be secret, and endless.
 */
export function show(value: unknown): string {
  return inspect(value, { depth: -1, maxStringLength: 100 });
}

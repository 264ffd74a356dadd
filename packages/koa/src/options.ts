import type { RouteOptions } from '@upwire/engine/internal';
import { checkRouteOptions } from '@upwire/engine/internal';

const known = new WeakMap<object, RouteOptions>();

/**
 * Checks the options of a route. The same object is looked at once, because what shares it shares its limits.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function checkedOptions(options: object | undefined): RouteOptions | undefined {
  if (options === undefined) return undefined;
  const found = known.get(options);
  if (found !== undefined) return found;
  const checked = checkRouteOptions(options);
  known.set(options, checked);
  return checked;
}

/** Whether a value is a plain object, of whatever realm, and so the options among functions. */
export function isOptions(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]';
}

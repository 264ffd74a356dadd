import type { Server } from 'node:http';
import type { GatewayOptions } from '@upwire/engine/internal';
import { Gateway } from '@upwire/engine/internal';
import type Koa from 'koa';
import type { Middleware } from 'koa';
import { Onion } from './application';
import { lookAhead } from './lookahead';

/**
 * Lets upgrade requests run through an application's middleware.
 *
 * @param outermost runs each of them
 * @param layers the middleware; by default the application's own
 * @throws TypeError or RangeError that names the option and the value
 */
export function createGateway(
  app: Koa,
  options: GatewayOptions,
  outermost: Middleware,
  layers = (): readonly Middleware[] => app.middleware,
): Gateway {
  const onion = new Onion(app, outermost, layers);
  return new Gateway(
    {
      dispatch: (request, response) => onion.run(request, response),
      routes: (request) => lookAhead(app, layers(), request),
    },
    options,
  );
}

/**
 * Has every server attached that the application makes itself.
 *
 * @param listen makes one, from the arguments of `app.listen()`; by default as the application does
 */
export function attachListening(
  app: Koa,
  gateway: Pick<Gateway, 'attach'>,
  listen: (...where: unknown[]) => Server = listenOf(app),
): void {
  app.listen = (...where: unknown[]) => {
    const listening = listen(...where);
    gateway.attach(listening);
    return listening;
  };
}

function listenOf(app: Koa): (...where: unknown[]) => Server {
  const { listen } = app;
  return (...where) => Reflect.apply(listen, app, where);
}

/**
 * Checks that options are an object; what is in them is checked by the gateway, and what its functions are given as the
 * request is a context.
 *
 * @throws TypeError
 */
export function checkOptions(what: string, options: unknown): GatewayOptions {
  if (typeof options === 'object' && options !== null) return options;
  throw new TypeError(`The ${what} must be an object of options, got ${String(options)}`);
}

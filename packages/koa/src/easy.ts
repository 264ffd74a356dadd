import { Server as NetServer } from 'node:net';
import type { AnyServer, GatewayOptions, WebSocketServer } from '@upwire/engine/internal';
import { Gateway, upgradeOf } from '@upwire/engine/internal';
import type Koa from 'koa';
import type { Middleware, ParameterizedContext } from 'koa';
import { Onion } from './application';
import { checkOptions } from './core';
import { attachServers, serverOf, whenUsed } from './discovery';
import { handshakeOf } from './handshake';
import { lookAhead } from './lookahead';
import { runBare } from './run';

/** Applications whose upgrade requests somebody takes already; the WebSockets of others are among them. */
const served = new WeakSet<Koa>();

/**
 * Makes middleware in the manner of `koa-easy-ws`: behind it, `await ctx.ws()` accepts a WebSocket at once, and `ctx.ws`
 * is `undefined` for plain requests.
 *
 * The servers of the application are found: those that it makes itself, and those that are given its `callback()`.
 *
 * @param propertyName another name for `ctx.ws`
 * @param options or a server, where it cannot be found
 * @throws TypeError or RangeError that names the option and the value
 */
function easy(propertyName = 'ws', options: easy.Options | AnyServer = {}): easy.EasyMiddleware {
  if (typeof propertyName !== 'string') {
    throw new TypeError(`The first argument must be a name, got ${String(propertyName)}`);
  }
  const { server, wsOptions = {}, exposeServerOn } = readOptions(options);
  let app: Koa | undefined;
  let onion: Onion | undefined;
  const gateway = new Gateway(
    {
      // A server that was given has the application as its listener, whichever it is.
      dispatch: (request, response) =>
        onion === undefined
          ? serverOf(request)?.emit('request', request, response)
          : onion.run(request, response),
      routes: (request) => (app === undefined ? 'maybe' : lookAhead(app, app.middleware, request)),
    },
    checkOptions('"wsOptions" option', wsOptions),
  );

  const offer: Middleware = (context, next) => {
    const handshake = handshakeOf(context.req);
    if (handshake !== undefined) context[propertyName] = handshake.method(gateway);
    return next();
  };
  const middleware: Middleware = (context, next) => {
    if (exposeServerOn !== undefined) context[exposeServerOn] = gateway.server;
    if (upgradeOf(context.req) === undefined) {
      refuseLost(context);
      return next();
    }
    if (handshakeOf(context.req) !== undefined) return offer(context, next);
    return runBare(context, () => offer(context, next));
  };

  if (server !== undefined) gateway.attach(server);
  whenUsed(middleware, (found) => {
    if (app !== undefined && app !== found) {
      throw new TypeError('This middleware is for one application, and is given to a second one');
    }
    app = found;
    if (served.has(found)) return;
    served.add(found);
    onion = new Onion(found, runBare);
    attachServers(found, gateway);
  });
  return Object.assign(middleware, { server: gateway.server });
}

function readOptions(given: unknown): easy.Options {
  if (given instanceof NetServer) return { server: given as AnyServer };
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `The second argument must be an object of options or a server, got ${String(given)}`,
    );
  }
  const { exposeServerOn, ...others }: easy.Options = given;
  if (exposeServerOn !== undefined && typeof exposeServerOn !== 'string') {
    throw new TypeError(
      `The "exposeServerOn" option must be a string, got ${String(exposeServerOn)}`,
    );
  }
  return { exposeServerOn, ...others };
}

/** A handshake that comes as a plain request can never become a WebSocket. */
function refuseLost({ headers }: ParameterizedContext): void {
  const { connection = '', upgrade = '' } = headers;
  if (!/\bupgrade\b/i.test(connection) || !/\bwebsocket\b/i.test(upgrade)) return;
  throw new Error(
    "The server does not hand over WebSocket handshakes, because it is not known: give it to easy('ws', server)",
  );
}

declare namespace easy {
  export interface Options {
    /** A server that is not made by `app.listen()` and not given `app.callback()`. */
    server?: AnyServer | undefined;
    /** Options of all WebSockets. */
    wsOptions?: GatewayOptions<ParameterizedContext> | undefined;
    /** A name in the context for the server of all WebSockets. @defaultValue none */
    exposeServerOn?: string | undefined;
    /** Accepted for `koa-easy-ws`, and not needed. */
    noServerWorkaround?: boolean | undefined;
  }

  export interface EasyMiddleware extends Middleware {
    /** The server of all WebSockets: `clients`, and `connection` events. */
    readonly server: WebSocketServer;
  }
}

export = easy;

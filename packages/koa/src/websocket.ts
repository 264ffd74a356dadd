import type { Server as HttpServer } from 'node:http';
import type { ServerOptions as HttpsOptions } from 'node:https';
import { createServer } from 'node:https';
import type { AnyServer, GatewayOptions, WebSocketServer } from '@upwire/engine/internal';
import type Koa from 'koa';
import type {
  DefaultContext,
  DefaultState,
  Middleware as KoaMiddleware,
  ParameterizedContext,
} from 'koa';
import { isApplication } from './application';
import { attachListening, checkOptions, createGateway } from './core';
import { runConnected } from './run';
import type { WebSocketContext } from './types';

/**
 * Gives a Koa application WebSockets in the manner of `koa-websocket`: a stack of middleware of their own, by
 * `app.ws.use()`, with `ctx.websocket` in it. It runs before the 101 and has a response like any other, so that
 * `ctx.throw(401)` refuses; what no middleware takes gets Koa's 404.
 *
 * The handshake is accepted when the middleware that has read `ctx.websocket` is done or has to wait for anything.
 *
 * @param wsOptions options of all WebSockets
 * @param httpsOptions where given, `app.listen()` makes an HTTPS server with them
 * @throws TypeError or RangeError that names the option and the value
 */
function websockify<StateT = DefaultState, ContextT = DefaultContext>(
  app: Koa<StateT, ContextT>,
  wsOptions: websockify.Options = {},
  httpsOptions?: HttpsOptions,
): websockify.App<StateT, ContextT> {
  if (!isApplication(app)) throw new TypeError('The first argument must be a Koa application');
  const middleware: KoaMiddleware[] = [];
  const options = checkOptions('second argument', wsOptions);
  const gateway = createGateway(app, options, runConnected, () => middleware);
  // What is added is typed for the state and the context of this application.
  const made = app as unknown as websockify.App<StateT, ContextT>;
  const ws: websockify.Server<StateT, ContextT> = {
    app: made,
    server: gateway.server,
    use(added) {
      if (typeof added !== 'function') {
        throw new TypeError(`ws.use() takes a function, got a value of type ${typeof added}`);
      }
      middleware.push(added as KoaMiddleware);
      return ws;
    },
    attach: (server) => gateway.attach(server),
  };
  attachListening(app, gateway, httpsOptions && listenSecurely(app, httpsOptions));
  const { listen } = app;
  app.listen = (...where: unknown[]) => {
    const server: HttpServer = Reflect.apply(listen, app, where);
    made.server = server;
    return server;
  };
  return Object.assign(made, { ws });
}

function listenSecurely(app: Koa, options: HttpsOptions): (...where: unknown[]) => HttpServer {
  return (...where) => {
    const server = createServer(options, app.callback());
    return Reflect.apply(server.listen, server, where);
  };
}

declare namespace websockify {
  /** Options of all WebSockets. `undefined` is always the default. */
  export interface Options extends GatewayOptions<ParameterizedContext> {}

  /** What middleware of `app.ws` has in its context. */
  export type MiddlewareContext<
    StateT = DefaultState,
    ContextT = DefaultContext,
  > = ParameterizedContext<StateT, ContextT & WebSocketContext>;

  export type Middleware<StateT = DefaultState, ContextT = DefaultContext> = KoaMiddleware<
    StateT,
    ContextT & WebSocketContext
  >;

  /** `app.ws`. */
  export interface Server<StateT = DefaultState, ContextT = DefaultContext> {
    readonly app: App<StateT, ContextT>;
    /** The server of all WebSockets: `clients`, and `connection` events. */
    readonly server: WebSocketServer;
    /** Adds middleware to the stack of the WebSockets. */
    use<NewState = object, NewContext = object>(
      middleware: Middleware<StateT & NewState, ContextT & NewContext>,
    ): this;
    /**
     * Takes the upgrade requests of a server that the application does not make itself.
     *
     * @throws TypeError for anything but a server
     */
    attach(server: AnyServer): void;
  }

  /** An application with WebSockets. */
  export interface App<StateT = DefaultState, ContextT = DefaultContext>
    extends Koa<StateT, ContextT> {
    readonly ws: Server<StateT, ContextT>;
    /** The server that `listen()` has made. */
    server?: HttpServer;
  }
}

export = websockify;

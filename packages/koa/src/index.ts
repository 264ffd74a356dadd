import type {
  AnyServer,
  ClientWebSocket,
  WebSocket as EngineWebSocket,
  Gateway,
  GatewayOptions,
  CloseOptions as OptionsOfClosing,
  InjectOptions as OptionsOfInjection,
  MessageWebSocket as SocketOfMessages,
  WebSocketServer,
} from '@upwire/engine/internal';
import type Koa from 'koa';
import type { DefaultContext, DefaultState, Middleware, ParameterizedContext } from 'koa';
import { isApplication } from './application';
import { attachListening, checkOptions, createGateway } from './core';
import { ws as endpoint } from './endpoint';
import { addMiddleware, addRoute } from './routes';
import { runHandshake } from './run';
import type {
  WebSocketHandler as Handler,
  KoaApplication,
  WebSocketMethod as Method,
  RouteOptions as OptionsOfRoute,
  RoutePath as Path,
  WebSocketRoutes,
} from './types';

/**
 * Gives a Koa application WebSocket routes that run through its own middleware: `app.ws()`, and `upwire.ws(handler)` to
 * put into any router.
 *
 * @param app the outermost application; its `listen()` is all it takes
 * @param server a server made by hand; any number of others, at any time, by `attach(server)`
 * @throws TypeError or RangeError that names the option and the value
 */
function upwire<App extends KoaApplication>(
  app: App,
  server?: AnyServer | null,
  options: upwire.Options = {},
): upwire.Instance<App> {
  if (!isApplication(app)) throw new TypeError('The first argument must be a Koa application');
  const gateway = createGateway(app, checkOptions('third argument', options), runHandshake);
  if (server) gateway.attach(server);
  attachListening(app, gateway);
  addMethod(app, gateway);
  return {
    // What has just been added is typed for the state and the context of this application.
    app: app as unknown as App & WebSocketRoutes<App>,
    getWss: () => gateway.server,
    attach: (later) => gateway.attach(later),
    injectWS: (path, options) => gateway.inject(path, options),
    close: (options) => gateway.close(options),
  };
}

function addMethod(app: Koa, { server }: Gateway): void {
  const method = Object.assign(
    (path: Path, ...handlers: unknown[]) => {
      addRoute(app, path, handlers);
      return app;
    },
    {
      server,
      use(middleware: Middleware) {
        addMiddleware(app, middleware);
        return method;
      },
    },
  );
  Object.defineProperty(app, 'ws', { value: method, configurable: true, writable: true });
}

upwire.ws = endpoint;

declare namespace upwire {
  /** Options for all routes of an application. `undefined` is always the default. */
  export interface Options extends GatewayOptions<ParameterizedContext> {}

  /** Options of one route, which go before those of {@link Options}. `undefined` is always the value there. */
  export type RouteOptions = OptionsOfRoute;

  export interface Instance<App> {
    /** The application that was given, with the method `ws`. */
    readonly app: App & WebSocketRoutes<App>;
    /** The server of all WebSockets: `clients`, and `connection` events. */
    getWss(): WebSocketServer;
    /**
     * Takes the upgrade requests of a server that the application does not make itself.
     *
     * @throws TypeError for anything but a server
     */
    attach(server: AnyServer): void;
    /**
     * Opens a WebSocket within the process, for tests: a real handshake through the application, which needs not listen.
     *
     * @param path path and query
     * @returns the client's WebSocket, open, as `new WebSocket()` of the engine makes it. Where it was refused, rejects
     * with an `Error` that has the `code` `WS_ERR_UNEXPECTED_RESPONSE`, `status`, `headers` and `body`
     */
    injectWS(path: string, options?: OptionsOfInjection): Promise<ClientWebSocket>;
    /**
     * Takes no more WebSockets and says goodbye to those that are open, injected ones among them; the servers go on. Where
     * they are to end as well, their `close()` is enough.
     *
     * @returns a promise that settles when all have ended; it never rejects
     * @throws TypeError or RangeError that names the option and the value
     * @throws Error with `clientTracking: false`, where nobody knows who is connected
     */
    close(options?: OptionsOfClosing): Promise<void>;
  }

  export type CloseOptions = OptionsOfClosing;

  export type InjectOptions = OptionsOfInjection;

  export type WebSocket = EngineWebSocket;
  /** The WebSocket of a route whose messages have a schema. */
  export type MessageWebSocket<Message> = SocketOfMessages<Message>;
  export type WebSocketHandler<StateT = DefaultState, ContextT = DefaultContext> = Handler<
    StateT,
    ContextT
  >;
  export type WebSocketMethod<App> = Method<App>;
  export type RoutePath = Path;
}

export = upwire;

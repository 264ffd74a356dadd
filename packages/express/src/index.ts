import type { ServerResponse } from 'node:http';
import type {
  AnyServer,
  ClientWebSocket,
  WebSocket as EngineWebSocket,
  GatewayOptions,
  CloseOptions as OptionsOfClosing,
  InjectOptions as OptionsOfInjection,
  MessageWebSocket as SocketOfMessages,
  WebSocketServer,
} from '@upwire/engine/internal';
import { answerUpgradeRequired, Gateway, upgradeOf } from '@upwire/engine/internal';
import type { Application, Request } from 'express';
import express from 'express';
import type { ParamsDictionary } from 'express-serve-static-core';
import type { RoutePath } from './clients';
import { claimRequest, RouteClients } from './clients';
import type { ApplicationInside, RouterInside } from './inside';
import { isApplication, routerOf } from './inside';
import { lookAhead, pathOf, watchMounts } from './lookahead';
import { reserveProperties } from './request';
import { addWebSocketMethod, metWebSocketRoute } from './routes';
import type {
  WebSocketHandler as Handler,
  WebSocketMethod as Method,
  RouteOptions as OptionsOfRoute,
} from './types';

/**
 * Gives an Express application WebSocket routes that run through its own middleware.
 *
 * `ws` comes to the application, to every `express.Router()`, and to other applications by `applyTo`. Where the program
 * has several copies of Express, the routers are those of the copy that this package finds; `applyTo(express.Router)`
 * adds those of another.
 *
 * @param app the outermost application; its `listen()` is all it takes
 * @param server a server made by hand; any number of others, at any time, by `attach(server)`
 * @throws TypeError or RangeError that names the option and the value
 */
function upwire<App extends Application>(
  app: App,
  server?: AnyServer | null,
  options: upwire.Options = {},
): upwire.Instance<App> {
  if (!isApplication(app)) throw new TypeError('The first argument must be an Express application');
  const { leaveRouterUntouched, wsOptions, ...own } = checkOptions(options);
  const inside: ApplicationInside = app;
  const clients = new RouteClients();
  const gateway = new Gateway(
    {
      dispatch: (request, response) => {
        claimRequest(request, clients);
        reserveProperties(request);
        inside.handle(request, response);
      },
      routes: ({ url = '' }) => lookAhead(routerOf(inside).stack, pathOf(url)),
      get responsePrototype() {
        return inside.response;
      },
    },
    // Express's request is the one it was given.
    { ...wsOptions, ...given(own) } as GatewayOptions,
  );
  if (server) gateway.attach(server);
  addWebSocketMethod(app);
  if (!leaveRouterUntouched) addWebSocketMethod(express.Router);
  watchMounts(inside);
  wrapRouting(inside);
  const { listen } = inside;
  inside.listen = (...args) => {
    const listening = listen.apply(inside, args);
    gateway.attach(listening);
    return listening;
  };
  return {
    app,
    getWss: webSocketsOf(gateway, clients),
    applyTo: (router) => addWebSocketMethod(router),
    attach: (later) => gateway.attach(later),
    injectWS: (path, options) => gateway.inject(path, options),
    close: (options) => gateway.close(options),
  };
}

function webSocketsOf(gateway: Gateway, clients: RouteClients): upwire.GetWss {
  // By its overloads it returns the one without a path, and the other with one.
  return ((...[path]: [RoutePath?]) => {
    if (path === undefined) return gateway.server;
    if (typeof path !== 'string' && !(path instanceof RegExp)) {
      throw new TypeError(
        `getWss() takes a path, as a route was declared with it, got ${String(path)}`,
      );
    }
    return { clients: clients.of(path) };
  }) as upwire.GetWss;
}

function checkOptions(options: unknown): upwire.Options {
  const { leaveRouterUntouched, wsOptions = {} } = objectOption('third argument', options);
  objectOption('"wsOptions" option', wsOptions);
  if (leaveRouterUntouched !== undefined && typeof leaveRouterUntouched !== 'boolean') {
    throw new TypeError(
      `The "leaveRouterUntouched" option must be a boolean, got ${typeof leaveRouterUntouched}`,
    );
  }
  // The gateway checks the rest.
  return options as upwire.Options;
}

function objectOption(name: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new TypeError(`The ${name} must be an object of options, got ${String(value)}`);
}

/** Options without those that are `undefined`, which must not hide a limit that `wsOptions` has set. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Sees what the application's own routes leave over, before Express answers it with its 404. */
function wrapRouting(app: ApplicationInside): void {
  const { handle } = app;
  const wrapped = new WeakSet<RouterInside>();
  // The request that this application is the last to see: `handle` comes to the router at once. In one that is mounted,
  // the others go on.
  let outermost: object | undefined;
  app.handle = (request, response, done) => {
    outermost = done === undefined ? request : undefined;
    const router = routerOf(app);
    if (!wrapped.has(router)) {
      wrapped.add(router);
      const route = router.handle;
      router.handle = (req, res, next) => {
        const isLast = outermost === req;
        outermost = undefined;
        route.call(router, req, res, (error) => {
          if (error || res.headersSent || !isLast) next(error);
          else leftOver(req as Request, res, next);
        });
      };
    }
    handle.call(app, request, response, done);
  };
}

function leftOver(request: Request, response: ServerResponse, next: () => void): void {
  if (upgradeOf(request)?.unrouted()) return;
  if (metWebSocketRoute(request)) answerUpgradeRequired(response);
  else next();
}

declare namespace upwire {
  /** Options for all routes of an application. `undefined` is always the default. */
  export interface Options extends GatewayOptions<Request> {
    /** Give `ws` to this application alone; others and routers then get it by `applyTo`. @defaultValue false */
    leaveRouterUntouched?: boolean | undefined;
    /** More of these options, where `express-ws` has them. */
    wsOptions?: GatewayOptions<Request> | undefined;
  }

  /** Options of one route, which go before those of {@link Options}. `undefined` is always the value there. */
  export type RouteOptions = OptionsOfRoute;

  export interface GetWss {
    /** The server of all WebSockets: `clients`, and `connection` events. */
    (): WebSocketServer;
    /**
     * The open WebSockets of one route, in a set that changes with them.
     *
     * @param path as the route was declared with it; of a router or a mounted application, with the path in front where
     * it was mounted: `/rooms/:room`; a regular expression stands for itself. The route may be declared later
     * @throws TypeError for anything but a string or a regular expression
     */
    (path: string | RegExp): { readonly clients: ReadonlySet<EngineWebSocket> };
  }

  export interface Instance<App> {
    /** The application that was given. */
    readonly app: App;
    readonly getWss: GetWss;
    /**
     * Gives `ws` to an application or a router, or to all routers of a copy of Express: `applyTo(express.Router)`.
     *
     * @throws TypeError for anything else
     */
    applyTo(target: object): void;
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
  export type WebSocketHandler<Params = ParamsDictionary> = Handler<Params>;
  export type WebSocketMethod<Target> = Method<Target>;
}

export = upwire;

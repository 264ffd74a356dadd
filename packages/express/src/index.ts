import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type {
  AnyServer,
  WebSocket as EngineWebSocket,
  GatewayOptions,
  WebSocketServer,
} from '@upwire/engine/internal';
import { answerUpgradeRequired, Gateway, upgradeOf } from '@upwire/engine/internal';
import type { Application, Request } from 'express';
import express from 'express';
import { lookAhead, pathOf } from './lookahead';
import { addWebSocketMethod, metWebSocketRoute } from './routes';
import type { WebSocketHandler as Handler, WebSocketMethod as Method } from './types';

/** A router's inside, where Express 4 and 5 agree. */
interface RouterInside {
  stack: Parameters<typeof lookAhead>[0];
  handle(request: Request, response: ServerResponse, done: (error?: unknown) => void): void;
}

/** An application's inside; the first two are Express 4's. */
interface ApplicationInside {
  lazyrouter?(): void;
  _router?: RouterInside;
  router: RouterInside;
  handle(request: IncomingMessage, response: ServerResponse, done?: unknown): void;
  listen(...args: unknown[]): HttpServer;
}

/**
 * Gives an Express application WebSocket routes that run through its own middleware.
 *
 * @param app the application; its `listen()` is all it takes
 * @param server a server made by hand; any number of others, at any time, by `attach(server)`
 * @throws TypeError or RangeError that names the option and the value
 */
function upwire<App extends Application>(
  app: App,
  server?: AnyServer | null,
  options: upwire.Options = {},
): upwire.Instance<App> {
  const { leaveRouterUntouched, wsOptions, ...own } = options;
  const inside = app as unknown as ApplicationInside;
  const gateway = new Gateway(
    {
      dispatch: (request, response) => inside.handle(request, response),
      routes: ({ url = '' }) => lookAhead(routerOf(inside).stack, pathOf(url)),
    },
    // Express hands `onError` its own request, which is the one it was given.
    { ...wsOptions, ...own } as GatewayOptions,
  );
  addWebSocketMethod(app);
  if (!leaveRouterUntouched) addWebSocketMethod(routerPrototype());
  wrapRouting(inside);
  const { listen } = inside;
  inside.listen = (...args) => {
    const listening = listen.apply(inside, args);
    gateway.attach(listening);
    return listening;
  };
  if (server) gateway.attach(server);
  return {
    app,
    getWss: () => gateway.server,
    applyTo: (router) => addWebSocketMethod(router),
    attach: (later) => gateway.attach(later),
  };
}

/** What all routers inherit from: the constructor's prototype in Express 5, the function itself in Express 4. */
function routerPrototype(): object {
  return typeof express.Router.prototype?.route === 'function'
    ? express.Router.prototype
    : express.Router;
}

/** The application's router. Asked for at the first request and not before, for settings decide how it is made. */
function routerOf(app: ApplicationInside): RouterInside {
  // Express 4 makes it on demand, and throws where Express 5 has the property.
  if (app.lazyrouter === undefined) return app.router;
  app.lazyrouter();
  return app._router as RouterInside;
}

/** Sees what the application's own routes leave over, before Express answers it with its 404. */
function wrapRouting(app: ApplicationInside): void {
  const { handle } = app;
  const wrapped = new WeakSet<RouterInside>();
  app.handle = (request, response, done) => {
    const router = routerOf(app);
    if (!wrapped.has(router)) {
      wrapped.add(router);
      const route = router.handle;
      router.handle = (req, res, next) =>
        route.call(router, req, res, (error) => {
          if (error || res.headersSent) next(error);
          else leftOver(req, res, next);
        });
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
  export interface Options extends Omit<GatewayOptions, 'onError'> {
    /**
     * Told once when a handler, or a listener of its WebSocket, throws or rejects; the client gets 1011.
     * @defaultValue the application's error middleware and, in the end, Express's own log
     */
    onError?: ((error: unknown, webSocket: EngineWebSocket, request: Request) => void) | undefined;
    /** Give `ws` to this application alone; routers then get it by `applyTo`. @defaultValue false */
    leaveRouterUntouched?: boolean | undefined;
    /** More of these options, where `express-ws` has them. */
    wsOptions?: GatewayOptions | undefined;
  }

  export interface Instance<App> {
    /** The application that was given. */
    readonly app: App;
    /** The server of all WebSockets: `clients`, and `connection` events. */
    getWss(): WebSocketServer;
    /** Gives `ws` to a router: one of another copy of Express, or where `leaveRouterUntouched` is set. */
    applyTo(router: object): void;
    /** Takes the upgrade requests of a server that the application does not make itself. */
    attach(server: AnyServer): void;
  }

  export type WebSocket = EngineWebSocket;
  export type WebSocketHandler = Handler;
  export type WebSocketMethod = Method;
}

export = upwire;

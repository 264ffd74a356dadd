import type { Server } from 'node:http';
import type {
  MessageOf,
  MessageSchema,
  MessageWebSocket,
  RouteOptions as Options,
  WebSocket,
  WebSocketServer,
} from '@upwire/engine/internal';
import type Koa from 'koa';
import type { DefaultContext, DefaultState, Middleware, ParameterizedContext } from 'koa';

/** Options of one route. */
export type RouteOptions = Options<ParameterizedContext>;

/** Options of a route whose messages have a schema. */
export interface MessageRouteOptions<Schema> extends Omit<RouteOptions, 'message'> {
  message: Schema;
}

/** The WebSocket of a route whose messages have a schema: it gives what the schema makes of them. */
export type SchemaWebSocket<Schema> = MessageWebSocket<MessageOf<Schema>>;

/** What a WebSocket route runs when the handshake is over. It may be asynchronous. */
export type WebSocketHandler<
  StateT = DefaultState,
  ContextT = DefaultContext,
  Socket = WebSocket,
> = (webSocket: Socket, context: ParameterizedContext<StateT, ContextT>) => unknown;

/** What is asked of an application, whatever its state and context are. */
export interface KoaApplication {
  middleware: unknown[];
  readonly context: object;
  use(...middleware: never[]): unknown;
  callback(): unknown;
  listen(...where: never[]): Server;
}

type StateOf<App> = App extends Koa<infer StateT, infer _> ? StateT : DefaultState;
type ContextOf<App> = App extends Koa<infer _, infer ContextT> ? ContextT : DefaultContext;

/** What a path's parameters add to the context. */
export interface RouteContext {
  params: Record<string, string>;
}

/** What middleware for WebSockets alone has in its context. */
export interface WebSocketContext {
  /**
   * The WebSocket, to be listened to and told what to do; what needs a connection is done when there is one. Whoever reads
   * it takes it: the handshake is accepted when all middleware is done, unless that answers otherwise.
   */
  readonly websocket: WebSocket;
}

/** Paths as `@koa/router` takes them. */
export type RoutePath = string | RegExp | (string | RegExp)[];

/** The middleware of a route and, last, its handler. */
type Handlers<StateT, ContextT, Socket> = [
  ...middleware: Middleware<StateT, ContextT>[],
  handler: WebSocketHandler<StateT, ContextT, Socket>,
];

type HandlersOf<App, Socket = WebSocket> = Handlers<
  StateOf<App>,
  ContextOf<App> & RouteContext,
  Socket
>;

/** `app.ws`. */
export interface WebSocketMethod<App> {
  /**
   * Adds a WebSocket route, matched by `@koa/router`, which has to be installed. The middleware runs before the 101, as it
   * would for a page: what it answers, the client gets. The last function is the handler. Options of this route go before
   * those of the application.
   *
   * Routes are looked at in the order in which they and all other middleware were added.
   *
   * @throws TypeError for anything but functions behind the path and the options
   * @throws TypeError or RangeError that names the option and the value
   * @throws Error where `@koa/router` is not installed
   */
  <Schema extends MessageSchema>(
    path: RoutePath,
    options: MessageRouteOptions<Schema>,
    ...handlers: HandlersOf<App, SchemaWebSocket<Schema>>
  ): App & WebSocketRoutes<App>;
  (
    path: RoutePath,
    options: RouteOptions,
    ...handlers: HandlersOf<App>
  ): App & WebSocketRoutes<App>;
  (path: RoutePath, ...handlers: HandlersOf<App>): App & WebSocketRoutes<App>;
  /**
   * Adds middleware that runs for WebSockets alone, in its place among all other middleware and before the 101. Its
   * `ctx.websocket` is the WebSocket, for whoever reads it.
   */
  use<NewState = object, NewContext = object>(
    middleware: Middleware<StateOf<App> & NewState, ContextOf<App> & WebSocketContext & NewContext>,
  ): this;
  /** The server of all WebSockets: `clients`, and `connection` events. */
  readonly server: WebSocketServer;
}

/** What an application has got. */
export interface WebSocketRoutes<App> {
  ws: WebSocketMethod<App>;
}

/** `ctx.ws`. */
export interface ContextMethod {
  /**
   * Accepts the handshake at once: the 101 has what middleware has set until now, and not what it sets on the way back,
   * such as the cookie of a session.
   *
   * @param options of this WebSocket, which go before those of the application
   * @returns the open WebSocket, whose messages wait for the first listener; rejects when the handshake was refused,
   * because of its origin for example, or when the client has gone
   * @throws TypeError or RangeError that names the option and the value
   */
  <Schema extends MessageSchema>(
    options: MessageRouteOptions<Schema>,
  ): Promise<SchemaWebSocket<Schema>>;
  (options?: RouteOptions): Promise<WebSocket>;
}

declare module 'koa' {
  interface ExtendableContext {
    /** Accepts a WebSocket; `undefined` where the request is for none. */
    ws?: ContextMethod | undefined;
  }
}

import type {
  MessageOf,
  MessageSchema,
  MessageWebSocket,
  RouteOptions as Options,
  WebSocket,
} from '@upwire/engine/internal';
import type { NextFunction, Request, RequestHandler } from 'express';
import type { ParamsDictionary, PathParams, RouteParameters } from 'express-serve-static-core';

/** Options of one route. */
export type RouteOptions = Options<Request>;

/** Options of a route whose messages have a schema. */
export interface MessageRouteOptions<Schema> extends Omit<RouteOptions, 'message'> {
  message: Schema;
}

/** What a WebSocket route runs when the handshake is over. It may be asynchronous. */
export type WebSocketHandler<Params = ParamsDictionary, Socket = WebSocket> = (
  webSocket: Socket,
  request: Request<Params>,
  next: NextFunction,
) => unknown;

/** Middleware of a route, run before the 101. */
type Middleware<Params> = RequestHandler<Params> | RequestHandler<Params>[];

type Handlers<Params, Socket = WebSocket> = [
  ...middleware: Middleware<Params>[],
  handler: WebSocketHandler<Params, Socket>,
];

/** The handler's WebSocket gives messages of the type that the schema makes of them. */
type MessageHandlers<Params, Schema> = Handlers<Params, MessageWebSocket<MessageOf<Schema>>>;

/** `ws(path, options?, ...middleware, handler)`, on an application or a router; it returns what it was called on. */
export interface WebSocketMethod<Target> {
  <Path extends string, Schema extends MessageSchema>(
    path: Path,
    options: MessageRouteOptions<Schema>,
    ...handlers: MessageHandlers<RouteParameters<Path>, Schema>
  ): Target;
  <Path extends string>(
    path: Path,
    options: RouteOptions,
    ...handlers: Handlers<RouteParameters<Path>>
  ): Target;
  <Path extends string>(path: Path, ...handlers: Handlers<RouteParameters<Path>>): Target;
  /** For parameters that a path does not tell, or whose types are known better. */
  <Params = ParamsDictionary, Schema extends MessageSchema = MessageSchema>(
    path: PathParams,
    options: MessageRouteOptions<Schema>,
    ...handlers: MessageHandlers<Params, Schema>
  ): Target;
  <Params = ParamsDictionary>(
    path: PathParams,
    options: RouteOptions,
    ...handlers: Handlers<Params>
  ): Target;
  <Params = ParamsDictionary>(path: PathParams, ...handlers: Handlers<Params>): Target;
}

declare module 'express-serve-static-core' {
  interface IRouter {
    /**
     * Adds a WebSocket route. The middleware runs before the 101, as it would for a page: what it answers, the client
     * gets. The last function is the handler. Options of this route go before those of the application.
     *
     * Routes are looked at in the order in which they were added, as ever: a page for the same path belongs behind.
     */
    ws: WebSocketMethod<this>;
  }
}

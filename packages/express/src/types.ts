import type { WebSocket } from '@upwire/engine/internal';
import type { NextFunction, Request, RequestHandler } from 'express';
import type { ParamsDictionary, PathParams, RouteParameters } from 'express-serve-static-core';

/** What a WebSocket route runs when the handshake is over. It may be asynchronous. */
export type WebSocketHandler<Params = ParamsDictionary> = (
  webSocket: WebSocket,
  request: Request<Params>,
  next: NextFunction,
) => unknown;

/** Middleware of a route, run before the 101. */
type Middleware<Params> = RequestHandler<Params> | RequestHandler<Params>[];

/** `ws(path, ...middleware, handler)`, on an application or a router. */
export interface WebSocketMethod {
  <This, Path extends string, Params = RouteParameters<Path>>(
    this: This,
    path: Path,
    handler: WebSocketHandler<Params>,
  ): This;
  <This, Path extends string, Params = RouteParameters<Path>>(
    this: This,
    path: Path,
    first: Middleware<Params>,
    handler: WebSocketHandler<Params>,
  ): This;
  <This, Path extends string, Params = RouteParameters<Path>>(
    this: This,
    path: Path,
    first: Middleware<Params>,
    second: Middleware<Params>,
    handler: WebSocketHandler<Params>,
  ): This;
  <This>(this: This, path: PathParams, handler: WebSocketHandler): This;
  <This>(
    this: This,
    path: PathParams,
    first: Middleware<ParamsDictionary>,
    handler: WebSocketHandler,
  ): This;
  <This>(
    this: This,
    path: PathParams,
    ...handlers: [
      ...middleware: Middleware<ParamsDictionary>[],
      last: Middleware<ParamsDictionary>,
      handler: WebSocketHandler,
    ]
  ): This;
}

declare module 'express-serve-static-core' {
  interface IRouter {
    /**
     * Adds a WebSocket route. The middleware runs before the 101, as it would for a page: what it answers, the client
     * gets. The last function is the handler.
     */
    ws: WebSocketMethod;
  }
}

import type { DefaultContext, DefaultState } from 'koa';
import websockify from './websocket.js';

export type Options = websockify.Options;
export type App<StateT = DefaultState, ContextT = DefaultContext> = websockify.App<
  StateT,
  ContextT
>;
export type Server<StateT = DefaultState, ContextT = DefaultContext> = websockify.Server<
  StateT,
  ContextT
>;
export type Middleware<StateT = DefaultState, ContextT = DefaultContext> = websockify.Middleware<
  StateT,
  ContextT
>;
export type MiddlewareContext<
  StateT = DefaultState,
  ContextT = DefaultContext,
> = websockify.MiddlewareContext<StateT, ContextT>;

export { websockify };
export default websockify;

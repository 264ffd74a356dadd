import type { DefaultContext, DefaultState } from 'koa';
import upwire from './index.js';

export type Options = upwire.Options;
export type RouteOptions = upwire.RouteOptions;
export type CloseOptions = upwire.CloseOptions;
export type InjectOptions = upwire.InjectOptions;
export type Instance<App> = upwire.Instance<App>;
export type WebSocket = upwire.WebSocket;
export type MessageWebSocket<Message> = upwire.MessageWebSocket<Message>;
export type WebSocketHandler<
  StateT = DefaultState,
  ContextT = DefaultContext,
> = upwire.WebSocketHandler<StateT, ContextT>;
export type WebSocketMethod<App> = upwire.WebSocketMethod<App>;
export type RoutePath = upwire.RoutePath;

export const { ws } = upwire;
export { upwire };
export default upwire;

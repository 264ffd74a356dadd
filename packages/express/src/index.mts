import type { ParamsDictionary } from 'express-serve-static-core';
import upwire from './index.js';

export type Options = upwire.Options;
export type RouteOptions = upwire.RouteOptions;
export type CloseOptions = upwire.CloseOptions;
export type InjectOptions = upwire.InjectOptions;
export type Instance<App> = upwire.Instance<App>;
export type WebSocket = upwire.WebSocket;
export type MessageWebSocket<Message> = upwire.MessageWebSocket<Message>;
export type WebSocketHandler<Params = ParamsDictionary> = upwire.WebSocketHandler<Params>;
export type WebSocketMethod<Target> = upwire.WebSocketMethod<Target>;

export { upwire };
export default upwire;

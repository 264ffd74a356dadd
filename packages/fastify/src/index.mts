import upwire from './index.js';

export type Options = upwire.Options;
export type RouteOptions = upwire.RouteOptions;
export type InjectOptions = upwire.InjectOptions;
export type ErrorHandler = upwire.ErrorHandler;
export type WebSocket = upwire.WebSocket;
export type WebSocketHandler = upwire.WebSocketHandler;

export { upwire };
export default upwire;

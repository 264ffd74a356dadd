import upwire from './index.js';

export type Options = upwire.Options;
export type Instance<App> = upwire.Instance<App>;
export type WebSocket = upwire.WebSocket;
export type WebSocketHandler = upwire.WebSocketHandler;
export type WebSocketMethod = upwire.WebSocketMethod;

export { upwire };
export default upwire;

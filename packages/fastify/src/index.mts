import upwire from './index.js';

export type { InjectOptions, WebSocket } from '@upwire/engine/internal';
// `WebsocketHandler` and `WebsocketPluginOptions` are the names that code written for `@fastify/websocket` imports.
export type {
  ErrorHandler,
  Options,
  Options as WebsocketPluginOptions,
  RouteOptions,
} from './options.js';
export type { WebSocketHandler, WebSocketHandler as WebsocketHandler } from './types.js';

export { upwire };
export default upwire;

import type WebSocketTypes from './index.js';
import { WebSocket } from './websocket.js';

export { WebSocketServer } from './server.js';
export { WebSocket };
export default WebSocket;

export type BinaryType = WebSocketTypes.BinaryType;
export type BufferLike = WebSocketTypes.BufferLike;
export type Data = WebSocketTypes.Data;
export type RawData = WebSocketTypes.RawData;
export type SendOptions = WebSocketTypes.SendOptions;
export type ServerOptions = WebSocketTypes.ServerOptions;
export type VerifyClientCallback = WebSocketTypes.VerifyClientCallback;
export type VerifyClientInfo = WebSocketTypes.VerifyClientInfo;

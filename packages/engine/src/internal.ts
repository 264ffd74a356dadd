/**
 * What the adapters use, and nobody else: this entry point may change in any release. The WebSockets of a gateway give text
 * as strings; a client's is a `ClientWebSocket`, which does not.
 */
export type { CloseOptions } from './closing';
export type { MessageWebSocket, TextWebSocket as WebSocket } from './events';
export type { OwnAuthority } from './handshake/origin';
export type {
  MessageIssue,
  MessageOf,
  MessageSchema,
  StandardResult,
  StandardSchema,
} from './message-schema';
export type { RateLimit } from './rate-limit';
export type { ConnectionLimits } from './upgrade/connection-limit';
export type { EarlyTextWebSocket } from './upgrade/early';
export type { AnyServer, RouteKnowledge } from './upgrade/gate';
export type { Framework, GatewayServer as WebSocketServer } from './upgrade/gateway';
export { Gateway } from './upgrade/gateway';
export type { InjectOptions } from './upgrade/inject';
export { InjectionRefused } from './upgrade/inject';
export type { GatewayOptions, RouteOptions } from './upgrade/options';
export { checkRouteOptions } from './upgrade/options';
export { answerUpgradeRequired, upgradeRequired } from './upgrade/required';
export type { Handshake as Upgrade, Route } from './upgrade/upgrade';
export { upgradeOf } from './upgrade/upgrade';
export { parseUrl } from './url';
export type { WebSocket as ClientWebSocket } from './websocket';

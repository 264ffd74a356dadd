/** What the adapters use, and nobody else: this entry point may change in any release. */
export type { OwnAuthority } from './handshake/origin';
export type { WebSocketServer } from './server';
export type { AnyServer, RouteKnowledge } from './upgrade/gate';
export { goAway } from './upgrade/gate';
export type { Framework } from './upgrade/gateway';
export { Gateway } from './upgrade/gateway';
export type { InjectOptions } from './upgrade/inject';
export { InjectionRefused } from './upgrade/inject';
export type { GatewayOptions, RouteOptions } from './upgrade/options';
export { checkRouteOptions } from './upgrade/options';
export { answerUpgradeRequired, upgradeRequired } from './upgrade/required';
export type { Route, Upgrade } from './upgrade/upgrade';
export { upgradeOf } from './upgrade/upgrade';
export type { WebSocket } from './websocket';

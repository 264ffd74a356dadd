export type { Address, Transport } from './address';
export { addressOf, listen, listenArguments, tls } from './address';
export type { Answer, DialOptions, Page, PageRequest, Target } from './client';
export { Client, connectTo, dial, enterAt, framesBehind101, get, knockAt, open } from './client';
export { contract } from './contract';
export type {
  Application,
  Context,
  Facts,
  Handler,
  Harness,
  Middleware,
  Scope,
  Server,
  Session,
  SessionKind,
  Site,
  SiteOptions,
  WebSocketRoute,
} from './harness';
export { openSite, until } from './site';
export { SlowStore } from './store';

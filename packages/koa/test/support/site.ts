import { once } from 'node:events';
import type { Server } from 'node:http';
import { later, portOf } from '../../../engine/test/support/site';
import upwire from '../../src/index';
import type { App, KoaClass } from './versions';
import { VERSIONS } from './versions';

export type { App, KoaClass };
export { VERSIONS };

/** An application that its tests may add WebSocket routes to. */
export type Instance = upwire.Instance<App>;
export type WebSocketApp = Instance['app'];

export interface Site extends Instance {
  readonly server: Server;
  readonly port: number;
  /** What the application's `error` event has told. */
  readonly errors: unknown[];
}

/** An application, made by a class or there already, that listens on any free port until the end of the test. */
export async function openSite(
  Koa: KoaClass | App,
  setUp: (app: WebSocketApp, instance: Instance) => void,
  options?: upwire.Options,
): Promise<Site> {
  const instance = upwire(typeof Koa === 'function' ? new Koa() : Koa, null, options);
  const errors: unknown[] = [];
  instance.app.on('error', (error) => errors.push(error));
  setUp(instance.app, instance);
  const server = instance.app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(server, instance);
  return { ...instance, server, port: portOf(server), errors };
}

export function closeLater(server: Server, { getWss }: Pick<Instance, 'getWss'>): void {
  later(() => {
    server.close();
    server.closeAllConnections();
    for (const webSocket of getWss().clients ?? []) webSocket.terminate();
  });
}

export const sleep = (milliseconds: number) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Application } from 'express';
import { later, portOf } from '../../../engine/test/support/site';
import upwire from '../../src/index';
import type { Express } from './versions';
import { VERSIONS } from './versions';

export type App = Application;
export type { Express };
export { VERSIONS };

export interface Site extends upwire.Instance<Application> {
  readonly server: Server;
  readonly port: number;
}

/** An application that listens on any free port until the end of the test. */
export async function openSite(
  express: Express,
  setUp: (app: Application, instance: upwire.Instance<Application>) => void,
  options?: upwire.Options,
): Promise<Site> {
  const instance = prepare(express, options);
  setUp(instance.app, instance);
  const server = instance.app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeLater(server, instance);
  return { ...instance, server, port: portOf(server) };
}

/** An application with WebSocket routes, which listens to nobody yet. */
export function prepare(express: Express, options?: upwire.Options): upwire.Instance<Application> {
  const instance = upwire(express(), null, options);
  instance.applyTo(express.Router);
  return instance;
}

export function closeLater(server: Server, { getWss }: upwire.Instance<Application>): void {
  later(() => {
    server.close();
    server.closeAllConnections();
    for (const webSocket of getWss().clients ?? []) webSocket.terminate();
  });
}

import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import Fastify from 'fastify';
import { later, portOf } from '../../../engine/test/support/site';
import upwire from '../../src/index';

export interface SiteOptions extends upwire.Options {
  /** Options of the instance itself. */
  readonly fastify?: FastifyServerOptions;
}

export interface Site {
  readonly app: FastifyInstance;
  readonly port: number;
}

/** An instance with WebSocket routes, which listens to nobody yet. */
export async function prepare({ fastify, ...options }: SiteOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(fastify);
  await app.register(upwire, options);
  later(() => close(app));
  return app;
}

/** An instance that listens on any free port until the end of the test. */
export async function openSite(
  setUp: (app: FastifyInstance) => unknown,
  options?: SiteOptions,
): Promise<Site> {
  const app = await prepare(options);
  await setUp(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, port: portOf(app.server) };
}

/** Ends an instance and whatever is still connected. */
async function close(app: FastifyInstance): Promise<void> {
  for (const webSocket of app.websocketServer.clients ?? []) webSocket.terminate();
  app.server.closeAllConnections();
  await app.close();
}

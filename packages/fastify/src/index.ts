import type { InjectOptions, WebSocket } from '@upwire/engine/internal';
import { Gateway, upgradeOf } from '@upwire/engine/internal';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import './fastify-instance';
import './fastify-routes';
import { closeWebSockets } from './closing';
import { refuseEarlyRoutes } from './early';
import { lookAhead } from './lookahead';
import type { ErrorHandler, Options, RouteOptions } from './options';
import { checkOptions } from './options';
import { isTaken, WebSocketRoutes } from './routes';
import type { WebSocketHandler } from './types';

/**
 * Gives a Fastify instance WebSocket routes that run through its own hooks, schemas and plugins:
 * `await fastify.register(upwire, options)`, before they are declared.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
async function upwire(instance: FastifyInstance, options: Options): Promise<void> {
  const { server = instance.server, preClose, errorHandler, ...rest } = checkOptions(options);
  refuseEarlyRoutes(instance, isTaken);
  const gateway: Gateway = new Gateway(
    {
      dispatch: async (request, response) => {
        // A server of its own may listen already. Until it is ready, the instance would run no hooks, guards among them.
        if (!routes.complete) await instance.ready();
        return instance.routing(request, response);
      },
      routes: (request) =>
        routes.complete ? lookAhead(instance, request, routes.declared) : 'maybe',
    },
    rest.gatewayOptions,
  );
  const routes = new WebSocketRoutes(gateway, errorHandler, rest.messageSchema);
  gateway.attach(server);

  instance.decorate('websocketServer', gateway.server);
  instance.decorate('injectWS', async (path = '/', options = {}, hooks = {}) => {
    await instance.ready();
    return gateway.inject(path, { ...options, ...hooks });
  });
  instance.decorateRequest('ws', {
    getter() {
      return upgradeOf(this.raw) !== undefined;
    },
  });
  instance.addHook('onRoute', function (route) {
    routes.add(this, route);
  });
  instance.addHook('onRequest', (request, reply, next) => {
    if (!routes.pass(request, reply)) next();
  });
  instance.addHook('onReady', async () => routes.ready());
  // Fastify closes its server meanwhile; its own hooks wait for the end.
  instance.addHook('preClose', preClose ?? (async () => void closeWebSockets(gateway)));
  instance.addHook('onClose', async () => {
    await closeWebSockets(gateway);
    gateway.detach(server);
  });
}

// Marks the function, so that what it adds is there in the instance that it is registered in.
plugin(upwire, { fastify: '5.x', name: '@upwire/fastify' });

declare namespace upwire {
  // `WebsocketHandler` and `WebsocketPluginOptions` are the names that code written for `@fastify/websocket` imports.
  export type {
    ErrorHandler,
    InjectOptions,
    Options,
    Options as WebsocketPluginOptions,
    RouteOptions,
    WebSocket,
    WebSocketHandler,
    WebSocketHandler as WebsocketHandler,
  };
}

export = upwire;

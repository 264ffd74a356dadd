import type {
  WebSocket as EngineWebSocket,
  InjectOptions as OptionsOfInjection,
} from '@upwire/engine/internal';
import { Gateway, upgradeOf } from '@upwire/engine/internal';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import plugin from 'fastify-plugin';
import { closeWebSockets, endOfWebSockets } from './closing';
import { refuseEarlyRoutes } from './early';
import { lookAhead } from './lookahead';
import type {
  ErrorHandler as Handler,
  RouteOptions as OptionsOfRoute,
  Options as PluginOptions,
} from './options';
import { checkOptions } from './options';
import { isTaken, WebSocketRoutes } from './routes';
import type { WebSocketHandler as HandlerOfRoute } from './types';

/** Gives a Fastify instance WebSocket routes that run through its own hooks, schemas and plugins. */
const upwire: FastifyPluginAsync<PluginOptions> = plugin(register, {
  fastify: '5.x',
  name: '@upwire/fastify',
});

async function register(instance: FastifyInstance, options: PluginOptions): Promise<void> {
  const { server = instance.server, preClose, errorHandler, ...rest } = checkOptions(options);
  refuseEarlyRoutes(instance, isTaken);
  const gateway: Gateway = new Gateway(
    {
      dispatch: (request, response) => instance.routing(request, response),
      routes: (request) => lookAhead(instance, request, routes.declared),
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
  instance.addHook('preClose', preClose ?? (async () => closeWebSockets(gateway.server)));
  instance.addHook('onClose', async () => {
    await endOfWebSockets(gateway.server);
    gateway.detach(server);
  });
}

declare namespace upwire {
  export type Options = PluginOptions;
  export type RouteOptions = OptionsOfRoute;
  export type InjectOptions = OptionsOfInjection;
  export type ErrorHandler = Handler;
  export type WebSocket = EngineWebSocket;
  export type WebSocketHandler = HandlerOfRoute;
}

export = upwire;

import type { ClientWebSocket, InjectOptions, WebSocketServer } from '@upwire/engine/internal';
import type { ContextConfigDefault, FastifySchema, RouteGenericInterface } from 'fastify';
import type { RouteOptions as WebSocketRouteOptions } from './options';
import type { MessageRouteOptions, SchemaWebSocket, WebSocketHandler } from './types';

// What the types of Fastify's instance and request gain. Each declaration has the parameters of the one that it is merged with.

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the request is a WebSocket handshake. */
    readonly ws: boolean;
  }

  interface FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider> {
    /** The WebSockets of all routes: `clients`, and `connection` events. */
    readonly websocketServer: WebSocketServer;

    /**
     * Opens a WebSocket within the process, for tests: the handshake runs through the instance as any other, and needs
     * no port. Waits until the instance is ready.
     *
     * @param path path and query. @defaultValue '/'
     * @param hooks `onInit` and `onOpen`, which may stand among the options as well
     * @returns the client's WebSocket, open; what comes before its `'message'` listener waits for it. Rejects with an
     * `Error` that has `status`, `headers` and `body` where the handshake was refused
     * @throws TypeError for a path that does not begin with a slash
     */
    readonly injectWS: (
      path?: string,
      options?: InjectOptions,
      hooks?: Pick<InjectOptions, 'onInit' | 'onOpen'>,
    ) => Promise<ClientWebSocket>;

    /** Declares a route whose handler is for WebSockets, and whose messages have a schema. */
    route<
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema,
      const Message extends object = object,
    >(
      options: Omit<
        RouteOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
        'handler' | 'websocket' | 'wsHandler'
      > & {
        websocket: MessageRouteOptions<Message>;
        wsHandler?: undefined;
        handler: WebSocketHandler<
          RawServer,
          RawRequest,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger,
          SchemaWebSocket<Message, TypeProvider>
        >;
      },
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>;

    /** Declares a route for pages and WebSockets, whose messages have a schema. */
    route<
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema,
      const Message extends object = object,
    >(
      options: Omit<
        RouteOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
        'websocket' | 'wsHandler'
      > & {
        websocket: MessageRouteOptions<Message>;
        wsHandler: WebSocketHandler<
          RawServer,
          RawRequest,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger,
          SchemaWebSocket<Message, TypeProvider>
        >;
      },
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>;

    /** Declares a route whose handler is for WebSockets. */
    route<
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema,
    >(
      options: Omit<
        RouteOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
        'handler' | 'websocket' | 'wsHandler'
      > & {
        websocket: true | WebSocketRouteOptions;
        wsHandler?: undefined;
        handler: WebSocketHandler<
          RawServer,
          RawRequest,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >;
      },
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>;
  }
}

import type {
  ClientWebSocket,
  InjectOptions,
  WebSocket,
  WebSocketServer,
} from '@upwire/engine/internal';
import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
} from 'fastify';
import type { RouteOptions as OptionsOfRoute } from './options';

/** What a WebSocket route runs when the handshake is over. It may be asynchronous. `this` is the instance. */
export type WebSocketHandler<
  RawServer extends RawServerBase = RawServerDefault,
  RawRequest extends
    RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
  RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
  ContextConfig = ContextConfigDefault,
  SchemaCompiler extends FastifySchema = FastifySchema,
  TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
  Logger extends FastifyBaseLogger = FastifyBaseLogger,
> = (
  this: FastifyInstance<
    RawServer,
    RawRequest,
    RawReplyDefaultExpression<RawServer>,
    Logger,
    TypeProvider
  >,
  webSocket: WebSocket,
  request: FastifyRequest<
    RouteGeneric,
    RawServer,
    RawRequest,
    SchemaCompiler,
    TypeProvider,
    ContextConfig,
    Logger
  >,
) => unknown;

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
        websocket: true | OptionsOfRoute;
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

  interface RouteShorthandOptions<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends
      RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    ContextConfig = ContextConfigDefault,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
  > {
    /**
     * Whether the route takes WebSockets, or the options it takes them with. Without a `wsHandler`, its handler is for
     * them.
     * @defaultValue false
     */
    websocket?: boolean | OptionsOfRoute | undefined;
  }

  interface RouteOptions<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends
      RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    ContextConfig = ContextConfigDefault,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
  > {
    /** Takes the WebSockets of the route, beside a `handler` for its pages. */
    wsHandler?: WebSocketHandler<
      RawServer,
      RawRequest,
      RouteGeneric,
      ContextConfig,
      SchemaCompiler,
      TypeProvider,
      Logger
    >;
  }

  interface RouteShorthandMethod<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends
      RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger,
  > {
    /** Declares a route whose handler is for WebSockets. */
    // biome-ignore lint/style/useShorthandFunctionType: it is one overload of several, the others being Fastify's
    <
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema,
    >(
      path: string,
      options: RouteShorthandOptions<
        RawServer,
        RawRequest,
        RawReply,
        RouteGeneric,
        ContextConfig,
        SchemaCompiler,
        TypeProvider,
        Logger
      > & { websocket: true | OptionsOfRoute },
      handler: WebSocketHandler<
        RawServer,
        RawRequest,
        RouteGeneric,
        ContextConfig,
        SchemaCompiler,
        TypeProvider,
        Logger
      >,
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>;
  }
}

import type {
  MessageOf,
  MessageSchema,
  MessageWebSocket,
  WebSocket,
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
import type { RouteOptions } from './options';

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
  Socket = WebSocket,
> = (
  this: FastifyInstance<
    RawServer,
    RawRequest,
    RawReplyDefaultExpression<RawServer>,
    Logger,
    TypeProvider
  >,
  webSocket: Socket,
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

/** Options of a route whose messages have a schema. */
export interface MessageRouteOptions<Schema> extends Omit<RouteOptions, 'message'> {
  message: Schema;
}

/** Options of a route whose messages are text and bytes. */
export type PlainRouteOptions =
  | true
  | (Omit<RouteOptions, 'message'> & { message?: false | undefined });

/**
 * A WebSocket that gives messages of the type that their schema makes of them: what a Standard Schema or a function says,
 * and for a JSON Schema what the type provider makes of it.
 */
export type SchemaWebSocket<Schema, TypeProvider extends FastifyTypeProvider> = MessageWebSocket<
  Schema extends MessageSchema
    ? MessageOf<Schema>
    : (TypeProvider & { readonly schema: Schema })['validator']
>;

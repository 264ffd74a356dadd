import type {
  AnyServer,
  GatewayOptions,
  MessageSchema,
  RouteOptions as OptionsOfRoute,
  WebSocket,
} from '@upwire/engine/internal';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isJsonSchema } from './message';

/** Options of one route, given as its `websocket`. `undefined` is always the plugin's value. */
export interface RouteOptions extends Omit<OptionsOfRoute<FastifyRequest>, 'message'> {
  /**
   * What messages have to be: a JSON Schema, compiled as those of the route's requests are, a Standard Schema (zod,
   * valibot, arktype, …) or a function. Text is parsed as JSON and checked, and what the schema makes of it is the data
   * of `'message'`. While one is checked asynchronously, no other is read. What is no JSON or fails the check closes the
   * connection with 1007, a binary message with 1003.
   * @defaultValue false
   */
  message?: MessageSchema | object | false | undefined;
}

/** Options that `@fastify/websocket` has under `options`, beside those of its own. */
export interface ServerOptions
  extends RouteOptions,
    Pick<GatewayOptions, 'broker' | 'clientTracking' | 'handleProtocols' | 'verifyClient'> {
  /** A server of your own whose upgrade requests are taken. @defaultValue the server of the instance */
  server?: AnyServer | undefined;
}

/** Options for all routes of an instance. `undefined` is always the default. */
export interface Options extends ServerOptions {
  /**
   * Told once when a handler, or a listener of its WebSocket, throws or rejects; the client gets 1011.
   * @defaultValue `errorHandler`, and without one the log of the request
   */
  onError?: RouteOptions['onError'];
  /** The same with the name and the arguments that `@fastify/websocket` has. */
  errorHandler?: ErrorHandler | undefined;
  /**
   * Run when the instance begins to close, in place of the default, which says 1001 to every client. What it leaves open
   * is closed behind it.
   */
  preClose?: ((done: () => void) => void) | (() => Promise<unknown>) | undefined;
  /** More of these options, where `@fastify/websocket` has them. */
  options?: ServerOptions | undefined;
}

/** What a failed handler is reported to, as in `@fastify/websocket`. `this` is the instance of the route. */
export type ErrorHandler = (
  this: FastifyInstance,
  error: Error,
  webSocket: WebSocket,
  request: FastifyRequest,
  reply: FastifyReply,
) => void;

/** Options, taken apart. */
export interface CheckedOptions extends Pick<Options, 'errorHandler' | 'preClose' | 'server'> {
  readonly gatewayOptions: GatewayOptions;
  /** `message`, where it is in the language of the instance's compiler. */
  readonly messageSchema: object | undefined;
}

/** Options of `ws` that a plugin has no use for, with what to do instead. */
const FOREIGN = {
  path: 'declare a route with that path',
  noServer: 'leave it out, it is always so',
  port: 'listen with the instance',
  host: 'listen with the instance',
  backlog: 'listen with the instance',
} as const;

/**
 * Takes options apart; the gateway checks those that are its own.
 *
 * @throws TypeError that names the option and the value
 */
export function checkOptions(options: Options): CheckedOptions {
  const { options: inner = {}, ...outer } = options;
  if (typeof inner !== 'object' || inner === null) {
    throw new TypeError(`The "options" option must be an object of options, got ${shown(inner)}`);
  }
  const { errorHandler, preClose, server, ...own }: Options = { ...inner, ...given(outer) };
  const messageSchema = isJsonSchema(own.message) ? own.message : undefined;
  if (messageSchema !== undefined) own.message = undefined;
  for (const [name, instead] of Object.entries(FOREIGN)) {
    if (Reflect.get(own, name) === undefined) continue;
    throw new TypeError(`The "${name}" option is not one of this plugin: ${instead}`);
  }
  for (const [name, value] of Object.entries({ errorHandler, preClose })) {
    if (value === undefined || typeof value === 'function') continue;
    throw new TypeError(`The "${name}" option must be a function, got ${shown(value)}`);
  }
  // Functions among them are given Fastify's request, by the `request` of each handshake's route.
  const gatewayOptions = own as GatewayOptions;
  return { errorHandler, preClose, server, gatewayOptions, messageSchema };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}

/** Options without those that are `undefined`, which must not hide one that `options` has set. */
function given(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

import type { IncomingMessage } from 'node:http';
import { resolveDeflateOptions } from '../deflate/options';
import type { TextWebSocket } from '../events';
import type { Origins } from '../handshake/origin';
import { createOriginPolicy } from '../handshake/origin';
import { show } from '../handshake/show';
import { checkSubprotocolChoice } from '../handshake/subprotocols';
import type { MessageIssue, MessageSchema } from '../message-schema';
import { messageCheck } from '../message-schema';
import type { WebSocketOptions } from '../options';
import { resolveOptions } from '../options';
import { describe, integerOption } from '../protocol/limits';
import type { RateLimit } from '../rate-limit';
import { checkRateLimit } from '../rate-limit';
import type { ServerOptions } from '../server-options';
import type { ConnectionLimits } from './connection-limit';
import { ConnectionLimit } from './connection-limit';

/**
 * Options that one route takes, and the whole plugin for all routes that say nothing else. `undefined` is always the
 * plugin's value, or else the default.
 */
export interface RouteOptions<Request = IncomingMessage> extends WebSocketOptions {
  /**
   * Pages that may connect, where the browser names one: `'*'`, a list of origins, or a function.
   * @defaultValue the application's own origin
   */
  origins?: Origins<Request> | undefined;
  /**
   * The subprotocols there are, the one liked best first, or a function that picks one of those offered. A client that
   * offers none of them gets none (RFC 6455 4.2.2), and decides for itself whether to go on.
   * @defaultValue the first one offered
   */
  subprotocols?:
    | readonly string[]
    | ((offered: Set<string>, request: Request) => string | false | undefined)
    | undefined;
  /**
   * Agree to compress messages (RFC 7692) where the client offers it.
   * @defaultValue false
   */
  perMessageDeflate?: ServerOptions['perMessageDeflate'];
  /**
   * Time for the application to answer a handshake, in milliseconds from its arrival; then the client gets a 503. An
   * answer that has begun may take longer, but the connection is cut when nothing moves for as long as this.
   *
   * A route's own time holds from the moment the framework has come to the route; middleware in front of it has the
   * plugin's.
   * @defaultValue 10000
   */
  handshakeTimeout?: number | undefined;
  /**
   * How many WebSockets there may be at once: altogether (one more gets a 503), and of one client (one more gets a 429).
   * A number is the first. A route that has this option is counted by itself; those that have none are counted together.
   * @defaultValue false
   */
  maxConnections?: number | ConnectionLimits<Request> | false | undefined;
  /**
   * How many messages a client may send.
   * @defaultValue false
   */
  rateLimit?: RateLimit | false | undefined;
  /**
   * What messages have to be: a Standard Schema (zod, valibot, arktype, …) or a function. Text is parsed as JSON and
   * checked, and what the schema makes of it is the data of `'message'`. While one is checked asynchronously, no other is
   * read. What is no JSON or fails the check closes the connection with 1007, a binary message with 1003.
   * @defaultValue false
   */
  message?: MessageSchema | false | undefined;
  /**
   * Answers a message that is not what `message` says, in place of closing the connection.
   * @defaultValue none
   */
  onInvalidMessage?:
    | ((issues: readonly MessageIssue[], webSocket: TextWebSocket, request: Request) => unknown)
    | undefined;
  /**
   * Told once when a handler, or a listener of its WebSocket, throws or rejects; the client gets 1011.
   * @defaultValue the framework's own error handling
   */
  onError?: ((error: unknown, webSocket: TextWebSocket, request: Request) => void) | undefined;
}

/** Options that every adapter takes for all its routes. `undefined` is always the default. */
export interface GatewayOptions<Request = IncomingMessage>
  extends RouteOptions<Request>,
    Pick<ServerOptions, 'broker' | 'clientTracking' | 'handleProtocols' | 'verifyClient'> {}

/** The names of {@link RouteOptions}; a `Record`, so that none can be forgotten. */
const ROUTE_OPTIONS: Record<keyof RouteOptions, true> = {
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: true,
  handshakeTimeout: true,
  heartbeat: true,
  holdMessages: true,
  idleTimeout: true,
  maxConnections: true,
  maxBufferedAmount: true,
  maxBufferedChunks: true,
  maxCompressedPayload: true,
  maxFragments: true,
  maxFramingOverhead: true,
  maxInflationRatio: true,
  maxLifetime: true,
  maxPayload: true,
  maxPendingAutoPongs: true,
  message: true,
  onError: true,
  onInvalidMessage: true,
  origins: true,
  overflow: true,
  perMessageDeflate: true,
  rateLimit: true,
  skipUTF8Validation: true,
  subprotocols: true,
};

const HANDSHAKE_TIMEOUT = 10_000;

/**
 * Checks the options of a route when it is declared, long before a client connects.
 *
 * @returns a copy that later changes do not reach, for {@link Route.options}; routes that share it share their limits
 * @throws TypeError or RangeError that names the option and the value; also for an option that no route has
 */
export function checkRouteOptions(value: unknown): RouteOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`The options of a route must be an object, got ${describe(value)}`);
  }
  const options: RouteOptions = given(value);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(ROUTE_OPTIONS, name)) {
      throw new TypeError(`The option ${show(name)} is not one of a single route`);
    }
  }
  resolveOptions(options);
  checkSharedOptions(options);
  return Object.freeze(options);
}

/** Checks what a route and a gateway have in common and a {@link WebSocketServer} does not know. */
export function checkSharedOptions(options: RouteOptions): void {
  const { perMessageDeflate, subprotocols } = options;
  createOriginPolicy(options.origins);
  if (subprotocols !== undefined) checkSubprotocolChoice(subprotocols, 'subprotocols');
  if (perMessageDeflate) resolveDeflateOptions(perMessageDeflate);
  functionOption('onError', options.onError);
  functionOption('onInvalidMessage', options.onInvalidMessage);
  if (isOn(options.maxConnections)) new ConnectionLimit(options.maxConnections);
  if (isOn(options.rateLimit)) checkRateLimit(options.rateLimit);
  if (isOn(options.message)) messageCheck(options.message);
  handshakeTimeoutOption(options.handshakeTimeout);
}

/** Whether an option that can be turned off is given and on. */
export function isOn<Value>(value: Value | false | undefined): value is Value {
  return value !== undefined && value !== false;
}

export function handshakeTimeoutOption(value: unknown, fallback = HANDSHAKE_TIMEOUT): number {
  const range = { min: 1, max: 2 ** 31 - 1, unit: 'milliseconds' };
  return integerOption('handshakeTimeout', value, fallback, range);
}

function functionOption(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`The "${name}" option must be a function, got ${describe(value)}`);
}

/** The options less those that are `undefined`, which would stand in the way of a default. */
export function given<Options extends object>(options: Options): Options {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  // The same names with the same values, but for some that may be missing.
  return Object.fromEntries(entries) as Options;
}

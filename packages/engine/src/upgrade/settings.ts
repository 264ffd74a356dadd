import type { IncomingMessage } from 'node:http';
import { resolveDeflateOptions } from '../deflate/options';
import type { OriginPolicy } from '../handshake/origin';
import { createOriginPolicy } from '../handshake/origin';
import type { IntakeSettings } from '../intake';
import { messageCheck } from '../message-schema';
import type { WebSocketBehavior, WebSocketHooks } from '../options';
import { checkRateLimit } from '../rate-limit';
import type { WebSocketServer } from '../server';
import { checkServerOptions } from '../server-options';
import type { HandshakeTerms, SubprotocolTerms } from '../terms';
import { ConnectionLimit } from './connection-limit';
import type { GatewayOptions, RouteOptions } from './options';
import { handshakeTimeoutOption, isOn } from './options';

/** What holds for the connections of a route: its own options, then the gateway's, then the defaults. */
export interface RouteSettings {
  readonly terms: HandshakeTerms;
  /** How the WebSockets behave, by the terms' options. */
  readonly behavior: Partial<WebSocketBehavior>;
  readonly origins: OriginPolicy<IncomingMessage>;
  /** In milliseconds. */
  readonly handshakeTimeout: number;
  /** Counts the connections. */
  readonly limit: ConnectionLimit | undefined;
  readonly onError: RouteOptions['onError'];
  readonly onInvalidMessage: RouteOptions['onInvalidMessage'];
}

/** What a gateway wants to know of its WebSockets. */
export type GatewayHooks = Required<
  Pick<WebSocketHooks, 'onClosed' | 'onInvalidMessage' | 'onListenerError'>
>;

/** How the WebSockets of routes without options behave. */
export function gatewayBehavior(options: GatewayOptions, hooks: GatewayHooks) {
  return behaviorOf(options, hooks, undefined);
}

/**
 * The settings of routes without options.
 *
 * @param server made of the same options
 * @throws TypeError or RangeError that names the option and the value
 */
export function gatewaySettings(
  server: WebSocketServer,
  options: GatewayOptions,
  behavior: Partial<WebSocketBehavior>,
): RouteSettings {
  const { deflate, checkedOptions } = server;
  const { maxConnections } = options;
  return {
    terms: {
      // The upgrade has checked its request when it came.
      policy: [],
      options: checkedOptions,
      deflate,
      subprotocols: subprotocolsOf(options),
    },
    behavior,
    origins: createOriginPolicy(options.origins),
    handshakeTimeout: handshakeTimeoutOption(options.handshakeTimeout),
    limit: isOn(maxConnections) ? new ConnectionLimit(maxConnections) : undefined,
    onError: options.onError,
    onInvalidMessage: options.onInvalidMessage,
  };
}

/**
 * The settings of a route with options.
 *
 * @param options checked, and none of them `undefined`
 * @param gateway the settings of routes without options
 */
export function routeSettings(
  options: RouteOptions,
  gateway: RouteSettings,
  hooks: GatewayHooks,
): RouteSettings {
  const { onError, onInvalidMessage, origins, maxConnections } = options;
  const own = isOn(maxConnections) ? new ConnectionLimit(maxConnections) : undefined;
  const invalid = onInvalidMessage ?? gateway.onInvalidMessage;
  const behavior = behaviorOf({ ...options, onInvalidMessage: invalid }, hooks, gateway.behavior);
  return {
    terms: routeTerms(options, gateway.terms, behavior),
    behavior,
    origins: origins === undefined ? gateway.origins : createOriginPolicy(origins),
    handshakeTimeout: options.handshakeTimeout ?? gateway.handshakeTimeout,
    limit: maxConnections === undefined ? gateway.limit : own,
    onError: onError ?? gateway.onError,
    onInvalidMessage: invalid,
  };
}

function routeTerms(
  options: RouteOptions,
  gateway: HandshakeTerms,
  behavior: Partial<WebSocketBehavior>,
): HandshakeTerms {
  const { perMessageDeflate, subprotocols } = options;
  const deflate = perMessageDeflate ? resolveDeflateOptions(perMessageDeflate) : undefined;
  return {
    policy: gateway.policy,
    options: checkServerOptions({ ...gateway.options, ...options }, behavior),
    // Those that share the object share its `concurrencyLimit`.
    deflate: perMessageDeflate === undefined ? gateway.deflate : deflate,
    subprotocols:
      subprotocols === undefined
        ? gateway.subprotocols
        : { choice: subprotocols, option: 'subprotocols' },
  };
}

function behaviorOf(
  { message, rateLimit, onInvalidMessage }: RouteOptions,
  { onInvalidMessage: invalid, ...hooks }: GatewayHooks,
  gateway: Partial<WebSocketBehavior> | undefined,
): Partial<WebSocketBehavior> {
  const { intake } = gateway ?? {};
  const limit = isOn(rateLimit) ? checkRateLimit(rateLimit) : undefined;
  const check = isOn(message) ? messageCheck(message) : undefined;
  const own: IntakeSettings = {
    rateLimit: rateLimit === undefined ? intake?.rateLimit : limit,
    check: message === undefined ? intake?.check : check,
  };
  return {
    textAsString: true,
    hooks: onInvalidMessage === undefined ? hooks : { ...hooks, onInvalidMessage: invalid },
    intake: own.rateLimit === undefined && own.check === undefined ? undefined : own,
  };
}

function subprotocolsOf({ subprotocols, handleProtocols }: GatewayOptions): SubprotocolTerms {
  if (subprotocols === undefined) {
    return { choice: handleProtocols ?? null, option: 'handleProtocols' };
  }
  if (handleProtocols) {
    throw new TypeError(
      'Only one of the options "subprotocols" and "handleProtocols" can be given: both pick the subprotocol',
    );
  }
  return { choice: subprotocols, option: 'subprotocols' };
}

/** Terms whose function for subprotocols is told of a request as the application knows it. */
export function termsTelling(request: IncomingMessage, terms: HandshakeTerms): HandshakeTerms {
  const { choice, option } = terms.subprotocols;
  // `handleProtocols` is told of Node's request, as in `ws`.
  if (typeof choice !== 'function' || option === 'handleProtocols') return terms;
  const telling = (offered: Set<string>) => choice(offered, request);
  return { ...terms, subprotocols: { choice: telling, option } };
}

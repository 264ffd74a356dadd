import type { IncomingMessage } from 'node:http';
import { resolveDeflateOptions } from '../deflate/options';
import type { OriginPolicy } from '../handshake/origin';
import { createOriginPolicy } from '../handshake/origin';
import type { WebSocketBehavior } from '../options';
import type { WebSocketServer } from '../server';
import { checkServerOptions } from '../server-options';
import type { HandshakeTerms, SubprotocolTerms } from '../terms';
import type { GatewayOptions, RouteOptions } from './options';
import { handshakeTimeoutOption } from './options';

/** What holds for the connections of a route: its own options, then the gateway's, then the defaults. */
export interface RouteSettings {
  readonly terms: HandshakeTerms;
  readonly origins: OriginPolicy<IncomingMessage>;
  /** In milliseconds. */
  readonly handshakeTimeout: number;
  readonly onError: RouteOptions['onError'];
}

/**
 * The settings of routes without options.
 *
 * @param server made of the same options
 * @throws TypeError or RangeError that names the option and the value
 */
export function gatewaySettings(server: WebSocketServer, options: GatewayOptions): RouteSettings {
  const { deflate, checkedOptions } = server;
  return {
    terms: { options: checkedOptions, deflate, subprotocols: subprotocolsOf(options) },
    origins: createOriginPolicy(options.origins),
    handshakeTimeout: handshakeTimeoutOption(options.handshakeTimeout),
    onError: options.onError,
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
  behavior: Partial<WebSocketBehavior>,
): RouteSettings {
  const { terms } = gateway;
  const { origins, perMessageDeflate, subprotocols } = options;
  const checked = checkServerOptions({ ...terms.options, ...options }, behavior);
  const deflate = perMessageDeflate ? resolveDeflateOptions(perMessageDeflate) : undefined;
  return {
    terms: {
      options: checked,
      // Those that share the object share its `concurrencyLimit`.
      deflate: perMessageDeflate === undefined ? terms.deflate : deflate,
      subprotocols:
        subprotocols === undefined
          ? terms.subprotocols
          : { choice: subprotocols, option: 'subprotocols' },
    },
    origins: origins === undefined ? gateway.origins : createOriginPolicy(origins),
    handshakeTimeout: options.handshakeTimeout ?? gateway.handshakeTimeout,
    onError: options.onError ?? gateway.onError,
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

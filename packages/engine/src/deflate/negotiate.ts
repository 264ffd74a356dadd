import type { ExtensionParameters } from '../handshake/extensions';
import { formatExtensions } from '../handshake/extensions';
import type { ResolvedDeflateOptions } from './options';
import { MAX_WINDOW_BITS } from './options';

/** Name of the extension in `Sec-WebSocket-Extensions` (RFC 7692 7). */
export const EXTENSION_NAME = 'permessage-deflate';

/** Parameters of an offer or a response, in the order in which they are written (RFC 7692 7.1). */
export interface DeflateParameters {
  server_no_context_takeover?: true;
  client_no_context_takeover?: true;
  server_max_window_bits?: number;
  client_max_window_bits?: number | true;
}

/** What two peers have agreed on. */
export interface Agreement {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  /** Largest window of the server's compressor as a power of two, 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** Largest window of the client's compressor as a power of two, 8 to 15. */
  readonly clientMaxWindowBits: number;
  /** As the response says it; on the client also with what it holds itself to unasked. An object without prototype. */
  readonly parameters: Readonly<DeflateParameters>;
}

/** RFC 7692 7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15 inclusive". */
const WINDOW_BITS = /^(?:[89]|1[0-5])$/;

/**
 * Chooses among a client's offers, as a server (RFC 7692 7.1).
 *
 * An offer that is malformed or cannot be met is declined and the next one looked at; it is never an error. Decided and
 * written as in `ws`.
 *
 * @param offers the parameters of each `permessage-deflate` in the request, in order of preference
 * @returns `null` when none is acceptable: the response then does without the extension
 */
export function acceptOffers(
  offers: readonly ExtensionParameters[],
  options: ResolvedDeflateOptions,
): Agreement | null {
  for (const offer of offers) {
    const parameters = readOffer(offer);
    if (parameters !== null && isAcceptable(parameters, options)) {
      return agreement(respond(parameters, options));
    }
  }
  return null;
}

function readOffer(offer: ExtensionParameters): DeflateParameters | null {
  try {
    return readParameters(offer, 'offer');
  } catch {
    // RFC 7692 7.1: the server MUST decline it.
    return null;
  }
}

function isAcceptable(offer: DeflateParameters, options: ResolvedDeflateOptions): boolean {
  const { serverMaxWindowBits, clientMaxWindowBits } = options;
  if (offer.server_no_context_takeover && options.serverNoContextTakeover === false) return false;
  const asked = offer.server_max_window_bits;
  if (asked !== undefined) {
    if (serverMaxWindowBits === false) return false;
    if (typeof serverMaxWindowBits === 'number' && serverMaxWindowBits > asked) return false;
  }
  if (typeof clientMaxWindowBits !== 'number') return true;
  const supported = offer.client_max_window_bits;
  // RFC 7692 7.1.2.2: to a client that did not offer the parameter, none may be sent.
  return supported === true || (supported !== undefined && supported >= clientMaxWindowBits);
}

function respond(offer: DeflateParameters, options: ResolvedDeflateOptions): DeflateParameters {
  const response: DeflateParameters = Object.assign(Object.create(null), offer);
  if (options.serverNoContextTakeover) response.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) response.client_no_context_takeover = true;
  if (typeof options.serverMaxWindowBits === 'number') {
    response.server_max_window_bits = options.serverMaxWindowBits;
  }
  if (typeof options.clientMaxWindowBits === 'number') {
    response.client_max_window_bits = options.clientMaxWindowBits;
  } else if (response.client_max_window_bits === true || options.clientMaxWindowBits === false) {
    // In a response the parameter has a value (RFC 7692 7.1.2.2).
    delete response.client_max_window_bits;
  }
  return response;
}

/** What a client offers (RFC 7692 7.1). */
export function createOffer(options: ResolvedDeflateOptions): DeflateParameters {
  const offer: DeflateParameters = {};
  if (options.serverNoContextTakeover) offer.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) offer.client_no_context_takeover = true;
  if (typeof options.serverMaxWindowBits === 'number') {
    offer.server_max_window_bits = options.serverMaxWindowBits;
  }
  if (options.clientMaxWindowBits !== false) {
    offer.client_max_window_bits = options.clientMaxWindowBits;
  }
  return offer;
}

/**
 * Checks a server's response against what {@link createOffer} has asked with the same options.
 *
 * @param responses the parameters of each `permessage-deflate` in the response
 * @throws Error or TypeError that says what is wrong; the client fails the connection (RFC 7692 7.1)
 */
export function checkAgreement(
  responses: readonly ExtensionParameters[],
  options: ResolvedDeflateOptions,
): Agreement {
  if (responses.length !== 1) {
    throw new Error(`The extension "${EXTENSION_NAME}" must be accepted exactly once`);
  }
  const parameters = readParameters(responses[0], 'response');
  checkServerSide(parameters, options);
  checkClientSide(parameters, options);
  const agreed = agreement(parameters);
  // RFC 7692 7.1.1.2: what a client has announced, it does, whether the server repeats it or not.
  return options.clientNoContextTakeover ? { ...agreed, clientNoContextTakeover: true } : agreed;
}

function checkServerSide(response: DeflateParameters, options: ResolvedDeflateOptions): void {
  // RFC 7692 7.1.1.1: a server that accepts the offer repeats the parameter.
  if (options.serverNoContextTakeover && !response.server_no_context_takeover) {
    throw new Error('Missing parameter "server_no_context_takeover"');
  }
  if (typeof options.serverMaxWindowBits !== 'number') return;
  // RFC 7692 7.1.2.1: a server that accepts the offer repeats the parameter with the same or a smaller value.
  const bits = response.server_max_window_bits;
  if (bits === undefined) throw new Error('Missing parameter "server_max_window_bits"');
  if (bits > options.serverMaxWindowBits) throw invalidValue('server_max_window_bits', bits);
}

function checkClientSide(response: DeflateParameters, options: ResolvedDeflateOptions): void {
  if (options.clientNoContextTakeover === false && response.client_no_context_takeover) {
    throw new Error('Unexpected parameter "client_no_context_takeover"');
  }
  const offered = options.clientMaxWindowBits;
  const bits = response.client_max_window_bits;
  if (bits === undefined) {
    // RFC 7692 7.1.2.2: the offered value binds the client even where the response does not repeat it.
    if (typeof offered === 'number') response.client_max_window_bits = offered;
  } else if (offered === false || (typeof offered === 'number' && Number(bits) > offered)) {
    throw new Error('Unexpected or invalid parameter "client_max_window_bits"');
  }
}

/** A `Sec-WebSocket-Extensions` member with these parameters. */
export function formatParameters(parameters: Readonly<DeflateParameters>): string {
  return formatExtensions({ [EXTENSION_NAME]: { ...parameters } });
}

/**
 * Reads parameters as RFC 7692 7.1 defines them. Texts as in `ws`.
 *
 * @throws Error for a parameter that is unknown or there twice
 * @throws TypeError for a value that is not allowed
 */
export function readParameters(
  given: ExtensionParameters,
  kind: 'offer' | 'response',
): DeflateParameters {
  const parameters: DeflateParameters = Object.create(null);
  for (const [name, values] of Object.entries(given)) {
    if (values.length !== 1) {
      throw new Error(`Parameter "${name}" must have only a single value`);
    }
    const [value] = values;
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== true) throw invalidValue(name, value);
        parameters[name] = true;
        break;
      case 'server_max_window_bits':
        parameters[name] = windowBits(name, value);
        break;
      case 'client_max_window_bits':
        parameters[name] = value === true && kind === 'offer' ? true : windowBits(name, value);
        break;
      default:
        throw new Error(`Unknown parameter "${name}"`);
    }
  }
  return parameters;
}

function windowBits(name: string, value: string | true): number {
  if (value === true || !WINDOW_BITS.test(value)) throw invalidValue(name, value);
  return Number(value);
}

function invalidValue(name: string, value: string | number | true): TypeError {
  return new TypeError(`Invalid value for parameter "${name}": ${value}`);
}

function agreement(parameters: DeflateParameters): Agreement {
  const clientBits = parameters.client_max_window_bits;
  return {
    serverNoContextTakeover: parameters.server_no_context_takeover === true,
    clientNoContextTakeover: parameters.client_no_context_takeover === true,
    serverMaxWindowBits: parameters.server_max_window_bits ?? MAX_WINDOW_BITS,
    clientMaxWindowBits: typeof clientBits === 'number' ? clientBits : MAX_WINDOW_BITS,
    parameters,
  };
}

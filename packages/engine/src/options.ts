import type { ProtocolError } from './protocol/errors';
import type { LimitOptions, ResolvedLimits } from './protocol/limits';
import { describe, resolveLimits } from './protocol/limits';
import type { WebSocket } from './websocket';

/** Options of one WebSocket, and of all WebSockets of a server. `undefined` is always the default. */
export interface WebSocketOptions extends LimitOptions {
  /**
   * Answer pings with pongs.
   * @defaultValue true
   */
  autoPong?: boolean | undefined;
  /**
   * Deliver text and close reasons without checking that they are UTF-8.
   * @defaultValue false
   */
  skipUTF8Validation?: boolean | undefined;
}

export interface ResolvedOptions {
  readonly limits: ResolvedLimits;
  readonly autoPong: boolean;
  readonly skipUTF8Validation: boolean;
}

/** What the owner of many WebSockets (a server, a gateway) wants to know of each. */
export interface WebSocketHooks {
  /** A listener threw or rejected. Without this hook, the error is the process's, as with any emitter. */
  onListenerError?(error: unknown, webSocket: WebSocket): void;
  /** The peer broke the protocol and the application has no `'error'` listener. */
  onUnheardError?(error: ProtocolError, webSocket: WebSocket): void;
}

/** How WebSockets behave beyond the `ws` API; chosen by the server or gateway that makes them. */
export interface WebSocketBehavior {
  readonly hooks: WebSocketHooks;
  /** Deliver text as strings. */
  readonly textAsString: boolean;
  /** Keep messages for a listener that comes late: up to 64 KiB and 10 s. */
  readonly holdMessages: boolean;
}

/** As the `ws` API has it: text arrives as a Buffer, what nobody listens to is gone. */
const PLAIN: WebSocketBehavior = { hooks: {}, textAsString: false, holdMessages: false };

const DEFAULTS: ResolvedOptions = {
  limits: resolveLimits({}),
  autoPong: true,
  skipUTF8Validation: false,
};

interface Shared {
  readonly resolved: ResolvedOptions;
  readonly behavior: WebSocketBehavior;
}

/** Options objects that a server hands to all its WebSockets: resolved once, as long as nobody changes them. */
const shared = new WeakMap<object, Shared>();

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function resolveOptions(options: WebSocketOptions): ResolvedOptions {
  const known = shared.get(options);
  if (known !== undefined && !differs(options, known.resolved)) return known.resolved;
  return resolve(options, DEFAULTS);
}

/**
 * The settings with those of `options` that are not `undefined` in their place.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function overrideOptions(
  settings: ResolvedOptions,
  options: WebSocketOptions,
): ResolvedOptions {
  return differs(options, settings) ? resolve(options, settings) : settings;
}

function resolve(options: WebSocketOptions, defaults: ResolvedOptions): ResolvedOptions {
  return {
    limits: resolveLimits(options, defaults.limits),
    autoPong: booleanOption('autoPong', options.autoPong, defaults.autoPong),
    skipUTF8Validation: booleanOption(
      'skipUTF8Validation',
      options.skipUTF8Validation,
      defaults.skipUTF8Validation,
    ),
  };
}

/** Whether one of the options is given and is not what the settings say already. */
function differs(options: WebSocketOptions, { limits, ...switches }: ResolvedOptions): boolean {
  const settings: object = { ...limits, ...switches };
  return Object.entries(settings).some(([name, value]) => {
    const given: unknown = options[name as keyof WebSocketOptions];
    return given !== undefined && given !== value;
  });
}

/** How the WebSockets made with these options behave. */
export function behaviorOf(options: WebSocketOptions): WebSocketBehavior {
  return shared.get(options)?.behavior ?? PLAIN;
}

/** Checks options that many WebSockets will share, once and for all, and says how these behave. */
export function shareOptions(
  options: WebSocketOptions,
  behavior: Partial<WebSocketBehavior>,
): void {
  shared.set(options, {
    resolved: resolveOptions(options),
    behavior: { ...PLAIN, ...behavior },
  });
}

/**
 * A switch among the options.
 *
 * @throws TypeError for a value that is neither a boolean nor `undefined`
 */
export function booleanOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') {
    throw new TypeError(`The "${name}" option must be a boolean, got ${describe(value)}`);
  }
  return value;
}

import type { IntakeSettings } from './intake';
import type { MessageIssue } from './message-schema';
import type { LimitOptions, ResolvedLimits } from './protocol/limits';
import { describe, integerOption, resolveLimits } from './protocol/limits';
import type { Broker } from './topics/broker';
import type { WebSocket } from './websocket';

/** Options of one WebSocket, and of all WebSockets of a server. `undefined` is always the default. */
export interface WebSocketOptions extends LimitOptions {
  /**
   * Emit any number of `message`, `ping` and `pong` in one turn of the event loop. `false` emits at most one in each, as
   * browsers do: promises that one of them settles are heard before the next.
   * @defaultValue true
   */
  allowSynchronousEvents?: boolean | undefined;
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
  /**
   * Keep messages for a listener that is attached late, so that asynchronous work before it loses none: up to 64 KiB, then
   * reading stops, and for up to 10 s. Everything behind a message that waits, `'close'` included, waits with it.
   * @defaultValue false; true for the WebSockets of the adapters
   */
  holdMessages?: boolean | undefined;
  /**
   * Find peers that are gone without a word: after `interval` ms of silence a ping is sent, and after `timeout` more
   * (the same as `interval` by default) the connection is cut, with 1006. Any byte is a sign of life. A stalled event loop
   * and a paused WebSocket cost no healthy peer its connection.
   * @defaultValue false
   */
  heartbeat?: false | { interval: number; timeout?: number | undefined } | undefined;
  /**
   * What becomes of a message that would exceed `maxBufferedAmount`: `'close'` closes the connection with 1013, `'drop'`
   * lets the one message go. Either way its callback is told.
   * @defaultValue 'close'
   */
  overflow?: 'close' | 'drop' | undefined;
}

/** A checked `heartbeat` option; both are 0 where it is off. */
export interface HeartbeatOption {
  readonly interval: number;
  readonly timeout: number;
}

export interface ResolvedOptions {
  readonly limits: ResolvedLimits;
  readonly allowSynchronousEvents: boolean;
  readonly autoPong: boolean;
  readonly skipUTF8Validation: boolean;
  readonly holdMessages: boolean;
  readonly heartbeat: HeartbeatOption;
  readonly overflow: 'close' | 'drop';
}

/** What the owner of many WebSockets (a server, a gateway) wants to know of each. */
export interface WebSocketHooks {
  /** A listener threw or rejected. Without this hook, the error is the process's, as with any emitter. */
  onListenerError?(error: unknown, webSocket: WebSocket): void;
  /** The peer broke the protocol, or a message could not be read, and the application has no `'error'` listener. */
  onUnheardError?(error: Error, webSocket: WebSocket): void;
  /** The connection is over, before `'close'` is told; whatever listeners the application has taken off. */
  onClosed?(webSocket: WebSocket): void;
  /** A message is not what it has to be; in place of closing the connection. */
  onInvalidMessage?(issues: readonly MessageIssue[], webSocket: WebSocket): void;
}

/** How WebSockets behave beyond the `ws` API; chosen by the server or gateway that makes them. */
export interface WebSocketBehavior {
  readonly hooks: WebSocketHooks;
  /** Deliver text as strings. */
  readonly textAsString: boolean;
  /** What messages have to pass before they are told; `undefined` where that is nothing. */
  readonly intake?: IntakeSettings | undefined;
  /** Where the topics are; `undefined` for WebSockets that have none. */
  readonly broker?: Broker | undefined;
}

/** As the `ws` API has it: text arrives as a Buffer. */
const PLAIN: WebSocketBehavior = { hooks: {}, textAsString: false };

const DEFAULTS: ResolvedOptions = {
  limits: resolveLimits({}),
  allowSynchronousEvents: true,
  autoPong: true,
  skipUTF8Validation: false,
  holdMessages: false,
  heartbeat: { interval: 0, timeout: 0 },
  overflow: 'close',
};

/** Whether an option of this name is one of {@link WebSocketOptions}. */
export function isWebSocketOption(name: string): boolean {
  const { limits, ...switches } = DEFAULTS;
  return Object.hasOwn(limits, name) || Object.hasOwn(switches, name);
}

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
    allowSynchronousEvents: booleanOption(
      'allowSynchronousEvents',
      options.allowSynchronousEvents,
      defaults.allowSynchronousEvents,
    ),
    autoPong: booleanOption('autoPong', options.autoPong, defaults.autoPong),
    skipUTF8Validation: booleanOption(
      'skipUTF8Validation',
      options.skipUTF8Validation,
      defaults.skipUTF8Validation,
    ),
    holdMessages: booleanOption('holdMessages', options.holdMessages, defaults.holdMessages),
    heartbeat: heartbeatOption(options.heartbeat, defaults.heartbeat),
    overflow: overflowOption(options.overflow, defaults.overflow),
  };
}

/** The range of both parts of `heartbeat`. */
const HEARTBEAT_RANGE = { min: 1, max: 2 ** 31 - 1, unit: 'milliseconds' };

function heartbeatOption(given: unknown, fallback: HeartbeatOption): HeartbeatOption {
  if (given === undefined || given === fallback) return fallback;
  if (given === false) return DEFAULTS.heartbeat;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(
      `The "heartbeat" option must be false or an object, got ${describe(given)}`,
    );
  }
  const { interval, timeout }: { interval?: unknown; timeout?: unknown } = given;
  if (interval === 0 && timeout === 0) return DEFAULTS.heartbeat;
  if (interval === undefined) {
    throw new TypeError('The "heartbeat.interval" option must be a number, got undefined');
  }
  const checked = integerOption('heartbeat.interval', interval, 0, HEARTBEAT_RANGE);
  return {
    interval: checked,
    timeout: integerOption('heartbeat.timeout', timeout, checked, HEARTBEAT_RANGE),
  };
}

function overflowOption(given: unknown, fallback: 'close' | 'drop'): 'close' | 'drop' {
  if (given === undefined) return fallback;
  if (given === 'close' || given === 'drop') return given;
  throw new TypeError(`The "overflow" option must be 'close' or 'drop', got ${describe(given)}`);
}

const LIMIT_NAMES = Object.keys(DEFAULTS.limits) as (keyof ResolvedLimits)[];
type SwitchName = Exclude<keyof ResolvedOptions, 'limits' | 'heartbeat'>;
const SWITCH_NAMES = Object.keys(DEFAULTS).filter(
  (name) => name !== 'limits' && name !== 'heartbeat',
) as SwitchName[];

/** Whether one of the options is given and is not what the settings say already; asked twice for every connection. */
function differs(options: WebSocketOptions, settings: ResolvedOptions): boolean {
  for (const name of LIMIT_NAMES) {
    const given = options[name];
    if (given !== undefined && given !== settings.limits[name]) return true;
  }
  for (const name of SWITCH_NAMES) {
    const given = options[name];
    if (given !== undefined && given !== settings[name]) return true;
  }
  return heartbeatDiffers(options.heartbeat, settings.heartbeat);
}

/** Compared by its parts: the option is an object of the application's. */
function heartbeatDiffers(given: WebSocketOptions['heartbeat'], known: HeartbeatOption): boolean {
  if (given === undefined || given === known) return false;
  if (typeof given !== 'object' || given === null) return true;
  return given.interval !== known.interval || (given.timeout ?? given.interval) !== known.timeout;
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

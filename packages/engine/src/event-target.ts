import type { EventEmitter } from 'node:events';
import type {
  CloseEvent as CloseEventSeen,
  ErrorEvent as ErrorEventSeen,
  MessageEvent as MessageEventSeen,
  WebSocketEventMap,
  WebSocketEvent as WebSocketEventSeen,
} from './events';
import { show } from './handshake/show';
import type { Data } from './payload';
import type { WebSocket } from './websocket';

/** The events a browser's WebSocket has; others have no `addEventListener`. */
export type WebSocketEventType = 'open' | 'message' | 'close' | 'error';

/** What listeners need to know of the socket they listen to. */
export interface EventSource extends EventEmitter {
  /** Whether both close frames have been exchanged. */
  readonly closedCleanly: boolean;
}

const kTarget = Symbol('upwire.target');

/** An event of a WebSocket; a real `Event` whose target is the WebSocket. */
export class WebSocketEvent extends Event implements WebSocketEventSeen {
  readonly [kTarget]: EventSource;

  constructor(type: WebSocketEventType, target: EventSource) {
    super(type);
    this[kTarget] = target;
  }

  // The one event source there is is a WebSocket, of which TypeScript cannot know that it will do for an `EventTarget`.
  override get target(): WebSocket & EventTarget {
    return this[kTarget] as unknown as WebSocket & EventTarget;
  }

  override get currentTarget(): WebSocket & EventTarget {
    return this.target;
  }
}

/** `'close'` as `addEventListener` delivers it. */
export class CloseEvent extends WebSocketEvent implements CloseEventSeen {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(target: EventSource, code: number, reason: string) {
    super('close', target);
    this.code = code;
    this.reason = reason;
    this.wasClean = target.closedCleanly;
  }
}

/** `'error'` as `addEventListener` delivers it. */
export class ErrorEvent extends WebSocketEvent implements ErrorEventSeen {
  readonly error: Error;
  readonly message: string;

  constructor(target: EventSource, error: Error) {
    super('error', target);
    this.error = error;
    this.message = error.message;
  }
}

/** `'message'` as `addEventListener` delivers it: text is always a string. */
export class MessageEvent extends WebSocketEvent implements MessageEventSeen {
  readonly data: Data;

  constructor(target: EventSource, data: unknown) {
    super('message', target);
    // Whoever emits `message` emits what a message may be.
    this.data = data as Data;
  }
}

type Listener<Type extends WebSocketEventType> = (event: WebSocketEventMap[Type]) => void;

/** A function, or an object with `handleEvent`. */
export type EventListener<Type extends WebSocketEventType> =
  | Listener<Type>
  | { handleEvent(event: WebSocketEventMap[Type]): void };

/** Options of a listener of that kind. */
export interface EventListenerOptions {
  /** Take the listener off when it has been called. @defaultValue false */
  once?: boolean | undefined;
}

/** The emitter's listener that stands for a listener of the other kind. */
interface Wrapper {
  (...args: unknown[]): unknown;
  listener: unknown;
  attribute: boolean;
}

/** Makes the event from what the emitter tells. */
const EVENTS: Record<
  WebSocketEventType,
  (target: EventSource, first: unknown, second: unknown) => WebSocketEvent
> = {
  open: (target) => new WebSocketEvent('open', target),
  message: (target, data, isBinary) =>
    new MessageEvent(target, !isBinary && Buffer.isBuffer(data) ? data.toString() : data),
  close: (target, code, reason) => new CloseEvent(target, Number(code), String(reason)),
  error: (target, error) =>
    new ErrorEvent(target, error instanceof Error ? error : new Error(String(error))),
};

function isEventType(type: string): type is WebSocketEventType {
  return Object.hasOwn(EVENTS, type);
}

function wrappersOf(source: EventSource, type: WebSocketEventType): Wrapper[] {
  const wrappers: Wrapper[] = [];
  for (const listener of source.rawListeners(type)) {
    // `once` wraps the wrapper once more.
    const inner = (listener as { listener?: unknown }).listener;
    for (const candidate of [listener, inner]) {
      if (typeof candidate === 'function' && 'attribute' in candidate) {
        // Only `wrap` below gives a function this property.
        wrappers.push(candidate as Wrapper);
      }
    }
  }
  return wrappers;
}

function wrap(
  source: EventSource,
  type: WebSocketEventType,
  listener: EventListener<never>,
  attribute: boolean,
): Wrapper {
  const wrapper = (first: unknown, second: unknown): unknown => {
    const event = EVENTS[type](source, first, second);
    // The event fits the type that the listener was added for; `never` is what all listeners have in common.
    return typeof listener === 'function'
      ? listener.call(source, event as never)
      : listener.handleEvent(event as never);
  };
  return Object.assign(wrapper, { listener, attribute });
}

/**
 * Adds a listener for one of the four events. Any other type, a listener already added and `null` are ignored, as in
 * browsers.
 *
 * @throws TypeError for what is neither a function nor an object
 */
export function addEventListener(
  source: EventSource,
  type: string,
  listener: EventListener<never> | null,
  options: EventListenerOptions = {},
): void {
  if (!isEventType(type) || listener === null) return;
  if (typeof listener !== 'function' && typeof listener !== 'object') {
    throw new TypeError(
      `The listener must be a function or have a handleEvent method, got ${show(listener)}`,
    );
  }
  if (wrappersOf(source, type).some((it) => it.listener === listener && !it.attribute)) return;
  const wrapper = wrap(source, type, listener, false);
  if (options.once) source.once(type, wrapper);
  else source.on(type, wrapper);
}

/** Removes a listener that {@link addEventListener} added; never one set by an `on…` attribute. */
export function removeEventListener(source: EventSource, type: string, listener: unknown): void {
  if (!isEventType(type)) return;
  for (const wrapper of wrappersOf(source, type)) {
    if (wrapper.listener === listener && !wrapper.attribute) source.off(type, wrapper);
  }
}

/** The function an `on…` attribute holds, or `null`. */
function getAttribute(source: EventSource, type: WebSocketEventType): unknown {
  return wrappersOf(source, type).find((it) => it.attribute)?.listener ?? null;
}

/** Sets an `on…` attribute; anything that is no function removes it. */
function setAttribute(source: EventSource, type: WebSocketEventType, listener: unknown): void {
  for (const wrapper of wrappersOf(source, type)) {
    if (wrapper.attribute) source.off(type, wrapper);
  }
  if (typeof listener === 'function') {
    // Whoever sets the attribute knows from its type which event it is given.
    source.on(type, wrap(source, type, listener as Listener<never>, true));
  }
}

/** Gives sockets of this prototype the attributes `onopen`, `onmessage`, `onclose` and `onerror`. */
export function defineAttributes(prototype: EventSource): void {
  for (const type of Object.keys(EVENTS) as WebSocketEventType[]) {
    Object.defineProperty(prototype, `on${type}`, {
      enumerable: true,
      get(this: EventSource) {
        return getAttribute(this, type);
      },
      set(this: EventSource, listener: unknown) {
        setAttribute(this, type, listener);
      },
    });
  }
}

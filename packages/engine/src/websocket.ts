import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type {
  EventListener,
  EventSource,
  WebSocketEventMap,
  WebSocketEventType,
} from './event-target';
import { addEventListener, getAttribute, removeEventListener, setAttribute } from './event-target';
import { INBOX_TIMEOUT, Inbox } from './inbox';
import { Binding } from './io/binding';
import type { ResolvedOptions, WebSocketBehavior, WebSocketOptions } from './options';
import { behaviorOf, resolveOptions } from './options';
import type { SendData } from './payload';
import { payloadLength, toBinary, toBuffer, toPayload } from './payload';
import { CloseCode } from './protocol/close';
import type { ConnectionHandler } from './protocol/connection';
import { Connection } from './protocol/connection';
import type { ProtocolError } from './protocol/errors';
import { MAX_CONTROL_PAYLOAD } from './protocol/opcodes';
import type { WriteCallback } from './protocol/sender';
import { State } from './protocol/state';
import { rethrow } from './rethrow';

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/** Options of one `send()`. */
export interface SendOptions {
  /** Send a binary message. @defaultValue `true` unless the data is a string or a number */
  binary?: boolean | undefined;
  /** Accepted for `ws`; compression has to be negotiated to have an effect. */
  compress?: boolean | undefined;
  /** Whether this is the last fragment of the message. @defaultValue `true` */
  fin?: boolean | undefined;
  /** Accepted for `ws`; whether frames are masked is not a choice (RFC 6455 5.1). */
  mask?: boolean | undefined;
}

const BINARY_TYPES: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'];
const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

/**
 * A WebSocket connection with the API of `ws`.
 *
 * Events: `open`, `message(data, isBinary)`, `ping(data)`, `pong(data)`, `error(error)`, `close(code, reason)`; `close`
 * is always the last and comes once. An `error` that nobody listens to never ends the process.
 */
export class WebSocket extends EventEmitter implements EventSource, ConnectionHandler {
  static readonly CONNECTING = State.CONNECTING;
  static readonly OPEN = State.OPEN;
  static readonly CLOSING = State.CLOSING;
  static readonly CLOSED = State.CLOSED;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  /** @internal The protocol's side, from {@link setSocket} on. */
  connection!: Connection;

  private readonly settings: ResolvedOptions;
  private readonly behavior: WebSocketBehavior;
  private binding: Binding | undefined = undefined;
  private inbox: Inbox | undefined = undefined;
  private inboxTimer: NodeJS.Timeout | undefined = undefined;
  private state: State = State.CONNECTING;
  private paused = false;
  private failed = false;
  private binary: BinaryType = 'nodebuffer';
  /** Bytes given to `send()` after it was too late; `bufferedAmount` counts them for good, as in a browser. */
  private unsentBytes = 0;
  private subprotocol = '';

  /**
   * Makes the WebSocket of the server's side, to be given its socket by {@link setSocket}.
   *
   * @param address `null`
   * @param options limits and switches; `undefined` is always the default
   * @throws TypeError or RangeError that names the option and the value
   */
  constructor(address: null, _protocols?: undefined, options: WebSocketOptions = {}) {
    const behavior = behaviorOf(options);
    // Rejections of listeners are only caught where somebody is to hear of them.
    super({ captureRejections: behavior.hooks.onListenerError !== undefined });
    if (address !== null) throw new TypeError('The first argument must be null');
    this.settings = resolveOptions(options);
    this.behavior = behavior;
  }

  // ---- properties

  /** 0 CONNECTING, 1 OPEN, 2 CLOSING, 3 CLOSED. */
  get readyState(): State {
    return this.state;
  }

  /** The form of binary messages; what is none of the four is ignored. */
  get binaryType(): BinaryType {
    return this.binary;
  }

  set binaryType(type: BinaryType) {
    if (BINARY_TYPES.includes(type)) this.binary = type;
  }

  /** Bytes, framing included, that wait to be handed to the kernel. */
  get bufferedAmount(): number {
    return (this.binding?.bufferedAmount ?? 0) + this.unsentBytes;
  }

  /** The extensions in use, by name. */
  get extensions(): string {
    return '';
  }

  /** The subprotocol agreed on, or `''`. */
  get protocol(): string {
    return this.subprotocol;
  }

  /** The address a client connected to; `undefined` on the server's side. */
  get url(): string | undefined {
    return undefined;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** @internal The socket, for what the API does not offer; `ws` users read `remoteAddress` from it. */
  get _socket(): Duplex | null {
    return this.binding?.socket ?? null;
  }

  /** @internal */
  get closedCleanly(): boolean {
    return this.binding !== undefined && this.connection.closeReceived && this.connection.closeSent;
  }

  // ---- life

  /**
   * Gives the WebSocket its socket, after a handshake that somebody else has done.
   *
   * @param head what was read behind the handshake
   */
  setSocket(socket: Duplex, head: Buffer, options: { protocol?: string } = {}): void {
    if (this.binding !== undefined) throw new Error('The WebSocket has a socket already');
    const binding = new Binding(socket, this);
    this.binding = binding;
    this.subprotocol = options.protocol ?? '';
    this.connection = new Connection(
      {
        role: 'server',
        limits: this.settings.limits,
        autoPong: this.settings.autoPong,
        skipUTF8Validation: this.settings.skipUTF8Validation,
      },
      binding,
      this,
    );
    this.state = State.OPEN;
    if (this.behavior.holdMessages) {
      this.inbox = new Inbox();
      this.on('newListener', onNewListener);
    }
    binding.start(head);
    this.deliver('open', undefined, undefined, 0);
  }

  /**
   * Sends a message.
   *
   * @param data a string or number is sent as text, everything else as binary; `null` and `undefined` are empty
   * @param callback called when the frame has been handed to the kernel, or with the error why it never will be
   * @throws Error while CONNECTING; in CLOSING and CLOSED the error goes to the callback
   * @throws TypeError for data that has no bytes
   */
  send(data: SendData, callback?: WriteCallback): void;
  send(data: SendData, options: SendOptions | undefined, callback?: WriteCallback): void;
  send(data: SendData, options?: SendOptions | WriteCallback, callback?: WriteCallback): void {
    const settings = typeof options === 'object' ? options : undefined;
    const done = typeof options === 'function' ? options : callback;
    const payload = toPayload(data);
    if (!this.canSend(payload, done)) return;
    const binary = settings?.binary ?? typeof payload !== 'string';
    this.connection.send(payload, binary, settings?.fin ?? true, done);
  }

  /**
   * Sends a ping of at most 125 bytes.
   *
   * @throws RangeError for more than 125 bytes
   * @throws Error while CONNECTING
   */
  ping(callback?: WriteCallback): void;
  ping(data: SendData, callback?: WriteCallback): void;
  ping(data: SendData, mask: boolean | undefined, callback?: WriteCallback): void;
  ping(
    data?: SendData | WriteCallback,
    mask?: boolean | WriteCallback,
    callback?: WriteCallback,
  ): void {
    this.sendControl('ping', data, mask, callback);
  }

  /** Sends a pong of at most 125 bytes, asked for or not; throws as {@link ping} does. */
  pong(callback?: WriteCallback): void;
  pong(data: SendData, callback?: WriteCallback): void;
  pong(data: SendData, mask: boolean | undefined, callback?: WriteCallback): void;
  pong(
    data?: SendData | WriteCallback,
    mask?: boolean | WriteCallback,
    callback?: WriteCallback,
  ): void {
    this.sendControl('pong', data, mask, callback);
  }

  /**
   * Starts the closing handshake; the peer has `closeTimeout` to finish it.
   *
   * @param code 1000-1014 without 1004-1006, or 3000-4999
   * @param reason at most 123 bytes of UTF-8; dropped where there is no code
   * @throws TypeError for a code that may not be sent, or a reason that is no text
   * @throws RangeError for a reason that is too long
   */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.state === State.CLOSED || this.binding === undefined) return;
    this.connection.close(code, reason);
  }

  /** Ends the connection at once, with no closing handshake; what was sent before is still tried. */
  terminate(): void {
    if (this.state === State.CLOSED || this.binding === undefined) return;
    this.state = State.CLOSING;
    this.binding.destroy();
  }

  /** Stops reading after the current message. */
  pause(): void {
    if (this.state === State.CONNECTING || this.state === State.CLOSED) return;
    this.paused = true;
    this.stopReading();
  }

  /** Goes on reading. */
  resume(): void {
    if (this.state === State.CONNECTING || this.state === State.CLOSED) return;
    this.paused = false;
    this.continueReading();
  }

  // ---- listeners in the manner of a browser

  /** Adds a listener for `open`, `message`, `close` or `error`, which is given an `Event`. */
  addEventListener<Type extends WebSocketEventType>(
    type: Type,
    listener: EventListener<Type>,
    options?: { once?: boolean },
  ): void {
    addEventListener(this, type, listener, options);
  }

  /** Removes a listener added by {@link addEventListener}. */
  removeEventListener<Type extends WebSocketEventType>(
    type: Type,
    listener: EventListener<Type>,
  ): void {
    removeEventListener(this, type, listener);
  }

  // ---- the connection's calls

  /** @internal */
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean, borrowed: boolean): void {
    const length = end - start;
    if (!binary && this.behavior.textAsString) {
      this.deliver('message', bytes.toString('utf8', start, end), false, length);
      return;
    }
    const buffer = toBuffer(bytes, start, end, borrowed);
    this.deliver('message', binary ? toBinary(buffer, this.binary) : buffer, binary, length);
  }

  /** @internal */
  onPing(payload: Buffer): void {
    this.deliver('ping', payload, undefined, payload.length);
  }

  /** @internal */
  onPong(payload: Buffer): void {
    this.deliver('pong', payload, undefined, payload.length);
  }

  /** @internal */
  onFault(error: ProtocolError): void {
    this.deliver('error', error, undefined, 0);
  }

  /** @internal */
  onState(state: State): void {
    this.state = state;
    if (state === State.CLOSED) {
      this.deliver('close', this.connection.closeCode, this.connection.closeReason, 0);
    } else {
      this.binding?.startCloseTimer(this.settings.limits.closeTimeout);
    }
  }

  // ---- delivering

  private deliver(name: string, first: unknown, second: unknown, bytes: number): void {
    const { inbox } = this;
    if (inbox === undefined || (inbox.empty && name !== 'message')) {
      this.tell(name, first, second);
      return;
    }
    inbox.push(name, first, second, bytes);
    if (inbox.full) this.stopReading();
    if (this.inboxTimer === undefined && !inbox.released) {
      this.inboxTimer = setTimeout(() => this.releaseInbox(), INBOX_TIMEOUT);
      this.inboxTimer.unref();
    }
  }

  private tell(name: string, first: unknown, second: unknown): void {
    // A listener that has failed is given no more messages to fail on.
    if (this.failed && name !== 'close' && name !== 'error') return;
    if (name === 'error' && this.listenerCount('error') === 0) {
      // An emitter would throw, and one malformed frame would end the process.
      this.behavior.hooks.onUnheardError?.(first as ProtocolError, this);
      return;
    }
    try {
      this.emit(name, first, second);
    } catch (error) {
      this.listenerFailed(error);
    }
  }

  /** @internal A listener of ours threw: told once, and the peer learns that it was our fault (1011). */
  listenerFailed(error: unknown): void {
    const { onListenerError } = this.behavior.hooks;
    if (onListenerError === undefined) {
      rethrow(error);
      return;
    }
    this.failed = true;
    this.close(CloseCode.INTERNAL_ERROR);
    onListenerError(error, this);
  }

  [Symbol.for('nodejs.rejection')](error: unknown): void {
    this.listenerFailed(error);
  }

  /** @internal Delivers what was kept for a listener, and keeps no more. */
  releaseInbox(): void {
    if (this.inbox === undefined || this.inbox.released) return;
    this.inbox.released = true;
    clearTimeout(this.inboxTimer);
    this.inboxTimer = undefined;
    this.off('newListener', onNewListener);
    this.continueReading();
  }

  private stopReading(): void {
    this.connection.suspend();
    this.binding?.pause();
  }

  private continueReading(): void {
    const { inbox } = this;
    if (inbox?.released) {
      // A listener may pause; the end of the connection is told all the same.
      while (!this.paused || this.state === State.CLOSED) {
        const event = inbox.shift();
        if (event === undefined) break;
        this.tell(event.name, event.first, event.second);
      }
      if (!inbox.empty) return;
      this.inbox = undefined;
    }
    if (!this.paused && !this.inbox?.full) this.binding?.resumeReading();
  }

  // ---- sending

  private canSend(payload: Uint8Array | string, callback: WriteCallback | undefined): boolean {
    if (this.state === State.OPEN) return true;
    const error = new Error(
      `WebSocket is not open: readyState ${this.state} (${STATE_NAMES[this.state]})`,
    );
    if (this.state === State.CONNECTING) throw error;
    this.unsentBytes += payloadLength(payload);
    if (callback !== undefined) process.nextTick(callback, error);
    return false;
  }

  private sendControl(
    kind: 'ping' | 'pong',
    data: SendData | WriteCallback,
    mask: boolean | WriteCallback | undefined,
    callback: WriteCallback | undefined,
  ): void {
    const done = typeof data === 'function' ? data : typeof mask === 'function' ? mask : callback;
    const payload = toPayload(typeof data === 'function' ? undefined : data);
    if (!this.canSend(payload, done as WriteCallback | undefined)) return;
    if (payloadLength(payload) > MAX_CONTROL_PAYLOAD) {
      throw new RangeError('The data size must not be greater than 125 bytes');
    }
    this.connection[kind](payload, done as WriteCallback | undefined);
  }
}

function onNewListener(this: WebSocket, name: string): void {
  // Told before the listener is there; and more listeners may be on their way.
  if (name === 'message') process.nextTick(() => this.releaseInbox());
}

for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const) {
  const constant = { enumerable: true, value: State[name] };
  Object.defineProperty(WebSocket, name, constant);
  Object.defineProperty(WebSocket.prototype, name, constant);
}

for (const name of [
  'binaryType',
  'bufferedAmount',
  'extensions',
  'isPaused',
  'protocol',
  'readyState',
  'url',
  'addEventListener',
  'removeEventListener',
]) {
  // As `ws` shows them to `for…in`.
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true });
}

for (const type of ['open', 'error', 'close', 'message'] as const) {
  Object.defineProperty(WebSocket.prototype, `on${type}`, {
    enumerable: true,
    get(this: WebSocket) {
      return getAttribute(this, type);
    },
    set(this: WebSocket, listener: ((event: WebSocketEventMap[typeof type]) => void) | null) {
      setAttribute(this, type, listener);
    },
  });
}

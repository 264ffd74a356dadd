import type { Duplex } from 'node:stream';
import type { ClientHandshake, SocketSettings } from './client';
import { connect } from './client';
import type { ClientOptions } from './client-options';
import { Sender } from './compat/sender';
import { offerAsClient } from './deflate/extension';
import { EXTENSION_NAME } from './deflate/negotiate';
import { GuardedEmitter } from './emitter';
import type {
  EventListener,
  EventSource,
  WebSocketEventMap,
  WebSocketEventType,
} from './event-target';
import { addEventListener, defineAttributes, removeEventListener } from './event-target';
import { Binding } from './io/binding';
import type { PulseOwner } from './io/heartbeat';
import { heartbeatFor } from './io/heartbeat';
import type { ResolvedOptions, WebSocketOptions } from './options';
import { behaviorOf, overrideOptions, resolveOptions } from './options';
import type { SendData } from './payload';
import { BINARY_TYPES, toBinary, toBuffer, toPayload } from './payload';
import { CloseCode } from './protocol/close';
import type { ConnectionHandler } from './protocol/connection';
import { Connection } from './protocol/connection';
import type { ProtocolError } from './protocol/errors';
import { describe } from './protocol/limits';
import { MAX_CONTROL_PAYLOAD } from './protocol/opcodes';
import type { Payload, WriteCallback } from './protocol/sender';
import { payloadLength } from './protocol/sender';
import { State } from './protocol/state';
import { rethrow } from './rethrow';

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/** Options of one `send()`. */
export interface SendOptions {
  /** Send a binary message. @defaultValue `true` unless the data is a string or a number */
  binary?: boolean | undefined;
  /** Compress the message, where compression was agreed on. @defaultValue `true` */
  compress?: boolean | undefined;
  /** Whether this is the last fragment of the message. @defaultValue `true` */
  fin?: boolean | undefined;
  /** Accepted for `ws`; whether frames are masked is not a choice (RFC 6455 5.1). */
  mask?: boolean | undefined;
}

const EMPTY = Buffer.alloc(0);
/** Bytes that may wait for the peer before `send()` asks to stop, and below which `'drain'` says to go on. */
const HIGH_WATER_MARK = 64 * 1024;
const LOW_WATER_MARK = 16 * 1024;
const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

/**
 * A WebSocket connection with the API of `ws`.
 *
 * Events: `open`, `message(data, isBinary)`, `ping(data)`, `pong(data)`, `error(error)`, `close(code, reason)`; `close`
 * is always the last and comes once. An `error` that nobody listens to never ends the process.
 */
export class WebSocket
  extends GuardedEmitter
  implements EventSource, ConnectionHandler, PulseOwner
{
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;
  /** The listener for `open` that was set as an attribute; `null` where there is none. */
  declare onopen: ((event: WebSocketEventMap['open']) => void) | null;
  declare onmessage: ((event: WebSocketEventMap['message']) => void) | null;
  declare onclose: ((event: WebSocketEventMap['close']) => void) | null;
  declare onerror: ((event: WebSocketEventMap['error']) => void) | null;

  /** @internal The protocol's side, from {@link setSocket} on. */
  connection!: Connection;

  private settings: ResolvedOptions;
  private binding: Binding | undefined = undefined;
  private frameSender: Sender | undefined = undefined;
  private state: State = State.CONNECTING;
  private paused = false;
  private binary: BinaryType = 'nodebuffer';
  /** Bytes given to `send()` after it was too late; `bufferedAmount` counts them for good, as in a browser. */
  private unsentBytes = 0;
  private subprotocol = '';
  /** Whether `send()` has asked to stop and `'drain'` has not come yet. */
  private needsDrain = false;
  private address: string | undefined = undefined;
  /** The way to OPEN, of a client that is still on it. */
  private handshake: ClientHandshake | undefined = undefined;

  /**
   * Makes the WebSocket of the server's side, to be given its socket by {@link setSocket}.
   *
   * @param options limits and switches; `undefined` is always the default
   * @throws TypeError or RangeError that names the option and the value
   */
  constructor(address: null, protocols?: undefined, options?: WebSocketOptions);
  /**
   * Connects to a server.
   *
   * @param address `ws:`, `wss:`, `http:`, `https:`, or `ws+unix:<socket>[:<path>]`
   * @param protocols subprotocols to ask for, the one liked best first
   * @throws SyntaxError for an address or subprotocols that are none
   * @throws TypeError or RangeError that names the option and the value
   */
  constructor(address: string | URL, protocols?: string | string[], options?: ClientOptions);
  constructor(address: string | URL, options?: ClientOptions);
  constructor(
    address: string | URL | null,
    protocols?: string | string[] | ClientOptions,
    options?: ClientOptions,
  ) {
    const given = isOptions(protocols) ? protocols : (options ?? {});
    super(behaviorOf(given));
    this.settings = resolveOptions(given);
    if (address === null) return;
    const names = isOptions(protocols) ? undefined : protocols;
    const extension = offerAsClient(given.perMessageDeflate, this.settings.limits);
    this.handshake = connect(this, address, names, given, extension);
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

  /**
   * Bytes, framing included, that wait to be handed to the kernel: what was sent in this tick, and what the peer does
   * not take. Bytes that were given to `send()` after the connection began to close count for ever, as in a browser.
   */
  get bufferedAmount(): number {
    if (this.binding === undefined) return this.unsentBytes;
    return this.binding.bufferedAmount + this.connection.queuedBytes + this.unsentBytes;
  }

  /** The extensions in use, by name. */
  get extensions(): string {
    return this.binding !== undefined && this.connection.compression ? EXTENSION_NAME : '';
  }

  /** The subprotocol agreed on, or `''`. */
  get protocol(): string {
    return this.subprotocol;
  }

  /** The address a client connected to; `undefined` on the server's side. */
  get url(): string | undefined {
    return this.address;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** @internal The socket, for what the API does not offer; `ws` users read `remoteAddress` from it. */
  get _socket(): Duplex | null {
    return this.binding?.socket ?? null;
  }

  /** @internal Sends frames made by `Sender.frame`; Socket.IO broadcasts by it. `null` while CONNECTING, as in `ws`. */
  get _sender(): Sender | null {
    if (this.binding === undefined) return null;
    this.frameSender ??= new Sender((frames, callback) => {
      const done = toCallback(callback);
      if (this.state === State.OPEN) this.connection.sendFramed(frames, done);
      else if (done !== undefined) process.nextTick(done, this.notOpen());
    });
    return this.frameSender;
  }

  /** @internal */
  get closedCleanly(): boolean {
    return this.binding !== undefined && this.connection.closeReceived && this.connection.closeSent;
  }

  // ---- life

  /**
   * Gives the WebSocket its socket, after a handshake that somebody else has done.
   *
   * @param socket any duplex stream of bytes
   * @param head what was read behind the handshake
   * @param options limits and switches given here win over the constructor's
   * @throws Error when it has a socket already
   * @throws TypeError or RangeError that names the option and the value
   */
  setSocket(socket: Duplex, head: Buffer, options: WebSocketOptions & SocketSettings = {}): void {
    if (this.binding !== undefined) throw new Error('The WebSocket has a socket already');
    this.settings = overrideOptions(this.settings, options);
    this.handshake = undefined;
    const binding = new Binding(socket, this);
    this.binding = binding;
    this.subprotocol = options.protocol ?? '';
    this.connection = new Connection(
      {
        role: options.role ?? 'server',
        limits: this.settings.limits,
        autoPong: this.settings.autoPong,
        skipUTF8Validation: this.settings.skipUTF8Validation,
        maskingKey: options.maskingKey,
        compression: options.compression,
      },
      binding,
      this,
    );
    this.state = State.OPEN;
    this.startDelivery(!this.settings.allowSynchronousEvents);
    this.startHeartbeat(binding);
    binding.start(head);
    this.deliver('open', undefined, undefined, 0);
  }

  /**
   * Sends a message.
   *
   * @param data a string or number is sent as text, everything else as binary; `null` and `undefined` are empty
   * @returns whether to go on: `false` where the message was not sent, or where more than 64 KiB wait for the peer, and
   * then `'drain'` comes when it has taken most of it
   * @param callback called once: when the frame has been handed to the kernel, or with the error why it never will be
   * @throws Error while CONNECTING; in CLOSING and CLOSED the error goes to the callback
   * @throws TypeError for data that has no bytes, or a callback that is no function
   */
  send(data: SendData, callback?: WriteCallback): boolean;
  send(data: SendData, options: SendOptions | undefined, callback?: WriteCallback): boolean;
  send(data: SendData, options?: SendOptions | WriteCallback, callback?: WriteCallback): boolean {
    const settings = typeof options === 'object' ? options : undefined;
    const done = toCallback(typeof options === 'function' ? options : callback);
    const payload = this.payloadToSend(data, done);
    if (payload === undefined) return false;
    const waiting = this.bufferedAmount + payloadLength(payload);
    if (this.overflows(waiting, payload, done)) return false;
    const goOn = waiting <= HIGH_WATER_MARK;
    const written = goOn ? done : this.tellingOfDrain(done);
    const binary = settings?.binary ?? typeof payload !== 'string';
    const { fin = true, compress = true } = settings ?? {};
    this.connection.send(payload, binary, fin, written, compress);
    this.binding?.pulse?.message();
    return goOn;
  }

  /**
   * Sends a ping of at most 125 bytes. The callback is called as that of {@link send}.
   *
   * @throws RangeError for more than 125 bytes
   * @throws Error while CONNECTING
   * @throws TypeError for data that has no bytes, or a callback that is no function
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
   * Starts the closing handshake, which the peer has `closeTimeout` to finish. Messages that it has sent before are
   * still delivered. Only the first call counts; the others, and their arguments, are not looked at.
   *
   * @param code 1000-1014 without 1004-1006, or 3000-4999
   * @param reason at most 123 bytes of UTF-8; dropped where there is no code
   * @throws TypeError for a code that may not be sent, or a reason that is no text
   * @throws RangeError for a reason that is too long
   */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.handshake !== undefined) this.handshake.abort();
    else if (this.binding !== undefined && this.state !== State.CLOSED) {
      this.connection.close(code, reason);
    }
  }

  /**
   * Ends the connection at once, with no closing handshake. Frames that the kernel takes at once still leave; those
   * that wait for a slow peer are dropped, and their callbacks told so. Messages that have been read are delivered.
   */
  terminate(): void {
    if (this.handshake !== undefined) this.handshake.abort();
    if (this.state === State.CLOSED || this.binding === undefined) return;
    this.state = State.CLOSING;
    this.binding.destroy();
  }

  /** Stops reading: no message is delivered after the current one until {@link resume}, or the end of the connection. */
  pause(): void {
    if (this.binding === undefined || this.state === State.CLOSED) return;
    this.paused = true;
    this.stopReading();
  }

  /** Goes on reading, in a tick of its own: no message is delivered before the caller is done. */
  resume(): void {
    if (this.binding === undefined || this.state === State.CLOSED) return;
    this.paused = false;
    process.nextTick(() => this.continueDelivery());
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

  // ---- the handshake's calls

  /** @internal */
  setUrl(url: string): void {
    this.address = url;
  }

  /** @internal Emits one of the events of a handshake. */
  announce(event: 'upgrade' | 'redirect' | 'unexpected-response', ...values: unknown[]): void {
    this.tell(event, values[0], values[1]);
  }

  /** @internal There will be no socket: CLOSING at once; 'error' and 'close' in a tick of their own. */
  failOpening(error: Error): void {
    this.state = State.CLOSING;
    this.handshake = undefined;
    process.nextTick(() => {
      try {
        // As with any emitter and in `ws`, an error that nobody hears is thrown: who connects is there to hear it.
        this.emit('error', error);
      } catch (thrown) {
        rethrow(thrown);
      }
      this.state = State.CLOSED;
      this.tell('close', CloseCode.ABNORMAL, EMPTY);
    });
  }

  // ---- the connection's calls

  /** @internal */
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean, borrowed: boolean): void {
    const length = end - start;
    this.binding?.pulse?.message();
    if (!binary && this.textAsString) {
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

  // ---- the heartbeat's calls

  /** @internal */
  get isDeaf(): boolean {
    return this.connection.isSuspended || this.connection.isInflating;
  }

  /** @internal */
  beat(): void {
    if (this.state === State.OPEN) this.connection.ping(EMPTY);
  }

  /** @internal */
  lost(): void {
    this.terminate();
  }

  /** @internal */
  expire(reason: string): void {
    this.close(CloseCode.GOING_AWAY, reason);
  }

  private startHeartbeat(binding: Binding): void {
    const { idleTimeout, maxLifetime } = this.settings.limits;
    const times = { ...this.settings.heartbeat, idleTimeout, maxLifetime };
    binding.pulse = heartbeatFor(times)?.watch(this);
  }

  /** @internal */
  onReadable(): void {
    this.binding?.resumeReading();
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

  // ---- reading

  protected stopReading(): void {
    this.connection.suspend();
    this.binding?.pause();
  }

  protected continueReading(): void {
    if (this.state !== State.CLOSED) this.binding?.resumeReading();
  }

  // ---- sending

  /** Whether a message would exceed `maxBufferedAmount`; then it is not sent. One alone never does. */
  private overflows(
    waiting: number,
    payload: Payload,
    callback: WriteCallback | undefined,
  ): boolean {
    const { maxBufferedAmount } = this.settings.limits;
    if (maxBufferedAmount === 0 || waiting <= maxBufferedAmount) return false;
    if (waiting === payloadLength(payload)) return false;
    if (callback !== undefined) process.nextTick(callback, overflowed(waiting, maxBufferedAmount));
    if (this.settings.overflow === 'close') this.close(CloseCode.TRY_AGAIN_LATER);
    return true;
  }

  /** A callback that also looks whether the peer has taken enough. */
  private tellingOfDrain(callback: WriteCallback | undefined): WriteCallback {
    this.needsDrain = true;
    return (error) => {
      callback?.(error);
      if (!this.needsDrain || this.state !== State.OPEN) return;
      if (this.bufferedAmount > LOW_WATER_MARK) return;
      this.needsDrain = false;
      this.deliver('drain', undefined, undefined, 0);
    };
  }

  /** The bytes to send; `undefined` where it is too late for that, which the callback is told. */
  private payloadToSend(data: SendData, callback: WriteCallback | undefined): Payload | undefined {
    if (this.state === State.CONNECTING) throw this.notOpen();
    const payload = toPayload(data);
    if (this.state === State.OPEN) return payload;
    this.unsentBytes += payloadLength(payload);
    if (callback !== undefined) process.nextTick(callback, this.notOpen());
    return undefined;
  }

  private notOpen(): Error {
    const { state } = this;
    return new Error(`WebSocket is not open: readyState ${state} (${STATE_NAMES[state]})`);
  }

  private sendControl(
    kind: 'ping' | 'pong',
    data: SendData | WriteCallback,
    mask: boolean | WriteCallback | undefined,
    callback: WriteCallback | undefined,
  ): void {
    const last = typeof mask === 'function' ? mask : callback;
    const done = toCallback(typeof data === 'function' ? data : last);
    const payload = this.payloadToSend(typeof data === 'function' ? undefined : data, done);
    if (payload === undefined) return;
    if (payloadLength(payload) > MAX_CONTROL_PAYLOAD) {
      throw new RangeError('The data size must not be greater than 125 bytes');
    }
    this.connection[kind](payload, done);
  }
}

/** Whether the second argument is that of `new WebSocket(address, options)`. */
function isOptions(argument: unknown): argument is ClientOptions {
  return typeof argument === 'object' && argument !== null && !(Symbol.iterator in argument);
}

function overflowed(waiting: number, limit: number): Error {
  const message = `The message was not sent: ${waiting} bytes would wait, and maxBufferedAmount is ${limit}`;
  return Object.assign(new Error(message), { code: 'WS_ERR_BUFFER_OVERFLOW' });
}

/** Checks what stands in a callback's place; `null` is as good as none. */
function toCallback(callback: unknown): WriteCallback | undefined {
  if (callback === undefined || callback === null) return undefined;
  if (typeof callback !== 'function') {
    throw new TypeError(`The callback must be a function, got ${describe(callback)}`);
  }
  // Whatever its parameters are, it is called with an error or nothing.
  return callback as WriteCallback;
}

for (const name of STATE_NAMES) {
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

defineAttributes(WebSocket.prototype);

import type { ClientRequestArgs } from 'node:http';
import { connect } from './client';
import type { ClientOptions } from './client-options';
import { Sender } from './compat/sender';
import { offerAsClient } from './deflate/extension';
import { EXTENSION_NAME } from './deflate/negotiate';
import type { EventListener, EventSource, WebSocketEventType } from './event-target';
import { addEventListener, removeEventListener } from './event-target';
import type { MessageIn, Untyped } from './events';
import { MessageIterator } from './messages';
import type { WebSocketOptions } from './options';
import type { BinaryType, SendData } from './payload';
import { BINARY_TYPES, toPayload } from './payload';
import type { CloseDetails } from './promises';
import { closedOf, openedOf } from './promises';
import { CloseCode } from './protocol/close';
import { FIN, isControl, MAX_CONTROL_PAYLOAD, OPCODE_BITS } from './protocol/opcodes';
import { PreparedMessage } from './protocol/prepared';
import type { Payload, WriteCallback } from './protocol/sender';
import { mostPayloadLength, payloadLength } from './protocol/sender';
import { notOpen, State } from './protocol/state';
import type { ControlCallback, SendCallback, SendOptions } from './sending';
import { overflowed, toCallback } from './sending';
import { defineSurface } from './surface';
import { Subscriber } from './topics/subscriber';
import type { ChunkIn, WebSocketStreams } from './web-streams';
import { streamsOf } from './web-streams';

/** What a client may be given by its types; those of Node's requests are there for code that has them. */
type GivenOptions = ClientOptions | ClientRequestArgs;

/** Bytes that may wait for the peer before `send()` asks to stop, and below which `'drain'` says to go on. */
const HIGH_WATER_MARK = 64 * 1024;
const LOW_WATER_MARK = 16 * 1024;

/**
 * A WebSocket connection with the API of `ws`.
 *
 * Events: `open`, `message(data, isBinary)`, `ping(data)`, `pong(data)`, `error(error)`, `close(code, reason)`; `close`
 * is always the last and comes once. An `error` that nobody listens to never ends the process.
 */
export class WebSocket extends Subscriber implements EventSource {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSING: 2;
  declare static readonly CLOSED: 3;
  declare readonly CONNECTING: 0;
  declare readonly OPEN: 1;
  declare readonly CLOSING: 2;
  declare readonly CLOSED: 3;

  /**
   * What the application knows of this connection: what `onUpgrade` has given it, or whatever it puts there. The engine
   * does not look at it.
   */
  data: unknown = undefined;

  private frameSender: Sender | undefined = undefined;
  /** Bytes given to `send()` after it was too late; `bufferedAmount` counts them for good, as in a browser. */
  private unsentBytes = 0;
  /** Whether `send()` has asked to stop and `'drain'` has not come yet. */
  private needsDrain = false;

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
  constructor(address: string | URL, options?: GivenOptions);
  constructor(address: string | URL, protocols?: string | string[], options?: GivenOptions);
  constructor(
    address: string | URL | null,
    protocols?: string | string[] | GivenOptions,
    options?: GivenOptions,
  ) {
    // Where the types of Node's own options differ from ours, their values are checked.
    const given = (isOptions(protocols) ? protocols : (options ?? {})) as ClientOptions;
    super(given);
    if (address === null) return;
    const names = isOptions(protocols) ? undefined : protocols;
    const extension = offerAsClient(given.perMessageDeflate, this.settings.limits);
    this.handshake = connect(this, address, names, given, extension);
  }

  // ---- properties

  /**
   * The form of binary messages: `'nodebuffer'`, `'arraybuffer'`, `'fragments'` or `'blob'`; what is none of the four is
   * ignored. Only the type keeps silent about `'blob'`, so that our WebSockets are taken where those of `@types/ws` are.
   *
   * @defaultValue 'nodebuffer'
   */
  get binaryType(): Exclude<BinaryType, 'blob'> {
    // Whoever has set 'blob' knows it.
    return this.binary as Exclude<BinaryType, 'blob'>;
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

  /** The address a client connected to. On the server's side it is `undefined`, whatever the type of `@types/ws` says. */
  get url(): string {
    // Code that reads it is a client's.
    return this.address as string;
  }

  /**
   * Resolves with the WebSocket when it is OPEN, at once if it is. Rejects with the error of a handshake that fails, which
   * is heard thereby: it needs no `'error'` listener then. For one that was OPEN and is so no longer, rejects with an error
   * whose `code` is `WS_ERR_NOT_OPEN`.
   */
  get opened(): Promise<WebSocket> {
    return openedOf(this);
  }

  /** Resolves with how the connection has ended, when it has; never rejects, and hears no `'error'`. */
  get closed(): Promise<CloseDetails> {
    return closedOf(this);
  }

  /** @internal Sends frames made by `Sender.frame`; Socket.IO broadcasts by it. `null` while CONNECTING, as in `ws`. */
  get _sender(): Sender | null {
    if (this.binding === undefined) return null;
    this.frameSender ??= new Sender((frames, callback) => {
      const done = toCallback(callback);
      if (this.state === State.OPEN) {
        if (endsMessage(frames)) this.tally.messagesSent++;
        this.connection.sendFramed(frames, done);
      } else if (done !== undefined) process.nextTick(done, notOpen(this.state));
    });
    return this.frameSender;
  }

  // ---- life

  /**
   * Sends a message.
   *
   * @param data a string or number is sent as text, everything else as binary; `null` and `undefined` are empty. What
   * `prepare()` has made is sent as it was prepared, whatever the options say
   * @returns whether to go on: `false` where the message was not sent, or where more than 64 KiB wait for the peer, and
   * then `'drain'` comes when it has taken most of it
   * @param callback called once: when the frame has been handed to the kernel, or with the error why it never will be
   * @throws Error while CONNECTING; in CLOSING and CLOSED the error goes to the callback
   * @throws TypeError for data that has no bytes, a callback that is no function, or a prepared message as a fragment
   */
  send(data: SendData | PreparedMessage, callback?: SendCallback): boolean;
  send(
    data: SendData | PreparedMessage,
    options: SendOptions | undefined,
    callback?: SendCallback,
  ): boolean;
  send(
    data: SendData | PreparedMessage,
    options?: SendOptions | SendCallback,
    callback?: SendCallback,
  ): boolean {
    const settings = typeof options === 'object' ? options : undefined;
    const done = toCallback(typeof options === 'function' ? options : callback);
    const { binary, fin = true, compress = true } = settings ?? {};
    if (!fin && data instanceof PreparedMessage) {
      throw new TypeError('A prepared message is whole, and was to be sent with "fin": false');
    }
    const payload = this.payloadToSend(data, done);
    if (payload === undefined) return false;
    const buffered = this.bufferedAmount;
    let goOn = true;
    // What certainly fits need not be counted to the byte.
    if (buffered + mostPayloadLength(payload) > this.fits) {
      const waiting = buffered + payloadLength(payload);
      if (this.overflows(waiting, payload, done)) return false;
      goOn = waiting <= HIGH_WATER_MARK;
    }
    if (fin) this.tally.messagesSent++;
    const written = goOn ? done : this.tellingOfDrain(done);
    if (data instanceof PreparedMessage) this.connection.sendPrepared(data, written);
    else {
      this.connection.send(payload, binary ?? typeof payload !== 'string', fin, written, compress);
    }
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
  ping(callback?: SendCallback): void;
  ping(data: SendData, callback?: SendCallback): void;
  ping(data: SendData, mask: boolean | undefined, callback?: SendCallback): void;
  ping(data?: Untyped, mask?: boolean, callback?: ControlCallback): void;
  ping(
    data?: SendData | SendCallback,
    mask?: boolean | SendCallback,
    callback?: SendCallback | ControlCallback,
  ): void {
    this.sendControl('ping', data, mask, callback);
  }

  /** Sends a pong of at most 125 bytes, asked for or not; throws as {@link ping} does. */
  pong(callback?: SendCallback): void;
  pong(data: SendData, callback?: SendCallback): void;
  pong(data: SendData, mask: boolean | undefined, callback?: SendCallback): void;
  pong(data?: Untyped, mask?: boolean, callback?: ControlCallback): void;
  pong(
    data?: SendData | SendCallback,
    mask?: boolean | SendCallback,
    callback?: SendCallback | ControlCallback,
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
  override close(code?: number, reason?: string | Uint8Array): void {
    if (this.handshake !== undefined) this.handshake.abort();
    else if (this.binding !== undefined && this.state !== State.CLOSED) {
      this.connection.close(code, reason);
    }
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

  // ---- messages as a sequence

  /**
   * The messages from now on, as {@link MessageIterator} has them: `for await (const message of webSocket)`. Ends when the
   * connection ends, throws what `'error'` tells, and stops the peer while the loop is behind.
   */
  [Symbol.asyncIterator](): MessageIterator<MessageIn<this>> {
    return new MessageIterator(this);
  }

  /** The messages of both directions as WHATWG streams: `{ readable, writable }`, one pair for a WebSocket. */
  get streams(): WebSocketStreams<ChunkIn<this>> {
    return streamsOf(this);
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

  // ---- sending

  /** Bytes that may wait without anything having to be done about it. */
  private get fits(): number {
    const { maxBufferedAmount } = this.settings.limits;
    return maxBufferedAmount === 0 ? HIGH_WATER_MARK : Math.min(maxBufferedAmount, HIGH_WATER_MARK);
  }

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
  private payloadToSend(
    data: SendData | PreparedMessage,
    callback: WriteCallback | undefined,
  ): Payload | undefined {
    if (this.state === State.CONNECTING) throw notOpen(this.state);
    const payload = data instanceof PreparedMessage ? data.payload : toPayload(data);
    if (this.state === State.OPEN) return payload;
    this.unsentBytes += payloadLength(payload);
    if (callback !== undefined) process.nextTick(callback, notOpen(this.state));
    return undefined;
  }

  private sendControl(
    kind: 'ping' | 'pong',
    data: SendData | SendCallback,
    mask: boolean | SendCallback | undefined,
    callback: SendCallback | ControlCallback | undefined,
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

/** Whether frames that were made elsewhere are a message, or the end of one. */
function endsMessage([frame]: readonly Uint8Array[]): boolean {
  return frame !== undefined && (frame[0] & FIN) !== 0 && !isControl(frame[0] & OPCODE_BITS);
}

/** Whether the second argument is that of `new WebSocket(address, options)`. */
function isOptions(argument: unknown): argument is GivenOptions {
  return typeof argument === 'object' && argument !== null && !(Symbol.iterator in argument);
}

defineSurface(WebSocket);

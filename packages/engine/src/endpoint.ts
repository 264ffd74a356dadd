import type { Duplex } from 'node:stream';
import type { ClientHandshake, SocketSettings } from './client';
import { GuardedEmitter } from './emitter';
import { Intake } from './intake';
import { Binding } from './io/binding';
import type { PulseOwner } from './io/heartbeat';
import { heartbeatOf } from './io/heartbeat';
import { observeClose, observeError, observeOpen } from './observe';
import type { ResolvedOptions, WebSocketOptions } from './options';
import { behaviorOf, overrideOptions, resolveOptions } from './options';
import type { BinaryType } from './payload';
import { toBinary, toBuffer } from './payload';
import { keepFailure } from './promises';
import { CloseCode } from './protocol/close';
import type { ConnectionHandler, ConnectionOptions, Role } from './protocol/connection';
import { Connection } from './protocol/connection';
import type { ProtocolError } from './protocol/errors';
import type { ResolvedLimits } from './protocol/limits';
import { State } from './protocol/state';
import { rethrow } from './rethrow';
import type { Tally } from './tally';
import { UNREAD } from './tally';

const EMPTY = Buffer.alloc(0);

/** What most connections of a server have in common, by their settings: no object for each that only waits. */
const sharedOptions = new WeakMap<ResolvedOptions, ConnectionOptions>();

/**
 * One end of a connection, as the engine sees it: it binds the protocol to a socket, and tells the application what
 * comes. What the application calls is in the class that extends it, the WebSocket.
 */
export abstract class Endpoint extends GuardedEmitter implements ConnectionHandler, PulseOwner {
  /** @internal The protocol's side, from {@link setSocket} on. */
  connection!: Connection;

  protected settings: ResolvedOptions;
  protected binding: Binding | undefined = undefined;
  protected state: State = State.CONNECTING;
  protected paused = false;
  /** How many consumers of messages have enough for now. */
  private holds = 0;
  protected binary: BinaryType = 'nodebuffer';
  protected subprotocol = '';
  protected address: string | undefined = undefined;
  /** The way to OPEN, of a client that is still on it. */
  protected handshake: ClientHandshake | undefined = undefined;
  /** Where what happens is counted. */
  protected tally: Tally = UNREAD;
  /** What messages have to pass, where there is anything. */
  private intake: Intake | undefined = undefined;

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(options: WebSocketOptions) {
    super(behaviorOf(options));
    this.settings = resolveOptions(options);
  }

  /** @internal */
  get limits(): ResolvedLimits {
    return this.settings.limits;
  }

  /**
   * @internal Sets options of this one WebSocket, which go before those it was made with.
   *
   * @throws TypeError or RangeError that names the option and the value
   */
  configure(options: WebSocketOptions): void {
    this.settings = overrideOptions(this.settings, options);
  }

  /** 0 CONNECTING, 1 OPEN, 2 CLOSING, 3 CLOSED. */
  get readyState(): State {
    return this.state;
  }

  /** Whether `pause()` was called and `resume()` was not. */
  get isPaused(): boolean {
    return this.paused;
  }

  /** @internal */
  get isHeld(): boolean {
    return this.paused || this.holds > 0;
  }

  /** @internal The socket, for what the API does not offer; `ws` users read `remoteAddress` from it. */
  get _socket(): Duplex | null {
    return this.binding?.socket ?? null;
  }

  /** @internal */
  get closedCleanly(): boolean {
    return this.binding !== undefined && this.connection.closeReceived && this.connection.closeSent;
  }

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
    this.configure(options);
    this.handshake = undefined;
    const { role = 'server', tally = UNREAD } = options;
    this.tally = tally;
    const binding = new Binding(socket, this, tally);
    this.binding = binding;
    this.subprotocol = options.protocol ?? '';
    this.connection = new Connection(this.connectionOptions(role, options), binding, this);
    this.state = State.OPEN;
    const { holdMessages, allowSynchronousEvents } = this.settings;
    this.startDelivery(holdMessages, !allowSynchronousEvents);
    this.startHeartbeat(binding);
    this.startIntake();
    binding.start(head);
    tally.opened++;
    observeOpen(role, this.asWebSocket(), tally.server, options.request);
    this.deliver('open', undefined, undefined, 0);
  }

  private connectionOptions(role: Role, own: SocketSettings): ConnectionOptions {
    const { settings, textAsString } = this;
    const { maskingKey, compression } = own;
    const shares = role === 'server' && maskingKey === undefined && compression === undefined;
    const known = shares ? sharedOptions.get(settings) : undefined;
    if (known !== undefined && known.decodesText === textAsString) return known;
    const { limits, autoPong, skipUTF8Validation } = settings;
    const decodesText = textAsString;
    const made = {
      role,
      limits,
      autoPong,
      skipUTF8Validation,
      decodesText,
      maskingKey,
      compression,
    };
    if (shares) sharedOptions.set(settings, made);
    return made;
  }

  abstract override close(code?: number, reason?: string | Uint8Array): void;

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
    this.noteError(error);
    keepFailure(this, error);
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
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void {
    const length = end - start;
    this.tally.messagesReceived++;
    this.binding?.pulse?.message();
    if (!binary && this.textAsString) {
      this.take(bytes.toString('utf8', start, end), false, length);
      return;
    }
    const buffer = toBuffer(bytes, start, end);
    this.take(binary ? toBinary(buffer, this.binary) : buffer, binary, length);
  }

  /** @internal */
  onPing(payload: Buffer): void {
    this.tellInTurn('ping', payload, undefined, payload.length);
  }

  /** @internal */
  onPong(payload: Buffer): void {
    this.tellInTurn('pong', payload, undefined, payload.length);
  }

  /** @internal */
  onFault(error: ProtocolError): void {
    this.noteError(error);
    this.tellInTurn('error', error, undefined, 0);
  }

  /** @internal */
  onUnsendable(error: Error): void {
    this.noteError(error);
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
    binding.pulse = heartbeatOf(this.settings)?.watch(this);
  }

  /** @internal */
  onReadable(): void {
    this.binding?.resumeReading();
  }

  /** @internal */
  onState(state: State): void {
    this.state = state;
    if (state === State.CLOSED) {
      this.noteClose();
      this.behavior.hooks.onClosed?.(this.asWebSocket());
      this.intake?.end();
      this.tellInTurn('close', this.connection.closeCode, this.connection.closeReason, 0);
    } else {
      this.binding?.startCloseTimer(this.settings.limits.closeTimeout);
    }
  }

  protected override end(): void {
    super.end();
    this.tally.server?.forget(this.asWebSocket());
  }

  // ---- observing

  protected override noteError(error: unknown): void {
    this.tally.errors++;
    const { server } = this.tally;
    const webSocket = this.asWebSocket();
    observeError({ error, role: this.role, webSocket, server, request: undefined });
  }

  private noteClose(): void {
    this.tally.closed++;
    const { closeCode, closeReason } = this.connection;
    observeClose(this.role, this.asWebSocket(), this.tally.server, closeCode, closeReason);
  }

  /** Before there is a connection, there is only a client. */
  private get role(): Role {
    return this.binding === undefined ? 'client' : this.connection.role;
  }

  // ---- reading

  /** @internal A consumer of messages has enough: reading stops until it calls {@link release}, whoever resumes. */
  hold(): void {
    this.holds++;
    this.stopReading();
  }

  /** @internal That consumer takes more, or is gone: reading goes on in a tick of its own, unless others hold it. */
  release(): void {
    this.holds--;
    if (!this.isHeld) process.nextTick(() => this.continueDelivery());
  }

  protected stopReading(): void {
    this.connection.suspend();
    this.binding?.pause();
  }

  protected continueReading(): void {
    if (this.state !== State.CLOSED && !this.intake?.blocked) this.binding?.resumeReading();
  }

  protected override continueDelivery(): void {
    this.intake?.proceed();
    super.continueDelivery();
  }

  // ---- what messages have to pass

  private startIntake(): void {
    const { intake, hooks } = this.behavior;
    if (intake === undefined) return;
    this.intake = new Intake(intake, {
      waits: () => this.isHeld && this.state !== State.CLOSED,
      hasFailed: () => this.failed,
      tell: (data, binary, bytes) => this.deliver('message', data, binary, bytes),
      hold: () => this.stopReading(),
      resume: () => this.continueDelivery(),
      close: (code, reason) => this.close(code, reason),
      invalid: (issues) => {
        hooks.onInvalidMessage?.(issues, this.asWebSocket());
        return hooks.onInvalidMessage !== undefined;
      },
      fail: (error) => this.listenerFailed(error),
    });
  }

  private take(data: unknown, binary: boolean, bytes: number): void {
    if (this.intake === undefined) this.deliver('message', data, binary, bytes);
    else this.intake.receive(data, binary, bytes);
  }

  /** Tells what the peer has done behind its messages, behind those that have to pass first. */
  private tellInTurn(name: string, first: unknown, second: unknown, bytes: number): void {
    const { intake } = this;
    if (intake?.busy) intake.defer(() => this.deliver(name, first, second, bytes));
    else this.deliver(name, first, second, bytes);
  }
}

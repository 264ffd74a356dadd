import { WebSocketEmitter } from './events';
import { Inbox } from './inbox';
import type { WebSocketBehavior } from './options';
import { CloseCode } from './protocol/close';
import { State } from './protocol/state';
import { rethrow } from './rethrow';
import type { WebSocket } from './websocket';

/**
 * The emitter under a WebSocket. It tells events in their order, keeps what comes before its listener where it was
 * asked to, and lets nothing that a listener does reach the engine:
 *
 * - A listener that throws stops neither the parser nor other connections. Where the owner wants to know
 *   (`onListenerError`), it is told, the peer gets 1011 and no further message is delivered; elsewhere the error is the
 *   process's, as with any emitter, and the connection goes on.
 * - An `error` that nobody listens to is no exception: it ends one connection, and most are the peer's doing.
 */
export abstract class GuardedEmitter extends WebSocketEmitter {
  abstract readonly readyState: State;
  /** Whether nothing more is to be delivered for now. */
  protected abstract readonly isHeld: boolean;

  protected readonly behavior: WebSocketBehavior;
  private inbox: Inbox | undefined = undefined;
  /** Whether a message, ping or pong waits for a turn of the event loop of its own. */
  private inTurns = false;
  /** Whether the next turn is not there yet. */
  private awaitsTurn = false;
  /** Whether a listener has failed whose failures somebody wants to know. */
  protected failed = false;
  private ended = false;
  /** @internal Bytes of the message that is being told. */
  messageBytes = 0;

  constructor(behavior: WebSocketBehavior) {
    // Rejections of listeners are only caught where somebody is to hear of them.
    super({ captureRejections: behavior.hooks.onListenerError !== undefined });
    this.behavior = behavior;
  }

  abstract close(code?: number): void;
  /** Counts an error, and tells those who observe. */
  protected abstract noteError(error: unknown): void;
  protected abstract stopReading(): void;
  protected abstract continueReading(): void;

  protected get textAsString(): boolean {
    return this.behavior.textAsString;
  }

  /**
   * Where that is asked for, keeps messages for a listener that comes late, and the events behind them: even `close`
   * is told only when the messages before it have been, or when nobody has come for them in 10 s. Above 64 KiB the
   * connection stops reading. Pausing keeps what is held; the end of the connection lets it go, paused or not.
   *
   * @param holdMessages keep messages for a late listener
   * @param inTurns deliver at most one message, ping or pong in one turn of the event loop
   */
  protected startDelivery(holdMessages: boolean, inTurns: boolean): void {
    this.inTurns = inTurns;
    if (!holdMessages && !inTurns) return;
    this.inbox = new Inbox(() => this.releaseInbox());
    if (holdMessages) this.on('newListener', onNewListener);
    else this.inbox.release();
  }

  /**
   * Tells an event, behind those that wait.
   *
   * @param bytes what it costs to keep it
   */
  protected deliver(name: string, first: unknown, second: unknown, bytes: number): void {
    const { inbox } = this;
    if (inbox === undefined || (inbox.empty && !this.waits(name))) {
      this.messageBytes = bytes;
      this.tell(name, first, second);
      return;
    }
    inbox.push(name, first, second, bytes);
    if (inbox.full) this.stopReading();
    if (this.inTurns) this.awaitTurn();
    if (name === 'close') this.continueDelivery();
  }

  /** Whether an event is kept even if it is the first. */
  private waits(name: string): boolean {
    // A listener that was attached at once is told before a close frame that came along is answered.
    if (name === 'message') return this.inTurns || this.listenerCount('message') === 0;
    return this.inTurns && (name === 'ping' || name === 'pong');
  }

  /** Delivers no more in this turn of the event loop. */
  private awaitTurn(): void {
    if (this.awaitsTurn) return;
    this.awaitsTurn = true;
    this.stopReading();
    setImmediate(() => {
      this.awaitsTurn = false;
      this.continueDelivery();
    });
  }

  /** Delivers what was kept and may go out now, then reads on. */
  protected continueDelivery(): void {
    const { inbox } = this;
    if (inbox?.released) {
      // A listener may pause; the end of the connection is told all the same.
      while (!this.awaitsTurn && (!this.isHeld || this.readyState === State.CLOSED)) {
        const event = inbox.shift();
        if (event === undefined) {
          if (!this.inTurns) this.inbox = undefined;
          break;
        }
        this.messageBytes = event.bytes;
        this.tell(event.name, event.first, event.second);
        if (this.inTurns && this.waits(event.name)) this.awaitTurn();
      }
    }
    if (!this.isHeld && !this.awaitsTurn && !this.inbox?.full) this.continueReading();
  }

  /** The last event is about to be told. */
  protected end(): void {
    this.ended = true;
  }

  /** @internal Whether `'close'` has been told, or is being told: no event will come any more. */
  get hasEnded(): boolean {
    return this.ended;
  }

  /** @internal A listener of ours threw or rejected. */
  listenerFailed(error: unknown): void {
    this.noteError(error);
    const { onListenerError } = this.behavior.hooks;
    if (onListenerError === undefined) {
      rethrow(error);
      return;
    }
    this.failed = true;
    this.close(CloseCode.INTERNAL_ERROR);
    onListenerError(error, this.asWebSocket());
    // Nobody will come for what is kept, and 'close' must not wait for that.
    this.releaseInbox();
  }

  [Symbol.for('nodejs.rejection')](error: unknown): void {
    this.listenerFailed(error);
  }

  /** @internal Delivers what was kept for a `'message'` listener, and keeps no more. */
  releaseInbox(): void {
    const { inbox } = this;
    if (inbox === undefined || inbox.released) return;
    inbox.release();
    this.off('newListener', onNewListener);
    this.continueDelivery();
  }

  /** Tells an event at once. */
  protected tell(name: string, first: unknown, second: unknown): void {
    if (name === 'close') this.end();
    // A listener that has failed is given no more messages to fail on.
    if (this.failed && name !== 'close' && name !== 'error') return;
    if (name === 'error' && this.listenerCount('error') === 0) {
      // Only the connection tells errors: the peer's faults, and messages that could not be read.
      this.behavior.hooks.onUnheardError?.(first as Error, this.asWebSocket());
      return;
    }
    try {
      // Just what the event has: listeners may take what they are given as a list.
      if (second !== undefined) this.emit(name, first, second);
      else if (first !== undefined) this.emit(name, first);
      else this.emit(name);
    } catch (error) {
      this.listenerFailed(error);
    }
  }

  /** The one class that extends this one is the WebSocket. */
  protected asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

function onNewListener(this: GuardedEmitter, name: string): void {
  // Told before the listener is there; and more listeners may be on their way.
  if (name === 'message') process.nextTick(() => this.releaseInbox());
}

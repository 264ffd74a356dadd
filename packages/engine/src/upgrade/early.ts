import type { TextWebSocket } from '../events';
import type { WebSocketOptions } from '../options';
import { CloseCode } from '../protocol/close';
import { State } from '../protocol/state';
import { WebSocket } from '../websocket';
import { contain, warn } from './contain';

/** What needs a connection. */
const ACTIONS = ['send', 'ping', 'pong', 'close', 'terminate', 'pause', 'resume'] as const;

/**
 * A WebSocket for applications that want it before the 101 has left. It takes listeners as any other; what it is told to
 * do waits for the connection.
 */
export class EarlyWebSocket extends WebSocket {
  private waiting: (() => unknown)[] | undefined = [];

  /** @param options those of the route */
  constructor(options: WebSocketOptions) {
    super(null, undefined, options);
  }

  /**
   * Does what it was told to do until now, in order: there is a connection.
   *
   * @throws what the first of these actions throws that fails; the others are done all the same
   */
  begin(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    const failures: unknown[] = [];
    for (const act of waiting) contain(act, (error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Tells `'close'` with 1006: there will be no connection. Does nothing where there was one. */
  abandon(): void {
    if (this.state !== State.CONNECTING) return;
    this.state = State.CLOSED;
    // Callbacks are told that it is too late.
    contain(() => this.begin(), warn);
    process.nextTick(() => this.tell('close', CloseCode.ABNORMAL, Buffer.alloc(0)));
  }

  /** @internal Does something now or when there is a connection. */
  act(action: (...values: unknown[]) => unknown, values: unknown[]): unknown {
    if (this.waiting === undefined) return Reflect.apply(action, this, values);
    this.waiting.push(() => Reflect.apply(action, this, values));
    return true;
  }
}

for (const name of ACTIONS) {
  // Each with parameters of its own, which go through as they are.
  const action = WebSocket.prototype[name] as (...values: unknown[]) => unknown;
  Object.defineProperty(EarlyWebSocket.prototype, name, {
    value(this: EarlyWebSocket, ...values: unknown[]): unknown {
      return this.act(action, values);
    },
    configurable: true,
    writable: true,
  });
}

/** An early WebSocket of a gateway, whose WebSockets give text as strings. */
export type EarlyTextWebSocket = EarlyWebSocket & TextWebSocket;

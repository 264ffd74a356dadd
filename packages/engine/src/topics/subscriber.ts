import type { PrepareData, PrepareOptions } from '../broadcast';
import { prepared } from '../broadcast';
import { Endpoint } from '../endpoint';
import { describe } from '../protocol/limits';
import type { PreparedMessage } from '../protocol/prepared';
import { State } from '../protocol/state';
import type { Broker } from './broker';
import { Subscriptions } from './subscriptions';

const NONE: ReadonlySet<string> = new Set();

/** The topics of a WebSocket. Those of one server share its broker; a client has none. */
export abstract class Subscriber extends Endpoint {
  private subscriptions: Subscriptions | undefined = undefined;

  /**
   * The topics it is subscribed to; in `'close'` and after it, those that it was. A view that must not be changed.
   */
  get topics(): ReadonlySet<string> {
    return this.subscriptions?.topics ?? NONE;
  }

  /**
   * From now on it gets what is published to the topic, until it unsubscribes or is no longer OPEN.
   *
   * @returns whether it was not subscribed before; `false`, too, for one that is not OPEN
   * @throws Error (`WS_ERR_NO_BROKER`) for a WebSocket that belongs to no server
   * @throws TypeError for a topic that is no string
   */
  subscribe(topic: string): boolean {
    checkTopic(topic);
    const broker = this.broker();
    if (this.state !== State.OPEN) return false;
    this.subscriptions ??= new Subscriptions(broker, this.asWebSocket());
    return this.subscriptions.add(topic);
  }

  /**
   * It gets no more of what is published to the topic.
   *
   * @returns whether it was subscribed
   * @throws TypeError for a topic that is no string
   */
  unsubscribe(topic: string): boolean {
    checkTopic(topic);
    return this.subscriptions?.remove(topic) ?? false;
  }

  /** Whether a topic is among {@link topics}. */
  isSubscribed(topic: string): boolean {
    return this.topics.has(topic);
  }

  /**
   * Sends a message to all subscribers of a topic but this WebSocket, which need not be one of them nor be OPEN any more.
   *
   * @returns to how many of this process it was sent
   * @throws Error (`WS_ERR_NO_BROKER`) for a WebSocket that belongs to no server
   * @throws TypeError for a topic that is no string, or data that cannot be prepared
   */
  publish(topic: string, data: PrepareData | PreparedMessage, options?: PrepareOptions): number {
    checkTopic(topic);
    return this.broker().publish(topic, prepared(data, options), this.asWebSocket());
  }

  /** @internal */
  override onState(state: State): void {
    if (state !== State.OPEN) this.subscriptions?.end();
    super.onState(state);
  }

  private broker(): Broker {
    const { broker } = this.behavior;
    if (broker !== undefined) return broker;
    const error = new Error('This WebSocket has no topics: only those of a server do');
    throw Object.assign(error, { code: 'WS_ERR_NO_BROKER' });
  }
}

/** @throws TypeError for anything but a string */
export function checkTopic(topic: unknown): void {
  if (typeof topic !== 'string') {
    throw new TypeError(`The topic must be a string, got ${describe(topic)}`);
  }
}

import type { PreparedMessage } from '../protocol/prepared';
import type { WebSocket } from '../websocket';

/**
 * Knows who is subscribed to which topic, and passes messages on. The one in {@link MemoryBroker} serves a process; one that
 * reaches others extends it, see docs/engine/topics.md.
 */
export interface Broker {
  /** An OPEN WebSocket that is not subscribed to the topic subscribes to it. */
  subscribe(topic: string, webSocket: WebSocket): void;
  /** A WebSocket that is subscribed to the topic leaves it, or is no longer OPEN. */
  unsubscribe(topic: string, webSocket: WebSocket): void;
  /**
   * Sends a message to all subscribers of a topic but one.
   *
   * @returns to how many of this process it was sent
   */
  publish(topic: string, message: PreparedMessage, except?: WebSocket): number;
  /** The subscribers in this process; a view that must not be changed. */
  subscribers(topic: string): ReadonlySet<WebSocket>;
}

import { broadcast } from '../broadcast';
import type { PreparedMessage } from '../protocol/prepared';
import type { WebSocket } from '../websocket';
import type { Broker } from './broker';

const NOBODY: ReadonlySet<WebSocket> = new Set();

/** The topics of one process, in memory. A topic is there as long as it has a subscriber. */
export class MemoryBroker implements Broker {
  private readonly topics = new Map<string, Set<WebSocket>>();

  subscribe(topic: string, webSocket: WebSocket): void {
    const subscribers = this.topics.get(topic);
    if (subscribers === undefined) this.topics.set(topic, new Set([webSocket]));
    else subscribers.add(webSocket);
  }

  unsubscribe(topic: string, webSocket: WebSocket): void {
    const subscribers = this.topics.get(topic);
    if (subscribers === undefined) return;
    subscribers.delete(webSocket);
    if (subscribers.size === 0) this.topics.delete(topic);
  }

  publish(topic: string, message: PreparedMessage, except?: WebSocket): number {
    return broadcast(this.subscribers(topic), message, { except });
  }

  subscribers(topic: string): ReadonlySet<WebSocket> {
    return this.topics.get(topic) ?? NOBODY;
  }
}

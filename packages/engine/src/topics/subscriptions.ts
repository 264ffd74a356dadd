import type { WebSocket } from '../websocket';
import type { Broker } from './broker';

/** What one WebSocket is subscribed to. Only made for one that subscribes. */
export class Subscriptions {
  readonly topics = new Set<string>();
  private readonly broker: Broker;
  private readonly webSocket: WebSocket;
  private ended = false;

  constructor(broker: Broker, webSocket: WebSocket) {
    this.broker = broker;
    this.webSocket = webSocket;
  }

  /** @returns whether the topic is new */
  add(topic: string): boolean {
    if (this.ended || this.topics.has(topic)) return false;
    this.topics.add(topic);
    this.broker.subscribe(topic, this.webSocket);
    return true;
  }

  /** @returns whether the topic was there */
  remove(topic: string): boolean {
    if (!this.topics.delete(topic)) return false;
    if (!this.ended) this.broker.unsubscribe(topic, this.webSocket);
    return true;
  }

  /** Leaves all topics; what they were can still be asked. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    for (const topic of this.topics) this.broker.unsubscribe(topic, this.webSocket);
  }
}

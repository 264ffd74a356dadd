import type { EventEmitter } from 'node:events';

/** What of a client's events can be compared: name, state, and the error's text or the close code. */
export type ClientEvent = readonly [event: string, readyState: number, detail?: unknown];

interface Client extends EventEmitter {
  readonly readyState: number;
}

/**
 * Writes down what a client tells until it has closed, or has opened.
 *
 * @param silent events not to listen to, because listening to them changes what happens
 */
export function eventsOf(
  client: Client,
  until: 'open' | 'close' = 'close',
): Promise<ClientEvent[]> {
  const events: ClientEvent[] = [];
  return new Promise((resolve) => {
    const end = (event: string): void => {
      if (event === until) resolve(events);
    };
    for (const event of ['open', 'upgrade']) {
      client.on(event, () => {
        events.push([event, client.readyState]);
        end(event);
      });
    }
    client.on('error', (error: Error) => {
      events.push(['error', client.readyState, `${error.name}: ${error.message}`]);
    });
    client.on('close', (code: number, reason: Buffer) => {
      events.push(['close', client.readyState, `${code} ${reason}`]);
      end('close');
      // A client that never opened must not leave the test waiting.
      resolve(events);
    });
  });
}

/** Waits for one event, and gives its first value. */
export function once<Value>(emitter: EventEmitter, event: string): Promise<Value> {
  return new Promise((resolve) => {
    emitter.once(event, (value: Value) => resolve(value));
  });
}

/** The error a client fails with. */
export function errorOf(client: EventEmitter): Promise<Error & Record<string, unknown>> {
  return once(client, 'error');
}

import type { SendData } from './payload';
import { toPayload } from './payload';
import { describe } from './protocol/limits';
import { PreparedMessage } from './protocol/prepared';
import { State } from './protocol/state';
import type { WebSocket } from './websocket';

/** Options of a message to many. */
export interface PrepareOptions {
  /** Send a binary message. @defaultValue `true` unless the data is a string or a number */
  binary?: boolean | undefined;
  /** Compress the message, where compression was agreed on and the message is long enough. @defaultValue `true` */
  compress?: boolean | undefined;
}

export interface BroadcastOptions extends PrepareOptions {
  /** One that is not to get the message. */
  except?: WebSocket | undefined;
}

/** What a message to many is made of: anything that has its bytes at once. */
export type PrepareData = Exclude<SendData, Blob>;

/**
 * Makes a message that `send()`, {@link broadcast} and topics take any number of times: it is framed once, and compressed
 * once for all connections that compress alike. Its bytes are copied.
 *
 * @param data as `send()` takes it, but no `Blob`: that would have to be read first
 * @throws TypeError for data that has no bytes yet or none at all
 */
export function prepare(data: PrepareData, options: PrepareOptions = {}): PreparedMessage {
  const payload = toPayload(data);
  if (typeof payload !== 'string' && 'read' in payload) {
    throw new TypeError('A Blob cannot be prepared: give its bytes, `await blob.arrayBuffer()`');
  }
  const { binary = typeof payload !== 'string', compress = true } = options;
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return new PreparedMessage(bytes, binary, compress);
}

/** A message that may have been prepared already. */
export function prepared(
  data: PrepareData | PreparedMessage,
  options: PrepareOptions | undefined,
): PreparedMessage {
  return data instanceof PreparedMessage ? data : prepare(data, options);
}

/**
 * Sends one message to many; those that are not OPEN are passed over, and each one's own limits decide what becomes of
 * it behind a slow reader.
 *
 * @returns to how many it was sent
 * @throws TypeError for data that cannot be prepared, or for what is not a list of WebSockets
 */
export function broadcast(
  webSockets: Iterable<WebSocket>,
  data: PrepareData | PreparedMessage,
  options: BroadcastOptions = {},
): number {
  if (typeof webSockets?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`The first argument must be WebSockets, got ${describe(webSockets)}`);
  }
  const message = prepared(data, options);
  const { except } = options;
  let count = 0;
  for (const webSocket of webSockets) {
    if (webSocket === except || webSocket.readyState !== State.OPEN) continue;
    webSocket.send(message);
    count++;
  }
  return count;
}

import type { Data } from './payload';
import { failureOf } from './promises';
import type { WebSocket } from './websocket';

/** Above this many bytes that nobody has asked for, reading stops; at the low mark or below, it goes on. */
const HIGH_WATER_MARK = 64 * 1024;
const LOW_WATER_MARK = 16 * 1024;

/** What a message costs beside its bytes, which bounds the number of empty ones too: about 1,000 of them wait. */
const MESSAGE_BYTES = 64;

type Result = IteratorResult<Data, undefined>;

interface Waiting {
  resolve(result: Result): void;
  reject(error: Error): void;
}

/**
 * The messages of a WebSocket, from the moment this is made until the connection ends: text as strings, binary in the form
 * of `binaryType`.
 *
 * - Messages that nobody has asked for yet are kept. When they have more than 64 KiB, counting 64 bytes for each beside its
 *   own, the WebSocket stops reading, and so in the end does the peer stop sending. It reads on when three quarters have
 *   been taken. That is apart from `pause()`: either alone stops it.
 * - Several at once each have every message; the slowest of them sets the pace.
 * - The end of the connection, clean or not, is the end of the iteration, behind all messages that came before.
 *   {@link WebSocket.closed} tells how it ended. An `'error'` is thrown, once and in the same place, and counts as heard.
 * - {@link return}, which `break` and an exception in the loop call, drops what is kept and lets the WebSocket read on. It
 *   does not close it. Somebody who only stops calling {@link next} stops the connection for good.
 * - {@link next} may be called again before it has answered: the answers come in order.
 */
export class MessageIterator implements AsyncIterableIterator<Data> {
  private readonly webSocket: WebSocket;
  private readonly kept: Data[] = [];
  private keptBytes = 0;
  private waiting: Waiting[] = [];
  /** Whether reading has stopped for our sake. */
  private holds = false;
  /** Whether nothing will come any more. */
  private over = false;
  private error: Error | undefined = undefined;

  /** Listens from now on, while CONNECTING too. */
  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    if (webSocket.hasEnded) {
      this.over = true;
      this.error = failureOf(webSocket);
      return;
    }
    webSocket.on('message', this.onMessage);
    webSocket.on('error', this.onError);
    webSocket.on('close', this.onClose);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const message = this.kept.shift();
    if (message !== undefined) {
      this.keptBytes -= costOf(message);
      if (this.keptBytes <= LOW_WATER_MARK) this.letRead();
      return Promise.resolve({ done: false, value: message });
    }
    if (!this.over) {
      return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    }
    const { error } = this;
    this.error = undefined;
    return error === undefined ? Promise.resolve(end()) : Promise.reject(error);
  }

  /** Takes no more; what is kept is dropped, and what was asked for is answered with the end. */
  return(): Promise<Result> {
    this.kept.length = 0;
    this.keptBytes = 0;
    this.finish();
    this.error = undefined;
    return Promise.resolve(end());
  }

  /** As {@link return}, and rejects with the error. */
  async throw(error?: unknown): Promise<Result> {
    await this.return();
    throw error;
  }

  private readonly onMessage = (data: Data, isBinary: boolean): void => {
    const message = isBinary ? data : String(data);
    const asked = this.waiting.shift();
    if (asked !== undefined) {
      asked.resolve({ done: false, value: message });
      return;
    }
    this.kept.push(message);
    this.keptBytes += costOf(message);
    if (this.keptBytes <= HIGH_WATER_MARK || this.holds) return;
    this.holds = true;
    this.webSocket.hold();
  };

  private readonly onError = (error: Error): void => {
    const asked = this.waiting.shift();
    if (asked === undefined) this.error = error;
    else asked.reject(error);
    this.finish();
  };

  private readonly onClose = (): void => this.finish();

  /** Listens no longer; who has asked for more than there was hears of the end. */
  private finish(): void {
    if (this.over) return;
    this.over = true;
    const { webSocket, waiting } = this;
    webSocket.off('message', this.onMessage);
    webSocket.off('error', this.onError);
    webSocket.off('close', this.onClose);
    this.letRead();
    this.waiting = [];
    for (const asked of waiting) asked.resolve(end());
  }

  private letRead(): void {
    if (!this.holds) return;
    this.holds = false;
    this.webSocket.release();
  }
}

function end(): Result {
  return { done: true, value: undefined };
}

function costOf(message: Data): number {
  return MESSAGE_BYTES + sizeOf(message);
}

/** Of text, its characters: counting its bytes would cost more than it tells. As everywhere, types tell nothing of a `Blob`. */
function sizeOf(message: Data | Blob): number {
  if (typeof message === 'string') return message.length;
  if (message instanceof Blob) return message.size;
  if (Array.isArray(message)) return message.reduce((sum, part) => sum + part.length, 0);
  return message.byteLength;
}

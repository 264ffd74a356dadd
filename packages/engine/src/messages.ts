import type { Data } from './payload';
import { toKeep } from './payload';
import { failureOf } from './promises';
import type { WebSocket } from './websocket';

/** Above this many bytes that nobody has asked for, reading stops; at the low mark or below, it goes on. */
const HIGH_WATER_MARK = 64 * 1024;
const LOW_WATER_MARK = 16 * 1024;

/** What a message costs beside its bytes, which bounds the number of empty ones too: about 1,000 of them wait. */
const MESSAGE_BYTES = 64;

type Result<Message> = IteratorResult<Message, undefined>;

interface Waiting<Message> {
  resolve(result: Result<Message>): void;
  reject(error: Error): void;
}

interface Kept<Message> {
  readonly message: Message;
  readonly bytes: number;
}

/** Makes of what `'message'` tells what is given. */
type Form = (data: unknown, isBinary: boolean) => unknown;

/** Text as a string; binary, and what a schema has made of a text, as it comes. */
export const asIterated: Form = (data, isBinary) =>
  !isBinary && Buffer.isBuffer(data) ? data.toString() : data;

/**
 * The messages of a WebSocket, from the moment this is made until the connection ends: text as strings, binary in the form
 * of `binaryType`; where a schema parses them, what it makes of them.
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
export class MessageIterator<Message = Data> implements AsyncIterableIterator<Message> {
  private readonly webSocket: WebSocket;
  private readonly form: Form;
  private kept: Kept<Message>[] = [];
  private keptBytes = 0;
  private waiting: Waiting<Message>[] = [];
  /** Whether reading has stopped for our sake. */
  private holds = false;
  /** Whether nothing will come any more. */
  private over = false;
  private error: Error | undefined = undefined;

  /** Listens from now on, while CONNECTING too. */
  constructor(webSocket: WebSocket, form: Form = asIterated) {
    this.webSocket = webSocket;
    this.form = form;
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

  next(): Promise<Result<Message>> {
    const first = this.kept.shift();
    if (first !== undefined) {
      this.keptBytes -= first.bytes;
      if (this.keptBytes <= LOW_WATER_MARK) this.letRead();
      return Promise.resolve({ done: false, value: first.message });
    }
    if (!this.over) {
      return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
    }
    const { error } = this;
    this.error = undefined;
    return error === undefined ? Promise.resolve(end()) : Promise.reject(error);
  }

  /** Takes no more; what is kept is dropped, and what was asked for is answered with the end. */
  return(): Promise<Result<Message>> {
    this.kept = [];
    this.keptBytes = 0;
    this.finish();
    this.error = undefined;
    return Promise.resolve(end());
  }

  /** As {@link return}, and rejects with the error. */
  async throw(error?: unknown): Promise<Result<Message>> {
    await this.return();
    throw error;
  }

  private readonly onMessage = (data: unknown, isBinary: boolean): void => {
    const asked = this.waiting.shift();
    // What the messages of a WebSocket are, its type says and only its owner knows.
    const message = this.form(asked === undefined ? toKeep(data) : data, isBinary) as Message;
    if (asked !== undefined) {
      asked.resolve({ done: false, value: message });
      return;
    }
    const bytes = MESSAGE_BYTES + this.webSocket.messageBytes;
    this.kept.push({ message, bytes });
    this.keptBytes += bytes;
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

function end(): IteratorReturnResult<undefined> {
  return { done: true, value: undefined };
}

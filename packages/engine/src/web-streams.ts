import type {
  ReadableStreamDefaultController,
  UnderlyingSink,
  UnderlyingSource,
  WritableStreamDefaultController,
} from 'node:stream/web';
import { ReadableStream, WritableStream } from 'node:stream/web';
import { types } from 'node:util';
import type { MessageIn } from './events';
import { show } from './handshake/show';
import { asIterated, MessageIterator } from './messages';
import type { Data } from './payload';
import type { CloseDetails } from './promises';
import { closeDetails, closedOf, failureOf, openedOf, tooLate } from './promises';
import { CloseCode, isValidCloseCode, MAX_REASON } from './protocol/close';
import { State } from './protocol/state';
import type { WebSocket } from './websocket';

/** A message as a chunk of `webSocket.streams.readable`: text as a string, binary as bytes. */
export type ReadableChunk = string | Uint8Array;

/** The same for a kind of WebSocket: where a schema parses the messages, they are what it makes of them. */
export type ChunkIn<Socket> = Data extends MessageIn<Socket> ? ReadableChunk : MessageIn<Socket>;

/** What `webSocket.streams.writable` takes: a string is sent as text, bytes are sent as binary. */
export type WritableChunk = string | ArrayBuffer | ArrayBufferView;

/** The error of a stream whose WebSocket has closed. */
export class ClosedError extends Error {
  readonly code = 'WS_ERR_CLOSED';
  /** The code of the peer's close frame; 1005 where it had none, 1006 where no close frame came. */
  readonly closeCode: number;
  /** The reason that the peer gave, or `''`. */
  readonly reason: string;
  /** Whether both sides have sent their close frames. */
  readonly wasClean: boolean;

  constructor({ code, reason, wasClean }: CloseDetails, options?: ErrorOptions) {
    super(`The WebSocket has closed: ${code}${reason && ` ${reason}`}`, options);
    this.closeCode = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

const pairs = new WeakMap<WebSocket, WebSocketStreams<never>>();

/** The streams of a WebSocket, made when they are first asked for. */
export function streamsOf<Socket extends WebSocket>(
  webSocket: Socket,
): WebSocketStreams<ChunkIn<Socket>> {
  let streams = pairs.get(webSocket);
  if (streams === undefined) {
    streams = new WebSocketStreams(webSocket);
    pairs.set(webSocket, streams);
  }
  return streams;
}

/**
 * A WebSocket as a pair of WHATWG streams, each made when it is first asked for. The connection has both directions in
 * common: closing, cancelling or aborting either stream closes it.
 */
export class WebSocketStreams<Chunk = ReadableChunk> {
  private readonly webSocket: WebSocket;
  private source: ReadableStream<Chunk> | undefined = undefined;
  private sink: WritableStream<WritableChunk> | undefined = undefined;

  /** @internal */
  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
  }

  /**
   * The messages from when this is first asked for, whatever `binaryType` is. The WebSocket stops reading while more than
   * 64 KiB wait for the stream's reader, so a stream that was asked for has to be read, or cancelled.
   *
   * It is closed when the connection has closed cleanly, and otherwise errored, behind the messages that came before:
   * with what `'error'` tells, or with a {@link ClosedError}. `cancel()` closes the WebSocket.
   */
  get readable(): ReadableStream<Chunk> {
    this.source ??= new ReadableStream(new MessageSource<Chunk>(this.webSocket));
    return this.source;
  }

  /**
   * Each chunk is sent as a message, the first when the WebSocket is OPEN. A write is done when no more than 64 KiB wait
   * for the peer, or when the frame has been handed to the kernel; its bytes may be used again then.
   *
   * `close()` closes with 1000 and waits for the peer to do so; `abort()` closes without waiting for anything. It is
   * errored when the connection ends otherwise: with what `'error'` tells, or with a {@link ClosedError}.
   */
  get writable(): WritableStream<WritableChunk> {
    this.sink ??= new WritableStream(new MessageSink(this.webSocket));
    return this.sink;
  }
}

class MessageSource<Chunk> implements UnderlyingSource<Chunk> {
  private readonly webSocket: WebSocket;
  private readonly messages: MessageIterator<Chunk | Promise<Chunk>>;
  private cancelled = false;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    this.messages = new MessageIterator(webSocket, toChunk);
  }

  async pull(controller: ReadableStreamDefaultController<Chunk>): Promise<void> {
    const next = await this.messages.next();
    const chunk = next.done ? undefined : await next.value;
    if (this.cancelled) return;
    // Whatever has become of a message is a chunk, be it the `undefined` of a schema.
    if (!next.done) controller.enqueue(chunk as Chunk);
    else if (this.webSocket.closedCleanly) controller.close();
    else throw new ClosedError(closeDetails(this.webSocket));
  }

  async cancel(reason: unknown): Promise<void> {
    const { webSocket } = this;
    this.cancelled = true;
    await this.messages.return();
    // Who gives up a handshake need not be told that it comes to nothing.
    if (webSocket._socket === null) webSocket.once('error', () => undefined);
    const failed = isError(reason) ? CloseCode.INTERNAL_ERROR : CloseCode.NORMAL;
    const { code, text } = closingOf(reason) ?? { code: failed, text: '' };
    webSocket.close(code, text);
  }
}

/** Bytes up to this length are copied, so that their write need not wait for the kernel. */
const COPY_UP_TO = 16 * 1024;

/** As the standard has it, and Node; the types of Node 20 lack it. */
interface SinkController extends WritableStreamDefaultController {
  readonly signal: AbortSignal;
}

class MessageSink implements UnderlyingSink<WritableChunk> {
  private readonly webSocket: WebSocket;
  /** Fails the write that is under way. */
  private failWrite: (reason: unknown) => void = () => undefined;

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
  }

  async start(controller: WritableStreamDefaultController): Promise<void> {
    const { webSocket } = this;
    if (webSocket.hasEnded) throw failureOf(webSocket) ?? new ClosedError(closeDetails(webSocket));
    // Not by the sink's `abort()`, which is called only when the write under way is over.
    const { signal } = controller as SinkController;
    signal.addEventListener('abort', () => this.cut(signal.reason));
    const fail = (error: Error): void => controller.error(error);
    webSocket.on('error', fail);
    webSocket.once('close', () => {
      webSocket.off('error', fail);
      const error = new ClosedError(closeDetails(webSocket));
      // A clean end reaches the readable's reader too, who may want to close this stream in answer, as `pipeTo()` does.
      if (error.wasClean) setImmediate(fail, error);
      else fail(error);
    });
    await openedOf(webSocket);
  }

  write(chunk: WritableChunk): Promise<void> {
    const { webSocket } = this;
    const data = typeof chunk === 'string' ? chunk : toBytes(chunk);
    if (webSocket.readyState !== State.OPEN) throw tooLate(webSocket);
    return new Promise((resolve, reject) => {
      this.failWrite = reject;
      const goOn = webSocket.send(data, (error) => {
        if (!error) resolve();
        else if ('code' in error && error.code === 'WS_ERR_BUFFER_OVERFLOW') reject(error);
        // Any other error is the end of the connection, of which more is known when it has come.
        else closedOf(webSocket).then((end) => reject(new ClosedError(end, { cause: error })));
      });
      if (goOn && data.length <= COPY_UP_TO) resolve();
    });
  }

  async close(): Promise<void> {
    this.webSocket.close(CloseCode.NORMAL);
    const details = await closedOf(this.webSocket);
    if (!details.wasClean) throw new ClosedError(details);
  }

  private cut(reason: unknown): void {
    const closing = closingOf(reason);
    if (closing === undefined) this.webSocket.terminate();
    else this.webSocket.close(closing.code, closing.text);
    this.failWrite(reason);
  }
}

/**
 * What a reason says about the close frame: a code as a number, `{ code, reason }` as `webSocket.closed` tells it, or an
 * error with a `closeCode`. `undefined` where there is no code that may be sent. A text that is too long is left out.
 */
function closingOf(reason: unknown): { code: number; text: string } | undefined {
  const { code, closeCode, reason: text } = fieldsOf(reason);
  const chosen = [closeCode, code].find((it) => typeof it === 'number' && isValidCloseCode(it));
  if (typeof chosen !== 'number') return undefined;
  const fits = typeof text === 'string' && Buffer.byteLength(text) <= MAX_REASON;
  return { code: chosen, text: fits ? text : '' };
}

function fieldsOf(reason: unknown): { code?: unknown; closeCode?: unknown; reason?: unknown } {
  if (typeof reason === 'number') return { code: reason };
  if (typeof reason !== 'object' || reason === null) return {};
  // The `code` of an error means something else.
  return isError(reason) ? { ...reason, code: undefined } : reason;
}

/** Errors of another realm included, such as those of jest's tests. */
function isError(reason: unknown): boolean {
  return reason instanceof Error || types.isNativeError(reason);
}

/** Text as it is iterated, and binary as bytes, whatever `binaryType` has made of it. */
function toChunk(data: unknown, isBinary: boolean): unknown {
  if (!isBinary || Buffer.isBuffer(data)) return asIterated(data, isBinary);
  if (data instanceof Blob) return data.arrayBuffer().then((bytes) => Buffer.from(bytes));
  // What else `binaryType` makes of bytes.
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer);
}

/** @throws TypeError for what has no bytes */
function toBytes(chunk: ArrayBuffer | ArrayBufferView): Buffer {
  if (!ArrayBuffer.isView(chunk) && !types.isArrayBuffer(chunk)) {
    const text = 'A chunk must be a string, an ArrayBuffer or a view of one';
    throw new TypeError(`${text}, got ${show(chunk)}`);
  }
  const bytes = ArrayBuffer.isView(chunk)
    ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : Buffer.from(chunk);
  return bytes.length <= COPY_UP_TO ? Buffer.from(bytes) : bytes;
}

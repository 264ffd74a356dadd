import type { DuplexOptions } from 'node:stream';
import { Duplex } from 'node:stream';
import { State } from './protocol/state';
import type { WebSocket } from './websocket';

/** Options of {@link createWebSocketStream}: those of a `Duplex`, less the ones that would contradict a WebSocket. The
 * function takes those as well, as in `@types/ws`, and makes nothing of them. */
export type WebSocketStreamOptions = Omit<
  DuplexOptions,
  'autoDestroy' | 'emitClose' | 'objectMode' | 'writableObjectMode'
>;

/**
 * A WebSocket as a `Duplex`: each `write()` is a message, each message a chunk; back-pressure goes both ways.
 *
 * With `readableObjectMode` a text message arrives as one string; otherwise everything is bytes and the borders of
 * messages are lost. `end()` starts the closing handshake, `destroy()` terminates the connection, and `'close'` comes
 * when the WebSocket has closed.
 */
export function createWebSocketStream(
  webSocket: WebSocket,
  options: WebSocketStreamOptions | DuplexOptions = {},
): Duplex {
  return new WebSocketStream(webSocket, options);
}

class WebSocketStream extends Duplex {
  private readonly webSocket: WebSocket;
  /** Whether the WebSocket ends by itself, so that destroying the stream need not cut it. */
  private ending = false;

  constructor(webSocket: WebSocket, options: WebSocketStreamOptions) {
    super({
      ...options,
      autoDestroy: true,
      emitClose: true,
      objectMode: false,
      writableObjectMode: false,
    });
    this.webSocket = webSocket;
    webSocket.on('message', (data: Buffer, isBinary: boolean) => {
      const chunk = !isBinary && this.readableObjectMode ? String(data) : data;
      if (!this.push(chunk)) webSocket.pause();
    });
    webSocket.once('error', (error: Error) => {
      // The connection is failing: the peer is being told why, which cutting it now would prevent.
      this.ending = true;
      this.destroy(error);
    });
    webSocket.once('close', () => {
      if (!this.destroyed) this.push(null);
    });
  }

  override _read(): void {
    if (this.webSocket.isPaused) this.webSocket.resume();
  }

  override _write(
    chunk: Buffer | string,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.whenOpen(() => this.webSocket.send(chunk, callback));
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.whenOpen(() => {
      const { _socket: socket } = this.webSocket;
      if (socket === null || socket.writableFinished || socket.destroyed) callback();
      else {
        const finish = (): void => {
          socket.off('finish', finish);
          socket.off('close', finish);
          callback();
        };
        socket.once('finish', finish);
        socket.once('close', finish);
      }
      this.webSocket.close();
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.webSocket.readyState === State.CLOSED) {
      callback(error);
      return;
    }
    let failure = error;
    this.webSocket.on('error', (cause: Error) => {
      // Cutting a connection that is not open yet is an error of the WebSocket, not of whoever cuts it.
      failure ??= cause;
    });
    this.webSocket.once('close', () => callback(failure));
    if (!this.ending) this.webSocket.terminate();
  }

  private whenOpen(action: () => void): void {
    if (this.webSocket.readyState === State.CONNECTING) this.webSocket.once('open', action);
    else action();
  }
}

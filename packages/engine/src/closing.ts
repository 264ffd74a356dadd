import { CloseCode, isValidCloseCode, MAX_REASON } from './protocol/close';
import { describe, integerOption } from './protocol/limits';
import type { WebSocket } from './websocket';

/** How a server closes its connections. `undefined` is always the default. */
export interface CloseOptions {
  /** Code of the close frames: 1000-1014 without 1004-1006, or 3000-4999. @defaultValue 1001, going away */
  code?: number | undefined;
  /** Reason in the close frames, at most 123 bytes of UTF-8. @defaultValue none */
  reason?: string | undefined;
  /**
   * How long clients may take to finish the closing handshake, in milliseconds; then they are cut. 0 cuts them at once,
   * behind their close frames.
   * @defaultValue `closeTimeout`
   */
  timeout?: number | undefined;
}

/** Checked {@link CloseOptions}. */
export interface Goodbye {
  readonly code: number;
  readonly reason: string | undefined;
  readonly timeout: number;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function checkCloseOptions(options: CloseOptions, closeTimeout: number): Goodbye {
  const { code = CloseCode.GOING_AWAY, reason, timeout } = options;
  checkCode(code);
  checkReason(reason);
  const range = { min: 0, max: 2 ** 31 - 1, unit: 'milliseconds' };
  return { code, reason, timeout: integerOption('timeout', timeout, closeTimeout, range) };
}

function checkCode(code: unknown): void {
  if (typeof code !== 'number') {
    throw new TypeError(`The "code" option must be a number, got ${describe(code)}`);
  }
  if (!isValidCloseCode(code)) {
    throw new RangeError(
      `The "code" option must be 1000-1014 without 1004-1006, or 3000-4999 (RFC 6455 7.4), got ${code}`,
    );
  }
}

function checkReason(reason: unknown): void {
  if (reason === undefined) return;
  if (typeof reason !== 'string') {
    throw new TypeError(`The "reason" option must be a string, got ${describe(reason)}`);
  }
  const length = Buffer.byteLength(reason);
  if (length > MAX_REASON) {
    throw new RangeError(
      `The "reason" option must be at most ${MAX_REASON} bytes (RFC 6455 5.5), got ${length}`,
    );
  }
}

/** What a farewell needs of its server. */
export interface ClosingServer {
  readonly clients: Iterable<WebSocket>;
  /** Ends what is left, whatever it is. */
  cut(): void;
  report(failure: unknown): void;
}

/** The end of a server that tells its clients: they get a close frame, and the time to answer it. */
export class Farewell {
  /** Settles when the server has emitted `close`. */
  readonly over: Promise<void>;
  private readonly server: ClosingServer;
  private goodbye: Goodbye | undefined = undefined;
  private deadline = Number.POSITIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** Whether the time is over. */
  private late = false;
  private settle: () => void = () => undefined;

  constructor(server: ClosingServer) {
    this.server = server;
    this.over = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** Says it to all; said again, it may leave them less time, and never more. */
  say(goodbye: Goodbye): void {
    this.goodbye = goodbye;
    for (const webSocket of this.server.clients) this.sayTo(webSocket);
    const deadline = performance.now() + goodbye.timeout;
    if (deadline >= this.deadline) return;
    this.deadline = deadline;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.late = true;
      this.server.cut();
    }, goodbye.timeout);
    this.timer.unref();
  }

  /** Says it to one, such as one that was being accepted when it was said to all. */
  sayTo(webSocket: WebSocket): void {
    const { goodbye } = this;
    if (goodbye === undefined) return;
    try {
      webSocket.close(goodbye.code, goodbye.reason);
      if (this.late) webSocket.terminate();
      // Nobody will come for what was held, and its 'close' waits behind it.
      webSocket.releaseInbox();
    } catch (error) {
      // The class may be the application's: what it does wrong must not keep the others waiting.
      this.server.report(error);
    }
  }

  /** The server has emitted `close`. */
  end(): void {
    clearTimeout(this.timer);
    this.settle();
  }
}

import { toKeep } from './payload';

/** Bytes that an inbox keeps; beyond, the connection stops reading. */
export const INBOX_BYTES = 64 * 1024;
/** How long an inbox waits for a listener, in milliseconds. */
export const INBOX_TIMEOUT = 10_000;

/** What keeping an event costs beside its bytes, so that empty messages are bounded too. */
const EVENT_BYTES = 64;

/** An event that waits for its listener. */
export interface HeldEvent {
  readonly name: string;
  readonly first: unknown;
  readonly second: unknown;
  /** What it costs to keep it. */
  readonly bytes: number;
}

/**
 * Keeps what has come for an application that has not attached its `'message'` listener yet, so that asynchronous work
 * between the handshake and the listener loses nothing. Events come out in the order they went in.
 */
export class Inbox {
  /** Whether the listener has come, or is waited for no longer: what is kept goes out as fast as it is taken. */
  released = false;
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined = undefined;
  private readonly events: HeldEvent[] = [];
  private readonly expired: () => void;

  /** @param expired called when something was kept for {@link INBOX_TIMEOUT} and nobody has come for it */
  constructor(expired: () => void) {
    this.expired = expired;
  }

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.events.length === 0;
  }

  /** Whether reading should stop until a listener has come. */
  get full(): boolean {
    return this.bytes > INBOX_BYTES;
  }

  /** Keeps one event, whose payload has `bytes` bytes. */
  push(name: string, first: unknown, second: unknown, bytes: number): void {
    const cost = bytes + EVENT_BYTES;
    this.events.push({ name, first: toKeep(first), second, bytes: cost });
    this.bytes += cost;
    if (this.released || this.timer !== undefined) return;
    this.timer = setTimeout(this.expired, INBOX_TIMEOUT);
    this.timer.unref();
  }

  /** The oldest event, taken out; `undefined` where there is none. */
  shift(): HeldEvent | undefined {
    const event = this.events.shift();
    if (event !== undefined) this.bytes -= event.bytes;
    return event;
  }

  /** Ends the waiting for a listener. */
  release(): void {
    this.released = true;
    clearTimeout(this.timer);
  }
}

import { doOutside } from '../outside';
import type { Deflater, Inflater } from './coder';
import { CONTEXT_IDLE, DEFLATE_CONTEXTS_BYTES, INFLATE_CONTEXTS_BYTES } from './limits';

interface Coder {
  close(): void;
}

/** One direction of one connection, which may hold a context and may lose it between any two messages. */
export interface Holder<C extends Coder> {
  context: Context<C> | null;
}

/** A coder that lasts from message to message. */
export interface Context<C extends Coder> {
  readonly coder: C;
  /** Contexts with the same key can take each other's place. */
  readonly key: string;
  readonly bytes: number;
  holder: Holder<C>;
  /** The sweep before which it was last used. */
  sweep: number;
}

/**
 * The lasting contexts of the process, for as many connections as a bounded memory allows. When it is full, the one
 * that has not been used for longest passes to whoever needs one; those unused for a while are closed.
 */
export class ContextPool<C extends Coder> {
  private readonly capacity: number;
  private readonly idle: number;
  /** The one used last is at the end. */
  private readonly contexts = new Set<Context<C>>();
  private used = 0;
  private sweeps = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param capacity bytes of memory
   * @param idle milliseconds after which, and before twice which, an unused context is closed
   */
  constructor(capacity: number, idle: number) {
    this.capacity = capacity;
    this.idle = idle;
  }

  /** Contexts in the pool. */
  get size(): number {
    return this.contexts.size;
  }

  /** Memory of the contexts in the pool. */
  get bytes(): number {
    return this.used;
  }

  /**
   * Gives a holder a context; it may come from another holder and then still remembers that one's messages.
   *
   * @param bytes memory that it takes
   */
  lend(holder: Holder<C>, key: string, bytes: number, make: () => C): Context<C> {
    const context = this.takeOver(key, bytes) ?? this.add(key, bytes, make(), holder);
    context.holder = holder;
    holder.context = context;
    this.touch(context);
    return context;
  }

  /** Notes that a context is used. */
  touch(context: Context<C>): void {
    context.sweep = this.sweeps;
    this.contexts.delete(context);
    this.contexts.add(context);
  }

  /** Closes the context of a holder, if it has one. */
  release(holder: Holder<C>): void {
    if (holder.context !== null) this.close(holder.context);
  }

  /** Makes room, and with luck a context with the same key is what had to go. */
  private takeOver(key: string, bytes: number): Context<C> | undefined {
    for (const context of this.contexts) {
      if (this.used + bytes <= this.capacity) return undefined;
      if (context.key === key) {
        context.holder.context = null;
        return context;
      }
      this.close(context);
    }
    return undefined;
  }

  private add(key: string, bytes: number, coder: C, holder: Holder<C>): Context<C> {
    const context = { coder, key, bytes, holder, sweep: this.sweeps };
    this.used += bytes;
    this.contexts.add(context);
    // Unused contexts keep no process alive.
    this.timer ??= doOutside(() => setInterval(() => this.sweep(), this.idle).unref());
    return context;
  }

  private close(context: Context<C>): void {
    this.contexts.delete(context);
    this.used -= context.bytes;
    context.holder.context = null;
    context.coder.close();
    if (this.contexts.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  /** Closes what was not used since before the last sweep. */
  private sweep(): void {
    for (const context of this.contexts) {
      if (context.sweep === this.sweeps) break;
      this.close(context);
    }
    this.sweeps++;
  }
}

/** Compressors of connections whose side takes its context over. */
export const deflateContexts = new ContextPool<Deflater>(DEFLATE_CONTEXTS_BYTES, CONTEXT_IDLE);
/** Decompressors of connections whose peer takes its context over. */
export const inflateContexts = new ContextPool<Inflater>(INFLATE_CONTEXTS_BYTES, CONTEXT_IDLE);

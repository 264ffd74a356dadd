import { AsyncResource } from 'node:async_hooks';

/**
 * How long a handshake may keep others waiting, in milliseconds. RFC 6455 4.1 has no such limit, but without one a
 * server that accepts and says nothing would stop every later connection to it.
 */
export const HOLD_TIMEOUT = 10_000;

/** A place in the line of handshakes with one remote. */
export class Turn {
  private readonly line: Line | undefined;
  private readonly onCome: () => void;
  private begin: (() => void) | undefined = undefined;
  /** Whoever it waits for, the turn comes in the asynchronous context of who has asked for it. */
  private readonly origin = new AsyncResource('upwire.turn');

  constructor(line: Line | undefined, onCome: () => void) {
    this.line = line;
    this.onCome = onCome;
    line?.add(this);
    if (this.hasCome) onCome();
  }

  /** Whether nobody is before us. */
  get hasCome(): boolean {
    return this.line === undefined || this.line.first === this;
  }

  /** Has `begin` called when a turn that has not come yet comes; never, if it is given up first. */
  wait(begin: () => void): void {
    this.begin = begin;
  }

  /** The handshake is over, or never began: the next one's turn. */
  leave(): void {
    this.line?.remove(this);
  }

  /** @internal In a tick of its own, so that a row of failures does not fill the stack. */
  come(): void {
    process.nextTick(() => this.origin.runInAsyncScope(() => this.start()));
  }

  private start(): void {
    if (!this.hasCome) return;
    this.onCome();
    this.begin?.();
  }
}

/** The handshakes with one remote, in the order they were asked for; the first one is under way. */
class Line {
  private readonly turns = new Set<Turn>();
  private readonly onEmpty: () => void;
  private timer: NodeJS.Timeout | undefined = undefined;
  private since = 0;

  constructor(onEmpty: () => void) {
    this.onEmpty = onEmpty;
  }

  get first(): Turn | undefined {
    for (const turn of this.turns) return turn;
    return undefined;
  }

  add(turn: Turn): void {
    this.turns.add(turn);
    if (this.turns.size === 1) this.since = performance.now();
    else this.watch();
  }

  remove(turn: Turn): void {
    const wasFirst = this.first === turn;
    if (!this.turns.delete(turn) || !wasFirst) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const next = this.first;
    if (next === undefined) {
      this.onEmpty();
      return;
    }
    this.since = performance.now();
    next.come();
    if (this.turns.size > 1) this.watch();
  }

  /** Somebody waits: the first one's time runs. */
  private watch(): void {
    if (this.timer !== undefined) return;
    const left = Math.max(0, this.since + HOLD_TIMEOUT - performance.now());
    this.timer = setTimeout(() => {
      const { first } = this;
      if (first !== undefined) this.remove(first);
    }, left);
    // Whoever waits does so for a handshake whose own socket keeps the process alive.
    this.timer.unref();
  }
}

/**
 * Keeps handshakes with the same remote from running at the same time (RFC 6455 4.1 (2)): each waits for those that
 * were asked for before it to be established or to fail.
 *
 * A remote is a host name and a port as the address spells them. The RFC means IP addresses, which are known only once
 * the connection is under way; for a client behind a proxy it takes names for distinct remotes, as we always do.
 */
export class HandshakeQueue {
  private readonly lines = new Map<string, Line>();

  /**
   * Takes a place in the line of `remote`.
   *
   * @param remote `undefined` stands for one that nobody queues for
   * @param onCome called when the turn comes, which may be at once
   */
  join(remote: string | undefined, onCome: () => void): Turn {
    if (remote === undefined) return new Turn(undefined, onCome);
    let line = this.lines.get(remote);
    if (line === undefined) {
      line = new Line(() => this.lines.delete(remote));
      this.lines.set(remote, line);
    }
    return new Turn(line, onCome);
  }
}

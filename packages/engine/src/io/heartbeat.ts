import type { ResolvedOptions } from '../options';
import { doOutside } from '../outside';

/** How long connections may be silent, idle and open, in milliseconds; 0 turns a part off. */
export interface HeartbeatTimes {
  /** Silence after which a ping is sent. */
  readonly interval: number;
  /** Silence after that ping after which the connection is cut. */
  readonly timeout: number;
  /** Time without a message in either direction after which the connection is closed. */
  readonly idleTimeout: number;
  /** Age at which the connection is closed. */
  readonly maxLifetime: number;
}

/** Whose pulse it is. */
export interface PulseOwner {
  /** Whether nothing is being read, so that the peer's silence says nothing of the peer. */
  readonly isDeaf: boolean;
  /** Sends a ping. */
  beat(): void;
  /** The peer did not answer: it is gone. */
  lost(): void;
  /** The connection has been quiet, or open, for as long as it may. */
  expire(reason: 'idle timeout' | 'maximum lifetime'): void;
}

/** A quarter of the shortest time, so that nothing is late by more than that; within these bounds, in milliseconds. */
const FINEST = 10;
const COARSEST = 1_000;

/**
 * Finds dead, idle and old connections with one timer for all that have the same times.
 *
 * Its clock counts only the time in which the event loop was running: when a tick comes late, what the peers have sent
 * meanwhile is still unread, and nobody may be judged by it.
 */
export class Heartbeat {
  /** Milliseconds of a running event loop. */
  time = 0;
  readonly times: HeartbeatTimes;
  /** Milliseconds between two looks. */
  readonly resolution: number;

  private readonly now: () => number;
  private readonly pulses = new Set<Pulse>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private lastTick = 0;

  /** @param now a monotonic clock in milliseconds */
  constructor(times: HeartbeatTimes, now: () => number = () => performance.now()) {
    this.times = times;
    this.now = now;
    const { interval, timeout, idleTimeout, maxLifetime } = times;
    const set = [interval, interval > 0 ? timeout : 0, idleTimeout, maxLifetime];
    const shortest = Math.min(...set.filter((time) => time > 0));
    this.resolution = Math.min(COARSEST, Math.max(FINEST, shortest / 4));
  }

  /** Whether it has nobody to watch. */
  get empty(): boolean {
    return this.pulses.size === 0;
  }

  /** Watches a connection until {@link Pulse.stop}. The timer runs while there are any, and keeps no process alive. */
  watch(owner: PulseOwner): Pulse {
    const pulse = new Pulse(this, owner);
    this.pulses.add(pulse);
    if (this.timer === undefined) {
      this.lastTick = this.now();
      this.timer = doOutside(() => setInterval(() => this.tick(), this.resolution));
      this.timer.unref();
    }
    return pulse;
  }

  /** @internal */
  forget(pulse: Pulse): void {
    this.pulses.delete(pulse);
    if (!this.empty) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One look at everybody: what the timer does. */
  tick(): void {
    const now = this.now();
    // A late tick counts as one on time.
    this.time += Math.min(now - this.lastTick, this.resolution);
    this.lastTick = now;
    for (const pulse of this.pulses) pulse.check();
  }
}

/** The signs of life of one connection. */
export class Pulse {
  private readonly heartbeat: Heartbeat;
  private readonly owner: PulseOwner;
  private readonly openedAt: number;
  private lastSeen: number;
  private lastMessage: number;
  /** When the ping went out that nothing has come after; -1 where none waits. */
  private pingedAt = -1;

  constructor(heartbeat: Heartbeat, owner: PulseOwner) {
    this.heartbeat = heartbeat;
    this.owner = owner;
    this.openedAt = heartbeat.time;
    this.lastSeen = heartbeat.time;
    this.lastMessage = heartbeat.time;
  }

  /** The peer has sent something, be it one byte. */
  seen(): void {
    this.lastSeen = this.heartbeat.time;
    this.pingedAt = -1;
  }

  /** A message has gone one way or the other. */
  message(): void {
    this.lastMessage = this.heartbeat.time;
  }

  /** The connection is closing or gone. */
  stop(): void {
    this.heartbeat.forget(this);
  }

  /** @internal */
  check(): void {
    const { time, times } = this.heartbeat;
    if (times.maxLifetime > 0 && time - this.openedAt >= times.maxLifetime) {
      this.owner.expire('maximum lifetime');
    } else if (times.idleTimeout > 0 && time - this.lastMessage >= times.idleTimeout) {
      this.owner.expire('idle timeout');
    } else if (times.interval > 0) {
      this.checkPeer(time, times);
    }
  }

  private checkPeer(time: number, { interval, timeout }: HeartbeatTimes): void {
    if (this.owner.isDeaf) {
      this.seen();
    } else if (this.pingedAt >= 0) {
      if (time - this.pingedAt >= timeout) this.owner.lost();
    } else if (time - this.lastSeen >= interval) {
      this.pingedAt = time;
      this.owner.beat();
    }
  }
}

/** The heartbeats that watch somebody, by their times. */
const heartbeats = new Map<string, Heartbeat>();

/** The heartbeat of all connections with these times; `undefined` where every part is off. */
export function heartbeatFor(times: HeartbeatTimes): Heartbeat | undefined {
  const { interval, timeout, idleTimeout, maxLifetime } = times;
  if (interval === 0 && idleTimeout === 0 && maxLifetime === 0) return undefined;
  const key = `${interval}/${timeout}/${idleTimeout}/${maxLifetime}`;
  let heartbeat = heartbeats.get(key);
  if (heartbeat === undefined) {
    // Those that have nobody left would otherwise pile up where each connection has times of its own.
    for (const [known, { empty }] of heartbeats) if (empty) heartbeats.delete(known);
    heartbeat = new Heartbeat(times);
    heartbeats.set(key, heartbeat);
  }
  return heartbeat;
}

/** Those that have been looked up, by what every connection of a server shares. */
const known = new WeakMap<ResolvedOptions, Heartbeat | undefined>();

/** The heartbeat of a connection with these settings; `undefined` where every part is off. */
export function heartbeatOf(settings: ResolvedOptions): Heartbeat | undefined {
  const { heartbeat, limits } = settings;
  const { idleTimeout, maxLifetime } = limits;
  if (heartbeat.interval === 0 && idleTimeout === 0 && maxLifetime === 0) return undefined;
  let found = known.get(settings);
  if (found === undefined) {
    found = heartbeatFor({ ...heartbeat, idleTimeout, maxLifetime });
    known.set(settings, found);
  }
  return found;
}

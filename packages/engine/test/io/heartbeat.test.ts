import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeartbeatTimes, Pulse } from '../../src/io/heartbeat';
import { Heartbeat, heartbeatFor } from '../../src/io/heartbeat';

const OFF: HeartbeatTimes = { interval: 0, timeout: 0, idleTimeout: 0, maxLifetime: 0 };

/** A heartbeat whose clock and timer are the test. */
class Clocked {
  readonly heartbeat: Heartbeat;
  readonly log: string[] = [];
  deaf = false;
  private clock = 1000;
  private readonly pulses: Pulse[] = [];

  constructor(times: Partial<HeartbeatTimes>) {
    this.heartbeat = new Heartbeat({ ...OFF, ...times }, () => this.clock);
  }

  watch(): Pulse {
    const isDeaf = () => this.deaf;
    const pulse = this.heartbeat.watch({
      get isDeaf() {
        return isDeaf();
      },
      beat: () => this.log.push(`ping at ${this.heartbeat.time}`),
      lost: () => {
        this.log.push(`lost at ${this.heartbeat.time}`);
        pulse.stop();
      },
      expire: (reason) => {
        this.log.push(`${reason} at ${this.heartbeat.time}`);
        pulse.stop();
      },
    });
    this.pulses.push(pulse);
    return pulse;
  }

  /** Lets time pass with a tick whenever one is due. */
  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += this.heartbeat.resolution) {
      this.clock += this.heartbeat.resolution;
      this.heartbeat.tick();
    }
  }

  /** Lets time pass with the event loop stalled: one tick at its end. */
  stall(milliseconds: number): void {
    this.clock += milliseconds;
    this.heartbeat.tick();
  }

  end(): void {
    for (const pulse of this.pulses) pulse.stop();
  }
}

let clocked: Clocked;

afterEach(() => clocked?.end());

describe('a peer', () => {
  test('is pinged after a silence, and lost when it does not answer', () => {
    clocked = new Clocked({ interval: 1000, timeout: 400 });
    clocked.watch();
    clocked.pass(2000);
    expect(clocked.log).toEqual(['ping at 1000', 'lost at 1400']);
  });

  test('that answers is pinged again after the next silence', () => {
    clocked = new Clocked({ interval: 1000, timeout: 400 });
    const pulse = clocked.watch();
    clocked.pass(1300);
    pulse.seen();
    clocked.pass(900);
    expect(clocked.log).toEqual(['ping at 1000']);
    clocked.pass(200);
    expect(clocked.log).toEqual(['ping at 1000', 'ping at 2300']);
  });

  test('that sends anything is not pinged', () => {
    clocked = new Clocked({ interval: 1000, timeout: 400 });
    const pulse = clocked.watch();
    for (let turn = 0; turn < 10; turn++) {
      clocked.pass(900);
      pulse.seen();
    }
    expect(clocked.log).toEqual([]);
  });

  test('is not judged by a stall of our own event loop', () => {
    clocked = new Clocked({ interval: 1000, timeout: 400 });
    const pulse = clocked.watch();
    clocked.pass(1000);
    clocked.stall(60_000);
    expect(clocked.log).toEqual(['ping at 1000']);
    pulse.seen();
    clocked.pass(900);
    expect(clocked.log).toEqual(['ping at 1000']);
  });

  test('is not judged while nobody reads', () => {
    clocked = new Clocked({ interval: 1000, timeout: 400 });
    clocked.watch();
    clocked.deaf = true;
    clocked.pass(10_000);
    expect(clocked.log).toEqual([]);
    clocked.deaf = false;
    clocked.pass(1000);
    expect(clocked.log).toEqual(['ping at 11000']);
  });
});

test('a connection without messages expires, whatever pongs come', () => {
  clocked = new Clocked({ idleTimeout: 1000 });
  const pulse = clocked.watch();
  clocked.pass(750);
  pulse.message();
  clocked.pass(750);
  pulse.seen();
  clocked.pass(500);
  expect(clocked.log).toEqual(['idle timeout at 1750']);
});

test('a connection expires at its age, however lively', () => {
  clocked = new Clocked({ maxLifetime: 1000 });
  const pulse = clocked.watch();
  for (let turn = 0; turn < 8; turn++) {
    clocked.pass(250);
    pulse.message();
    pulse.seen();
  }
  expect(clocked.log).toEqual(['maximum lifetime at 1000']);
});

describe('the timer', () => {
  test('runs while there is somebody to watch', () => {
    clocked = new Clocked({ interval: 1000, timeout: 1000 });
    expect(clocked.heartbeat.empty).toBe(true);
    const setTimer = jest.spyOn(global, 'setInterval');
    const clearTimer = jest.spyOn(global, 'clearInterval');
    const first = clocked.watch();
    const second = clocked.watch();
    expect(setTimer).toHaveBeenCalledTimes(1);
    first.stop();
    expect(clearTimer).not.toHaveBeenCalled();
    second.stop();
    second.stop();
    expect(clearTimer).toHaveBeenCalled();
    expect(clocked.heartbeat.empty).toBe(true);
    jest.restoreAllMocks();
  });

  test.each([
    [{ interval: 30_000, timeout: 30_000 }, 1000],
    [{ interval: 400, timeout: 800 }, 100],
    [{ interval: 8, timeout: 8 }, 10],
    [{ idleTimeout: 100 }, 25],
  ])('looks a quarter of the shortest time apart: %p', (times, resolution) => {
    clocked = new Clocked(times);
    expect(clocked.heartbeat.resolution).toBe(resolution);
  });
});

describe('heartbeatFor', () => {
  test('is none where every part is off', () => {
    expect(heartbeatFor(OFF)).toBeUndefined();
  });

  test('is one for all with the same times, and forgotten when nobody is left', () => {
    const times = { ...OFF, interval: 123, timeout: 45 };
    const heartbeat = heartbeatFor(times);
    const pulse = heartbeat?.watch({
      isDeaf: false,
      beat: () => undefined,
      lost: () => undefined,
      expire: () => undefined,
    });
    expect(heartbeatFor({ ...times })).toBe(heartbeat);
    heartbeatFor({ ...OFF, maxLifetime: 67 });
    expect(heartbeatFor({ ...times })).toBe(heartbeat);
    pulse?.stop();
    heartbeatFor({ ...OFF, maxLifetime: 89 });
    expect(heartbeatFor({ ...times })).not.toBe(heartbeat);
  });
});

test('its timer is outside the asynchronous storage of the connections it watches', async () => {
  const storage = new AsyncLocalStorage<string>();
  const heartbeat = new Heartbeat({ ...OFF, interval: 10, timeout: 10 });
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    storage.run('the first connection', () => {
      const pulse = heartbeat.watch({
        isDeaf: false,
        beat: () => seen.push(storage.getStore()),
        lost: () => {
          seen.push(storage.getStore());
          pulse.stop();
          resolve();
        },
        expire: () => undefined,
      });
    });
  });
  expect(seen).toEqual([undefined, undefined]);
});

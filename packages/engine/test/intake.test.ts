import type { IntakeOwner, IntakeSettings } from '../src/intake';
import { Intake } from '../src/intake';
import type { MessageIssue, Verdict } from '../src/message-schema';
import { checkRateLimit } from '../src/rate-limit';
import { useFakeTimeouts } from './support/timeouts';

/** A connection that notes what it is told to do. */
class Owner implements IntakeOwner {
  readonly calls: unknown[] = [];
  waiting = false;
  failed = false;
  /** Whether the application answers messages that are wrong. */
  answers = false;
  intake: Intake | undefined;

  waits(): boolean {
    return this.waiting;
  }

  hasFailed(): boolean {
    return this.failed;
  }

  tell(data: unknown, binary: boolean, bytes: number): void {
    this.calls.push(['tell', data, binary, bytes]);
  }

  hold(): void {
    this.calls.push('hold');
  }

  resume(): void {
    this.calls.push('resume');
    this.intake?.proceed();
  }

  close(code: number, reason: string): void {
    this.calls.push(['close', code, reason]);
  }

  invalid(issues: readonly MessageIssue[]): boolean {
    if (this.answers) this.calls.push(['invalid', issues]);
    return this.answers;
  }

  fail(error: unknown): void {
    this.calls.push(['fail', error]);
  }

  /** What it was told since the last time. */
  taken(): unknown[] {
    return this.calls.splice(0);
  }
}

let time = 0;

beforeEach(() => {
  time = 1000;
});
afterEach(() => jest.useRealTimers());

function set(settings: IntakeSettings): { owner: Owner; intake: Intake } {
  const owner = new Owner();
  const intake = new Intake(settings, owner, () => time);
  owner.intake = intake;
  return { owner, intake };
}

/** Goes on when all that is settled has been heard. */
const settled = () => new Promise(setImmediate);

describe('a rate limit', () => {
  const limited = (exceed: 'close' | 'drop' | 'delay') =>
    set({ rateLimit: checkRateLimit({ messages: 2, interval: 1000, exceed }) });

  test('closes with 1008 by default, once, and lets nothing more through', () => {
    const { owner, intake } = limited('close');
    for (const text of ['a', 'b', 'c', 'd']) intake.receive(text, false, 1);
    expect(owner.taken()).toEqual([
      ['tell', 'a', false, 1],
      ['tell', 'b', false, 1],
      ['close', 1008, 'Too many messages'],
    ]);
    time += 10_000;
    intake.receive('e', false, 1);
    expect(owner.taken()).toEqual([]);
    expect(intake.blocked).toBe(false);
  });

  test('drops what is too much, uncounted', () => {
    const { owner, intake } = limited('drop');
    for (const text of ['a', 'b', 'c', 'd']) intake.receive(text, false, 1);
    time += 500;
    for (const text of ['e', 'f']) intake.receive(text, false, 1);
    expect(owner.taken()).toEqual([
      ['tell', 'a', false, 1],
      ['tell', 'b', false, 1],
      ['tell', 'e', false, 1],
    ]);
  });

  test('delays: reading stops until there is room for the next', () => {
    useFakeTimeouts();
    const rateLimit = checkRateLimit({ messages: 2, interval: 1024, exceed: 'delay' });
    const { owner, intake } = set({ rateLimit });
    intake.receive('a', false, 1);
    expect(intake.blocked).toBe(false);
    intake.receive(Buffer.from('b'), true, 1);
    expect(intake.blocked).toBe(true);
    expect(owner.taken()).toEqual([
      ['tell', 'a', false, 1],
      'hold',
      ['tell', Buffer.from('b'), true, 1],
    ]);
    expect(jest.getTimerCount()).toBe(1);

    // Early, as timers may be.
    time += 511;
    jest.advanceTimersByTime(512);
    expect(owner.taken()).toEqual(['hold']);
    time += 1;
    jest.advanceTimersByTime(1);
    expect(owner.taken()).toEqual(['resume']);
    expect(intake.blocked).toBe(false);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('delays for longer by what the end of a read has brought all the same', () => {
    useFakeTimeouts();
    const { owner, intake } = limited('delay');
    for (const text of ['a', 'b', 'c', 'd']) intake.receive(text, false, 1);
    expect(owner.taken().filter((call) => call === 'hold')).toHaveLength(1);
    time += 1499;
    jest.advanceTimersByTime(1499);
    expect(intake.blocked).toBe(true);
    time += 1;
    jest.advanceTimersByTime(1);
    expect(intake.blocked).toBe(false);
  });

  test('that would delay for longer than timers run runs them again', () => {
    useFakeTimeouts();
    const rateLimit = checkRateLimit({ messages: 1, interval: 2 ** 31 - 1, exceed: 'delay' });
    const { owner, intake } = set({ rateLimit });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    owner.taken();
    time += 2 ** 31 - 1;
    jest.advanceTimersByTime(2 ** 31 - 1);
    expect(owner.taken()).toEqual(['hold']);
    time += 2 ** 31 - 1;
    jest.advanceTimersByTime(2 ** 31 - 1);
    expect(owner.taken()).toEqual(['resume']);
  });

  test('leaves no timer behind the connection', () => {
    useFakeTimeouts();
    const { intake } = limited('delay');
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    intake.end();
    expect(jest.getTimerCount()).toBe(0);
    expect(intake.blocked).toBe(false);
  });
});

describe('a check that answers at once', () => {
  const check = (text: string): Verdict =>
    text === 'bad' ? { issues: [{ message: 'it is bad' }] } : { value: { text } };

  test('lets pass what it makes of the message', () => {
    const { owner, intake } = set({ check });
    intake.receive('a', false, 7);
    expect(owner.taken()).toEqual([['tell', { text: 'a' }, false, 7]]);
  });

  test('closes with 1007 for what is wrong, and lets nothing more through', () => {
    const { owner, intake } = set({ check });
    for (const text of ['bad', 'a', 'bad']) intake.receive(text, false, 1);
    expect(owner.taken()).toEqual([['close', 1007, 'The message is not valid']]);
  });

  test('closes with 1003 for what is binary, and is not asked', () => {
    const asked = jest.fn(check);
    const { owner, intake } = set({ check: asked });
    intake.receive(Buffer.from('a'), true, 1);
    expect(owner.taken()).toEqual([['close', 1003, 'Binary messages are not taken here']]);
    expect(asked).not.toHaveBeenCalled();
  });

  test('goes on where the application answers what is wrong', () => {
    const { owner, intake } = set({ check });
    owner.answers = true;
    for (const text of ['bad', 'a']) intake.receive(text, false, 1);
    intake.receive(Buffer.from('a'), true, 1);
    expect(owner.taken()).toEqual([
      ['invalid', [{ message: 'it is bad' }]],
      ['tell', { text: 'a' }, false, 1],
      ['invalid', [{ message: 'Binary messages are not taken here' }]],
    ]);
  });

  test('that throws has failed, once, and lets nothing more through', () => {
    const error = new Error('broken');
    const { owner, intake } = set({
      check: () => {
        throw error;
      },
    });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    expect(owner.taken()).toEqual([['fail', error]]);
  });

  test('comes behind the rate limit', () => {
    const asked = jest.fn(check);
    const rateLimit = checkRateLimit({ messages: 1, interval: 1000, exceed: 'drop' });
    const { intake } = set({ check: asked, rateLimit });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    expect(asked.mock.calls).toEqual([['a']]);
  });
});

describe('a check that answers later', () => {
  /** A check whose answers are given by the test. */
  function byHand() {
    const open = new Map<
      string,
      { resolve(verdict: Verdict): void; reject(error: unknown): void }
    >();
    const check = (text: string) =>
      new Promise<Verdict>((resolve, reject) => open.set(text, { resolve, reject }));
    return {
      check,
      open,
      async pass(text: string) {
        open.get(text)?.resolve({ value: text });
        await settled();
      },
    };
  }

  test('stops reading, and goes on with what it makes of the message', async () => {
    const { check, pass } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    expect([intake.blocked, intake.busy]).toEqual([true, true]);
    expect(owner.taken()).toEqual(['hold']);
    await pass('a');
    expect(owner.taken()).toEqual(['resume', ['tell', 'a', false, 1]]);
    expect([intake.blocked, intake.busy]).toEqual([false, false]);
  });

  test('keeps the order of what comes meanwhile, one check at a time', async () => {
    const { check, open, pass } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    intake.defer(() => owner.calls.push('ping'));
    intake.receive('c', false, 1);
    intake.end();
    intake.defer(() => owner.calls.push('close'));
    expect([...open.keys()]).toEqual(['a']);

    await pass('a');
    expect([...open.keys()]).toEqual(['a', 'b']);
    await pass('b');
    expect([...open.keys()]).toEqual(['a', 'b', 'c']);
    expect(owner.taken().filter((call) => call !== 'hold' && call !== 'resume')).toEqual([
      ['tell', 'a', false, 1],
      ['tell', 'b', false, 1],
      'ping',
    ]);
    await pass('c');
    expect(owner.taken()).toEqual(['resume', ['tell', 'c', false, 1], 'close']);
    expect(intake.busy).toBe(false);
  });

  test('answers what is wrong', async () => {
    const { check, open } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    owner.taken();
    open.get('a')?.resolve({ issues: [] });
    await settled();
    expect(owner.taken()).toEqual(['resume', ['close', 1007, 'The message is not valid']]);
    expect(open.has('b')).toBe(false);
  });

  test('that rejects has failed, once', async () => {
    const { check, open } = byHand();
    const { owner, intake } = set({ check });
    const error = new Error('broken');
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    owner.taken();
    open.get('a')?.reject(error);
    await settled();
    expect(owner.taken()).toEqual(['resume', ['fail', error]]);
    expect(open.has('b')).toBe(false);
  });

  test('tells nothing while the connection waits', async () => {
    const { check, pass } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    owner.waiting = true;
    owner.taken();
    await pass('a');
    expect(owner.taken()).toEqual(['resume']);
    expect(intake.busy).toBe(true);

    owner.waiting = false;
    intake.proceed();
    expect(owner.taken()).toEqual([['tell', 'a', false, 1], 'hold']);
    await pass('b');
    expect(owner.taken()).toEqual(['resume', ['tell', 'b', false, 1]]);
  });

  test('stops in between when a listener has the connection wait', async () => {
    const { check, pass } = byHand();
    const { owner, intake } = set({ check });
    owner.tell = (data) => {
      owner.calls.push(data);
      owner.waiting = true;
    };
    intake.receive('a', false, 1);
    intake.defer(() => owner.calls.push('pong'));
    await pass('a');
    expect(owner.taken()).toEqual(['hold', 'resume', 'a']);
    expect(intake.busy).toBe(true);
    owner.waiting = false;
    intake.proceed();
    expect(owner.taken()).toEqual(['pong']);
  });

  test('and a delay: reading goes on when both are over', async () => {
    useFakeTimeouts();
    const { check, open, pass } = byHand();
    const rateLimit = checkRateLimit({ messages: 1, interval: 1000, exceed: 'delay' });
    const { owner, intake } = set({ check, rateLimit });
    intake.receive('a', false, 1);
    await pass('a');
    expect(intake.blocked).toBe(true);
    time += 1000;
    jest.advanceTimersByTime(1000);
    expect(intake.blocked).toBe(false);

    intake.receive('b', false, 1);
    owner.taken();
    time += 1000;
    jest.advanceTimersByTime(1000);
    expect(intake.blocked).toBe(true);
    expect(owner.taken()).toEqual([]);
    open.get('b')?.resolve({ value: 'b' });
    await settled();
    expect(intake.blocked).toBe(false);
    expect(owner.taken()).toEqual(['resume', ['tell', 'b', false, 1]]);
  });

  test('is given up 10 s after the end of the connection', async () => {
    useFakeTimeouts();
    const { check, open, pass } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    intake.receive('b', false, 1);
    intake.end();
    intake.defer(() => owner.calls.push('close'));
    owner.taken();
    jest.advanceTimersByTime(9_999);
    expect(owner.taken()).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(owner.taken()).toEqual(['resume', 'close']);
    expect([...open.keys()]).toEqual(['a']);
    await pass('a');
    expect(owner.taken()).toEqual([]);
  });

  test('that answers in time is not given up', async () => {
    useFakeTimeouts();
    const { check, pass } = byHand();
    const { owner, intake } = set({ check });
    intake.receive('a', false, 1);
    intake.end();
    intake.defer(() => owner.calls.push('close'));
    owner.taken();
    await pass('a');
    expect(owner.taken()).toEqual(['resume', ['tell', 'a', false, 1], 'close']);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('where the application has failed', () => {
  test('nothing more is counted, checked or told', () => {
    const check = jest.fn((text: string): Verdict => ({ value: text }));
    const { owner, intake } = set({ check });
    owner.failed = true;
    intake.receive('a', false, 1);
    expect(owner.taken()).toEqual([]);
    expect(check).not.toHaveBeenCalled();
  });

  test.each<[string, Promise<Verdict>]>([
    ['passes', Promise.resolve({ value: 1 })],
    ['is wrong', Promise.resolve({ issues: [] })],
    ['fails', Promise.reject(new Error('broken'))],
  ])('a check that was under way and %s is told to nobody', async (_what, verdict) => {
    verdict.catch(() => undefined);
    const { owner, intake } = set({ check: () => verdict });
    owner.answers = true;
    intake.receive('a', false, 1);
    owner.failed = true;
    await settled();
    expect(owner.taken()).toEqual(['hold', 'resume']);
  });

  test('the end of the connection waits for no check', async () => {
    const { owner, intake } = set({ check: () => new Promise(() => undefined) });
    intake.receive('a', false, 1);
    owner.failed = true;
    const closed = new Promise<void>((resolve) => {
      intake.end();
      intake.defer(resolve);
    });
    await closed;
    expect(intake.busy).toBe(false);
  });
});

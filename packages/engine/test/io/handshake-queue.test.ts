import { HandshakeQueue, HOLD_TIMEOUT } from '../../src/io/handshake-queue';

/** Lets what was put off to the next tick happen. */
const ticks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let queue: HandshakeQueue;
let log: string[];

/** Joins under a name and writes down when the turn comes. */
function join(name: string, remote: string | null = 'a.example:80') {
  const turn = queue.join(remote ?? undefined, () => log.push(`${name} comes`));
  if (!turn.hasCome) turn.wait(() => log.push(`${name} begins`));
  return turn;
}

beforeEach(() => {
  queue = new HandshakeQueue();
  log = [];
});

test('the first one begins at once', () => {
  expect(join('one').hasCome).toBe(true);
  expect(log).toEqual(['one comes']);
});

test('each waits for those before it', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => join(name));
  expect([two.hasCome, three.hasCome]).toEqual([false, false]);
  one.leave();
  await ticks();
  expect(log).toEqual(['one comes', 'two comes', 'two begins']);
  // Once more changes nothing.
  one.leave();
  await ticks();
  expect(log).toHaveLength(3);
  two.leave();
  await ticks();
  expect(log.slice(3)).toEqual(['three comes', 'three begins']);
  three.leave();
  expect(join('four').hasCome).toBe(true);
});

test('remotes do not wait for each other', () => {
  join('one', 'a.example:80');
  expect(join('two', 'a.example:81').hasCome).toBe(true);
  expect(join('three', 'b.example:80').hasCome).toBe(true);
  expect(join('four', 'a.example:80').hasCome).toBe(false);
});

test('no remote, no queue', () => {
  const turns = [join('one', null), join('two', null)];
  expect(turns.map((turn) => turn.hasCome)).toEqual([true, true]);
  for (const turn of turns) turn.leave();
});

test('whoever leaves while waiting never begins', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => join(name));
  two.leave();
  expect([two.hasCome, three.hasCome]).toEqual([false, false]);
  one.leave();
  await ticks();
  expect(log).toEqual(['one comes', 'three comes', 'three begins']);
});

test('whoever leaves just as the turn comes does not begin', async () => {
  const [one, two] = ['one', 'two'].map((name) => join(name));
  one.leave();
  two.leave();
  await ticks();
  expect(log).toEqual(['one comes']);
});

test('ten thousand that fail at once do not fill the stack', async () => {
  const first = join('first');
  let begun = 0;
  const last = new Promise<void>((resolve) => {
    for (let index = 0; index < 10_000; index++) {
      const turn = queue.join('a.example:80', () => undefined);
      turn.wait(() => {
        begun += 1;
        turn.leave();
        if (begun === 10_000) resolve();
      });
    }
  });
  first.leave();
  await last;
  expect(join('after').hasCome).toBe(true);
});

describe('a handshake that stalls', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('holds others up for ten seconds and no more', async () => {
    join('one');
    jest.advanceTimersByTime(HOLD_TIMEOUT - 1000);
    join('two');
    join('three');
    jest.advanceTimersByTime(999);
    await ticks();
    expect(log).toEqual(['one comes']);
    jest.advanceTimersByTime(1);
    await ticks();
    expect(log.slice(1)).toEqual(['two comes', 'two begins']);
    jest.advanceTimersByTime(HOLD_TIMEOUT - 1);
    await ticks();
    expect(log).toHaveLength(3);
    jest.advanceTimersByTime(1);
    await ticks();
    expect(log.slice(3)).toEqual(['three comes', 'three begins']);
  });

  test('holds nobody up who comes later than that', () => {
    const one = join('one');
    jest.advanceTimersByTime(HOLD_TIMEOUT + 1);
    join('two');
    jest.advanceTimersByTime(0);
    expect(join('three').hasCome).toBe(false);
    one.leave();
  });

  test('costs no timer while nobody waits', async () => {
    const one = join('one');
    expect(jest.getTimerCount()).toBe(0);
    const two = join('two');
    expect(jest.getTimerCount()).toBe(1);
    one.leave();
    await ticks();
    expect(jest.getTimerCount()).toBe(0);
    two.leave();
    expect(jest.getTimerCount()).toBe(0);
  });
});

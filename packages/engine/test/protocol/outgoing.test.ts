import type { OutgoingJob } from '../../src/protocol/outgoing';
import { OutgoingQueue } from '../../src/protocol/outgoing';

/** A job that writes down what becomes of it. */
class Job implements OutgoingJob {
  readonly bytes: number;
  done: () => void = () => undefined;
  private readonly name: string;
  private readonly log: string[];
  private readonly atOnce: boolean;

  constructor(name: string, log: string[], bytes = 1, atOnce = true) {
    this.name = name;
    this.log = log;
    this.bytes = bytes;
    this.atOnce = atOnce;
  }

  run(done: () => void): void {
    this.log.push(`run ${this.name}`);
    this.done = done;
    if (this.atOnce) done();
  }

  abandon(error: Error): void {
    this.log.push(`abandon ${this.name}: ${error.message}`);
  }
}

let queue: OutgoingQueue;
let log: string[];

beforeEach(() => {
  queue = new OutgoingQueue();
  log = [];
});

/** Adds a job that ends when the test calls its `done`. */
function slow(name: string, bytes = 1): Job {
  const job = new Job(name, log, bytes, false);
  queue.push(job);
  return job;
}

function quick(name: string, bytes = 1): void {
  queue.push(new Job(name, log, bytes));
}

test('a job that is done at once leaves the queue idle', () => {
  expect(queue.idle).toBe(true);
  quick('a', 5);
  expect(log).toEqual(['run a']);
  expect([queue.idle, queue.bytes]).toEqual([true, 0]);
});

test('jobs wait behind one that takes its time, and then run in order', () => {
  const first = slow('a', 10);
  quick('b', 20);
  const third = slow('c', 30);
  quick('d', 40);
  expect(log).toEqual(['run a']);
  expect([queue.idle, queue.bytes]).toEqual([false, 100]);

  first.done();
  expect(log).toEqual(['run a', 'run b', 'run c']);
  expect([queue.idle, queue.bytes]).toEqual([false, 70]);

  third.done();
  expect(log).toEqual(['run a', 'run b', 'run c', 'run d']);
  expect([queue.idle, queue.bytes]).toEqual([true, 0]);
});

test('after all are done the next runs at once again', () => {
  slow('a').done();
  quick('b');
  expect(log).toEqual(['run a', 'run b']);
  expect(queue.idle).toBe(true);
});

test('a job added by one that runs comes after those that wait', () => {
  const first = slow('a');
  const adding = new Job('b', log);
  adding.run = (done) => {
    log.push('run b');
    quick('d');
    done();
  };
  queue.push(adding);
  quick('c');
  first.done();
  expect(log).toEqual(['run a', 'run b', 'run c', 'run d']);
});

test('thousands of jobs behind a slow one do not pile up on the stack', () => {
  const first = slow('a');
  for (let count = 0; count < 20_000; count++) quick('b');
  first.done();
  expect(log).toHaveLength(20_001);
  expect(queue.bytes).toBe(0);
});

test('abandoning tells those that wait, in order; the running one ends by itself', () => {
  const first = slow('a', 10);
  quick('b', 20);
  slow('c', 30);
  queue.abandon(new Error('gone'));
  expect(log).toEqual(['run a', 'abandon b: gone', 'abandon c: gone']);
  expect([queue.idle, queue.bytes]).toEqual([false, 10]);
  first.done();
  expect(log).toHaveLength(3);
  expect([queue.idle, queue.bytes]).toEqual([true, 0]);
});

test('abandoning an idle queue does nothing', () => {
  queue.abandon(new Error('gone'));
  expect(queue.idle).toBe(true);
});

import { INBOX_BYTES, INBOX_TIMEOUT, Inbox } from '../src/inbox';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('events come out in the order they went in', () => {
  const inbox = new Inbox(() => undefined);
  expect([inbox.empty, inbox.shift()]).toEqual([true, undefined]);
  inbox.push('message', 'a', false, 1);
  inbox.push('ping', Buffer.from('p'), undefined, 1);
  inbox.push('close', 1000, Buffer.alloc(0), 0);
  expect(inbox.empty).toBe(false);
  const events = [inbox.shift(), inbox.shift(), inbox.shift(), inbox.shift()];
  expect(events.map((event) => event && [event.name, event.first, event.second])).toEqual([
    ['message', 'a', false],
    ['ping', Buffer.from('p'), undefined],
    ['close', 1000, Buffer.alloc(0)],
    undefined,
  ]);
  expect(inbox.empty).toBe(true);
});

test('it is full above 64 KiB', () => {
  const inbox = new Inbox(() => undefined);
  inbox.push('message', 'a', false, INBOX_BYTES - 64);
  expect(inbox.full).toBe(false);
  inbox.push('message', '', false, 0);
  expect(inbox.full).toBe(true);
});

test('empty messages fill it too', () => {
  const inbox = new Inbox(() => undefined);
  let count = 0;
  while (!inbox.full) {
    inbox.push('message', '', false, 0);
    count++;
  }
  expect(count).toBe(1_025);
});

test('it waits 10 s from the first event on, and once', () => {
  const expired = jest.fn();
  const inbox = new Inbox(expired);
  jest.advanceTimersByTime(INBOX_TIMEOUT);
  expect(expired).not.toHaveBeenCalled();
  inbox.push('message', 'a', false, 1);
  jest.advanceTimersByTime(INBOX_TIMEOUT - 1);
  inbox.push('message', 'b', false, 1);
  expect(expired).not.toHaveBeenCalled();
  jest.advanceTimersByTime(1);
  expect(expired).toHaveBeenCalledTimes(1);
  inbox.push('message', 'c', false, 1);
  jest.advanceTimersByTime(INBOX_TIMEOUT);
  expect(expired).toHaveBeenCalledTimes(1);
});

test('released, it has no timer any more and takes no new one', () => {
  const expired = jest.fn();
  const inbox = new Inbox(expired);
  inbox.push('message', 'a', false, 1);
  expect(jest.getTimerCount()).toBe(1);
  inbox.release();
  expect([inbox.released, jest.getTimerCount()]).toEqual([true, 0]);
  inbox.push('message', 'b', false, 1);
  expect(jest.getTimerCount()).toBe(0);
  expect(expired).not.toHaveBeenCalled();
});

test('a message that is a small part of what was read does not keep that alive', () => {
  const inbox = new Inbox(() => undefined);
  const read = Buffer.from(new ArrayBuffer(65_536)).fill('x');
  inbox.push('message', read.subarray(0, 2000), true, 2000);
  inbox.push('message', read.subarray(0, 20_000), true, 20_000);
  const kept = [inbox.shift()?.first, inbox.shift()?.first] as Buffer[];
  expect(kept.map(({ length }) => length)).toEqual([2000, 20_000]);
  expect(kept.map(({ buffer }) => buffer.byteLength)).toEqual([2000, 65_536]);
  expect(kept[0]).toEqual(Buffer.alloc(2000, 'x'));
});

import { checkCloseOptions, Farewell } from '../src/closing';
import { WebSocket } from '../src/websocket';

/** A WebSocket that notes what is done to it. */
class Noted extends WebSocket {
  readonly calls: unknown[] = [];

  constructor() {
    super(null);
  }

  override close(...given: unknown[]): void {
    this.calls.push(['close', ...given]);
  }

  override terminate(): void {
    this.calls.push(['terminate']);
  }
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('one that comes in time is told, one that comes late is cut behind it', () => {
  const cut = jest.fn();
  const farewell = new Farewell({ clients: [], cut, report: fail });
  const [early, inTime, late] = [new Noted(), new Noted(), new Noted()];
  farewell.sayTo(early);
  farewell.say({ code: 1012, reason: 'restart', timeout: 50 });
  farewell.sayTo(inTime);
  jest.advanceTimersByTime(50);
  expect(cut).toHaveBeenCalledTimes(1);
  farewell.sayTo(late);
  expect([early, inTime, late].map(({ calls }) => calls)).toEqual([
    [],
    [['close', 1012, 'restart']],
    [['close', 1012, 'restart'], ['terminate']],
  ]);
});

test('the end stops the time', async () => {
  const cut = jest.fn();
  const farewell = new Farewell({ clients: [], cut, report: fail });
  farewell.say({ code: 1001, reason: undefined, timeout: 50 });
  farewell.end();
  await farewell.over;
  expect(jest.getTimerCount()).toBe(0);
  expect(cut).not.toHaveBeenCalled();
});

test('the defaults', () => {
  expect(checkCloseOptions({}, 30_000)).toEqual({
    code: 1001,
    reason: undefined,
    timeout: 30_000,
  });
});

function fail(failure: unknown): void {
  throw failure;
}

import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../../src/handshake/refusal';
import type { Place } from '../../src/upgrade/connection-limit';
import { ConnectionLimit, networkOf } from '../../src/upgrade/connection-limit';

/** A request, of which only the functions of a test know anything. */
const requestOf = (user?: string) => ({ user }) as unknown as IncomingMessage;
const anybody = requestOf();

/** Takes a place that has to be free. */
function enter(limit: ConnectionLimit, request = anybody, address?: string): Place {
  const place = limit.take(request, address);
  if ('status' in place) throw new Error(`Refused: ${place.status}`);
  return place;
}

/** The status of a refusal that has to be. */
function refusal(limit: ConnectionLimit, request = anybody, address?: string): Refusal {
  const place = limit.take(request, address);
  if (!('status' in place)) throw new Error('There was a place');
  return place;
}

describe('what is no limit throws', () => {
  test.each<[unknown, new (message: string) => Error, string]>([
    ['5', TypeError, 'The "maxConnections" option must be a number or an object, got "5"'],
    [null, TypeError, 'The "maxConnections" option must be a number or an object, got null'],
    [[1], TypeError, 'The "maxConnections" option must be a number or an object, got an array'],
    [
      0,
      RangeError,
      'The "maxConnections.total" option must be an integer from 1 to 2147483647 connections, got 0',
    ],
    [{ total: 1.5 }, RangeError, 'The "maxConnections.total" option must be an integer'],
    [{ perKey: '1' }, TypeError, 'The "maxConnections.perKey" option must be a number, got "1"'],
    [
      { perKey: 1, key: 'ip' },
      TypeError,
      'The "maxConnections.key" option must be a function, got "ip"',
    ],
    [
      { total: 1, key: () => 'a' },
      TypeError,
      'The "maxConnections.key" option is for "perKey", which is missing',
    ],
  ])('%p', (option, type, message) => {
    expect(() => new ConnectionLimit(option)).toThrow(type);
    expect(() => new ConnectionLimit(option)).toThrow(message);
  });
});

describe('a total', () => {
  test.each([[2], [{ total: 2 }]])('of %p: one more is a 503 that may come again', (option) => {
    const limit = new ConnectionLimit(option);
    enter(limit);
    const second = enter(limit);
    expect(refusal(limit)).toEqual({
      status: 503,
      message: 'Too many connections here; try again later',
      rule: '',
      headers: [['Retry-After', '10']],
    });
    second.leave();
    enter(limit);
    expect(refusal(limit).status).toBe(503);
  });

  test('a place is given back once', () => {
    const limit = new ConnectionLimit(1);
    const place = enter(limit);
    place.leave();
    place.leave();
    enter(limit);
    expect(refusal(limit).status).toBe(503);
  });
});

describe('a number for each key', () => {
  test('by default each address; one more is a 429', () => {
    const limit = new ConnectionLimit({ perKey: 2 });
    enter(limit, anybody, '192.0.2.1');
    const second = enter(limit, anybody, '192.0.2.1');
    enter(limit, anybody, '192.0.2.2');
    expect(refusal(limit, anybody, '192.0.2.1')).toEqual({
      status: 429,
      message: 'Too many connections from this client',
      rule: '',
      headers: [],
    });
    second.leave();
    second.leave();
    enter(limit, anybody, '192.0.2.1');
    expect(refusal(limit, anybody, '192.0.2.1').status).toBe(429);
  });

  test('an address that is not known is nobody’s', () => {
    const limit = new ConnectionLimit({ perKey: 1 });
    enter(limit);
    enter(limit);
  });

  test('a function tells whose connection it is, or that it is nobody’s', () => {
    const key = jest.fn((request: IncomingMessage) => Reflect.get(request, 'user'));
    const limit = new ConnectionLimit({ perKey: 1, key });
    const alice = requestOf('alice');
    enter(limit, alice, '192.0.2.1');
    enter(limit, requestOf('bob'), '192.0.2.1');
    expect(refusal(limit, requestOf('alice'), '192.0.2.2').status).toBe(429);
    enter(limit, anybody, '192.0.2.1');
    enter(limit, anybody, '192.0.2.1');
    expect(key.mock.calls[0]).toEqual([alice]);
  });

  test('stands beside a total, which goes first', () => {
    const key = jest.fn(() => 'a');
    const limit = new ConnectionLimit({ total: 1, perKey: 1, key });
    enter(limit).leave();
    enter(limit);
    expect(refusal(limit).status).toBe(503);
    expect(key).toHaveBeenCalledTimes(2);
  });

  test('who is refused takes no place of the total', () => {
    const limit = new ConnectionLimit({ total: 2, perKey: 1 });
    enter(limit, anybody, '192.0.2.1');
    for (let tries = 0; tries < 5; tries++) refusal(limit, anybody, '192.0.2.1');
    enter(limit, anybody, '192.0.2.2');
  });

  test.each([[5], [null], [Symbol('a')], [{}]])('a function that answers %p throws', (key) => {
    const limit = new ConnectionLimit({ perKey: 1, key: () => key });
    expect(() => limit.take(anybody, undefined)).toThrow(TypeError);
    expect(() => limit.take(anybody, undefined)).toThrow(
      /^The option "maxConnections.key" answered .*; it must be a string or undefined$/,
    );
  });

  test('a function that throws takes no place', () => {
    let broken = true;
    const limit = new ConnectionLimit({
      total: 1,
      perKey: 1,
      key: () => {
        if (broken) throw new Error('broken');
        return 'a';
      },
    });
    expect(() => limit.take(anybody, undefined)).toThrow('broken');
    broken = false;
    enter(limit);
  });
});

describe('an address stands for', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0000:0000:0000:0009', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['a name', 'a name'],
    ['', ''],
  ])('%s: %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

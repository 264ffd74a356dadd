import { checkRouteOptions } from '../../src/upgrade/options';

describe('the options of a route', () => {
  test.each<[object, new (message: string) => Error, string]>([
    [
      { maxPayload: -1 },
      RangeError,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    [{ maxPayload: '1mb' }, TypeError, 'The "maxPayload" option must be a number, got "1mb"'],
    [{ maxPayload: null }, TypeError, 'The "maxPayload" option must be a number, got null'],
    [{ maxBufferedAmount: 1.5 }, RangeError, 'The "maxBufferedAmount" option must be an integer'],
    [{ closeTimeout: 0 }, RangeError, 'The "closeTimeout" option must be an integer from 1 to '],
    [{ idleTimeout: -1 }, RangeError, 'The "idleTimeout" option must be an integer from 0 to '],
    [{ maxLifetime: 'a day' }, TypeError, 'The "maxLifetime" option must be a number'],
    [{ heartbeat: true }, TypeError, 'The "heartbeat" option must be false or an object, got true'],
    [{ heartbeat: { interval: 0 } }, RangeError, 'The "heartbeat.interval" option must be an '],
    [
      { overflow: 'wait' },
      TypeError,
      `The "overflow" option must be 'close' or 'drop', got "wait"`,
    ],
    [{ holdMessages: 1 }, TypeError, 'The "holdMessages" option must be a boolean, got 1'],
    [
      { handshakeTimeout: 0 },
      RangeError,
      'The "handshakeTimeout" option must be an integer from 1 to 2147483647 milliseconds, got 0',
    ],
    [{ origins: 'https://a.example' }, TypeError, 'The option "origins" must be '],
    [{ origins: ['a.example'] }, TypeError, 'The option "origins" holds '],
    [
      { subprotocols: 'chat' },
      TypeError,
      `The option "subprotocols" must be a list of subprotocols or a function, got 'chat'`,
    ],
    [{ subprotocols: ['a', 'a'] }, TypeError, `The option "subprotocols" holds 'a' twice`],
    [
      { subprotocols: ['a b'] },
      TypeError,
      `The option "subprotocols" holds 'a b', which is not a token (RFC 6455 11.3.4)`,
    ],
    [{ subprotocols: null }, TypeError, 'The option "subprotocols" must be a list'],
    [
      { perMessageDeflate: { threshold: -1 } },
      RangeError,
      'The "threshold" option must be an integer that is not negative, or Infinity, got -1',
    ],
    [{ perMessageDeflate: 'yes' }, TypeError, 'The "perMessageDeflate" option must be an object'],
    [{ onError: 5 }, TypeError, 'The "onError" option must be a function, got 5'],
    [
      { onInvalidMessage: 'close' },
      TypeError,
      'The "onInvalidMessage" option must be a function, got "close"',
    ],
    [{ maxConnections: -1 }, RangeError, 'The "maxConnections.total" option must be an integer'],
    [
      { maxConnections: null },
      TypeError,
      'The "maxConnections" option must be a number or an object, got null',
    ],
    [{ rateLimit: 5 }, TypeError, 'The "rateLimit" option must be an object, got 5'],
    [
      { rateLimit: { messages: 1 } },
      TypeError,
      'The "rateLimit.interval" option must be a number, got undefined',
    ],
    [
      { message: {} },
      TypeError,
      'The "message" option must be a Standard Schema or a function, got an object',
    ],
    [{ verifyClient: () => true }, TypeError, `The option 'verifyClient' is not one of a single `],
    [{ handleProtocols: () => '' }, TypeError, `The option 'handleProtocols' is not one of a `],
    [{ maxPaylod: 1 }, TypeError, `The option 'maxPaylod' is not one of a single route`],
  ])('%p throws', (options, type, message) => {
    expect(() => checkRouteOptions(options)).toThrow(type);
    expect(() => checkRouteOptions(options)).toThrow(message);
  });

  test.each([[undefined], [null], [5], ['options'], [[]], [() => undefined]])(
    '%p are none',
    (options) => {
      expect(() => checkRouteOptions(options)).toThrow(TypeError);
      expect(() => checkRouteOptions(options)).toThrow(
        'The options of a route must be an object, got ',
      );
    },
  );

  test('that can be turned off are turned off by false', () => {
    const off = { heartbeat: false, maxConnections: false, message: false, rateLimit: false };
    expect(checkRouteOptions(off)).toEqual(off);
  });

  test('are copied, so that a later change does nothing', () => {
    const options = { maxPayload: 1 };
    const checked = checkRouteOptions(options);
    options.maxPayload = -1;
    expect(checked).toEqual({ maxPayload: 1 });
    expect(Object.isFrozen(checked)).toBe(true);
  });

  test('that are undefined are left out, so that they hide nothing', () => {
    expect(checkRouteOptions({ maxPayload: undefined, origins: undefined })).toEqual({});
  });
});

import {
  behaviorOf,
  booleanOption,
  overrideOptions,
  resolveOptions,
  shareOptions,
} from '../src/options';

describe('resolveOptions()', () => {
  test('undefined is the default', () => {
    const given = { maxPayload: undefined, autoPong: undefined, skipUTF8Validation: undefined };
    expect(resolveOptions(given)).toEqual(resolveOptions({}));
    expect(resolveOptions({})).toMatchObject({
      limits: { maxPayload: 104_857_600, closeTimeout: 30_000 },
      autoPong: true,
      skipUTF8Validation: false,
    });
  });

  test('options that are shared are resolved once, as long as they stay what they are', () => {
    const options = { maxPayload: 5, autoPong: true };
    shareOptions(options, {});
    const resolved = resolveOptions(options);
    expect(resolveOptions(options)).toBe(resolved);
    options.autoPong = false;
    expect(resolveOptions(options)).toEqual({ ...resolved, autoPong: false });
    options.maxPayload = -1;
    expect(() => resolveOptions(options)).toThrow(RangeError);
  });
});

describe('overrideOptions()', () => {
  const settings = resolveOptions({ maxPayload: 7, autoPong: false });

  test('gives the same settings where nothing is given that differs', () => {
    expect(overrideOptions(settings, {})).toBe(settings);
    expect(overrideOptions(settings, { maxPayload: undefined })).toBe(settings);
    expect(overrideOptions(settings, { maxPayload: 7, autoPong: false })).toBe(settings);
  });

  test('compares a heartbeat by its times', () => {
    const off = resolveOptions({});
    expect(overrideOptions(off, { heartbeat: false }).heartbeat).toBe(off.heartbeat);
    const beating = resolveOptions({ heartbeat: { interval: 5 } });
    expect(overrideOptions(beating, { heartbeat: { interval: 5 } })).toBe(beating);
    expect(overrideOptions(beating, { heartbeat: { interval: 5, timeout: 5 } })).toBe(beating);
    const slower = overrideOptions(beating, { heartbeat: { interval: 6 } });
    expect(slower.heartbeat).toEqual({ interval: 6, timeout: 6 });
    const patient = overrideOptions(beating, { heartbeat: { interval: 5, timeout: 9 } });
    expect(patient.heartbeat).toEqual({ interval: 5, timeout: 9 });
    expect(overrideOptions(beating, { heartbeat: false }).heartbeat).toEqual(off.heartbeat);
    expect(() => overrideOptions(beating, { heartbeat: null as never })).toThrow(
      new TypeError('The "heartbeat" option must be false or an object, got null'),
    );
  });

  test('keeps what is not given', () => {
    const overridden = overrideOptions(settings, { closeTimeout: 9 });
    expect(overridden).toEqual({ ...settings, limits: { ...settings.limits, closeTimeout: 9 } });
    expect(overrideOptions(settings, { autoPong: true })).toEqual({ ...settings, autoPong: true });
  });

  test('checks what is given', () => {
    expect(() => overrideOptions(settings, { maxPayload: Number.NaN })).toThrow(
      new RangeError(
        'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got NaN',
      ),
    );
    expect(() => overrideOptions(settings, { autoPong: 1 as never })).toThrow(
      new TypeError('The "autoPong" option must be a boolean, got 1'),
    );
  });
});

test('behaviorOf() is that of ws unless something else was shared', () => {
  const options = {};
  expect(behaviorOf(options)).toEqual({ hooks: {}, textAsString: false });
  shareOptions(options, { textAsString: true });
  expect(behaviorOf(options)).toEqual({ hooks: {}, textAsString: true });
});

test('booleanOption() takes booleans and undefined', () => {
  expect(booleanOption('x', undefined, true)).toBe(true);
  expect(booleanOption('x', false, true)).toBe(false);
  expect(() => booleanOption('x', null, true)).toThrow(
    new TypeError('The "x" option must be a boolean, got null'),
  );
});

import { contain, warn } from '../../src/upgrade/contain';

const BOOM = new Error('boom');

describe('contain', () => {
  test('calls once, and fails not where nothing does', async () => {
    const call = jest.fn();
    const failed = jest.fn();
    contain(call, failed);
    contain(async () => 'fine', failed);
    await new Promise(setImmediate);
    expect(call).toHaveBeenCalledTimes(1);
    expect(failed).not.toHaveBeenCalled();
  });

  test('tells what is thrown, in the same tick', () => {
    const failed = jest.fn();
    contain(() => {
      throw BOOM;
    }, failed);
    expect(failed.mock.calls).toEqual([[BOOM]]);
  });

  test('tells what is rejected', async () => {
    const failed = jest.fn();
    contain(() => Promise.reject(BOOM), failed);
    await new Promise(setImmediate);
    expect(failed.mock.calls).toEqual([[BOOM]]);
  });

  test('takes any thenable', () => {
    const failed = jest.fn();
    contain(
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a promise of another library.
        then: (_done: unknown, rejected: (error: unknown) => void) => rejected(BOOM),
      }),
      failed,
    );
    expect(failed.mock.calls).toEqual([[BOOM]]);
  });

  test('tells of a `then` that cannot be called', () => {
    const failed = jest.fn();
    contain(
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: what is not quite a promise is what this is about
        get then() {
          throw BOOM;
        },
      }),
      failed,
    );
    expect(failed.mock.calls).toEqual([[BOOM]]);
  });
});

test('warn tells the process, also of what is no Error', () => {
  const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  try {
    warn(BOOM);
    warn('text');
    expect(emitWarning.mock.calls).toEqual([[BOOM], [new Error('text')]]);
  } finally {
    emitWarning.mockRestore();
  }
});

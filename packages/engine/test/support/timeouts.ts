/**
 * Puts `setTimeout` into the test's hands and nothing else, so that sockets go on as ever. The real one comes back with
 * `jest.useRealTimers()`.
 */
export function useFakeTimeouts(): void {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
    ],
  });
}

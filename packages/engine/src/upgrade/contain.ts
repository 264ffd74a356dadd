import { isThenable } from '../thenable';

/** Calls a function of the application's; whether it throws or rejects, `failed` is told, once, and nobody else. */
export function contain(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Tells the process of an error that there is nobody else to tell of. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}

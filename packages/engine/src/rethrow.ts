/**
 * Throws an application's error where it reaches nobody but the process: out of a tick of its own, as any uncaught
 * exception, and not through the engine's own stack, which has other connections' work to finish.
 */
export function rethrow(error: unknown): void {
  process.nextTick(raise, error);
}

function raise(error: unknown): never {
  throw error;
}

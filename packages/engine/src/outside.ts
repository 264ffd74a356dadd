import { AsyncResource } from 'node:async_hooks';

/**
 * Where timers and streams belong that many connections share: to none of the requests whose connections they are, whose
 * asynchronous storage one of them would keep and show to all the others.
 */
const outside = new AsyncResource('upwire.outside');

/** Does something there, such as making a timer. */
export function doOutside<Result>(work: () => Result): Result {
  return outside.runInAsyncScope(work);
}

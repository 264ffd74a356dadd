import { AsyncResource } from 'node:async_hooks';

/**
 * Where timers and streams belong that many connections share: to none of the requests whose connections they are, whose
 * asynchronous storage one of them would keep and show to all the others.
 */
const outside = new AsyncResource('upwire.outside');

/** Makes something there. */
export function makeOutside<Made>(make: () => Made): Made {
  return outside.runInAsyncScope(make);
}

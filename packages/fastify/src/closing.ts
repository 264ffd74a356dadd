import type { Gateway } from '@upwire/engine/internal';

/**
 * Takes no more WebSockets and says goodbye to those that are open. With `clientTracking: false` nobody knows them but
 * the server of the instance, which does the same when it closes.
 *
 * @returns settled when the last one that is known has ended
 */
export async function closeWebSockets(gateway: Gateway): Promise<void> {
  if (gateway.server.options.clientTracking === false) gateway.server.close();
  else await gateway.close();
}

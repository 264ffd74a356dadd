import { later } from '../../engine/test/support/site';
import type { Application, Harness, Site, SiteOptions } from './harness';

/** Opens an application that is gone at the end of the test. */
export async function openSite<App extends Application>(
  harness: Harness<App>,
  setUp: (app: App) => void,
  options: SiteOptions = {},
): Promise<Site> {
  const site = await harness.open(setUp, options);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= site.close();
    return closing;
  };
  later(async () => {
    const closed = close();
    site.server.closeAllConnections();
    for (const webSocket of site.webSockets.clients ?? []) webSocket.terminate();
    await closed;
  });
  return { ...site, close };
}

/** Settles when a condition holds that no event tells of. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

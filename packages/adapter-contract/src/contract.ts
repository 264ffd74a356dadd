import { cleanUp } from '../../engine/test/support/site';
import type { Application, Harness } from './harness';
import { sessions } from './suite/session';

/** What every adapter keeps to, as tests: section by section for one framework. */
export function contract<App extends Application>(harness: Harness<App>): void {
  describe(harness.name, () => {
    afterEach(cleanUp);
    sessions(harness);
  });
}

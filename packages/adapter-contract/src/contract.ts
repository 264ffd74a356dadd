import { cleanUp } from '../../engine/test/support/site';
import type { Application, Harness } from './harness';
import { answers } from './suite/answers';
import { errors } from './suite/errors';
import { guards } from './suite/guard';
import { handshakes } from './suite/handshake';
import { injections } from './suite/inject';
import { limits } from './suite/limits';
import { messages } from './suite/messages';
import { middleware } from './suite/middleware';
import { neighbours } from './suite/neighbours';
import { origins } from './suite/origin';
import { resets } from './suite/resets';
import { routeOptions } from './suite/routes';
import { sessions } from './suite/session';
import { shutdowns } from './suite/shutdown';
import { timeouts } from './suite/timeouts';
import { transports } from './suite/transports';

const SECTIONS = {
  sessions,
  answers,
  middleware,
  guards,
  handshakes,
  messages,
  errors,
  resets,
  neighbours,
  timeouts,
  origins,
  limits,
  routeOptions,
  transports,
  shutdowns,
  injections,
};

/** What every adapter keeps to, as tests: section by section for one framework. */
export function contract<App extends Application>(harness: Harness<App>): void {
  describe.each(Object.entries(SECTIONS))(`${harness.name}: %s`, (_name, section) => {
    afterEach(cleanUp);
    section(harness);
  });
}

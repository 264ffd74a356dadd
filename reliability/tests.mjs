// All tests, in the order of the table.
import { tests as bypass } from './tests/bypass.mjs';
import { tests as conformance } from './tests/conformance.mjs';
import { tests as early } from './tests/early.mjs';
import { tests as faults } from './tests/faults.mjs';
import { tests as handshake } from './tests/handshake.mjs';
import { tests as heartbeat } from './tests/heartbeat.mjs';
import { tests as leaks } from './tests/leaks.mjs';
import { tests as load } from './tests/load.mjs';
import { tests as resets } from './tests/resets.mjs';
import { tests as resources } from './tests/resources.mjs';
import { tests as shutdown } from './tests/shutdown.mjs';
import { tests as slow } from './tests/slow.mjs';
import { tests as tls } from './tests/tls.mjs';

/**
 * @typedef {object} Test
 * @property {string} id
 * @property {string} title
 * @property {string} pass what has to be
 * @property {boolean} [long] not in the quick profile
 * @property {(subject: import('./subjects.mjs').Subject) => boolean} [quick] whom it is run on there; all where it is missing
 * @property {(subject: import('./subjects.mjs').Subject) => boolean} [only] whom it can be run on
 * @property {(subject: import('./subjects.mjs').Subject) => boolean} [must] who of ours has to pass it; all where it is missing
 * @property {() => string | undefined} [missing] what this machine lacks for it
 * @property {(context: import('./control/context.mjs').Context) => Promise<import('./tests/outcome.mjs').Outcome>} run
 */

const order = ({ id }) => 'HFLM'.indexOf(id[0]) * 100 + Number(id.slice(1));

/** @type {Test[]} */
export const tests = [
  ...bypass,
  ...conformance,
  ...early,
  ...faults,
  ...handshake,
  ...heartbeat,
  ...leaks,
  ...load,
  ...resets,
  ...resources,
  ...shutdown,
  ...slow,
  ...tls,
].sort((one, other) => order(one) - order(other));

/** Tests by id; all where none is named. @throws Error for an unknown one */
export function chooseTests(ids) {
  const known = tests.map(({ id }) => id);
  for (const id of ids) {
    if (!known.includes(id)) throw new Error(`There is no test "${id}", only ${known.join(', ')}`);
  }
  return ids.length === 0 ? tests : tests.filter(({ id }) => ids.includes(id));
}

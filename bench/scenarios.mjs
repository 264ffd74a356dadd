// What is measured, in the order of the table. Work is counted, not timed: `messages` is a round of `ws`, made to take one
// to two seconds, and a peer that is much faster does `pace` times as many, so that its round is not too short to be
// measured. It is the same work in every round.
import { broadcasts } from './scenarios/broadcast.mjs';
import { clients } from './scenarios/client.mjs';
import { compression } from './scenarios/compression.mjs';
import { echoes } from './scenarios/echo.mjs';
import { handshakes } from './scenarios/handshakes.mjs';
import { latency } from './scenarios/latency.mjs';
import { memories } from './scenarios/memory.mjs';
import { oneWay } from './scenarios/one-way.mjs';

/**
 * @typedef {object} Scenario
 * @property {string} name short and stable; none is the beginning of another
 * @property {string} title
 * @property {string} section
 * @property {'traffic' | 'client' | 'memory'} method who is measured, and how: see `measure/run.mjs`
 * @property {string} unit of what CPU time and rate are
 * @property {string[]} figures keys of `report/figures.mjs`
 * @property {string[]} peers ids of those that can do it
 * @property {object} server what the server does: see `servers/behaviours.mjs`
 * @property {object} load what the generator does: see `load/`
 * @property {number} [messages]
 * @property {Record<string, number>} [pace]
 * @property {string} [program] a server that takes the place of the peer's own
 * @property {string} [package] folder of the adapter that it needs
 * @property {string} [rival] what stands in the column of `ws`
 * @property {boolean} [watchDelay]
 * @property {string} [chart] what it is called in the chart; not in it where this is missing
 */

/** @type {Scenario[]} */
export const scenarios = [
  ...echoes,
  ...oneWay,
  ...broadcasts,
  ...compression,
  ...handshakes,
  ...clients,
  latency,
  ...memories,
];

/** Scenarios by name, or by the beginning of it up to a hyphen: `echo-64` is both of that size. @throws Error for none */
export function chooseScenarios(names) {
  for (const name of names) {
    if (!scenarios.some((scenario) => isChosen(scenario, name))) {
      throw new Error(`There is no scenario "${name}"; \`npm run bench -- --list\` shows them`);
    }
  }
  if (names.length === 0) return scenarios;
  return scenarios.filter((scenario) => names.some((name) => isChosen(scenario, name)));
}

const isChosen = ({ name }, wanted) => name === wanted || name.startsWith(`${wanted}-`);

// Results as a file, and back.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * @typedef {object} Result
 * @property {string} date
 * @property {string} command one a line, where results of several have been put together
 * @property {object} machine
 * @property {Record<string, string>} versions by the id of the peer, `node` besides
 * @property {object} conditions cores, rounds, what else was at work
 * @property {{ what: string, reason: string }[]} missing
 * @property {(import('./summary.mjs').Row & { runs: object })[]} scenarios
 */

/** @param {string} file @param {Result} result */
export function writeResult(file, result) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}

/**
 * Reads results; of several, the later ones stand in for scenarios of the earlier.
 *
 * @param {string[]} files
 * @returns {Result}
 */
export function readResults(files) {
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const scenarios = new Map();
  for (const result of results) {
    for (const scenario of result.scenarios) scenarios.set(scenario.name, scenario);
  }
  const last = results.at(-1);
  for (const { versions } of results) {
    if (versions.node !== last.versions.node) {
      throw new Error(`${versions.node} and ${last.versions.node} of Node do not go together`);
    }
  }
  const all = (values) => [...new Set(values)].filter((value) => value !== undefined);
  const versions = Object.keys(last.versions).map((id) => [
    id,
    all(results.map((result) => result.versions[id])).join(' and '),
  ]);
  return {
    ...last,
    versions: Object.fromEntries(versions),
    command: all(results.map(({ command }) => command)).join('\n'),
    scenarios: [...scenarios.values()],
  };
}

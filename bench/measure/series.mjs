// All runs, in turn: scenario after scenario, in each round after round, and in each of these peer after peer.
import { chooseCores } from '../machine/cores.mjs';
import { isBusy, machine, otherWork } from '../machine/facts.mjs';
import { summarize } from '../report/summary.mjs';
import { participantsIn } from './participants.mjs';
import { profiles, workOf } from './profiles.mjs';
import { measure } from './run.mjs';

/**
 * @typedef {object} Measured a scenario with its runs
 * @property {import('../scenarios.mjs').Scenario} scenario
 * @property {Record<string, import('./run.mjs').Run[]>} runs by the id of the peer
 * @property {Record<string, string>} failures the first of each peer; it is not run again
 */

/**
 * @param {import('./run.mjs').Bench} bench
 * @param {import('../scenarios.mjs').Scenario} scenario
 * @param {import('../peers.mjs').Peer[]} peers those that can do it here
 * @param {import('./profiles.mjs').Profile} profile
 * @param {(round: number, peer: import('../peers.mjs').Peer) => void} begin told of each run before it begins
 * @returns {Promise<Measured>}
 */
async function measureScenario(bench, scenario, peers, profile, begin) {
  const runs = Object.fromEntries(peers.map(({ id }) => [id, []]));
  const failures = {};
  for (let round = 1; round <= profile.rounds; round++) {
    for (const peer of peers) {
      if (failures[peer.id] !== undefined) continue;
      begin(round, peer);
      try {
        const work = workOf(scenario, peer, profile);
        runs[peer.id].push(await measure(bench, scenario, peer, work));
      } catch (error) {
        failures[peer.id] = error.message;
      }
    }
  }
  return { scenario, runs, failures };
}

/** The conditions of everything that is measured now. */
async function conditionsOf({ profile, rounds, cores }) {
  const work = await otherWork();
  const { unpinned, ...chosen } = chooseCores(cores);
  return {
    profile,
    rounds: rounds ?? profiles[profile].rounds,
    cores: chosen,
    unpinned,
    load: isBusy(work) ? Number(work.toFixed(1)) : undefined,
  };
}

/**
 * @typedef {object} Watcher
 * @property {(result: import('../report/json.mjs').Result) => void} start told what has no scenarios yet
 * @property {(name: string, round: number, peer: import('../peers.mjs').Peer) => void} begin before each run
 * @property {(row: import('../report/summary.mjs').Row) => void} end of a scenario, which is in the result now
 */

/**
 * Measures all that is asked for.
 *
 * @param {ReturnType<import('../options.mjs').readOptions>} options
 * @param {import('./participants.mjs').Participants} participants
 * @param {Watcher} watcher
 * @returns {Promise<import('../report/json.mjs').Result>}
 */
export async function measureAll(options, participants, watcher) {
  const { missing, runtimes, versions } = participants;
  const conditions = await conditionsOf(options);
  const { rounds, cores } = conditions;
  const profile = { ...profiles[options.profile], rounds };
  const result = {
    date: new Date().toISOString(),
    command: options.command,
    machine: machine(),
    versions,
    conditions,
    missing,
    scenarios: [],
  };
  watcher.start(result);
  for (const scenario of options.scenarios) {
    const present = participantsIn(scenario, participants);
    if (present.length === 0) continue;
    const begin = (round, peer) => watcher.begin(scenario.name, round, peer);
    const bench = { runtimes, cores };
    const measured = await measureScenario(bench, scenario, present, profile, begin);
    const row = summarize(measured);
    result.scenarios.push({ ...row, runs: measured.runs });
    watcher.end(row);
  }
  return result;
}

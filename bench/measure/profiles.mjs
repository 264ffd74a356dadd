// How much of a scenario is done.

/**
 * @typedef {object} Profile
 * @property {number} rounds
 * @property {number} share of the scenario's messages
 * @property {number} [mostConnections]
 * @property {number} [mostBytes] of payload in a run
 */

/** @type {Record<string, Profile>} */
export const profiles = {
  full: { rounds: 5, share: 1 },
  quick: { rounds: 2, share: 0.25, mostConnections: 2000 },
  /** Shows that everything works, and measures nothing. */
  smoke: { rounds: 1, share: 0.002, mostConnections: 8, mostBytes: 4 * 1024 * 1024 },
};

/** Share of a run that is done beforehand, so that the compiler has seen all there is. */
const warmUpShare = 0.25;

/**
 * What one run of one peer does.
 *
 * @param {import('../scenarios.mjs').Scenario} scenario
 * @param {import('../peers.mjs').Peer} peer
 * @param {Profile} profile
 */
export function workOf({ load, messages = 0, pace = {} }, peer, profile) {
  const {
    share,
    mostConnections = Number.POSITIVE_INFINITY,
    mostBytes = Number.POSITIVE_INFINITY,
  } = profile;
  const wanted = messages * (pace[peer.id] ?? 1) * share;
  const bytes = (load.reply ?? load.payload)?.bytes ?? 1;
  const count = Math.max(1, Math.round(Math.min(wanted, mostBytes / bytes)));
  return {
    messages: count,
    warmUp: Math.ceil(count * warmUpShare),
    load: { ...load, connections: Math.min(load.connections, mostConnections) },
  };
}

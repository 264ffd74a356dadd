// Who of the wanted takes part, and on what it runs.
import { dependencyVersion, isBuilt, upwireVersion } from '../machine/facts.mjs';
import { findBun, findNode, hasBufferutil, RuntimeError } from '../machine/runtimes.mjs';

/**
 * @typedef {object} Participants
 * @property {import('../peers.mjs').Peer[]} peers
 * @property {{ what: string, reason: string }[]} missing
 * @property {Record<string, string>} runtimes paths by name
 * @property {Record<string, string>} versions by the id of the peer, and of Node
 */

/** Each throws a RuntimeError where the peer cannot take part, and tells its version. */
const checks = {
  ws: () => dependencyVersion('ws'),
  'ws-bufferutil'({ node }) {
    if (!hasBufferutil(node)) throw new RuntimeError('bufferutil has no binary for this Node');
    return dependencyVersion('bufferutil');
  },
  upwire: () => upwireVersion(),
  async bun(runtimes, { bun }) {
    const { path, version } = await findBun(bun);
    runtimes.bun = path;
    return version;
  },
  net: () => undefined,
};

/**
 * @param {{ peers: import('../peers.mjs').Peer[], node?: string, bun?: string }} options
 * @returns {Promise<Participants>}
 * @throws RuntimeError where the Node that is asked for cannot be had
 */
export async function findParticipants(options) {
  const node = await findNode(options.node);
  const runtimes = { node: node.path };
  const versions = { node: node.version };
  const peers = [];
  const missing = [];
  for (const peer of options.peers) {
    try {
      versions[peer.id] = await checks[peer.id](runtimes, options);
      peers.push(peer);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      missing.push({ what: peer.label, reason: error.message });
    }
  }
  return { peers, missing, runtimes, versions };
}

/** Those that can do a scenario; an adapter that is not built is missing. */
export function participantsIn(scenario, { peers, missing }) {
  const chosen = peers.filter(({ id }) => scenario.peers.includes(id));
  const folder = scenario.package;
  if (folder === undefined || isBuilt(folder)) return chosen;
  const what = `@upwire/${folder}`;
  if (chosen.some(({ id }) => id === 'upwire') && !missing.some((one) => one.what === what)) {
    missing.push({ what, reason: 'it is not built' });
  }
  return chosen.filter(({ id }) => id !== 'upwire');
}

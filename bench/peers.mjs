// Who is measured.

/**
 * @typedef {object} Peer
 * @property {string} id as on the command line
 * @property {string} label as in the table
 * @property {string} program name of its server in `servers/` and of its client in `clients/`
 * @property {'node' | 'bun'} runtime
 * @property {Record<string, string>} [env]
 * @property {boolean} [masked] sends back a client's frames as they came
 */

/** @type {Peer[]} */
export const peers = [
  { id: 'ws', label: 'ws', program: 'ws', runtime: 'node', env: { WS_NO_BUFFER_UTIL: '1' } },
  { id: 'ws-bufferutil', label: 'ws + bufferutil', program: 'ws', runtime: 'node' },
  { id: 'upwire', label: 'Upwire', program: 'upwire', runtime: 'node' },
  { id: 'bun', label: 'Bun', program: 'bun', runtime: 'bun' },
  { id: 'net', label: 'bare net', program: 'net', runtime: 'node', masked: true },
];

/** The peer that ratios are taken to: the first of these that took part. */
export const references = ['ws-bufferutil', 'ws'];

/** Peers by id, in the order of the table. @throws Error for an unknown one */
export function choosePeers(ids) {
  const known = peers.map(({ id }) => id);
  for (const id of ids) {
    if (!known.includes(id)) throw new Error(`There is no peer "${id}", only ${known.join(', ')}`);
  }
  return ids.length === 0 ? peers : peers.filter(({ id }) => ids.includes(id));
}

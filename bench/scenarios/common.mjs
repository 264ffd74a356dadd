// What scenarios are made of.
import { kinds } from '../report/figures.mjs';

export const everyone = ['ws', 'ws-bufferutil', 'upwire', 'bun', 'net'];

/** Those that compress; a bare socket does not. */
export const compressing = ['ws', 'ws-bufferutil', 'upwire', 'bun'];

export const KiB = 1024;

export const text = (bytes) => ({ content: 'ascii', bytes });
export const binary = (bytes) => ({ content: 'binary', bytes });

/** A server under load, of which CPU time and messages a second are told. */
export const traffic = { method: 'traffic', figures: kinds.traffic, peers: everyone };

import { DeflateEcho, Echo } from './echo.mjs';
import { Load } from './load.mjs';

/** Opens connections and holds them; with a payload, after one echo on each. */
export class Hold extends Load {
  start() {
    this.finish(this.connections.length);
  }
}

/** The load that leaves behind connections of this kind. */
export function holding(spec) {
  if (spec.payload === undefined) return new Hold(spec);
  // Opening verifies one echo on each connection, which is all that is wanted.
  return spec.deflate ? new DeflateEcho(spec) : new Echo(spec);
}

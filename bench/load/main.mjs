// The load generator: a process of its own, on a core of its own.
import { serve } from '../control/serve.mjs';
import { timed } from '../control/timed.mjs';
import { answer } from './answer.mjs';
import { Broadcast } from './broadcast.mjs';
import { DeflateEcho, Echo } from './echo.mjs';
import { Flood } from './flood.mjs';
import { Handshakes } from './handshakes.mjs';
import { holding } from './hold.mjs';
import { Paced } from './paced.mjs';

const kinds = {
  echo: (spec) => (spec.deflate ? new DeflateEcho(spec) : new Echo(spec)),
  flood: (spec) => new Flood(spec),
  broadcast: (spec) => new Broadcast(spec),
  handshakes: (spec) => new Handshakes(spec),
  paced: (spec) => new Paced(spec),
  hold: holding,
};

let load;

serve({
  async open(spec) {
    load = kinds[spec.kind](spec);
    await load.open();
    return { verified: load.verified };
  },
  run: ({ messages }) => timed(() => load.run(messages)),
  close: () => load.close(),
  answer: async (spec) => ({ port: await answer(spec) }),
});

// A bare socket as the client: what the load generator is.
import { serve } from '../control/serve.mjs';
import { timed } from '../control/timed.mjs';
import { Echo } from '../load/echo.mjs';

let load;

serve({
  async open(spec) {
    load = new Echo(spec);
    await load.open();
  },
  run: ({ messages }) => timed(() => load.run(messages)),
});

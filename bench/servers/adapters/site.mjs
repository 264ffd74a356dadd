// What the applications of all frameworks do: a visitor logs in, and the WebSocket route greets by the name that the
// session has kept. A route that could not see the session would greet nobody, and the load generator would notice.
import { createServer } from 'node:http';
import { serve } from '../../control/serve.mjs';
import { listen } from '../listen.mjs';

export const secret = 'a secret that is long enough for all of the packages';
export const user = 'ada';

/** What the WebSocket route does; text is a string or a Buffer, as the adapter has it. */
export function converse(ws, { user: name }) {
  ws.send(`hello ${name}`);
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary === true }));
}

/**
 * The program of a framework.
 *
 * @param {Record<string, (server: import('node:http').Server) => unknown>} adapters each sets the application up on a
 *   server that does not listen yet
 */
export function serveAdapters(adapters) {
  serve({
    async listen({ adapter }) {
      const server = createServer();
      await adapters[adapter](server);
      return { port: await listen(server) };
    },
  });
}

import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { serve } from '../control/serve.mjs';
import { behave } from './behaviours.mjs';
import { listen } from './listen.mjs';
import { certificate } from './tls.mjs';

/**
 * The program of a peer with the API of `ws`.
 *
 * @param {new (options: object) => import('ws').WebSocketServer} WebSocketServer
 * @param {import('./behaviours.mjs').sendToEach} sendToAll how this peer's users send to all
 */
export function serveWebSockets(WebSocketServer, sendToAll) {
  const tally = { messages: 0, units: 0 };
  serve({
    async listen(behaviour) {
      const http = behaviour.tls ? createSecureServer(certificate()) : createServer();
      const perMessageDeflate = behaviour.deflate === true;
      const server = new WebSocketServer({ server: http, perMessageDeflate });
      const site = { clients: server.clients, sendToAll };
      server.on('connection', (ws) => behave(ws, behaviour, tally, site));
      return { port: await listen(http) };
    },
    tally: () => tally,
  });
}

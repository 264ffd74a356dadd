// Upwire, as it is built.
import { broadcast, WebSocketServer } from '@upwire/engine';
import { serveWebSockets } from './websocket-server.mjs';

serveWebSockets(WebSocketServer, (clients, data, isBinary) => {
  broadcast(clients, data, { binary: isBinary });
});

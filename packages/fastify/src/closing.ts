import type { WebSocketServer } from '@upwire/engine/internal';
import { goAway } from '@upwire/engine/internal';

/** Takes no more WebSockets and says goodbye to those that are open. */
export function closeWebSockets(server: WebSocketServer): void {
  server.close();
  for (const webSocket of server.clients ?? []) goAway(webSocket);
}

/** Settles when the last WebSocket has ended; the engine's close time-out sees to it that it does. */
export function endOfWebSockets(server: WebSocketServer): Promise<void> {
  closeWebSockets(server);
  // The error says that it was closed before, which is what we want.
  return new Promise((resolve) => server.close(() => resolve()));
}

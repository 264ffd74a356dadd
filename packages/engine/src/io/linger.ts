import type { Duplex } from 'node:stream';

/** How long a peer may take to read a last answer and close its side, in milliseconds. */
const LINGER_TIMEOUT = 2_000;

/**
 * Ends a socket behind its last bytes.
 *
 * What the peer still sends is read and dropped: destroying a socket with unread bytes sends a reset, which can reach
 * the peer before the answer does (RFC 9112 9.6).
 */
export function endLingering(socket: Duplex, lastBytes?: Uint8Array): void {
  if (lastBytes === undefined) socket.end();
  else socket.end(lastBytes);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_TIMEOUT);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}

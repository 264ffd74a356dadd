import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Both ends of a TCP connection. */
export interface SocketPair {
  /** The accepted end, half-open as the sockets of an HTTP server are. */
  readonly ours: Socket;
  readonly theirs: Socket;
}

/** Connects two sockets over the loopback interface; the caller destroys them. */
export async function socketPair(): Promise<SocketPair> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Not a TCP server');
  const theirs = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const [[ours]] = await Promise.all([once(server, 'connection'), once(theirs, 'connect')]);
  server.close();
  // A test may reset either end; that it fails is then no surprise.
  theirs.on('error', () => undefined);
  return { ours, theirs };
}

/** Goes through turns of the event loop until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

import { createServer } from 'node:net';
import { ignoreEnd, listen } from '../servers/listen.mjs';
import { clientFrame, repeated, serverFrame } from '../wire/frames.mjs';
import { responseBytes } from '../wire/handshake.mjs';

/**
 * The server that clients are measured with: it knows how long their frames are, and answers each with the same one,
 * made beforehand.
 */
export async function answer({ payload, depth }) {
  const length = clientFrame(payload).length;
  const replies = Array.from({ length: depth + 1 }, (_, count) =>
    repeated(serverFrame(payload), count),
  );
  const server = createServer({ noDelay: true }, (socket) => {
    let pending = 0;
    ignoreEnd(socket);
    socket.once('data', (request) => {
      socket.write(responseBytes(request), 'latin1');
      socket.on('data', (chunk) => {
        pending += chunk.length;
        const count = Math.floor(pending / length);
        pending -= count * length;
        if (count > 0) socket.write(replies[count] ?? repeated(replies[1], count));
      });
    });
  });
  return listen(server);
}

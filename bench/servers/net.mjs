// A bare socket: it answers the handshake and then parses nothing, for it knows how long each frame is. What Node's own
// sockets cost, and so a limit for everything that stands on them.
import { createServer } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { serve } from '../control/serve.mjs';
import { clientFrame, closeFrame, frame, repeated, serverFrame, TEXT } from '../wire/frames.mjs';
import { responseBytes } from '../wire/handshake.mjs';
import { ignoreEnd, listen } from './listen.mjs';
import { certificate } from './tls.mjs';

const tally = { messages: 0, units: 0 };
const sockets = new Set();

/** Calls `work` with how many times `length` bytes have come since the last call. */
function every(length, work) {
  let pending = 0;
  return (chunk) => {
    pending += chunk.length;
    const times = Math.floor(pending / length);
    pending -= times * length;
    if (times > 0) work(times);
  };
}

/** Each makes what a socket does with what comes behind the handshake. */
const behaviours = {
  /** Whatever comes is the end: a close frame. */
  idle: (socket) => () => socket.end(closeFrame(false)),
  echo: (socket) => (chunk) => socket.write(chunk),

  sink(socket, { acknowledge, payload }) {
    const length = clientFrame(payload).length;
    const ok = frame(TEXT, Buffer.from('ok'));
    const acknowledged = every(acknowledge * length, (times) => socket.write(repeated(ok, times)));
    return (chunk) => {
      tally.units += chunk.length;
      tally.messages = tally.units / length;
      acknowledged(chunk);
    };
  },

  source(socket, { burst, payload, request }) {
    const all = repeated(serverFrame(payload), burst);
    return every(clientFrame(request).length, (times) => {
      for (let count = 0; count < times; count++) socket.write(all);
    });
  },

  broadcast(_socket, { burst, payload }) {
    const all = repeated(serverFrame(payload), burst);
    return every(clientFrame(payload).length, () => {
      for (const client of sockets) client.write(all);
    });
  },
};

function accept(socket, behaviour) {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  ignoreEnd(socket);
  socket.once('data', (request) => {
    socket.write(responseBytes(request), 'latin1');
    socket.on('data', behaviours[behaviour.behaviour](socket, behaviour));
  });
}

serve({
  async listen(behaviour) {
    const take = (socket) => accept(socket, behaviour);
    const options = { noDelay: true };
    const server = behaviour.tls
      ? createSecureServer({ ...options, ...certificate() }, take)
      : createServer(options, take);
    return { port: await listen(server) };
  },
  tally: () => tally,
});

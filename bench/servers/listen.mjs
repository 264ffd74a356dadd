import { once } from 'node:events';

/** Listens on any free port of this machine alone, for as many at once as come. @returns the port */
export async function listen(server) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return server.address().port;
}

/** Lets a client go in whatever way it goes. */
export function ignoreEnd(socket) {
  socket.on('error', () => {
    // 'close' comes as well.
  });
}

import type { Duplex } from 'node:stream';

const kGuarded = Symbol('upwire.guarded');

/**
 * Sees to it that an error of a socket is never unheard: a reset is an end like any other, and `'close'` follows. Once for
 * each socket, from its handshake to its end.
 */
export function guard(socket: Duplex & { [kGuarded]?: boolean }): void {
  // Whoever takes all listeners off a socket that is not theirs takes this one as well.
  if (socket[kGuarded] === true && socket.listenerCount('error') > 0) return;
  socket[kGuarded] = true;
  socket.on('error', destroyThis);
}

function destroyThis(this: Duplex): void {
  this.destroy();
}

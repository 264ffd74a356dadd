import { dial } from './client.mjs';
import { frame } from './frames.mjs';
import { handshake } from './handshake.mjs';

/** Clients that take their time: what they send at once, and then byte by byte. */
const kinds = {
  silent: ['', ''],
  'half a handshake': [handshake('/echo').slice(0, 60), 'x'.repeat(10_000)],
  'half a frame': [
    handshake('/echo'),
    frame({ opcode: 2, payload: Buffer.alloc(10_000) }).toString('latin1'),
  ],
};

/** Opens so many clients of each kind, which send a byte in so many milliseconds. */
export class Loris {
  #sockets = new Set();
  #timer;

  constructor(address, count, interval) {
    const names = Object.keys(kinds);
    for (let number = 0; number < count; number++) this.#start(address, kinds[names[number % 3]]);
    let at = 0;
    this.#timer = setInterval(() => {
      for (const { socket, drip } of this.#sockets) {
        if (drip !== '') socket.write(drip[at], 'latin1');
      }
      at += 1;
    }, interval);
  }

  #start(address, [first, drip]) {
    const socket = dial(address);
    const entry = { socket, drip };
    this.#sockets.add(entry);
    socket.on('connect', () => socket.write(first, 'latin1'));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#sockets.delete(entry));
    socket.resume();
  }

  get left() {
    return this.#sockets.size;
  }

  stop() {
    clearInterval(this.#timer);
    for (const { socket } of this.#sockets) socket.destroy();
  }
}

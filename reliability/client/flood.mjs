import { dial } from './client.mjs';
import { closing, frame, PING } from './frames.mjs';
import { handshake } from './handshake.mjs';

const repeated = (bytes, count) => Buffer.concat(Array.from({ length: count }, () => bytes));

/** What a client sends first, what it sends without end, and whether it reads. */
export const kinds = {
  'fragments of a byte': {
    first: frame({ opcode: 2, fin: false, payload: 'x' }),
    next: frame({ opcode: 0, fin: false, payload: 'x' }),
    reads: true,
  },
  'empty fragments': {
    first: frame({ opcode: 2, fin: false }),
    next: frame({ opcode: 0, fin: false }),
    reads: true,
  },
  pings: {
    first: Buffer.alloc(0),
    next: frame({ opcode: PING, payload: 'x'.repeat(125) }),
    reads: false,
  },
  'close frames': { first: Buffer.alloc(0), next: closing(1000), reads: true },
};

/** Floods until the connection ends or the time is over. @returns whether it has been cut off */
function once(address, { first, next, reads }, deadline) {
  const chunk = repeated(next, 4096);
  const socket = dial(address);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(false);
    }, deadline - Date.now());
    const pour = () => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on('connect', () => {
      socket.write(handshake('/echo'));
      socket.write(first);
      pour();
    });
    socket.on('drain', pour);
    if (reads) socket.resume();
    else socket.pause();
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Floods again and again. @returns how often the server has cut it off */
export async function flood(address, kind, milliseconds) {
  const deadline = Date.now() + milliseconds;
  let cut = 0;
  while (Date.now() < deadline) {
    if (await once(address, kinds[kind], deadline)) cut++;
    // One that is refused at once is no flood.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return cut;
}

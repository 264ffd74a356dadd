import { readFrame } from '../../bench/wire/counter.mjs';
import { dial } from './client.mjs';
import { CLOSE, frame, PING, PONG, text } from './frames.mjs';
import { handshake } from './handshake.mjs';

const end = Buffer.from('\r\n\r\n');

/** A client that keeps little, so that a process can have twelve thousand: it answers pings, and close frames too. */
export class Member {
  #rest = Buffer.alloc(0);
  #open = false;
  #settle;
  /** Called with what comes, where somebody wants it. */
  onFrame;

  constructor(address, path, headers) {
    this.socket = dial(address, { noDelay: true });
    this.opened = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.socket.on(address.tls ? 'secureConnect' : 'connect', () =>
      this.socket.write(handshake(path, headers)),
    );
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('end', () => this.socket.end());
    this.socket.on('error', ({ code }) => {
      this.error = code;
      this.#settle(false);
    });
    this.socket.on('close', () => {
      this.gone = true;
      this.#settle(false);
    });
  }

  /** What it sends and is to be answered: settles with the next frame that is no control frame. */
  ask(message) {
    return new Promise((resolve) => {
      this.onFrame = resolve;
      this.socket.on('close', () => resolve(undefined));
      this.socket.write(text(message));
    });
  }

  #take(chunk) {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#open && !this.#takeHead()) return;
    for (let next = readFrame(this.#rest); next !== undefined; next = readFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(next.length);
      this.#answer(next);
    }
    if (this.#rest.length === 0) this.#rest = Buffer.alloc(0);
  }

  #takeHead() {
    const at = this.#rest.indexOf(end);
    if (at < 0) return false;
    this.#open = this.#rest.toString('latin1', 0, 13) === 'HTTP/1.1 101 ';
    this.#rest = this.#rest.subarray(at + end.length);
    this.#settle(this.#open);
    return this.#open;
  }

  #answer({ first, payload }) {
    if (first === 0x80 + PING) this.socket.write(frame({ opcode: PONG, payload }));
    else if (first === 0x80 + CLOSE) this.socket.write(frame({ opcode: CLOSE, payload }));
    else this.onFrame?.(payload);
  }
}

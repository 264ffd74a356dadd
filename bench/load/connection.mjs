import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { checkResponse, requestBytes } from '../wire/handshake.mjs';

/** All sockets read into the same memory, and nothing is kept of it: the generator must be cheaper than what it measures. */
const readBuffer = Buffer.allocUnsafeSlow(512 * 1024);

/**
 * @typedef {object} Target
 * @property {number} port on 127.0.0.1
 * @property {boolean} [tls] without a look at the certificate
 * @property {string} [path]
 * @property {string} [cookie]
 * @property {boolean} [deflate] offer compression, and insist on it
 * @property {Buffer} [greeting] what the server sends first
 */

/** A client that knows nothing of WebSocket but the handshake: it writes bytes and is told how many come. */
export class Connection {
  /** Called with what has come when the connection is open: `take(connection, bytes, length)`. */
  take;
  /** Bytes that are not yet a whole reply; for the load that uses the connection. */
  pending = 0;
  #early = Buffer.alloc(0);
  #complete;
  #settle;
  #fail;

  /** @param {Target} target @param {(error: Error) => void} fail told when the connection is lost */
  constructor(target, fail) {
    this.target = target;
    this.#fail = fail;
    this.socket = target.tls ? this.#secure(target) : this.#plain(target);
    this.socket.on('error', (error) => this.#fail?.(error));
    this.socket.on('close', () => this.#fail?.(new Error('The server has ended a connection')));
  }

  #plain({ port }) {
    const callback = (length, bytes) => {
      this.#received(bytes, length);
      return true;
    };
    const onread = { buffer: readBuffer, callback };
    return connect({ port, host: '127.0.0.1', noDelay: true, onread });
  }

  #secure({ port }) {
    // Certificate and name are the tests' own, and nothing is kept secret here.
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
    return socket.on('data', (chunk) => this.#received(chunk, chunk.length));
  }

  /** Opens the WebSocket and takes the greeting. */
  async open() {
    const { target } = this;
    this.socket.write(requestBytes(target));
    const endOfHead = (bytes) => bytes.indexOf('\r\n\r\n') + 4;
    const { greeting = Buffer.alloc(0) } = target;
    const bytes = await this.collect((received) => {
      const end = endOfHead(received);
      return end > 3 && received.length >= end + greeting.length;
    });
    const end = endOfHead(bytes);
    checkResponse(bytes.toString('latin1', 0, end), target);
    if (!bytes.subarray(end).equals(greeting)) {
      throw new Error(
        `Instead of the greeting came ${JSON.stringify(bytes.toString('latin1', end))}`,
      );
    }
    return this;
  }

  /** Writes, and resolves with the next bytes that are complete. */
  async ask(bytes, complete) {
    const reply = this.collect(complete);
    this.socket.write(bytes);
    return reply;
  }

  /** Resolves with what comes from now on, as soon as it is complete. */
  collect(complete) {
    this.take = undefined;
    this.#complete = complete;
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#look();
    });
  }

  /** Lets go of the connection: from here on its end is no failure. */
  destroy() {
    this.#fail = undefined;
    this.socket.destroy();
  }

  #received(bytes, length) {
    if (this.take !== undefined) {
      this.take(this, bytes, length);
      return;
    }
    this.#early = Buffer.concat([this.#early, bytes.subarray(0, length)]);
    this.#look();
  }

  #look() {
    if (this.#settle === undefined || !this.#complete(this.#early)) return;
    const settle = this.#settle;
    const bytes = this.#early;
    this.#settle = undefined;
    this.#early = Buffer.alloc(0);
    settle(bytes);
  }
}

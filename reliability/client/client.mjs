import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { readFrame } from '../../bench/wire/counter.mjs';
import { handshake } from './handshake.mjs';

/** How long a client waits for anything, in milliseconds. */
const patience = 10_000;

/**
 * Where a server is.
 *
 * @typedef {{ port: number, host?: string, tls?: boolean }} Address
 */

/** A socket on its way to a server. */
export function dial({ port, host = '127.0.0.1', tls = false }, options = {}) {
  const where = { port, host, ...options };
  return tls ? connectSecurely({ ...where, rejectUnauthorized: false }) : connect(where);
}

/** A client that knows nothing of WebSocket: it writes bytes and takes apart what comes back. */
export class Client {
  #received = Buffer.alloc(0);
  #waiting = new Set();
  over = false;

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    // A reset is an end like any other.
    for (const name of ['end', 'close', 'error']) {
      socket.on(name, () => {
        this.over = true;
        this.#wake();
      });
    }
  }

  /** Connects. @param {Address} address */
  static async connect(address, options) {
    const socket = dial(address, options);
    await new Promise((resolve, reject) => {
      socket.once(address.tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    });
    return new Client(socket);
  }

  /** Connects and sends a handshake. */
  static async knock(address, path, headers) {
    const client = await Client.connect(address);
    client.write(handshake(path, headers));
    return client;
  }

  /** Opens a WebSocket. @throws Error where it is refused */
  static async open(address, path, headers) {
    const client = await Client.knock(address, path, headers);
    const status = await client.status();
    if (status !== 101) throw new Error(`${path} was refused with ${status}`);
    return client;
  }

  write(...parts) {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  end() {
    this.socket.end();
  }

  reset() {
    this.socket.resetAndDestroy();
  }

  destroy() {
    this.socket.destroy();
  }

  /** The head of an answer; empty where the connection ends, or nothing comes, without one. */
  async head(limit = patience) {
    let end = -1;
    await this.#until(() => {
      end = this.#received.indexOf('\r\n\r\n');
      return end >= 0;
    }, limit);
    return end < 0 ? '' : this.take(end + 4).toString('latin1');
  }

  /** The status of the answer; 0 where there is none. */
  async status(limit) {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(await this.head(limit))?.[1] ?? 0);
  }

  /** The next frame; `undefined` where the connection ends, or nothing comes, before one. */
  async frame(limit = patience) {
    let found;
    await this.#until(() => {
      found = readFrame(this.#received);
      return found !== undefined;
    }, limit);
    if (found === undefined) return undefined;
    const { first, payload } = found;
    const copy = Buffer.from(payload);
    this.take(found.length);
    return { first, payload: copy };
  }

  /** The code of the close frame that comes: 1005 for none in it, 1006 where the connection ends without, 0 while it stays. */
  async closeCode(limit = patience) {
    for (;;) {
      const next = await this.frame(limit);
      if (next === undefined) return this.over ? 1006 : 0;
      if (next.first === 0x88) return next.payload.length < 2 ? 1005 : next.payload.readUInt16BE();
    }
  }

  /** Everything that comes until the end, or for so long. */
  async rest(limit) {
    await this.#until(() => false, limit);
    return this.take(this.#received.length);
  }

  take(length) {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  /** Whether the server ends the connection within so long. */
  async ends(limit = patience) {
    await this.#until(() => this.over, limit);
    return this.over;
  }

  #wake() {
    for (const resume of this.#waiting) resume();
  }

  async #until(condition, limit) {
    const deadline = performance.now() + limit;
    while (!condition() && !this.over && performance.now() < deadline) {
      await new Promise((settle) => {
        const resume = () => {
          clearTimeout(timer);
          this.#waiting.delete(resume);
          settle();
        };
        const timer = setTimeout(resume, deadline - performance.now());
        this.#waiting.add(resume);
      });
    }
  }
}

/** Percentile of times in milliseconds. */
export function percentile(times, share) {
  const sorted = Float64Array.from(times).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

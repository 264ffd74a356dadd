import { percentile } from '../control/delay.mjs';
import { clientFrame, serverFrame } from '../wire/frames.mjs';
import { checkBytes, Load } from './load.mjs';

/** A message that leaves later than this, in milliseconds, was not sent at the rate asked for. */
const tolerance = 1;

/**
 * Sends `rate` messages a second whatever comes back, each on the next connection, and measures from when a message was
 * due: a server that stalls is charged for all that had to wait.
 */
export class Paced extends Load {
  #request;
  #reply;
  #latencies;
  #total = 0;
  #sent = 0;
  #done = 0;
  #late = 0;

  constructor(spec) {
    super(spec);
    this.#request = clientFrame(spec.payload);
    this.#reply = spec.masked ? this.#request : serverFrame(spec.payload);
  }

  async verify() {
    const whole = ({ length }) => length >= this.#reply.length;
    for (const connection of this.connections) {
      checkBytes(await connection.ask(this.#request, whole), this.#reply, 'A reply is wrong');
      connection.dues = [];
      connection.take = this.#take;
    }
  }

  start(messages) {
    this.#total = messages;
    this.#sent = 0;
    this.#done = 0;
    this.#late = 0;
    this.#latencies = new Float64Array(messages);
    const gap = 1000 / this.spec.rate;
    let due = performance.now();
    // The generator has its core to itself, and a timer would be too coarse.
    const send = () => {
      const now = performance.now();
      for (; due <= now && this.#sent < this.#total; due += gap) this.#send(due, now);
      if (this.#sent < this.#total) setImmediate(send);
    };
    send();
  }

  #send(due, now) {
    if (now - due > tolerance) this.#late++;
    const connection = this.connections[this.#sent++ % this.connections.length];
    connection.dues.push(due);
    connection.socket.write(this.#request);
  }

  #take = (connection, _bytes, length) => {
    const now = performance.now();
    this.bytes += length;
    connection.pending += length;
    for (; connection.pending >= this.#reply.length; connection.pending -= this.#reply.length) {
      this.#latencies[this.#done++] = now - connection.dues.shift();
    }
    if (this.#done === this.#total) this.finish(this.#total);
  };

  extras() {
    const sorted = this.#latencies.sort();
    const microseconds = (share) => percentile(sorted, share) * 1000;
    // It spins, so its CPU time tells nothing; being late does.
    const saturated = this.#late > this.#total / 100;
    return { p50: microseconds(0.5), p99: microseconds(0.99), saturated };
  }
}

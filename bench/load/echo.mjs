import { constants, inflateRawSync } from 'node:zlib';
import { MessageCounter, readFrame } from '../wire/counter.mjs';
import { clientFrame, deflatedClientFrame, repeated, serverFrame } from '../wire/frames.mjs';
import { payload } from '../wire/payloads.mjs';
import { checkBytes, Load } from './load.mjs';

/**
 * Each connection has `depth` messages on their way, and sends the next when one is answered. An answer is the message
 * itself, or `burst` others of the kind `reply`; a message is then one of those.
 */
export class Echo extends Load {
  #batches;
  #reply;
  #total = 0;
  #sent = 0;
  #done = 0;

  constructor(spec) {
    super(spec);
    const { payload: sent, reply, burst = 1, depth, masked = false } = spec;
    const request = clientFrame(sent);
    this.#batches = Array.from({ length: depth + 1 }, (_, count) => repeated(request, count));
    // A server that parses nothing sends back what came.
    const echoed = masked ? request : serverFrame(sent);
    this.#reply = repeated(reply === undefined ? echoed : serverFrame(reply), burst);
    this.burst = burst;
  }

  async verify() {
    const whole = ({ length }) => length >= this.#reply.length;
    const verifyOne = async (connection) => {
      checkBytes(await connection.ask(this.#batches[1], whole), this.#reply, 'A reply is wrong');
    };
    await Promise.all(this.connections.map(verifyOne));
    for (const connection of this.connections) connection.take = this.#take;
  }

  start(messages) {
    this.#total = Math.ceil(messages / this.burst);
    this.#sent = 0;
    this.#done = 0;
    for (const connection of this.connections) this.#send(connection, this.spec.depth);
  }

  #send(connection, most) {
    const count = Math.min(most, this.#total - this.#sent);
    if (count === 0) return;
    this.#sent += count;
    connection.socket.write(this.#batches[count]);
  }

  #take = (connection, _bytes, length) => {
    this.bytes += length;
    connection.pending += length;
    const replies = Math.floor(connection.pending / this.#reply.length);
    if (replies === 0) return;
    connection.pending -= replies * this.#reply.length;
    this.#done += replies;
    this.#send(connection, replies);
    if (this.#done === this.#total) this.finish(this.#done * this.burst);
  };
}

/** Messages that a connection sends in turn, so that no window of 32 KiB holds the same one twice. */
const ring = ({ bytes }) => Math.max(4, Math.ceil((64 * 1024) / bytes));

/** Compressed messages and answers: the sizes of answers are the server's, so their frames are counted. */
export class DeflateEcho extends Load {
  #frames;
  #total = 0;
  #sent = 0;
  #done = 0;

  constructor(spec) {
    super(spec);
    const variants = Array.from({ length: ring(spec.payload) }, (_, index) => index);
    this.#frames = variants.map((variant) => deflatedClientFrame(spec.payload, variant));
  }

  async verify() {
    const expected = payload(this.spec.payload);
    const verifyOne = async (connection) => {
      const bytes = await connection.ask(this.#frames[0], (received) => readFrame(received));
      checkBytes(inflated(bytes), expected, 'A reply is wrong');
    };
    await Promise.all(this.connections.map(verifyOne));
    for (const connection of this.connections) {
      connection.counter = new MessageCounter();
      connection.turn = 0;
      connection.take = this.#take;
    }
  }

  start(messages) {
    this.#total = messages;
    this.#sent = 0;
    this.#done = 0;
    for (const connection of this.connections) this.#send(connection, this.spec.depth);
  }

  #send(connection, most) {
    for (let count = 0; count < most && this.#sent < this.#total; count++) {
      this.#sent++;
      connection.socket.write(this.#frames[connection.turn++ % this.#frames.length]);
    }
  }

  #take = (connection, bytes, length) => {
    this.bytes += length;
    const replies = connection.counter.feed(bytes, length);
    if (replies === 0) return;
    this.#done += replies;
    this.#send(connection, replies);
    if (this.#done === this.#total) this.finish(this.#done);
  };
}

/** The message in a frame that must be compressed, and be the first of its connection. */
export function inflated(bytes) {
  const { first, payload: compressed } = readFrame(bytes);
  if ((first & 0x40) === 0) throw new Error('A reply is not compressed');
  const stream = Buffer.concat([compressed, Buffer.from([0, 0, 255, 255])]);
  return inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH });
}

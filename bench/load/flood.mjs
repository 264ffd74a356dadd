import { clientFrame, frame, repeated, TEXT } from '../wire/frames.mjs';
import { checkBytes, Load } from './load.mjs';

/** Bytes that are written at once. */
const batchBytes = 64 * 1024;

/** How many messages are written at once, and after how many a server answers: of each kind as many as make sense. */
export function floodOf(payload) {
  const batch = Math.max(1, Math.floor(batchBytes / clientFrame(payload).length));
  return { batch, acknowledge: batch * 4 };
}

/**
 * Sends as fast as the server takes it, and gets two bytes for many messages. What is on its way is two such lots at
 * most, so that no peer is measured with the memory that another one's buffers fill.
 */
export class Flood extends Load {
  #batch;
  #size;
  #acknowledge;
  #ok = frame(TEXT, Buffer.from('ok'));
  #share = 0;
  #done = 0;

  constructor(spec) {
    super(spec);
    const { batch, acknowledge } = floodOf(spec.payload);
    this.#size = batch;
    this.#acknowledge = acknowledge;
    this.#batch = repeated(clientFrame(spec.payload), batch);
  }

  async verify() {
    const whole = ({ length }) => length >= this.#ok.length;
    const lot = repeated(this.#batch, this.#acknowledge / this.#size);
    const verifyOne = async (connection) => {
      checkBytes(await connection.ask(lot, whole), this.#ok, 'An acknowledgement is wrong');
    };
    await Promise.all(this.connections.map(verifyOne));
    this.verified = this.connections.length * this.#acknowledge;
    for (const connection of this.connections) connection.take = this.#take;
  }

  start(messages) {
    const each = messages / this.connections.length / this.#acknowledge;
    this.#share = Math.max(1, Math.round(each)) * this.#acknowledge;
    this.#done = 0;
    for (const connection of this.connections) {
      connection.sent = 0;
      connection.acknowledged = 0;
      this.#pump(connection);
    }
  }

  #pump(connection) {
    const most = Math.min(this.#share, connection.acknowledged + 2 * this.#acknowledge);
    while (connection.sent < most) {
      connection.sent += this.#size;
      connection.socket.write(this.#batch);
    }
  }

  #take = (connection, _bytes, length) => {
    this.bytes += length;
    connection.pending += length;
    const lots = Math.floor(connection.pending / this.#ok.length);
    connection.pending -= lots * this.#ok.length;
    connection.acknowledged += lots * this.#acknowledge;
    this.#done += lots * this.#acknowledge;
    this.#pump(connection);
    const all = this.#share * this.connections.length;
    if (this.#done === all) this.finish(all);
  };
}

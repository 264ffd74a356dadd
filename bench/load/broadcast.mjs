import { MessageCounter, readFrame } from '../wire/counter.mjs';
import { clientFrame, deflatedClientFrame, repeated, serverFrame } from '../wire/frames.mjs';
import { payload } from '../wire/payloads.mjs';
import { inflated } from './echo.mjs';
import { checkBytes, Load } from './load.mjs';

/** Different messages, so that no window of a compressor has seen the next one. */
const variants = 64;

/**
 * One connection says something, and all get it, `burst` times. When all have all of it, the next is said. A message is
 * what one connection gets: a delivery.
 */
export class Broadcast extends Load {
  #requests;
  #expected;
  #turn = 0;
  #left = 0;
  #rounds = 0;
  #done = 0;

  constructor(spec) {
    super(spec);
    const { payload: said, burst, deflate = false } = spec;
    const requests = Array.from({ length: deflate ? variants : 1 }, (_, index) => index);
    const encode = deflate ? deflatedClientFrame : clientFrame;
    this.#requests = requests.map((variant) => encode(said, variant));
    this.#expected = repeated(serverFrame(said), burst);
  }

  async verify() {
    const { deflate } = this.spec;
    const whole = deflate ? readFrame : ({ length }) => length >= this.#expected.length;
    const all = this.connections.map((connection) => connection.collect(whole));
    this.connections[0].socket.write(this.#requests[0]);
    const expected = deflate ? payload(this.spec.payload) : this.#expected;
    for (const bytes of await Promise.all(all)) {
      checkBytes(deflate ? inflated(bytes) : bytes, expected, 'A delivery is wrong');
    }
    for (const connection of this.connections) {
      connection.counter = new MessageCounter();
      connection.take = deflate ? this.#takeFrames : this.#takeBytes;
    }
  }

  start(messages) {
    const { burst } = this.spec;
    this.#rounds = Math.max(1, Math.round(messages / burst / this.connections.length));
    this.#done = 0;
    this.#say();
  }

  #say() {
    const { deflate, burst } = this.spec;
    const each = deflate ? burst : this.#expected.length;
    this.#left = each * this.connections.length;
    this.connections[0].socket.write(this.#requests[++this.#turn % this.#requests.length]);
  }

  #takeBytes = (_connection, _bytes, length) => {
    this.bytes += length;
    this.#delivered(length);
  };

  #takeFrames = (connection, bytes, length) => {
    this.bytes += length;
    this.#delivered(connection.counter.feed(bytes, length));
  };

  #delivered(count) {
    this.#left -= count;
    if (this.#left > 0) return;
    if (++this.#done < this.#rounds) this.#say();
    else this.finish(this.#rounds * this.spec.burst * this.connections.length);
  }
}

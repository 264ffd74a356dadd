import { closeFrame } from '../wire/frames.mjs';
import { Connection } from './connection.mjs';
import { checkBytes, Load } from './load.mjs';

const goodbye = closeFrame(true);
const answer = closeFrame(false);

/**
 * Opens a connection, takes the greeting, closes it as RFC 6455 7.1.1 has it, opens the next; `connections` of them at
 * the same time. A message is one such life.
 */
export class Handshakes extends Load {
  #target;
  #total = 0;
  #begun = 0;
  #done = 0;

  async open() {
    this.#target = await this.target();
  }

  start(messages) {
    this.#total = messages;
    this.#begun = 0;
    this.#done = 0;
    for (let count = 0; count < this.spec.connections; count++) this.#next();
  }

  #next() {
    if (this.#begun === this.#total) return;
    this.#begun++;
    this.#live().then(() => {
      if (++this.#done === this.#total) this.finish(this.#total);
      else this.#next();
    }, this.fail);
  }

  async #live() {
    let closing = false;
    let ended;
    const end = new Promise((resolve) => {
      ended = resolve;
    });
    const connection = new Connection(this.#target, (error) => {
      if (closing) ended();
      else this.fail(error);
    });
    await connection.open();
    closing = true;
    const last = await connection.ask(goodbye, ({ length }) => length >= answer.length);
    checkBytes(last, answer, 'The close frame is wrong');
    this.bytes += (this.#target.greeting?.length ?? 0) + last.length;
    await end;
  }
}

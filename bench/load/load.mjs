import { frame, TEXT } from '../wire/frames.mjs';
import { Connection } from './connection.mjs';
import { logIn } from './login.mjs';

/** Connections that are being opened at the same time. */
const openedAtOnce = 64;

/**
 * What the generator does to a server. The kinds are beside this file; each begins the next thing when the last one is
 * answered, and counts bytes.
 */
export class Load {
  connections = [];
  /** What has come in this run. */
  bytes = 0;
  #reject;
  #resolve;
  #failure;

  /** @param {object} spec what `scenarios.mjs` says, with the port */
  constructor(spec) {
    this.spec = spec;
    this.fail = (error) => {
      this.#failure ??= error;
      this.#reject?.(error);
    };
  }

  /** Opens all connections, and sees each get exactly what it should. */
  async open() {
    const target = await this.target();
    await this.#unlessLost(async () => {
      const waiting = Array.from({ length: this.spec.connections }, (_, index) => index);
      const openOthers = async () => {
        while (waiting.length > 0) {
          waiting.pop();
          this.connections.push(await new Connection(target, this.fail).open());
        }
      };
      await Promise.all(Array.from({ length: openedAtOnce }, openOthers));
      await this.verify();
    });
  }

  /** Where to connect to, and how. */
  async target() {
    const { port, tls, path, deflate, greeting, login } = this.spec;
    return {
      port,
      tls,
      path,
      deflate,
      greeting: greeting === undefined ? undefined : frame(TEXT, Buffer.from(greeting)),
      cookie: login === undefined ? undefined : await logIn(port, login),
    };
  }

  /** Throws unless the server does what is going to be measured. */
  async verify() {
    // A load that has nothing to ask for has nothing to see.
  }

  /**
   * Does `messages` messages, or as few more as make it even. @returns how many it were, and what came back
   */
  async run(messages) {
    this.bytes = 0;
    const done = await this.#unlessLost(
      () =>
        new Promise((resolve) => {
          this.#resolve = resolve;
          this.start(messages);
        }),
    );
    return { messages: done, bytes: this.bytes, ...this.extras() };
  }

  /** Called by the kind when all is answered. */
  finish(messages) {
    this.#resolve(messages);
  }

  /** More that a run tells. */
  extras() {
    return {};
  }

  close() {
    for (const connection of this.connections) connection.destroy();
    this.connections = [];
  }

  /** A lost connection ends whatever is waited for. */
  async #unlessLost(work) {
    const lost = new Promise((_, reject) => {
      this.#reject = reject;
      if (this.#failure !== undefined) reject(this.#failure);
    });
    return Promise.race([lost, work()]);
  }
}

/** Throws where bytes are not those that must come. */
export function checkBytes(actual, expected, what) {
  if (actual.equals(expected)) return;
  const show = (bytes) => `${bytes.length} bytes ${bytes.toString('hex', 0, 24)}`;
  throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`);
}

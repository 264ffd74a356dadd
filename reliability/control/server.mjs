import { Child } from '../../bench/control/child.mjs';

const flags = ['--expose-gc'];

/** A subject's server in a process of its own. */
export class Server {
  #child;

  constructor(child, address) {
    this.#child = child;
    this.address = address;
  }

  /**
   * @param {import('../subjects.mjs').Subject} subject
   * @param {object} settings
   * @param {object} [settings.options] of the library; what it does not know it overlooks
   * @param {object} [settings.http] options of the HTTP server
   * @param {boolean} [settings.tls]
   * @param {boolean} [settings.careful] whether the application listens to errors
   * @param {string} [settings.host] address to listen on
   * @param {string[]} [settings.prefix] a program that starts Node, with its arguments
   */
  static async start(subject, { prefix = [], ...settings } = {}) {
    const [runtime, ...args] = [...prefix, process.execPath, ...flags];
    const child = new Child(`../reliability/servers/${subject.program}.mjs`, {
      name: subject.label,
      runtime,
      flags: args,
    });
    const { port } = await child.call('listen', { library: subject.library, ...settings });
    return new Server(child, { port, host: settings.host, tls: settings.tls === true });
  }

  call(method, params) {
    return this.#child.call(method, params);
  }

  /** Whether the process has not ended. What it was sent last has been read by then. */
  async alive() {
    try {
      await this.state();
      await this.state();
      return true;
    } catch {
      return false;
    }
  }

  state() {
    return this.call('state');
  }

  /** Waits for a state that has come to rest. @returns the last one, whether or not it is as it should be */
  async settles(condition, limit = 5_000) {
    const deadline = performance.now() + limit;
    for (;;) {
      const state = await this.state();
      if (condition(state) || performance.now() > deadline) return state;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop() {
    return this.#child.stop();
  }
}

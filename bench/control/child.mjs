// The runner's end of a process that it has started.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Longest that one answer may take, in milliseconds; a process that hangs must not hang the benchmark. */
const limit = 300_000;

export class Child {
  #process;
  #waiting = new Map();
  #last = 0;
  #noise = '';
  #exited;

  /**
   * @param {string} file below bench/
   * @param {object} options
   * @param {string} options.name for error messages
   * @param {string} options.runtime path of Node or Bun
   * @param {string[]} [options.flags] of the runtime
   * @param {Record<string, string>} [options.env]
   * @param {number} [options.core] the one to run on; any where it is missing
   */
  constructor(file, { name, runtime, flags = [], env = {}, core }) {
    this.name = name;
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    const command = [runtime, ...flags, path];
    // taskset becomes the program: the process is the same one.
    if (core !== undefined) command.unshift('taskset', '-c', String(core));
    this.#process = spawn(command[0], command.slice(1), {
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('data', (chunk) => {
        this.#noise = (this.#noise + chunk).slice(-4000);
      });
    }
    this.#process.on('message', (message) => this.#answered(message));
    this.#process.on('error', (error) => this.#fail(String(error)));
    this.#exited = new Promise((resolve) => {
      this.#process.on('close', (code, signal) => {
        this.#fail(`ended with ${signal ?? `code ${code}`}`);
        resolve();
      });
    });
    this.started = this.#expect('start');
    this.started.catch(() => {
      // Whoever calls a method is told.
    });
  }

  /** Has a method of the process run. @returns what it returns; rejects with its error */
  async call(method, params) {
    await this.started;
    const id = ++this.#last;
    const answer = this.#expect(method, id);
    this.#process.send({ id, method, params }, (error) => {
      if (error) this.#fail(error.message);
    });
    return answer;
  }

  /** Ends the process and waits until it is gone. */
  async stop() {
    if (this.#process.pid === undefined) return;
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #expect(method, id = 0) {
    return new Promise((resolve, reject) => {
      const fail = (reason) => {
        const noise = this.#noise === '' ? '' : `\n${this.#noise.trim()}`;
        reject(new Error(`${this.name}, ${method}: ${reason}${noise}`));
      };
      const timer = setTimeout(fail, limit, `no answer within ${limit / 1000} s`);
      this.#waiting.set(id, { resolve, fail, timer });
    });
  }

  #answered({ id = 0, result, error }) {
    const { resolve, fail, timer } = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(timer);
    if (error === undefined) resolve(result);
    else fail(error);
  }

  #fail(reason) {
    for (const { fail, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      fail(reason);
    }
    this.#waiting.clear();
  }
}

import { spawnSync } from 'node:child_process';

const ip = (...args) => {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) {
    throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
  }
};

/** A network of its own for clients, whose link to the servers can go dead without a word to either end. */
export class Network {
  #name = `upwire-${process.pid}`;
  #ours = `upw${process.pid % 100_000}a`;
  #theirs = `upw${process.pid % 100_000}b`;
  // Of the block that is for benchmarks of networks (RFC 2544).
  host = `198.18.${process.pid % 250}.1`;

  constructor() {
    try {
      const [, , third] = this.host.split('.');
      ip('netns', 'add', this.#name);
      ip('link', 'add', this.#ours, 'type', 'veth', 'peer', 'name', this.#theirs);
      ip('link', 'set', this.#theirs, 'netns', this.#name);
      ip('addr', 'add', `${this.host}/30`, 'dev', this.#ours);
      ip('link', 'set', this.#ours, 'up');
      ip('-n', this.#name, 'addr', 'add', `198.18.${third}.2/30`, 'dev', this.#theirs);
      ip('-n', this.#name, 'link', 'set', this.#theirs, 'up');
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Starts a program in there. */
  get prefix() {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** From now on nothing arrives, and nobody is told. */
  cut() {
    ip('-n', this.#name, 'link', 'set', this.#theirs, 'down');
  }

  stop() {
    for (const args of [
      ['link', 'del', this.#ours],
      ['netns', 'del', this.#name],
    ]) {
      spawnSync('ip', args);
    }
  }
}

/** What is missing for a {@link Network} here. */
export function networkLacks() {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  try {
    new Network().stop();
    return undefined;
  } catch (error) {
    return `no network namespace: ${error.message}`;
  }
}

import { isDeepStrictEqual } from 'node:util';
import { Server } from './server.mjs';

/** What a test is given: a subject, how large it is to be, and servers that are gone when it is over. */
export class Context {
  #kept;
  #fresh = [];

  /**
   * @param {import('../subjects.mjs').Subject} subject
   * @param {{ profile: 'quick' | 'full', minutes: number }} conditions
   * @param {(text: string) => void} tell where a long test has got to
   */
  constructor(subject, { profile, minutes }, tell) {
    this.subject = subject;
    this.profile = profile;
    this.minutes = minutes;
    this.tell = tell;
  }

  /** A number of the profile. */
  size({ quick, full }) {
    return this.profile === 'quick' ? quick : full;
  }

  /** A server that other tests may have used, if it is as this one wants it. */
  async server(settings = {}) {
    if (this.#kept !== undefined) {
      const { server, settings: before } = this.#kept;
      if (isDeepStrictEqual(settings, before) && (await server.alive())) return server;
      await server.stop();
    }
    const server = await Server.start(this.subject, settings);
    this.#kept = { server, settings };
    return server;
  }

  /** A server of this test alone. */
  async fresh(settings) {
    const server = await Server.start(this.subject, settings);
    this.#fresh.push(server);
    return server;
  }

  /** Anything else that has to be stopped. */
  owns(process) {
    this.#fresh.push(process);
    return process;
  }

  /** Whether a server of this test has ended, although nobody has told it to. */
  async died() {
    const servers = [this.#kept?.server, ...this.#fresh].filter((it) => it instanceof Server);
    const alive = await Promise.all(servers.map((server) => server.alive()));
    return alive.includes(false);
  }

  /** Ends what belongs to one test. */
  async endTest() {
    for (const server of this.#fresh.splice(0)) await server.stop();
  }

  async end() {
    await this.endTest();
    await this.#kept?.server.stop();
  }
}

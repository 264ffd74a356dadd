// Stands in for a connected `redis` client, so that the examples run without a server: the calls that session stores
// make, with the wait of a network. In your application: `const client = await createClient().connect()`.
const { setTimeout: wait } = require('node:timers/promises');

class RedisClient {
  #values = new Map();

  async get(key) {
    await wait(2);
    return this.#values.get(key) ?? null;
  }

  async set(key, value, _options) {
    await wait(2);
    this.#values.set(key, value);
  }

  async del(key) {
    await wait(2);
    this.#values.delete(key);
  }

  /** How many sessions there are. */
  get size() {
    return this.#values.size;
  }
}

module.exports = { RedisClient };

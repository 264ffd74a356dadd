// Testing what an application does with a WebSocket: no server, no port and no handshake.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createPair } = require('@upwire/engine');

/** What is to be tested: adds up the numbers of a JSON array. */
function adder(webSocket) {
  webSocket.on('message', (data) => {
    try {
      const numbers = JSON.parse(data);
      webSocket.send(numbers.reduce((sum, number) => sum + number, 0));
    } catch {
      webSocket.close(1007, 'Send a JSON array of numbers');
    }
  });
}

const tests = {
  async 'adds up'() {
    const { server, client } = createPair();
    adder(server);
    client.send('[1, 2, 3]');
    const [sum] = await once(client, 'message');
    assert.equal(String(sum), '6');
  },

  async 'says what is wrong'() {
    const { server, client } = createPair();
    adder(server);
    client.send('hello');
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [1007, 'Send a JSON array of numbers']);
  },

  async 'refuses long messages, with the options of the real server'() {
    const { server, client } = createPair({ server: { maxPayload: 1024 } });
    adder(server);
    client.send(' '.repeat(1025));
    assert.equal((await client.closed).code, 1009);
  },
};

async function main() {
  for (const [name, run] of Object.entries(tests)) {
    await run();
    console.log(`passed: ${name}`);
  }
}

main();

/* Prints:
passed: adds up
passed: says what is wrong
passed: refuses long messages, with the options of the real server
*/

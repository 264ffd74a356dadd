// Messages one after the other, in a loop that may await. While it is behind, the peer is stopped.
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { WebSocket, WebSocketServer } = require('@upwire/engine');

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (webSocket) => {
    // What goes wrong in a function that nobody awaits has to be caught somewhere.
    addUp(webSocket).catch((error) => webSocket.close(1011, error.message));
  });

  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  await client.opened;
  for (const number of [1, 2, 3]) client.send(number);
  for await (const message of client) {
    console.log(`the sum is ${message}`);
    // Leaving the loop closes nothing.
    if (message === '6') break;
  }
  client.send('four');
  console.log(await client.closed);
  server.close();

  // The error of a handshake that fails arrives where it is awaited.
  const refused = new WebSocket(`ws://127.0.0.1:${new URL(client.url).port}`);
  await refused.opened.catch((error) => console.log(error.code));
}

async function addUp(webSocket) {
  let sum = 0;
  for await (const message of webSocket) {
    const number = Number(message);
    if (Number.isNaN(number)) throw new Error(`${message} is no number`);
    // However long it takes, the next message comes afterwards.
    await sleep(10);
    sum += number;
    webSocket.send(sum);
  }
}

main();

/* Prints:
the sum is 1
the sum is 3
the sum is 6
{ code: 1011, reason: 'four is no number', wasClean: true }
ECONNREFUSED
*/

// Sends as fast as the peer reads, and no faster: send() says when to stop, 'drain' when to go on.
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('@upwire/engine');

const MESSAGES = 1_000;
const message = Buffer.alloc(32 * 1024, 'upwire');

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', sendAll);

  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  let received = 0;
  client.on('message', () => received++);
  await once(client, 'close');
  console.log(`received ${received} messages`);
  server.close();
}

async function sendAll(webSocket) {
  let mostWaiting = 0;
  for (let sent = 0; sent < MESSAGES; sent++) {
    const goOn = webSocket.send(message);
    mostWaiting = Math.max(mostWaiting, webSocket.bufferedAmount);
    // Without this line, all 31 MiB would wait in this process's memory.
    if (!goOn) await drained(webSocket);
    if (webSocket.readyState !== WebSocket.OPEN) return;
  }
  console.log(`sent ${MESSAGES} messages of 32 KiB`);
  console.log(`never more than ${Math.floor(mostWaiting / 1024)} KiB waited`);
  webSocket.close(1000);
}

/** Waits until the peer has taken what waits, or is gone. */
function drained(webSocket) {
  return new Promise((resolve) => {
    const done = () => {
      webSocket.off('drain', done).off('close', done);
      resolve();
    };
    webSocket.on('drain', done).on('close', done);
  });
}

main();

/* Prints:
sent 1000 messages of 32 KiB
never more than 64 KiB waited
received 1000 messages
*/

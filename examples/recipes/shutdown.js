// A graceful end: whoever is connected is told to come back, and a silent client holds nothing up.
const { once } = require('node:events');
const express = require('express');
const upwire = require('@upwire/express');
const { closed, open } = require('./lib/client');

async function main() {
  // How long a client may take to say goodbye; 10 s by default.
  const { app } = upwire(express(), null, { closeTimeout: 300 });
  app.ws('/chat', (webSocket) => webSocket.send('welcome'));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/chat`;
  const polite = await open(url);
  const silent = await open(url);
  // Reads nothing more, and so answers nothing.
  silent.webSocket.pause();

  process.once('SIGTERM', () => {
    server.close(() => console.log('the server has ended'));
  });
  process.kill(process.pid, 'SIGTERM');

  console.log(`the polite client: ${await closed(polite.webSocket)}`);
  await once(server, 'close');
  silent.webSocket.terminate();
}

main();

/* Prints:
the polite client: 1001
the server has ended
*/

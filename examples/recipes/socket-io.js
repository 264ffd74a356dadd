// socket.io beside us on one server: each answers what is its own, whichever came first.
const { once } = require('node:events');
const express = require('express');
const { Server } = require('socket.io');
const { io: connect } = require('socket.io-client');
const upwire = require('@upwire/express');
const { next, open } = require('./lib/client');

async function main() {
  const { app } = upwire(express());
  app.ws('/chat', (webSocket) => {
    webSocket.on('message', (text) => webSocket.send(`upwire: ${text}`));
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const io = new Server(server);
  io.on('connection', (socket) => {
    socket.on('say', (text, answer) => answer(`socket.io: ${text}`));
  });
  const url = `http://127.0.0.1:${server.address().port}`;

  const theirs = connect(url, { transports: ['websocket'] });
  console.log(await theirs.emitWithAck('say', 'hello'));
  const { webSocket } = await open(`${url}/chat`);
  webSocket.send('hello');
  console.log(await next(webSocket));

  theirs.disconnect();
  // Closes the server, and with it our WebSockets too.
  await io.close();
}

main();

/* Prints:
socket.io: hello
upwire: hello
*/

// Rooms: everybody in a room hears what is said there. A room is a topic; there is nothing to keep or to clean up.
const { once } = require('node:events');
const express = require('express');
const upwire = require('@upwire/express');
const { next, open } = require('./lib/client');

async function main() {
  const { app, getWss } = upwire(express());
  app.ws('/rooms/:room', (webSocket, req) => {
    const { room } = req.params;
    webSocket.subscribe(room);
    webSocket.on('message', (text) => webSocket.publish(room, `${req.query.name}: ${text}`));
  });
  app.get('/rooms/:room', (req, res) => {
    res.json({ here: getWss().subscribers(req.params.room).size });
  });
  app.post('/rooms/:room', express.text(), (req, res) => {
    // From anywhere in the application, and to everybody.
    res.json({ heard: getWss().publish(req.params.room, req.body) });
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/rooms`;

  const [ada, bob, eve] = await Promise.all(
    ['red?name=Ada', 'red?name=Bob', 'blue?name=Eve'].map((path) => open(`${url}/${path}`)),
  );
  console.log(await (await fetch(`${url}/red`)).text());
  ada.webSocket.send('hello, red');
  console.log(`Bob hears "${await next(bob.webSocket)}"`);
  const headers = { 'Content-Type': 'text/plain' };
  const heard = next(eve.webSocket);
  const answer = await fetch(`${url}/blue`, { method: 'POST', body: 'news', headers });
  console.log(await answer.text());
  console.log(`Eve hears "${await heard}"`);
  server.close();
}

main();

/* Prints:
{"here":2}
Bob hears "Ada: hello, red"
{"heard":1}
Eve hears "news"
*/

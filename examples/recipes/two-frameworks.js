// Two frameworks on one server: an old Express application, and Fastify for what is new. Each has its own WebSocket
// routes, and neither gets in the other's way.
const { createServer } = require('node:http');
const { once } = require('node:events');
const express = require('express');
const fastify = require('fastify');
const upwireExpress = require('@upwire/express');
const upwireFastify = require('@upwire/fastify');
const { next, open } = require('./lib/client');

async function main() {
  const { app: old, attach } = upwireExpress(express());
  old.get('/old', (_req, res) => res.send('a page of Express'));
  old.ws('/old/chat', (webSocket) => webSocket.send('a WebSocket of Express'));

  const server = createServer((request, response) => {
    if (request.url.startsWith('/new')) app.routing(request, response);
    else old(request, response);
  });
  const app = fastify();
  await app.register(upwireFastify, { server });
  app.get('/new', async () => 'a page of Fastify');
  app.get('/new/chat', { websocket: true }, (webSocket) => {
    webSocket.send('a WebSocket of Fastify');
  });
  await app.ready();
  attach(server);

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}`;
  for (const path of ['/old', '/new']) {
    console.log(await (await fetch(url + path)).text());
    const { webSocket } = await open(`${url}${path}/chat`);
    console.log(await next(webSocket));
  }
  console.log(`neither has /nowhere: ${(await open(`${url}/nowhere`)).status}`);
  server.close();
  await app.close();
}

main();

/* Prints:
a page of Express
a WebSocket of Express
a page of Fastify
a WebSocket of Fastify
neither has /nowhere: 404
*/

// Limits for one route: how many clients, how many messages, how large, and what they have to be.
const { once } = require('node:events');
const express = require('express');
const upwire = require('@upwire/express');
const { closed, next, open } = require('./lib/client');

/** Any Standard Schema does as well: zod, valibot, arktype. */
function move(value) {
  const { x, y } = value ?? {};
  if (Number.isInteger(x) && Number.isInteger(y)) return { x, y };
  throw Object.assign(new Error('no move'), { issues: [{ message: 'x and y must be integers' }] });
}

async function main() {
  const { app } = upwire(express());
  app.ws(
    '/game',
    {
      maxPayload: 100,
      maxConnections: { total: 100, perKey: 2 },
      rateLimit: { messages: 3, interval: 60_000 },
      message: move,
    },
    (webSocket) => {
      webSocket.on('message', ({ x, y }) => webSocket.send(`moved to ${x},${y}`));
    },
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/game`;

  const first = await open(url);
  const second = await open(url);
  console.log(`a third client of one address: ${(await open(url)).status}`);

  first.webSocket.send(JSON.stringify({ x: 1, y: 2 }));
  console.log(await next(first.webSocket));
  first.webSocket.send('{"x":"far"}');
  console.log(`no move: ${await closed(first.webSocket)}`);

  for (const x of [1, 2, 3, 4]) second.webSocket.send(JSON.stringify({ x, y: 0 }));
  console.log(`too many moves: ${await closed(second.webSocket)}`);

  const third = await open(url);
  third.webSocket.send(' '.repeat(101));
  console.log(`too large: ${await closed(third.webSocket)}`);
  server.close();
}

main();

/* Prints:
a third client of one address: 429
moved to 1,2
no move: 1007 The message is not valid
too many moves: 1008 Too many messages
too large: 1009
*/

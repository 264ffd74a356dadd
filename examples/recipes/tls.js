// TLS: an https server made by hand, which the application is attached to. The page's own origin is then https://…
const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const { createServer } = require('node:https');
const { join } = require('node:path');
const express = require('express');
const upwire = require('@upwire/express');
const { next, open } = require('./lib/client');

/** A certificate for tests. */
const certificates = join(__dirname, '../../packages/engine/test/fixtures');
const read = (name) => readFileSync(join(certificates, name));

async function main() {
  const server = createServer({ key: read('server.key.pem'), cert: read('server.cert.pem') });
  const { app } = upwire(express(), server);
  server.on('request', app);
  app.ws('/chat', (webSocket, req) => webSocket.send(`secure: ${req.secure}`));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `https://localhost:${server.address().port}`;

  const ca = read('authority.cert.pem');
  const { webSocket } = await open(`${url}/chat`, { ca, origin: url });
  console.log(await next(webSocket));
  const insecure = url.replace('https', 'http');
  console.log(
    `from its http:// namesake: ${(await open(`${url}/chat`, { ca, origin: insecure })).status}`,
  );
  server.close();
}

main();

/* Prints:
secure: true
from its http:// namesake: 403
*/

// Behind nginx: the application trusts the proxy, and the client's address and the page's origin are what the browser saw.
// nginx.conf beside this file is what nginx is told. This program starts an nginx of its own with it.
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: wait } = require('node:timers/promises');
const express = require('express');
const upwire = require('@upwire/express');
const { next, open } = require('./lib/client');

async function main() {
  const { app } = upwire(express());
  // The proxy on this machine, and no other.
  app.set('trust proxy', 'loopback');
  app.ws('/chat', (webSocket, req) => webSocket.send(`host ${req.hostname}, address ${req.ip}`));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const port = await freePort();
  const nginx = await startNginx(port, server.address().port);
  const url = `http://127.0.0.1:${port}/chat`;
  const headers = { Host: 'chat.example.com', 'X-Forwarded-For': '203.0.113.7' };
  const { webSocket } = await open(url, { headers, origin: 'http://chat.example.com' });
  console.log(await next(webSocket));
  const other = await open(url, { headers, origin: 'http://127.0.0.1' });
  console.log(`from another page: ${other.status}`);
  server.close();
  nginx.kill();
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** An nginx in the foreground, with the ports of this run in the place of the configuration's. */
async function startNginx(port, upstream) {
  const folder = mkdtempSync(join(tmpdir(), 'upwire-nginx-'));
  const configuration = readFileSync(join(__dirname, 'nginx.conf'), 'utf8')
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace('server 127.0.0.1:3000', `server 127.0.0.1:${upstream}`)
    .replace(
      'http {',
      `http { access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder};`,
    );
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration);
  const options = `daemon off; pid ${join(folder, 'pid')}; error_log stderr crit;`;
  const nginx = spawn('nginx', ['-p', folder, '-c', file, '-g', options], { stdio: 'inherit' });
  nginx.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer !== undefined) return nginx;
    await wait(20);
  }
}

main();

/* Prints:
host chat.example.com, address 203.0.113.7
from another page: 403
*/

// engine.io with the class handed over as `wsEngine`: a client of our own speaks its protocol.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createServer } = require('node:http');
const { Server } = require('engine.io');
const WebSocket = require('ws');

assert.equal(require('ws/package.json').name, '@upwire/engine');

async function main() {
  const http = createServer();
  const server = new Server({ wsEngine: WebSocket.Server, transports: ['websocket'] });
  server.attach(http);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');

  let headers = 0;
  server.on('headers', (_headers, request) => {
    assert.ok(request.url.startsWith('/engine.io/'));
    headers++;
  });
  const connection = once(server, 'connection');
  const address = `ws://127.0.0.1:${http.address().port}/engine.io/?EIO=4&transport=websocket`;
  const client = new WebSocket(address);
  const [[open], [socket]] = await Promise.all([once(client, 'message'), connection]);
  assert.equal(open.toString()[0], '0');
  assert.equal(JSON.parse(open.toString().slice(1)).sid, socket.id);
  assert.equal(socket.transport.socket.constructor, WebSocket);
  assert.match(socket.remoteAddress, /127\.0\.0\.1/);
  assert.equal(headers, 1);

  const atServer = once(socket, 'message');
  client.send('4hello');
  assert.deepEqual(await atServer, ['hello']);
  const atClient = once(client, 'message');
  socket.send(Buffer.from([1, 2, 3]));
  assert.deepEqual(await atClient, [Buffer.from([1, 2, 3]), true]);

  const closed = once(client, 'close');
  server.close();
  http.close();
  await closed;
}

main();

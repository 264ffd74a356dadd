const assert = require('node:assert/strict');
const { once } = require('node:events');
const WebSocket = require('@upwire/engine');
const { checkEcho } = require('./echo.cjs');

assert.equal(typeof WebSocket, 'function');
assert.equal(WebSocket.WebSocket, WebSocket);
assert.equal(WebSocket.Server, WebSocket.WebSocketServer);
assert.match(require('@upwire/engine/package.json').version, /^\d+\.\d+\.\d+/);
assert.throws(() => require('@upwire/engine/dist/websocket.js'), {
  code: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
});

async function main() {
  const server = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
  server.on('connection', (webSocket) => {
    assert.ok(webSocket instanceof WebSocket);
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  await checkEcho(server.address().port, '/');
  server.close();

  const pair = WebSocket.createPair();
  pair.client.send('hello');
  for await (const message of pair.server) {
    assert.equal(message, 'hello');
    pair.server.close(1000);
  }
  assert.deepEqual(await pair.client.closed, { code: 1000, reason: '', wasClean: true });
}

main();

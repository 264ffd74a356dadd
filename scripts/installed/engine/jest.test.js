const { once } = require('node:events');
const WebSocket = require('@upwire/engine');
const { checkEcho } = require('./echo.cjs');

test('echoes', async () => {
  const server = new WebSocket.WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (webSocket) => {
    expect(webSocket).toBeInstanceOf(WebSocket);
    webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
  });
  await once(server, 'listening');
  await checkEcho(server.address().port, '/');
  server.close();
  await once(server, 'close');
});

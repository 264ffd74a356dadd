const Fastify = require('fastify');
const upwire = require('@upwire/fastify');
const { checkEcho } = require('./echo.cjs');

test('echoes, with a port and without', async () => {
  const app = Fastify();
  await app.register(upwire);
  app.get('/echo', { websocket: true }, (webSocket) => {
    webSocket.on('message', (text) => webSocket.send(text));
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  await checkEcho(app.server.address().port, '/echo');

  const webSocket = await app.injectWS('/echo');
  webSocket.send('hello');
  const data = await new Promise((resolve) => webSocket.once('message', resolve));
  expect(String(data)).toBe('hello');
  await app.close();
});

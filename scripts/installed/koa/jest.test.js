const { once } = require('node:events');
const Koa = require('koa');
const upwire = require('@upwire/koa');
const { checkEcho } = require('./echo.cjs');

test('echoes', async () => {
  const { app } = upwire(new Koa());
  app.use(
    upwire.ws((webSocket) => {
      webSocket.on('message', (text) => webSocket.send(text));
    }),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await checkEcho(server.address().port, '/echo');
  server.close();
  await once(server, 'close');
});

const assert = require('node:assert/strict');
const Fastify = require('fastify');
const upwire = require('@upwire/fastify');
const { checkEcho } = require('./echo.cjs');

assert.match(require('@upwire/fastify/package.json').version, /^\d+\.\d+\.\d+/);

const app = Fastify();
app.register(upwire);
app.register(async (inner) => {
  inner.get('/echo', { websocket: true }, (webSocket) => {
    assert.ok(webSocket instanceof require('@upwire/engine'));
    webSocket.on('message', (text) => webSocket.send(text));
  });
});

app.listen({ port: 0, host: '127.0.0.1' }, async (error) => {
  assert.ifError(error);
  await checkEcho(app.server.address().port, '/echo');
  await app.close();
});

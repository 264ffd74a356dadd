const assert = require('node:assert/strict');
const Koa = require('koa');
const upwire = require('@upwire/koa');
const { checkEcho } = require('./echo.cjs');

assert.match(require('@upwire/koa/package.json').version, /^\d+\.\d+\.\d+/);

const { app } = upwire(new Koa());
app.use(
  upwire.ws((webSocket, ctx) => {
    assert.ok(webSocket instanceof require('@upwire/engine'));
    assert.equal(ctx.path, '/echo');
    webSocket.on('message', (text) => webSocket.send(text));
  }),
);
// An optional peer, which nobody has installed here.
assert.throws(() => app.ws('/chat', () => undefined), /needs the package @koa\/router/);

// The forms of koa-websocket and koa-easy-ws.
const { ws } = require('@upwire/koa/websocket')(new Koa());
assert.ok(ws.server instanceof require('@upwire/engine').WebSocketServer);
assert.equal(typeof require('@upwire/koa/easy')(), 'function');

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho(server.address().port, '/echo');
  server.close();
});

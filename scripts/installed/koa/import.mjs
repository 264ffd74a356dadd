import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import upwire, { upwire as named, ws } from '@upwire/koa';
import easy from '@upwire/koa/easy';
import websockify from '@upwire/koa/websocket';
import Koa from 'koa';
import { checkEcho } from './echo.cjs';

assert.equal(upwire, named);
assert.equal(upwire.ws, ws);
assert.equal(upwire, createRequire(import.meta.url)('@upwire/koa'), 'both doors, one function');

assert.equal(websockify, createRequire(import.meta.url)('@upwire/koa/websocket'));
assert.equal(easy, createRequire(import.meta.url)('@upwire/koa/easy'));

const { app } = upwire(new Koa());
app.use(
  ws((webSocket) => {
    webSocket.on('message', (text) => webSocket.send(text));
  }),
);

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho(server.address().port, '/echo');
  server.close();
});

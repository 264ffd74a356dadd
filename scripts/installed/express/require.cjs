const assert = require('node:assert/strict');
const express = require('express');
const upwire = require('@upwire/express');
const { checkEcho } = require('./echo.cjs');

assert.match(require('@upwire/express/package.json').version, /^\d+\.\d+\.\d+/);

const { app } = upwire(express());
app.ws('/echo', (webSocket) => {
  assert.ok(webSocket instanceof require('@upwire/engine'));
  webSocket.on('message', (text) => webSocket.send(text));
});

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho(server.address().port, '/echo');
  server.close();
});

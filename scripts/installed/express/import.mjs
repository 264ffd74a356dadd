import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import upwire, { upwire as named } from '@upwire/express';
import express from 'express';
import { checkEcho } from './echo.cjs';

assert.equal(upwire, named);
assert.equal(upwire, createRequire(import.meta.url)('@upwire/express'), 'both doors, one function');

const { app } = upwire(express());
app.ws('/echo', (webSocket) => {
  webSocket.on('message', (text) => webSocket.send(text));
});

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho(server.address().port, '/echo');
  server.close();
});

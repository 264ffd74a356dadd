import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import upwire, { upwire as named } from '@upwire/fastify';
import Fastify from 'fastify';
import { checkEcho } from './echo.cjs';

assert.equal(upwire, named);
assert.equal(upwire, createRequire(import.meta.url)('@upwire/fastify'), 'both doors, one function');

const app = Fastify();
await app.register(upwire);
app.get('/echo', { websocket: true }, (webSocket) => {
  webSocket.on('message', (text) => webSocket.send(text));
});

await app.listen({ port: 0, host: '127.0.0.1' });
await checkEcho(app.server.address().port, '/echo');
await app.close();

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import WebSocket, {
  broadcast,
  CloseEvent,
  createPair,
  createWebSocketStream,
  ErrorEvent,
  Event,
  extension,
  MemoryBroker,
  MessageEvent,
  WebSocket as Named,
  PerMessageDeflate,
  PreparedMessage,
  prepare,
  Receiver,
  Sender,
  Server,
  subprotocol,
  WebSocketServer,
} from '@upwire/engine';
import { checkEcho } from './echo.cjs';

const required = createRequire(import.meta.url)('@upwire/engine');

assert.equal(WebSocket, Named);
assert.equal(WebSocket, required, 'both doors lead to one class');
const names = { broadcast, createWebSocketStream, extension, prepare, subprotocol };
const classes = { CloseEvent, ErrorEvent, Event, MemoryBroker, MessageEvent, PerMessageDeflate };
const others = { PreparedMessage, Receiver, Sender, Server, WebSocketServer };
for (const [name, value] of Object.entries({ ...names, ...classes, ...others })) {
  assert.ok(value, name);
  assert.equal(value, required[name], `both doors lead to one ${name}`);
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (webSocket) => {
  assert.ok(webSocket instanceof WebSocket);
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
});
await once(server, 'listening');
await checkEcho(server.address().port, '/');
server.close();

const pair = createPair();
assert.equal(await pair.client.opened, pair.client);
const writer = pair.client.streams.writable.getWriter();
const [chunk] = await Promise.all([
  pair.server.streams.readable.getReader().read(),
  writer.write('hello'),
]);
assert.deepEqual(chunk, { done: false, value: 'hello' });
await writer.close();

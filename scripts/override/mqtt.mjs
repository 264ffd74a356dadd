// mqtt.js as the client and aedes as the broker, MQTT over the streams of the engine.
import assert from 'node:assert/strict';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { assertEngine, listen, next } from './using.mjs';

assertEngine('mqtt');

const { server, port } = await listen();
const broker = await Aedes.createBroker();
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => {
  assert.equal(socket.protocol, 'mqtt');
  broker.handle(createWebSocketStream(socket), request);
});

const address = `ws://127.0.0.1:${port}`;
const [reader, writer] = await Promise.all([
  mqtt.connectAsync(address),
  mqtt.connectAsync(address),
]);
await reader.subscribeAsync('home/+/temperature', { qos: 1 });
for (const [payload, qos] of [
  [Buffer.from('21.5'), 0],
  [Buffer.alloc(300_000, 'x'), 1],
]) {
  const message = new Promise((resolve) =>
    reader.once('message', (...values) => resolve(values.slice(0, 2))),
  );
  await writer.publishAsync('home/kitchen/temperature', payload, { qos });
  const [topic, received] = await message;
  assert.equal(topic, 'home/kitchen/temperature');
  assert.ok(received.equals(payload));
}
const offline = next(reader, 'close');
await Promise.all([reader.endAsync(), writer.endAsync()]);
await offline;
await new Promise((resolve) => broker.close(resolve));
sockets.close();
server.close();

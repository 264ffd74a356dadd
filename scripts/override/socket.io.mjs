// socket.io and its client over the websocket transport alone: rooms, broadcasts, binary, acknowledgements.
import assert from 'node:assert/strict';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { assertEngine, listen, next } from './using.mjs';

assertEngine('engine.io', 'engine.io-client', 'socket.io-adapter');

for (const perMessageDeflate of [false, true]) {
  const { server, port } = await listen();
  const sockets = new Server(server, { transports: ['websocket'], perMessageDeflate });
  sockets.on('connection', (socket) => {
    socket.on('join', (room, done) => {
      socket.join(room);
      done([...socket.rooms].includes(room));
    });
    socket.on('echo', (value, done) => done(value));
  });

  const clients = Array.from({ length: 4 }, () =>
    io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      forceNew: true,
      perMessageDeflate,
    }),
  );
  await Promise.all(clients.map((client) => next(client, 'connect')));
  for (const { io: manager } of clients) assert.equal(manager.engine.transport.name, 'websocket');

  const [first, second, third, outside] = clients;
  for (const client of [first, second, third]) {
    assert.equal(await client.emitWithAck('join', 'blue'), true);
  }
  const heard = [];
  outside.on('news', (value) => heard.push(value));

  const received = Promise.all([first, second, third].map((client) => next(client, 'news')));
  sockets.to('blue').emit('news', { text: 'grüße', count: 3 });
  assert.deepEqual(await received, Array(3).fill({ text: 'grüße', count: 3 }));

  const large = 'x'.repeat(100_000);
  const all = Promise.all(clients.map((client) => next(client, 'large')));
  sockets.emit('large', large);
  assert.deepEqual(await all, Array(4).fill(large));

  const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index & 255));
  assert.ok(binary.equals(await first.emitWithAck('echo', binary)));
  assert.deepEqual(await outside.emitWithAck('echo', ['a', 1, null]), ['a', 1, null]);
  assert.deepEqual(heard, []);

  const gone = new Promise((resolve) =>
    sockets.sockets.sockets.get(first.id).on('disconnect', resolve),
  );
  first.disconnect();
  assert.equal(await gone, 'client namespace disconnect');
  const ended = Promise.all([second, third, outside].map((client) => next(client, 'disconnect')));
  for (const { io: manager } of clients) manager.reconnection(false);
  await sockets.close();
  await ended;
}

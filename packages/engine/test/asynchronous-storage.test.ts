// Where requests carry a user or a trace in an AsyncLocalStorage, what happens on one connection must not be told in the
// name of another: all that is shared (the write of a tick, the queue of handshakes, compressors on threads) looks after that.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { WebSocket } from '../src/index';
import { portOf } from './support/libraries';
import { connected, startServer } from './support/stage';

const storage = new AsyncLocalStorage<string>();

/** Two open WebSockets of a server, made in the asynchronous storage of nobody. */
async function two(): Promise<WebSocket[]> {
  return [(await connected()).socket, (await connected()).socket];
}

/** The storage in which a callback is called that was given in the storage `name`. */
function seenBy(name: string, call: (callback: () => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => {
    storage.run(name, () => call(() => resolve([name, storage.getStore()])));
  });
}

test.each([
  ['small messages', 10],
  ['messages that are not copied', 100_000],
])('callbacks of %s of one tick', async (_name, size) => {
  const sockets = await two();
  const names = ['a', 'b', 'c', 'd'];
  const seen = names.map((name, index) =>
    seenBy(name, (callback) => sockets[index % 2].send(Buffer.alloc(size), callback)),
  );
  expect(await Promise.all(seen)).toEqual(names.map((name) => [name, name]));
});

test('callbacks of pings, pongs and what is too late', async () => {
  const [one, other] = await two();
  const calls: ((callback: () => void) => void)[] = [
    (callback) => one.ping('', false, callback),
    (callback) => other.pong('', false, callback),
    (callback) => one.send('', { binary: true }, callback),
    (callback) => {
      other.close();
      other.send('', callback);
    },
  ];
  const seen = calls.map((call, index) => seenBy(String(index), call));
  expect(await Promise.all(seen)).toEqual(calls.map((_, index) => [String(index), String(index)]));
});

test('callbacks of a message that is compressed on a thread, and of those behind it', async () => {
  const server = await startServer({ perMessageDeflate: true });
  const sockets: WebSocket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  for (let count = 0; count < 2; count++) {
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    await once(client, 'open');
  }
  while (sockets.length < 2) await new Promise(setImmediate);
  const names = ['a', 'b', 'c', 'd'];
  const seen = names.map((name, index) =>
    seenBy(name, (callback) =>
      sockets[index % 2].send(index < 2 ? 'x'.repeat(100_000) : 'short', callback),
    ),
  );
  expect(await Promise.all(seen)).toEqual(names.map((name) => [name, name]));
});

test('events of a client, whatever handshakes it had to wait for', async () => {
  const server = await startServer();
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data));
    socket.ping();
  });
  const clients = ['a', 'b', 'c'].map((name) =>
    storage.run(name, () => {
      const seen: unknown[] = [];
      const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
      for (const event of ['open', 'ping', 'message', 'close']) {
        client.on(event, () => seen.push(storage.getStore()));
      }
      client.on('open', () => client.send('hello'));
      client.on('message', () => client.close());
      return new Promise((resolve) => client.on('close', () => resolve(seen)));
    }),
  );
  expect(await Promise.all(clients)).toEqual(['a', 'b', 'c'].map((name) => Array(4).fill(name)));
});

test('drain, which belongs to nobody', async () => {
  const [one, other] = await two();
  const drained = new Promise((resolve) => {
    other.on('drain', () => resolve(storage.getStore()));
  });
  storage.run('the first', () => one.send('x'));
  storage.run('the second', () => other.send(Buffer.alloc(100_000)));
  expect(await drained).toBeUndefined();
});

import { once } from 'node:events';
import { WebSocketServer } from '../../src/server';
import type { ServerOptions } from '../../src/server-options';
import type { Broker } from '../../src/topics/broker';
import { MemoryBroker } from '../../src/topics/memory-broker';
import { WebSocket } from '../../src/websocket';
import { allSettled, listener, listeners } from '../support/peers';
import { connected, startServer } from '../support/stage';

test('what is published to a topic goes to its subscribers, once each', async () => {
  const server = await startServer();
  const all = await listeners(server, 3);
  const [ada, bob, eve] = all.map(({ webSocket }) => webSocket);

  expect(ada.subscribe('red')).toBe(true);
  expect(ada.subscribe('red')).toBe(false);
  expect(bob.subscribe('red')).toBe(true);
  expect(eve.subscribe('blue')).toBe(true);
  expect(server.publish('red', 'to red')).toBe(2);
  expect(server.publish('blue', Buffer.from('to blue'))).toBe(1);
  expect(server.publish('green', 'to nobody')).toBe(0);
  await allSettled(all);

  expect(all.map(({ received }) => received)).toEqual([
    ['to red'],
    ['to red'],
    [Buffer.from('to blue')],
  ]);
});

test('a WebSocket publishes to all but itself, subscribed or not', async () => {
  const server = await startServer();
  const all = await listeners(server, 3);
  const [ada, bob, eve] = all.map(({ webSocket }) => webSocket);
  ada.subscribe('red');
  bob.subscribe('red');
  expect(ada.publish('red', 'from ada')).toBe(1);
  expect(eve.publish('red', 'from eve', { binary: true })).toBe(2);
  await allSettled(all);
  const fromEve = Buffer.from('from eve');
  expect(all.map(({ received }) => received)).toEqual([[fromEve], ['from ada', fromEve], []]);
});

test('one that unsubscribes, closes, or is cut gets no more, and is counted no more', async () => {
  const server = await startServer();
  const all = await listeners(server, 4);
  const [ada, bob, eve, joe] = all.map(({ webSocket }) => webSocket);
  for (const webSocket of [ada, bob, eve, joe]) webSocket.subscribe('red');
  expect(server.subscribers('red').size).toBe(4);

  expect(ada.unsubscribe('red')).toBe(true);
  expect(ada.unsubscribe('red')).toBe(false);
  const gone = Promise.all([once(bob, 'close'), once(eve, 'close')]);
  bob.close();
  all[2].peer.terminate();
  expect([...server.subscribers('red')]).toEqual([eve, joe]);
  await gone;

  expect([...server.subscribers('red')]).toEqual([joe]);
  expect(server.publish('red', 'hello')).toBe(1);
  joe.terminate();
  joe.unsubscribe('red');
  await once(joe, 'close');
  expect(server.subscribers('red').size).toBe(0);
});

test('topics tell what a WebSocket is subscribed to, at its end as well', async () => {
  const server = await startServer();
  const { webSocket, peer } = await listener(server);
  expect([...webSocket.topics]).toEqual([]);
  expect(webSocket.isSubscribed('a')).toBe(false);
  webSocket.subscribe('a');
  webSocket.subscribe('b');
  webSocket.subscribe('');
  webSocket.unsubscribe('a');
  expect([...webSocket.topics]).toEqual(['b', '']);
  expect([webSocket.isSubscribed('a'), webSocket.isSubscribed('b')]).toEqual([false, true]);

  const other = await listener(server);
  other.webSocket.subscribe('b');
  const left = new Promise((resolve) => {
    webSocket.on('close', () => {
      for (const topic of webSocket.topics) webSocket.publish(topic, 'somebody left');
      resolve([...webSocket.topics]);
    });
  });
  peer.close();
  expect(await left).toEqual(['b', '']);
  await other.settled();
  expect(other.received).toEqual(['somebody left']);
  expect(webSocket.subscribe('c')).toBe(false);
  expect(webSocket.unsubscribe('b')).toBe(true);
  expect([...server.subscribers('b')]).toEqual([other.webSocket]);
});

test('names that objects have of themselves are topics like any other', async () => {
  const server = await startServer();
  const { webSocket } = await listener(server);
  for (const topic of ['__proto__', 'constructor', 'toString']) {
    expect(server.subscribers(topic).size).toBe(0);
    expect(webSocket.subscribe(topic)).toBe(true);
    expect(server.publish(topic, 'x')).toBe(1);
  }
});

test('servers have topics of their own, unless they share a broker', async () => {
  const broker = new MemoryBroker();
  const servers = [
    await startServer(),
    await startServer({ broker }),
    await startServer({ broker }),
  ];
  const all = [];
  for (const server of servers) all.push(await listener(server));
  for (const { webSocket } of all) webSocket.subscribe('red');

  expect(servers.map((server) => server.subscribers('red').size)).toEqual([1, 2, 2]);
  expect(all[1].webSocket.publish('red', 'hello')).toBe(1);
  await allSettled(all);
  expect(all.map(({ received }) => received)).toEqual([[], [], ['hello']]);
});

test('a broker of the application’s own is asked for everything', async () => {
  const calls: unknown[] = [];
  const broker: Broker = {
    subscribe: (topic, webSocket) => void calls.push(['subscribe', topic, webSocket]),
    unsubscribe: (topic, webSocket) => void calls.push(['unsubscribe', topic, webSocket]),
    publish: (topic, message, except) => {
      calls.push(['publish', topic, String(message.payload), message.isBinary, except]);
      return 7;
    },
    subscribers: () => new Set(),
  };
  const { server, socket } = await connected({ broker });
  socket.subscribe('a');
  socket.subscribe('a');
  expect(socket.publish('a', 'one')).toBe(7);
  expect(server.publish('a', Buffer.from('two'))).toBe(7);
  socket.subscribe('b');
  socket.unsubscribe('b');
  socket.close();
  expect(calls).toEqual([
    ['subscribe', 'a', socket],
    ['publish', 'a', 'one', false, socket],
    ['publish', 'a', 'two', true, undefined],
    ['subscribe', 'b', socket],
    ['unsubscribe', 'b', socket],
    ['unsubscribe', 'a', socket],
  ]);
});

test('a programmer’s mistakes are refused', async () => {
  const { server, socket } = await connected();
  const seven = 7 as unknown as string;
  const wrong = new TypeError('The topic must be a string, got 7');
  expect(() => socket.subscribe(seven)).toThrow(wrong);
  expect(() => socket.unsubscribe(seven)).toThrow(wrong);
  expect(() => socket.publish(seven, 'a')).toThrow(wrong);
  expect(() => server.publish(seven, 'a')).toThrow(wrong);
  expect(() => server.subscribers(seven)).toThrow(wrong);
  expect(() => server.publish('a', new Blob(['a']) as unknown as string)).toThrow(TypeError);
  const options = { noServer: true, broker: {} } as unknown as ServerOptions;
  expect(() => new WebSocketServer(options)).toThrow(
    'The "broker" option must have the methods subscribe, unsubscribe, publish, subscribers, got',
  );
});

test('a WebSocket of no server has no topics', () => {
  const webSocket = new WebSocket(null);
  const none = expect.objectContaining({
    code: 'WS_ERR_NO_BROKER',
    message: 'This WebSocket has no topics: only those of a server do',
  });
  const thrown = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };
  expect(thrown(() => webSocket.subscribe('a'))).toEqual(none);
  expect(thrown(() => webSocket.publish('a', 'b'))).toEqual(none);
  expect(webSocket.unsubscribe('a')).toBe(false);
  expect(webSocket.isSubscribed('a')).toBe(false);
});

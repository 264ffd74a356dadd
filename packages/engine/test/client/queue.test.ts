import { Agent } from 'node:http';
import { connect } from 'node:net';
import type { ClientOptions } from '../../src/client-options';
import { WebSocket } from '../../src/index';
import { eventsOf, once } from '../support/client-events';
import type { RawRequest } from '../support/raw-server';
import { RawServer } from '../support/raw-server';

/** Waits until a condition holds that only this process's own sockets can bring about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

let server: RawServer;
let clients: WebSocket[];

function open(options: ClientOptions = {}, url = server.url): WebSocket {
  const client = new WebSocket(url, options);
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

/** The path of each request that has come. */
const paths = (): string[] => server.requests.map((request) => request.line.split(' ')[1]);

beforeEach(async () => {
  clients = [];
  // Requests wait for the test to answer them.
  server = await RawServer.listen(() => undefined);
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  await server.close();
});

describe('RFC 6455 4.1 (2): one handshake with a host and port at a time', () => {
  const WAYS: [string, () => ClientOptions][] = [
    ['on its own', () => ({})],
    ['with agent false', () => ({ agent: false })],
    ['with an agent', () => ({ agent: new Agent() })],
    [
      'with createConnection',
      () => ({ createConnection: () => connect(server.port, '127.0.0.1') }),
    ],
  ];

  test.each(WAYS)('%s, in the order they were asked for', async (_name, options) => {
    const opened: number[] = [];
    const all = [0, 1, 2, 3].map((index) => {
      const client = open(options(), `${server.url}/${index}`);
      client.on('open', () => opened.push(index));
      return once(client, 'open');
    });
    for (let index = 0; index < 4; index++) {
      await until(() => server.requests.length > index);
      // All that could have come by now has: the connections are made by this same process.
      expect(server.sockets).toHaveLength(index + 1);
      server.requests[index].upgrade();
      await all[index];
    }
    expect(paths()).toEqual(['/0', '/1', '/2', '/3']);
    expect(opened).toEqual([0, 1, 2, 3]);
  });

  const ENDS: [string, (request: RawRequest, client: WebSocket) => void][] = [
    ['is refused', (request) => request.refuse('403 Forbidden')],
    [
      'is answered wrongly',
      (request) => request.respond('101 x', 'Upgrade: websocket', 'Connection: upgrade'),
    ],
    ['is reset', (request) => request.socket.resetAndDestroy()],
    ['is given up', (_request, client) => client.terminate()],
  ];

  test.each(ENDS)('the next one begins when the one before it %s', async (_name, end) => {
    const one = open({}, `${server.url}/1`);
    const two = open({}, `${server.url}/2`);
    const closed = once(one, 'close');
    await until(() => server.requests.length === 1);
    end(server.requests[0], one);
    await closed;
    await until(() => server.requests.length === 2);
    server.requests[1].upgrade();
    await once(two, 'open');
    expect(paths()).toEqual(['/1', '/2']);
  });

  test('the next one begins when the application takes the response', async () => {
    const one = open({}, `${server.url}/1`);
    one.on('unexpected-response', () => undefined);
    open({}, `${server.url}/2`);
    await until(() => server.requests.length === 1);
    server.requests[0].respond('401 Unauthorized', 'Content-Length: 10');
    await until(() => server.requests.length === 2);
    expect(one.readyState).toBe(0);
  });

  test('one that is given up while it waits asks nobody', async () => {
    open({}, `${server.url}/1`);
    const two = open({}, `${server.url}/2`);
    const three = open({ agent: new Agent() }, `${server.url}/3`);
    const four = open({}, `${server.url}/4`);
    const events = [eventsOf(two), eventsOf(three)];
    two.close();
    three.terminate();
    for (const told of await Promise.all(events)) {
      expect(told).toEqual([
        ['error', 2, 'Error: WebSocket was closed before the connection was established'],
        ['close', 3, '1006 '],
      ]);
    }
    await until(() => server.requests.length === 1);
    server.requests[0].upgrade();
    await until(() => server.requests.length === 2);
    server.requests[1].upgrade();
    await once(four, 'open');
    expect(paths()).toEqual(['/1', '/4']);
  });

  test('mistakes are thrown by one that would wait, too', () => {
    open();
    expect(() => open({ headers: { 'a b': 'c' } })).toThrow('valid HTTP token');
    expect(() => open({ agent: new Agent(), origin: 'a\n' })).toThrow('Invalid character');
  });

  test('createConnection that throws when the turn comes fails that handshake alone', async () => {
    const one = open();
    const two = open({
      createConnection: () => {
        throw new Error('no way there');
      },
    });
    const three = open();
    const events = eventsOf(two);
    await until(() => server.requests.length === 1);
    one.terminate();
    expect(await events).toEqual([
      ['error', 2, 'Error: no way there'],
      ['close', 3, '1006 '],
    ]);
    await until(() => server.requests.length === 2);
    server.requests[1].upgrade();
    await once(three, 'open');
  });

  test('handshakeTimeout does not run while one waits', async () => {
    open();
    const two = open({ handshakeTimeout: 1 });
    await until(() => server.requests.length === 1);
    // The first one times out only after longer than that.
    const third = new WebSocket(server.url.replace('127.0.0.1', 'localhost'), {
      handshakeTimeout: 20,
    });
    await eventsOf(third);
    expect(two.readyState).toBe(0);
  });
});

describe('what does not wait', () => {
  test('other ports and other names', async () => {
    const other = await RawServer.listen(() => undefined);
    open();
    open({}, other.url);
    open({}, server.url.replace('127.0.0.1', 'localhost'));
    await until(() => server.requests.length === 2 && other.requests.length === 1);
    await other.close();
  });

  test('allowSimultaneousHandshakes', async () => {
    open();
    open({ allowSimultaneousHandshakes: true });
    open({ allowSimultaneousHandshakes: true });
    await until(() => server.requests.length === 3);
  });
});

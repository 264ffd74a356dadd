import { getEventListeners } from 'node:events';
import type { Socket } from 'node:net';
import { WebSocket } from '../../src/index';
import { errorOf, eventsOf, once } from '../support/client-events';
import { clientLibraries } from '../support/clients';
import { RawServer } from '../support/raw-server';

const ABORTED = 'WebSocket was closed before the connection was established';

describe.each(clientLibraries)('a client of $name that is still connecting', (library) => {
  let server: RawServer;

  beforeEach(async () => {
    // Takes the request and says nothing.
    server = await RawServer.listen(() => undefined);
  });

  afterEach(() => server.close());

  test('sends nothing', async () => {
    const client = new library.WebSocket(server.url);
    const text = 'WebSocket is not open: readyState 0 (CONNECTING)';
    expect(client.readyState).toBe(0);
    for (const call of ['send', 'ping', 'pong'] as const) {
      expect(() => client[call]('x')).toThrow(text);
    }
    expect(client.bufferedAmount).toBe(0);
    client.pause();
    client.resume();
    expect(client.isPaused).toBe(false);
    const events = eventsOf(client);
    client.terminate();
    await events;
  });

  test.each(['close', 'terminate'] as const)('is given up by %s()', async (how) => {
    const client = new library.WebSocket(server.url);
    const events = eventsOf(client);
    client[how]();
    expect(client.readyState).toBe(2);
    client[how]();
    const told = new Promise((resolve) => client.send('x', resolve));
    expect(await events).toEqual([
      ['error', 2, `Error: ${ABORTED}`],
      ['close', 3, '1006 '],
    ]);
    expect(await told).toEqual(new Error('WebSocket is not open: readyState 2 (CLOSING)'));
    client[how]();
    expect(client.readyState).toBe(3);
  });

  test('counts what is sent when it has been given up', async () => {
    const client = new library.WebSocket(server.url);
    const events = eventsOf(client);
    client.close();
    client.send('ü');
    client.ping('abc');
    expect(client.bufferedAmount).toBe(5);
    await events;
    client.send(Buffer.alloc(10));
    client.send('');
    expect(client.bufferedAmount).toBe(15);
  });

  test('may be given up by an upgrade listener', async () => {
    const upgrading = await RawServer.listen((request) => request.upgrade());
    const client = new library.WebSocket(upgrading.url);
    client.on('upgrade', () => client.close());
    expect(await eventsOf(client)).toEqual([
      ['upgrade', 2],
      ['error', 2, `Error: ${ABORTED}`],
      ['close', 3, '1006 '],
    ]);
    await upgrading.close();
  });

  test('gives up after handshakeTimeout', async () => {
    const client = new library.WebSocket(server.url, { handshakeTimeout: 20 });
    expect(await eventsOf(client)).toEqual([
      ['error', 2, 'Error: Opening handshake has timed out'],
      ['close', 3, '1006 '],
    ]);
  });

  test('gives up when its signal aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const client = new library.WebSocket(server.url, { signal: controller.signal } as object);
    const error = errorOf(client);
    const events = eventsOf(client);
    controller.abort(reason);
    expect(await events).toEqual([
      ['error', 2, 'AbortError: The operation was aborted'],
      ['close', 3, '1006 '],
    ]);
    expect(await error).toMatchObject({ code: 'ABORT_ERR', cause: reason });
  });

  test('gives up when its signal has aborted', async () => {
    const client = new library.WebSocket(server.url, { signal: AbortSignal.abort() } as object);
    expect(await eventsOf(client)).toEqual([
      ['error', 2, 'AbortError: The operation was aborted'],
      ['close', 3, '1006 '],
    ]);
    expect(server.requests).toHaveLength(0);
  });

  test('hears that nobody listens there', async () => {
    const { port } = server;
    await server.close();
    const client = new library.WebSocket(`ws://127.0.0.1:${port}`);
    expect(await eventsOf(client)).toEqual([
      ['error', 2, `Error: connect ECONNREFUSED 127.0.0.1:${port}`],
      ['close', 3, '1006 '],
    ]);
    server = await RawServer.listen(() => undefined);
  });
});

test('a deadline is not put off by bytes that trickle in', async () => {
  let timer: NodeJS.Timeout | undefined;
  const server = await RawServer.listen(({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nX: ');
    timer = setInterval(() => socket.write('y'), 5);
  });
  const error = await errorOf(new WebSocket(server.url, { handshakeTimeout: 60 }));
  clearInterval(timer);
  expect(error).toMatchObject({
    message: 'Opening handshake has timed out',
    code: 'WS_ERR_HANDSHAKE_TIMEOUT',
  });
  await server.close();
});

test('a deadline and a signal end with the handshake', async () => {
  const server = await RawServer.listen((request) => request.upgrade());
  const controller = new AbortController();
  const client = new WebSocket(server.url, {
    handshakeTimeout: 1000,
    signal: controller.signal,
  });
  await once(client, 'open');
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  controller.abort();
  const pong = once<Buffer>(client, 'pong');
  server.requests[0].socket.write(Buffer.from('8a0178', 'hex'));
  expect(String(await pong)).toBe('x');
  client.terminate();
  await server.close();
});

test('a handshake that is given up leaves no connection behind', async () => {
  const server = await RawServer.listen(() => undefined);
  let asked: (() => void) | undefined;
  const connected = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const client = new WebSocket(server.url, {
    finishRequest(request) {
      request.on('socket', (socket: Socket) => socket.on('connect', () => asked?.()));
      request.end();
    },
  });
  client.on('error', () => undefined);
  await connected;
  while (server.sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const gone = once(server.sockets[0], 'close');
  client.terminate();
  await gone;
  await server.close();
});

test('pause() and resume() between the end of the attempt and its close do nothing', async () => {
  const server = await RawServer.listen(() => undefined);
  const client = new WebSocket(server.url);
  const events = eventsOf(client);
  client.terminate();
  client.pause();
  client.resume();
  expect(client.isPaused).toBe(false);
  await events;
  await server.close();
});

test('an error before the connection is open that nobody hears is thrown, as by any emitter', async () => {
  const server = await RawServer.listen((request) => request.refuse('403 Forbidden'));
  const { nextTick } = process;
  const thrown: (Error & { context?: Error })[] = [];
  // What a tick throws would be the process's; here it is kept.
  const spy = jest.spyOn(process, 'nextTick').mockImplementation((callback, ...args) => {
    nextTick(() => {
      try {
        callback(...args);
      } catch (error) {
        thrown.push(error as Error);
      }
    });
  });
  const client = new WebSocket(server.url);
  expect(await once(client, 'close')).toBe(1006);
  // The errors of jest's own context are not those that Node's emitter knows, which then wraps them.
  while (thrown.length === 0) await new Promise((resolve) => setImmediate(resolve));
  spy.mockRestore();
  expect(thrown.map((error) => (error.context ?? error).message)).toEqual([
    'Unexpected server response: 403',
  ]);
  expect(client.readyState).toBe(3);
  await server.close();
});

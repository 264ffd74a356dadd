import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import type { CloseOptions } from '../src/closing';
import { WebSocketServer } from '../src/server';
import type { ServerOptions, VerifyClientCallback } from '../src/server-options';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { BINARY, CLOSE, frame, TEXT } from './support/frames';
import { RawClient, request } from './support/raw-client';
import { accepting, deferred, openSite, cleanUp as tearDown } from './support/site';
import { until } from './support/sockets';
import { afterTest, rawClient, startServer, strike, turn } from './support/stage';
import { useFakeTimeouts } from './support/timeouts';

const UNAVAILABLE =
  'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/html\r\n' +
  'Content-Length: 19\r\n\r\nService Unavailable';

/** A close frame's payload. */
function payload(code: number, reason = ''): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return Buffer.concat([bytes, Buffer.from(reason)]);
}

/** The close frame of a client. */
const answer = (code = 1001): Buffer =>
  frame({ opcode: CLOSE, payload: payload(code), key: 0x0ddba11 });

/** An HTTP server that answers plain requests; gone after the test. */
async function startHttp(): Promise<Server> {
  const http = createServer((_request, response) => response.end('plain'));
  afterTest(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return http;
}

type Mode = 'port' | 'server' | 'noServer';

interface Started {
  readonly server: WebSocketServer;
  /** What clients connect to. */
  readonly http: Parameters<typeof rawClient>[0];
}

/** A server of ours in one of its modes. */
async function start(mode: Mode, options: ServerOptions = {}): Promise<Started> {
  if (mode === 'port') {
    const server = await startServer(options);
    return { server, http: server };
  }
  const http = await startHttp();
  const given = mode === 'server' ? { server: http } : { noServer: true };
  const server = new WebSocketServer({ ...given, ...options });
  afterTest(() => strike(server));
  if (mode === 'noServer') {
    http.on('upgrade', (incoming, socket, head) =>
      server.handleUpgrade(incoming, socket, head, (webSocket) =>
        server.emit('connection', webSocket, incoming),
      ),
    );
  }
  return { server, http };
}

/** A client that has sent a handshake. */
async function knock(http: Started['http']): Promise<RawClient> {
  const client = await rawClient(http);
  client.write(request());
  return client;
}

/** A client that has got its 101. */
async function enter(http: Started['http']): Promise<RawClient> {
  const client = await knock(http);
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
  return client;
}

const closeFrameOf = async (client: RawClient): Promise<Buffer | undefined> => {
  const received = await client.frame();
  expect(received?.first).toBe(0x80 | CLOSE);
  return received?.payload;
};

describe.each<Mode>(['port', 'server', 'noServer'])('with %s', (mode) => {
  test('every client is told, and the end comes behind theirs', async () => {
    const { server, http } = await start(mode);
    const clients = [await enter(http), await enter(http), await enter(http)];
    const events: string[] = [];
    for (const webSocket of server.clients) {
      webSocket.on('close', (code) => events.push(`client ${code}`));
    }
    server.on('close', () => events.push('server'));
    const closing = server.close({}).then(() => events.push('promise'));
    for (const client of clients) {
      expect(await closeFrameOf(client)).toEqual(payload(1001));
      expect(events).not.toContain('server');
      client.write(answer());
    }
    await closing;
    expect(events).toEqual(['client 1001', 'client 1001', 'client 1001', 'server', 'promise']);
    expect(server.clients.size).toBe(0);
  });

  test('without clients', async () => {
    const { server } = await start(mode);
    const closed = jest.fn();
    server.on('close', closed);
    await server.close({ timeout: 60_000 });
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('with a code and a reason of its own', async () => {
    const { server, http } = await start(mode);
    const client = await enter(http);
    const closing = server.close({ code: 4000, reason: 'we move: é' });
    expect(await closeFrameOf(client)).toEqual(payload(4000, 'we move: é'));
    client.write(answer(4000));
    await closing;
  });

  test('a client that does not answer is cut when the time is over', async () => {
    const { server, http } = await start(mode);
    const silent = await enter(http);
    const [webSocket] = server.clients;
    const ended = once(webSocket, 'close');
    await server.close({ timeout: 1 });
    expect(await closeFrameOf(silent)).toEqual(payload(1001));
    expect(await ended).toEqual([1006, Buffer.alloc(0)]);
  });

  test('with timeout: 0 they are cut at once, behind their close frames', async () => {
    const { server, http } = await start(mode);
    const silent = await enter(http);
    await server.close({ timeout: 0 });
    expect(await closeFrameOf(silent)).toEqual(payload(1001));
    expect(await silent.frame()).toBeUndefined();
  });

  test('a handshake that waits for verifyClient gets 503, and no decision counts any more', async () => {
    const called = deferred<VerifyClientCallback>();
    const { server, http } = await start(mode, {
      handshakeTimeout: 0,
      verifyClient: (_info, callback) => called.resolve(callback),
    });
    const connected = jest.fn();
    const reported = jest.fn();
    server.on('connection', connected).on('error', reported);
    const client = await knock(http);
    const decide = await called.promise;
    const closing = server.close({});
    expect((await client.rest()).toString()).toBe(UNAVAILABLE);
    decide(true);
    await closing;
    expect(connected).not.toHaveBeenCalled();
    expect(reported).not.toHaveBeenCalled();
  });

  test('so does one whose decision is a promise', async () => {
    const asked = deferred();
    const decision = deferred<boolean>();
    const { server, http } = await start(mode, {
      verifyClient: () => {
        asked.resolve();
        return decision.promise;
      },
    });
    const client = await knock(http);
    await asked.promise;
    const closing = server.close({});
    expect((await client.rest()).toString()).toBe(UNAVAILABLE);
    decision.resolve(true);
    await closing;
    expect(server.clients.size).toBe(0);
  });

  test('a handshake that comes meanwhile gets 503, and nobody is asked', async () => {
    const verifyClient = jest.fn(() => true);
    const { server, http } = await start(mode, { verifyClient });
    const client = await enter(http);
    const late = await beginRequest(server, http);
    const closing = server.close({});
    expect(await closeFrameOf(client)).toEqual(payload(1001));
    late.write(request().slice(BEGUN));
    expect((await late.rest()).toString()).toBe(UNAVAILABLE);
    expect(verifyClient).toHaveBeenCalledTimes(1);
    client.write(answer());
    await closing;
  });

  test('behind close(callback) it still says goodbye', async () => {
    const { server, http } = await start(mode);
    const client = await enter(http);
    const callback = jest.fn();
    server.close(callback);
    const closing = server.close({});
    expect(await closeFrameOf(client)).toEqual(payload(1001));
    expect(callback).not.toHaveBeenCalled();
    client.write(answer());
    await closing;
    expect(callback.mock.calls).toEqual([[]]);
  });

  test('close(callback) behind it is told of the same end', async () => {
    const { server, http } = await start(mode);
    await enter(http);
    const callback = jest.fn();
    const closing = server.close({ timeout: 1 });
    server.close(callback);
    await closing;
    expect(callback.mock.calls).toEqual([[]]);
  });

  test('again, in any state: the same end, and no close frame more', async () => {
    const { server, http } = await start(mode);
    const client = await enter(http);
    const closed = jest.fn();
    server.on('close', closed);
    const closing = [server.close({}), server.close({ code: 1012 })];
    client.write(answer());
    await Promise.all(closing);
    await server.close({});
    expect((await client.frames()).map(({ payload: bytes }) => bytes)).toEqual([payload(1001)]);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('again, with less time', async () => {
    const { server, http } = await start(mode);
    await enter(http);
    const closing = server.close({ timeout: 2 ** 31 - 1 });
    await server.close({ timeout: 1 });
    await closing;
  });
});

/** Bytes of the handshake that {@link beginRequest} sends. */
const BEGUN = 40;

/** A client that has sent the beginning of a handshake, which the server has read. */
async function beginRequest(server: WebSocketServer, http: Started['http']): Promise<RawClient> {
  const listening = http === server ? server._server : http;
  const connection = once(listening as Server, 'connection');
  const client = await rawClient(http);
  const [socket] = await connection;
  client.write(request().slice(0, BEGUN));
  await until(() => socket.bytesRead === BEGUN);
  return client;
}

describe('the time', () => {
  beforeEach(useFakeTimeouts);
  afterEach(() => jest.useRealTimers());

  test('is closeTimeout where nothing is said', async () => {
    const { server, http } = await start('port', { closeTimeout: 5000 });
    // Not a WebSocket, which has a time of its own.
    await beginRequest(server, http);
    const over = jest.fn();
    const closing = server.close({}).then(over);
    jest.advanceTimersByTime(4999);
    await turn();
    expect(over).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    await closing;
  });

  test('is not made longer by saying it again', async () => {
    const { server, http } = await start('port');
    await beginRequest(server, http);
    const closing = [server.close({ timeout: 1000 }), server.close({ timeout: 9000 })];
    jest.advanceTimersByTime(1000);
    await Promise.all(closing);
  });

  test('is over even for a client that was refused and does not go', async () => {
    const { server } = await start('port', { verifyClient: () => false });
    const { port } = server.address() as AddressInfo;
    const client = await RawClient.over(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    afterTest(() => client.socket.destroy());
    client.write(request());
    expect(await client.head()).toMatch(/^HTTP\/1\.1 401 /);
    // Less than its socket would linger.
    const closing = server.close({ timeout: 1000 });
    jest.advanceTimersByTime(1000);
    await closing;
  });

  test('leaves no timer behind', async () => {
    const timers = jest.getTimerCount();
    const { server, http } = await start('noServer');
    const client = await enter(http);
    const closing = server.close({});
    expect(jest.getTimerCount()).toBeGreaterThan(timers);
    client.write(answer());
    await closing;
    await client.closed;
    await until(() => jest.getTimerCount() === timers);
  });
});

describe('with a port', () => {
  test('nobody can connect any more', async () => {
    const { server, http } = await start('port');
    const client = await enter(http);
    const { port } = server.address() as AddressInfo;
    const closing = server.close({});
    expect(server.address()).toBeNull();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    client.write(answer());
    await closing;
  });

  test('half a request holds it no longer than the time', async () => {
    const { server, http } = await start('port');
    const client = await beginRequest(server, http);
    await server.close({ timeout: 1 });
    await client.closed;
  });

  test('neither does one that a wsClientError listener has left waiting', async () => {
    const { server, http } = await start('port');
    const told = once(server, 'wsClientError');
    const client = await rawClient(http);
    client.write(request({ 'Sec-WebSocket-Version': '7' }));
    await told;
    await server.close({ timeout: 1 });
    await client.closed;
  });

  test('before it listens', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await server.close({});
    expect(server.address()).toBeNull();
  });

  test('where the port was taken', async () => {
    const { server: first } = await start('port');
    const { port } = first.address() as AddressInfo;
    const second = new WebSocketServer({ port, host: '127.0.0.1' });
    await once(second, 'error');
    await second.close({});
  });
});

describe('with server', () => {
  test('the HTTP server goes on, without us', async () => {
    const http = await startHttp();
    const server = new WebSocketServer({ server: http });
    const client = await enter(http);
    const closing = server.close({});
    expect(http.listenerCount('upgrade')).toBe(1);
    client.write(answer());
    await closing;
    expect(http.listenerCount('upgrade')).toBe(0);
    const plain = await knock(http);
    expect(await plain.head()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('what clients and the application do meanwhile', () => {
  afterEach(tearDown);

  test('messages that are on their way are still delivered', async () => {
    const { server, http } = await start('server');
    const client = await enter(http);
    const [webSocket] = server.clients;
    const messages: string[] = [];
    webSocket.on('message', (data) => messages.push(String(data)));
    const closing = server.close({});
    const last = frame({ opcode: TEXT, payload: 'last words', key: 1 });
    client.write(Buffer.concat([last, answer()]));
    await closing;
    expect(messages).toEqual(['last words']);
  });

  test('messages that were held for a listener do not hold the end', async () => {
    const { server, http } = await start('server', { holdMessages: true });
    const client = await enter(http);
    client.write(frame({ opcode: BINARY, payload: 'nobody comes', key: 1 }));
    client.write(answer(1000));
    const [webSocket] = server.clients;
    await until(() => webSocket.readyState !== WebSocket.OPEN);
    await server.close({});
  });

  test('neither does a paused WebSocket', async () => {
    const { server, http } = await start('server');
    const client = await enter(http);
    const [webSocket] = server.clients;
    webSocket.pause();
    client.write(answer(1000));
    await server.close({ timeout: 1 });
    expect(webSocket.readyState).toBe(WebSocket.CLOSED);
  });

  test('a class whose close() throws is reported, and keeps nobody waiting', async () => {
    class Broken extends WebSocket {
      override close(): void {
        throw new Error('no way to close');
      }
    }
    const { server, http } = await start('server', { WebSocket: Broken });
    await enter(http);
    await enter(http);
    const reported: Error[] = [];
    server.on('error', (error) => reported.push(error));
    await server.close({ timeout: 1 });
    expect(reported).toEqual([new Error('no way to close'), new Error('no way to close')]);
  });

  test('one whose 101 is on its way is told as soon as it is open', async () => {
    const opened = jest.fn();
    const { gateway, port } = await openSite(accepting(opened));
    let closing: Promise<void> | undefined;
    gateway.server.on('headers', () => {
      closing = gateway.server.close({});
    });
    const client = await RawClient.open(port);
    expect(await closeFrameOf(client)).toEqual(payload(1001));
    client.write(answer());
    await closing;
    await client.closed;
  });
});

describe('mistakes', () => {
  test.each<[object, typeof TypeError, string]>([
    [{ code: '1001' }, TypeError, 'The "code" option must be a number, got "1001"'],
    [
      { code: 1005 },
      RangeError,
      'The "code" option must be 1000-1014 without 1004-1006, or 3000-4999 (RFC 6455 7.4), got 1005',
    ],
    [
      { code: 1000.5 },
      RangeError,
      'The "code" option must be 1000-1014 without 1004-1006, or 3000-4999 (RFC 6455 7.4), got 1000.5',
    ],
    [{ reason: 5 }, TypeError, 'The "reason" option must be a string, got 5'],
    [
      { reason: 'é'.repeat(62) },
      RangeError,
      'The "reason" option must be at most 123 bytes (RFC 6455 5.5), got 124',
    ],
    [{ timeout: '1' }, TypeError, 'The "timeout" option must be a number, got "1"'],
    [
      { timeout: -1 },
      RangeError,
      'The "timeout" option must be an integer from 0 to 2147483647 milliseconds, got -1',
    ],
    [
      { timeout: Number.POSITIVE_INFINITY },
      RangeError,
      'The "timeout" option must be an integer from 0 to 2147483647 milliseconds, got Infinity',
    ],
  ])('%p is thrown at once, and the server goes on', async (options, Type, message) => {
    const { server, http } = await start('port');
    // What the types forbid is what is tested.
    expect(() => server.close(options as CloseOptions)).toThrow(new Type(message));
    await enter(http);
    expect(server.clients.size).toBe(1);
  });

  test('undefined is the default', async () => {
    const { server, http } = await start('port');
    const client = await enter(http);
    const closing = server.close({ code: undefined, reason: undefined, timeout: undefined });
    expect(await closeFrameOf(client)).toEqual(payload(1001));
    client.write(answer());
    await closing;
  });

  test('a server that does not know its clients cannot tell them', () => {
    const server = new WebSocketServer({ noServer: true, clientTracking: false });
    expect(() => server.close({})).toThrow(
      new Error(
        'The server cannot say goodbye to its clients: with "clientTracking: false" it does not know them',
      ),
    );
  });
});

describe('the process', () => {
  test('ends by itself, however long the time is', async () => {
    const { exit, stdout, stderr } = await runChild(`
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' });
      await new Promise((resolve) => server.once('listening', resolve));
      const client = await raw.RawClient.open(server.address().port);
      const closing = server.close({ timeout: 2 ** 31 - 1 });
      await client.frame();
      client.write(frames.frame({ opcode: frames.CLOSE, payload: Buffer.from([3, 233]), key: 1 }));
      await closing;
      console.log('closed');
    `);
    expect({ exit, stdout, stderr }).toEqual({ exit: 0, stdout: 'closed\n', stderr: '' });
  });

  test('ends even while the time runs, where nothing else keeps it', async () => {
    const { exit, stdout, stderr } = await runChild(`
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' });
      await new Promise((resolve) => server.once('listening', resolve));
      server._server.unref();
      const client = await raw.RawClient.open(server.address().port);
      for (const webSocket of server.clients) webSocket._socket.unref();
      client.socket.unref();
      server.close({ timeout: 2 ** 31 - 1 }).then(() => console.log('closed'));
    `);
    expect({ exit, stdout, stderr }).toEqual({ exit: 0, stdout: '', stderr: '' });
  });

  test('has the error of a close listener, and the promise settles', async () => {
    const { exit, stdout } = await runChild(`
      process.on('uncaughtException', (error) => console.log('uncaught:', error.message));
      const server = new upwire.WebSocketServer({ noServer: true });
      server.on('close', () => { throw new Error('broken'); });
      await server.close({});
      console.log('settled');
    `);
    expect(exit).toBe(0);
    expect(stdout.split('\n').sort()).toEqual(['', 'settled', 'uncaught: broken']);
  });
});

import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from '../src/server';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { CLOSE, frame } from './support/frames';
import { RawClient, request } from './support/raw-client';
import { afterTest, rawClient, startServer, strike, turn } from './support/stage';

const noServer = (options = {}): WebSocketServer =>
  new WebSocketServer({ noServer: true, ...options });

/** A plain HTTP server on any free port. */
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

async function upgradeOn(http: Server): Promise<RawClient> {
  const client = await rawClient(http);
  client.write(request());
  return client;
}

const connectionOf = async (server: WebSocketServer): Promise<WebSocket> => {
  // The event's first argument is the WebSocket.
  const [socket] = (await once(server, 'connection')) as [WebSocket];
  return socket;
};

describe('the three modes', () => {
  test.each([
    [{}],
    [undefined],
    [{ port: 0, noServer: true }],
    [{ server: createServer(), noServer: true }],
    [{ port: 0, server: createServer() }],
    [{ port: null, server: null, noServer: false }],
  ])('one and only one: %j', (options) => {
    expect(() => new WebSocketServer(options)).toThrow(
      new TypeError(
        'One and only one of the "port", "server", or "noServer" options must be specified',
      ),
    );
  });

  test('port listens, tells it by event and callback, and answers handshakes', async () => {
    const calls: string[] = [];
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () =>
      calls.push('callback'),
    );
    afterTest(() => strike(server));
    server.on('listening', () => calls.push('event'));
    await once(server, 'listening');
    await turn();
    expect(calls.sort()).toEqual(['callback', 'event']);
    const address = server.address() as AddressInfo;
    expect(address).toEqual({ address: '127.0.0.1', family: 'IPv4', port: expect.any(Number) });
    const connection = connectionOf(server);
    await RawClient.open(address.port).then((client) => afterTest(() => client.socket.destroy()));
    expect(await connection).toBeInstanceOf(WebSocket);
  });

  test('a port may be a string of digits, as it comes from the environment', async () => {
    const server = await startServer({ port: '0' });
    expect(server.options.port).toBe(0);
    expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
  });

  test('backlog and host are handed to listen()', async () => {
    const server = await startServer({ host: '127.0.0.1', backlog: 3 });
    expect((server.address() as AddressInfo).address).toBe('127.0.0.1');
    expect(server.options).toMatchObject({ host: '127.0.0.1', backlog: 3 });
  });

  test('path is that of the options', () => {
    expect(noServer({ path: '/chat' }).path).toBe('/chat');
    expect(noServer().path).toBe('');
  });

  test('a port that is taken is an error event', async () => {
    const first = await startServer();
    const { port } = first.address() as AddressInfo;
    const second = new WebSocketServer({ port, host: '127.0.0.1' });
    const [error] = (await once(second, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('EADDRINUSE');
    await strike(second);
  });

  test('server: a callback is not called, its listening and errors are told on', async () => {
    const http = createServer();
    const callback = jest.fn();
    const server = new WebSocketServer({ server: http }, callback);
    const listening = once(server, 'listening');
    http.listen(0, '127.0.0.1');
    await listening;
    expect(server.address()).toEqual(http.address());
    const failed = once(server, 'error');
    http.emit('error', new Error('made up'));
    expect(await failed).toEqual([new Error('made up')]);
    http.close();
    await once(http, 'close');
    expect(callback).not.toHaveBeenCalled();
  });

  test('server: anything that emits its events, and has an address, will do', async () => {
    const http = await startHttp();
    const front = Object.assign(new EventEmitter(), { address: () => http.address() });
    const server = new WebSocketServer({ server: front as never });
    http.on('upgrade', (...values) => front.emit('upgrade', ...values));
    expect(server.address()).toEqual(http.address());
    const connection = connectionOf(server);
    const client = await upgradeOn(http);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await connection).toBeInstanceOf(WebSocket);
  });

  test('server: plain requests stay the application’s', async () => {
    const http = await startHttp();
    new WebSocketServer({ server: http });
    const client = await rawClient(http);
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)+\r\nplain$/);
  });

  test('noServer has no address', () => {
    expect(() => noServer().address()).toThrow(
      new Error('The server is operating in "noServer" mode'),
    );
  });

  test('port: plain requests are told to upgrade, and their connection may go on', async () => {
    const server = await startServer();
    const { port } = server.address() as AddressInfo;
    const outgoing = httpRequest({
      port,
      host: '127.0.0.1',
      headers: { Connection: 'keep-alive' },
    });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(426);
    expect(response.headers).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade' });
    response.resume();
    await once(response, 'end');
    outgoing.destroy();
  });
});

describe('options', () => {
  const NUMBERS = [
    'maxPayload',
    'maxFragments',
    'maxBufferedChunks',
    'maxPendingAutoPongs',
    'closeTimeout',
    'handshakeTimeout',
  ] as const;

  test.each(
    NUMBERS.flatMap((name) =>
      [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 3 * 1024 ** 3].map((value) => [name, value]),
    ),
  )('%s: %d is out of range', (name, value) => {
    const construct = () => noServer({ [name as string]: value });
    expect(construct).toThrow(RangeError);
    expect(construct).toThrow(
      new RegExp(`^The "${name}" option must be an integer .* got ${value}$`),
    );
  });

  test.each(
    NUMBERS.flatMap((name) =>
      [null, '1', true, {}, 1n].map((value) => [name, value] as [string, unknown]),
    ),
  )('%s: %p is no number', (name, value) => {
    const construct = () => noServer({ [name]: value });
    expect(construct).toThrow(TypeError);
    expect(construct).toThrow(new RegExp(`^The "${name}" option must be a number, got `));
  });

  test.each(['autoPong', 'skipUTF8Validation', 'clientTracking'])('%s is a boolean', (name) => {
    for (const value of [null, 0, 1, 'true', {}]) {
      const construct = () => noServer({ [name]: value });
      expect(construct).toThrow(TypeError);
      expect(construct).toThrow(new RegExp(`^The "${name}" option must be a boolean, got `));
    }
  });

  test.each([
    ['path', 5, 'The "path" option must be a string, got 5'],
    ['host', {}, 'The "host" option must be a string, got an object'],
    ['backlog', 'x', 'The "backlog" option must be a number, got "x"'],
    ['verifyClient', 'x', 'The "verifyClient" option must be a function, got "x"'],
    ['WebSocket', {}, 'The "WebSocket" option must be a function, got an object'],
    ['WebSocket', null, null],
    [
      'handleProtocols',
      'chat',
      `The option "handleProtocols" must be a list of subprotocols or a function, got 'chat'`,
    ],
  ])('%s: %p', (name, value, message) => {
    const construct = () => noServer({ [name]: value });
    if (message === null) expect(construct).not.toThrow();
    else expect(construct).toThrow(new TypeError(message));
  });

  test.each([[5], ['x'], [() => 0]])('options that are no object: %p', (options) => {
    expect(() => new WebSocketServer(options as never)).toThrow(TypeError);
  });

  test.each([
    [-1, 'must be an integer from 0 to 65535 (a TCP port), got -1'],
    [65_536, 'must be an integer from 0 to 65535 (a TCP port), got 65536'],
    ['70000', 'must be an integer from 0 to 65535 (a TCP port), got 70000'],
    [Number.NaN, 'must be an integer from 0 to 65535 (a TCP port), got NaN'],
    ['http', 'must be a number, got "http"'],
    ['', 'must be a number, got ""'],
    ['-1', 'must be a number, got "-1"'],
    [true, 'must be a number, got true'],
  ])('port: %p', (port, message) => {
    expect(() => new WebSocketServer({ port: port as never })).toThrow(
      `The "port" option ${message}`,
    );
  });

  test('server must be one', () => {
    expect(() => new WebSocketServer({ server: {} as never })).toThrow(
      new TypeError('The "server" option must be a server, got an object'),
    );
  });

  test('undefined is the default, and every default can be read', () => {
    const names = [...NUMBERS, 'autoPong', 'skipUTF8Validation', 'clientTracking', 'path', 'host'];
    const given = Object.fromEntries(names.map((name) => [name, undefined]));
    const { options } = noServer(given);
    expect(options).toEqual(noServer().options);
    expect(options).toMatchObject({
      autoPong: true,
      backlog: null,
      clientTracking: true,
      closeTimeout: 30_000,
      handleProtocols: null,
      handshakeTimeout: 30_000,
      host: null,
      maxBufferedChunks: 0,
      maxFragments: 0,
      maxFramingOverhead: 262_144,
      maxPayload: 104_857_600,
      maxPendingAutoPongs: 60,
      noServer: true,
      path: null,
      perMessageDeflate: false,
      port: null,
      server: null,
      skipUTF8Validation: false,
      verifyClient: null,
      WebSocket,
    });
  });

  test('a limit that is changed later counts for those who connect later, and is checked then', async () => {
    const server = await startServer();
    const reported: Error[] = [];
    server.on('error', (error: Error) => reported.push(error));
    Object.assign(server.options, { maxPayload: 1 });
    const connection = connectionOf(server);
    const first = await rawClient(server);
    first.write(request(), frame({ opcode: 1, payload: 'ab', key: 1 }));
    await connection;
    await first.head();
    expect((await first.frame())?.payload.toString('hex')).toBe('03f1');
    Object.assign(server.options, { maxPayload: -1 });
    const second = await rawClient(server);
    second.write(request());
    expect((await second.rest()).toString()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reported.map((error) => error.message)).toEqual([
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ]);
  });
});

describe('clients', () => {
  test('come and go, out before the application’s own close listener', async () => {
    const server = await startServer();
    const sizes: number[] = [];
    server.on('connection', (socket: WebSocket) => {
      sizes.push(server.clients?.size ?? -1);
      socket.on('close', () => sizes.push(server.clients?.size ?? -1));
    });
    const connection = connectionOf(server);
    const client = await rawClient(server);
    client.write(request());
    const socket = await connection;
    const closed = once(socket, 'close');
    client.end();
    await closed;
    expect(sizes).toEqual([1, 0]);
  });

  test('are not kept with clientTracking: false', async () => {
    const server = await startServer({ clientTracking: false });
    expect(server.clients).toBeUndefined();
    const connection = connectionOf(server);
    const client = await rawClient(server);
    client.write(request());
    const socket = await connection;
    socket.terminate();
    await once(socket, 'close');
  });

  test('are of the class that the option WebSocket names', async () => {
    class Named extends WebSocket {
      readonly nickname = 'none';
    }
    const server = await startServer({ WebSocket: Named });
    const connection = connectionOf(server);
    const client = await rawClient(server);
    client.write(request());
    const socket = await connection;
    expect(socket).toBeInstanceOf(Named);
    expect((socket as Named).nickname).toBe('none');
  });
});

describe('close()', () => {
  test('port: takes no more connections, leaves those there are, and waits for them', async () => {
    const server = await startServer();
    const connection = connectionOf(server);
    const client = await rawClient(server);
    client.write(request());
    const socket = await connection;
    await client.head();
    const { port } = server.address() as AddressInfo;
    const closed = once(server, 'close');
    server.close();
    expect(server.address()).toBeNull();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.send('still here');
    expect((await client.frame())?.payload.toString()).toBe('still here');
    socket.terminate();
    await closed;
  });

  test('port: before it listens', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.close();
    await once(server, 'close');
    expect(server._state).toBe(2);
  });

  test('server: leaves the HTTP server alone and without its listeners', async () => {
    const http = await startHttp();
    const counts = () => ['upgrade', 'listening', 'error'].map((name) => http.listenerCount(name));
    const before = counts();
    const server = new WebSocketServer({ server: http });
    expect(counts()).toEqual(before.map((count) => count + 1));
    server.close();
    expect(counts()).toEqual(before);
    await once(server, 'close');
    expect(http.listening).toBe(true);
  });

  test('server: is told when the last client has gone', async () => {
    const http = await startHttp();
    const server = new WebSocketServer({ server: http });
    const sockets: WebSocket[] = [];
    server.on('connection', (socket: WebSocket) => sockets.push(socket));
    const clients = [await upgradeOn(http), await upgradeOn(http)];
    for (const client of clients) await client.head();
    const callback = jest.fn();
    server.close(callback);
    sockets[0].terminate();
    await once(sockets[0], 'close');
    await turn();
    expect(callback).not.toHaveBeenCalled();
    sockets[1].terminate();
    await once(server, 'close');
    expect(callback.mock.calls).toEqual([[]]);
  });

  test.each([
    ['with clientTracking: false', false],
    ['without clients', true],
  ])('noServer, %s: is told in the next tick', async (_name, clientTracking) => {
    const server = noServer({ clientTracking });
    const callback = jest.fn();
    server.close(callback);
    expect(callback).not.toHaveBeenCalled();
    await once(server, 'close');
    expect(callback.mock.calls).toEqual([[]]);
  });

  test('again: while closing every callback is called; when closed each gets an error', async () => {
    const server = noServer();
    const callbacks = [jest.fn(), jest.fn(), jest.fn()];
    server.close(callbacks[0]);
    server.close(callbacks[1]);
    await once(server, 'close');
    server.close(callbacks[2]);
    await once(server, 'close');
    server.close();
    await once(server, 'close');
    expect(callbacks.map((callback) => callback.mock.calls)).toEqual([
      [[]],
      [[]],
      [[new Error('The server is not running')]],
    ]);
  });

  test('handshakes that come later are answered 503', async () => {
    const http = await startHttp();
    const server = noServer();
    http.on('upgrade', (incoming, socket, head) =>
      server.handleUpgrade(incoming, socket, head, fail),
    );
    server.close();
    const client = await upgradeOn(http);
    expect((await client.rest()).toString()).toBe(
      'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 19\r\n\r\nService Unavailable',
    );
  });

  const fail = (): never => {
    throw new Error('The handshake was accepted');
  };
});

describe('handleUpgrade()', () => {
  test('hands over the socket in the same tick, with what was read behind the request', async () => {
    const http = await startHttp();
    const server = noServer();
    const steps: unknown[] = [];
    const message = new Promise<unknown>((resolve) => {
      http.on('upgrade', (incoming, socket, head) => {
        server.handleUpgrade(incoming, socket, head, (webSocket, again) => {
          steps.push('callback', again === incoming, webSocket.readyState);
          webSocket.on('message', resolve);
        });
        steps.push('returned');
      });
    });
    const client = await rawClient(http);
    client.write(request(), frame({ opcode: 1, payload: 'early', key: 7 }));
    expect(String(await message)).toBe('early');
    expect(steps).toEqual(['callback', true, WebSocket.OPEN, 'returned']);
  });

  test('noServer: the event connection is the application’s to emit', async () => {
    const http = await startHttp();
    const server = noServer();
    const connection = jest.fn();
    server.on('connection', connection);
    http.on('upgrade', (incoming, socket, head) => {
      server.handleUpgrade(incoming, socket, head, () => undefined);
    });
    await (await upgradeOn(http)).head();
    await turn();
    expect(connection).not.toHaveBeenCalled();
  });

  test('head cut at every byte', async () => {
    const message = frame({ opcode: 1, payload: 'cut', key: 0x0a0b0c0d });
    const server = noServer();
    const http = await startHttp();
    for (let cut = 0; cut <= message.length; cut++) {
      const received = new Promise((resolve) => {
        http.once('upgrade', (incoming, socket, head) => {
          const begin = Buffer.concat([head, message.subarray(0, cut)]);
          server.handleUpgrade(incoming, socket, begin, (it) => it.on('message', resolve));
        });
      });
      const client = await upgradeOn(http);
      await client.head();
      client.write(message.subarray(cut));
      expect(String(await received)).toBe('cut');
    }
  });

  test('a callback that throws: the error is the process’s, and the connection lives', async () => {
    const { exit, stdout } = await runChild(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
        const client = await raw.RawClient.open(server.address().port);
        client.write(frames.frame({ opcode: 1, payload: 'a', key: 1 }));
        console.log((await client.frame()).payload.toString());
        client.end();
        server.close();
      });
      server.on('connection', (socket) => {
        socket.on('message', (data) => socket.send(data));
        throw new Error('listener failed');
      });
    `);
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'uncaught listener failed\na\n' });
  });

  test('two servers on one HTTP server: whoever comes second writes nothing', async () => {
    const http = await startHttp();
    const first = new WebSocketServer({ server: http, path: '/first' });
    new WebSocketServer({ server: http, path: '/second' });
    const connection = connectionOf(first);
    const client = await rawClient(http);
    client.write(request({}, 'GET /first HTTP/1.1'));
    const socket = await connection;
    await client.head();
    socket.close(1000);
    client.write(frame({ opcode: CLOSE, key: 1 }));
    expect((await client.frames()).map((it) => it.payload.toString('hex'))).toEqual(['03e8']);
  });

  test('called twice for one socket by asynchronous servers', async () => {
    const http = await startHttp();
    const servers = [noServer(), noServer()];
    const errors: unknown[] = [];
    http.on('upgrade', (incoming, socket, head) => {
      for (const server of servers) {
        try {
          server.handleUpgrade(incoming, socket, head, () => undefined);
        } catch (error) {
          errors.push(error);
        }
      }
    });
    await (await upgradeOn(http)).head();
    expect(errors).toEqual([
      new Error(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      ),
    ]);
  });
});

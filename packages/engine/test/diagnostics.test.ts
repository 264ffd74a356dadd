import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { CloseMessage, ErrorMessage, OpenMessage, RefuseMessage } from '../src/index.mjs';
import { createPair } from '../src/pair';
import type { ServerOptions } from '../src/server-options';
import { upgradeOf } from '../src/upgrade/upgrade';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { CLOSE, frame, TEXT } from './support/frames';
import { portOf } from './support/libraries';
import { RawClient, request } from './support/raw-client';
import { accepting, cleanUp, deferred, knock, openSite, route } from './support/site';
import { until } from './support/sockets';
import { connected, rawClient, startServer, turn } from './support/stage';

const NAMES = ['open', 'close', 'refuse', 'error'] as const;

interface Observed {
  readonly open: OpenMessage[];
  readonly close: CloseMessage[];
  readonly refuse: RefuseMessage[];
  readonly error: ErrorMessage[];
}

let unsubscribers: (() => void)[] = [];
/** WebSockets of the current test that have not told their end. */
const alive = new Set<WebSocket>();

// The stage ends connections before this; what they still tell is not the next test's to hear.
afterEach(async () => {
  await cleanUp();
  await until(() => alive.size === 0);
  for (const undo of unsubscribers) undo();
  unsubscribers = [];
});

/** Collects what comes on all four channels from now on. */
function observe(): Observed {
  const observed: Record<string, unknown[]> = { open: [], close: [], refuse: [], error: [] };
  for (const name of NAMES) {
    const listener = (message: unknown): void => {
      observed[name].push(message);
      const { webSocket } = message as Partial<OpenMessage>;
      if (webSocket !== undefined && name === 'open') alive.add(webSocket);
      if (webSocket !== undefined && name === 'close') alive.delete(webSocket);
    };
    subscribe(`upwire:${name}`, listener);
    unsubscribers.push(() => unsubscribe(`upwire:${name}`, listener));
  }
  // What the channels carry is what is tested.
  return observed as unknown as Observed;
}

/** Messages with the objects that are expected in them by their names, and others by their class. */
function named(messages: readonly object[], objects: Record<string, unknown>): object[] {
  const nameOf = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const known = Object.entries(objects).find(([, it]) => it === value);
    return known === undefined ? `another ${value.constructor.name}` : known[0];
  };
  return messages.map((message) =>
    Object.fromEntries(Object.entries(message).map(([name, value]) => [name, nameOf(value)])),
  );
}

const goodbye = frame({ opcode: CLOSE, payload: Buffer.from([0x0f, 0xa0, 0x68, 0x69]), key: 1 });

describe('a server', () => {
  test('tells of a WebSocket that opens, before anybody else is told', async () => {
    const observed = observe();
    const seen: number[] = [];
    const {
      server,
      socket,
      request: incoming,
    } = await connected({ onUpgrade: () => ({ data: 'ada' }) }, () =>
      seen.push(observed.open.length),
    );
    expect(seen).toEqual([1]);
    const objects = { socket, server, incoming };
    expect(named(observed.open, objects)).toEqual([
      { role: 'server', webSocket: 'socket', server: 'server', request: 'incoming' },
    ]);
    expect(observed.open[0].webSocket.data).toBe('ada');
  });

  test('and of its end', async () => {
    const observed = observe();
    const { server, socket, client } = await connected();
    client.write(goodbye);
    await once(socket, 'close');
    expect(named(observed.close, { socket, server })).toEqual([
      { role: 'server', webSocket: 'socket', server: 'server', code: 4000, reason: 'hi' },
    ]);
    expect(observed.error).toEqual([]);
  });

  test('at once, where the listeners’ close has to wait', async () => {
    const observed = observe();
    const { socket, client } = await connected({ holdMessages: true });
    const told = jest.fn();
    socket.on('close', told);
    client.write(frame({ opcode: TEXT, payload: 'held', key: 1 }), goodbye);
    await until(() => observed.close.length > 0);
    expect(told).not.toHaveBeenCalled();
    socket.on('message', () => undefined);
    await until(() => told.mock.calls.length > 0);
    expect(observed.close).toHaveLength(1);
  });

  test('of a connection that is cut', async () => {
    const observed = observe();
    const { socket, client } = await connected();
    client.reset();
    await once(socket, 'close');
    expect(observed.close.map(({ code, reason }) => [code, reason])).toEqual([[1006, '']]);
    expect(observed.error).toEqual([]);
  });

  test.each<[string, ServerOptions, Record<string, string>, Partial<RefuseMessage>]>([
    [
      'breaks a rule',
      {},
      { 'Sec-WebSocket-Version': '7' },
      {
        status: 400,
        message: 'Missing or invalid Sec-WebSocket-Version header',
        rule: 'RFC 6455 4.2.1 (6)',
      },
    ],
    [
      'is for another path',
      { path: '/chat' },
      {},
      { status: 400, message: 'Bad Request', rule: '' },
    ],
    [
      'verifyClient refuses',
      { verifyClient: (_info, callback) => callback(false, 429, 'Later') },
      {},
      { status: 429, message: 'Later', rule: '' },
    ],
    [
      'onUpgrade refuses',
      { onUpgrade: () => false },
      {},
      { status: 403, message: 'Forbidden', rule: '' },
    ],
    [
      'is not decided in time',
      { onUpgrade: () => new Promise<undefined>(() => undefined), handshakeTimeout: 1 },
      {},
      { status: 503, message: 'The handshake took too long', rule: '' },
    ],
  ])('tells of a handshake that %s', async (_name, options, headers, expected) => {
    const observed = observe();
    const server = await startServer(options);
    const client = await rawClient(server);
    client.write(request(headers, 'GET /where?secret=1 HTTP/1.1'));
    await client.rest();
    expect(named(observed.refuse, { server })).toEqual([
      { server: 'server', request: 'another IncomingMessage', ...expected },
    ]);
    expect(observed.refuse[0].request.url).toBe('/where?secret=1');
    expect([observed.open.length, observed.error.length]).toEqual([0, 0]);
  });

  test('tells of one that a wsClientError listener answers', async () => {
    const observed = observe();
    const server = await startServer();
    server.on('wsClientError', (_error, socket) => socket.end('HTTP/1.1 418 Teapot\r\n\r\n'));
    const client = await rawClient(server);
    client.write(request({ Upgrade: 'h2c' }));
    expect(await client.head()).toContain('418');
    expect(observed.refuse.map(({ status, rule }) => [status, rule])).toEqual([
      [undefined, 'RFC 6455 4.2.1 (3)'],
    ]);
  });

  test('tells of what the application does wrong while it decides', async () => {
    const observed = observe();
    const error = new Error('no idea');
    const onUpgrade = async () => {
      throw error;
    };
    const server = await startServer({ onUpgrade });
    server.on('error', () => undefined);
    const client = await rawClient(server);
    client.write(request());
    await client.rest();
    expect(named(observed.error, { error, server, request: observed.refuse[0].request })).toEqual([
      {
        error: 'error',
        role: 'server',
        webSocket: undefined,
        server: 'server',
        request: 'request',
      },
    ]);
    expect(observed.refuse.map(({ status }) => status)).toEqual([500]);
  });

  test('tells of a client’s fault, whether or not anybody listens to errors', async () => {
    const observed = observe();
    const { server, socket, client } = await connected();
    client.write(frame({ opcode: 3, key: 1 }));
    await socket.closed;
    expect(named(observed.error, { socket, server })).toEqual([
      {
        error: 'another RangeError',
        role: 'server',
        webSocket: 'socket',
        server: 'server',
        request: undefined,
      },
    ]);
    expect(observed.error[0].error).toMatchObject({
      code: 'WS_ERR_INVALID_OPCODE',
      closeCode: 1002,
      clause: 'RFC 6455 5.2, 5.4',
    });
    expect(observed.close.map(({ code }) => code)).toEqual([1006]);
  });
});

describe('a client', () => {
  test('tells of its life', async () => {
    const observed = observe();
    const server = await startServer();
    server.on('connection', (webSocket) => webSocket.close(4001, 'off you go'));
    const webSocket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    await once(webSocket, 'close');
    const own = <Message extends { role: string }>(all: Message[]) =>
      all.filter(({ role }) => role === 'client');
    const objects = { webSocket };
    expect(named(own(observed.open), objects)).toEqual([
      { role: 'client', webSocket: 'webSocket', server: undefined, request: undefined },
    ]);
    expect(named(own(observed.close), objects)).toEqual([
      {
        role: 'client',
        webSocket: 'webSocket',
        server: undefined,
        code: 4001,
        reason: 'off you go',
      },
    ]);
    expect(own(observed.error)).toEqual([]);
  });

  test('tells why it did not get in', async () => {
    const observed = observe();
    const server = await startServer({ verifyClient: () => false });
    const webSocket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    const [error] = await once(webSocket, 'error');
    await webSocket.closed;
    expect(named(observed.error, { error, webSocket })).toEqual([
      {
        error: 'error',
        role: 'client',
        webSocket: 'webSocket',
        server: undefined,
        request: undefined,
      },
    ]);
    expect(error).toMatchObject({ code: 'WS_ERR_UNEXPECTED_RESPONSE', statusCode: 401 });
    expect([observed.open.length, observed.close.length]).toEqual([0, 0]);
  });

  test('tells of a server’s fault', async () => {
    const observed = observe();
    const server = await startServer();
    server.on('connection', (webSocket) => webSocket._socket?.write(frame({ opcode: 3 })));
    const webSocket = new WebSocket(`ws://127.0.0.1:${portOf(server)}`);
    const [error] = await once(webSocket, 'error');
    const ours = observed.error.filter(({ role }) => role === 'client');
    expect(named(ours, { error, webSocket })).toMatchObject([
      { error: 'error', webSocket: 'webSocket' },
    ]);
    await webSocket.closed;
  });
});

test('both ends of a pair tell of theirs, and have no server', async () => {
  const observed = observe();
  const { server, client } = createPair();
  server.close(1000);
  await Promise.all([server.closed, client.closed]);
  const ends = { server, client };
  expect(named(observed.open, ends)).toEqual([
    { role: 'server', webSocket: 'server', server: undefined, request: undefined },
    { role: 'client', webSocket: 'client', server: undefined, request: undefined },
  ]);
  const closed = named(observed.close, ends);
  expect(closed).toHaveLength(2);
  const end = { server: undefined, code: 1000, reason: '' };
  expect(closed).toContainEqual({ role: 'client', webSocket: 'client', ...end });
  expect(closed).toContainEqual({ role: 'server', webSocket: 'server', ...end });
});

describe('a gateway', () => {
  test('tells of its WebSockets, with the server of them all', async () => {
    const observed = observe();
    const opened = deferred<WebSocket>();
    const { gateway, port } = await openSite(accepting((webSocket) => opened.resolve(webSocket)));
    const client = await RawClient.open(port);
    const webSocket = await opened.promise;
    client.write(goodbye);
    await once(webSocket, 'close');
    const objects = { webSocket, server: gateway.server };
    expect(named(observed.open, objects)).toEqual([
      {
        role: 'server',
        webSocket: 'webSocket',
        server: 'server',
        request: 'another IncomingMessage',
      },
    ]);
    expect(named(observed.close, objects)).toMatchObject([
      { webSocket: 'webSocket', server: 'server', code: 4000 },
    ]);
    expect(gateway.server.stats()).toMatchObject({ open: 0, opened: 1, closed: 1, refused: 0 });
  });

  test('tells of a handshake that breaks a rule', async () => {
    const observed = observe();
    const { gateway, port } = await openSite(accepting(() => undefined));
    await (await knock(port, { 'Sec-WebSocket-Version': '8' })).rest();
    expect(named(observed.refuse, { server: gateway.server })).toEqual([
      {
        server: 'server',
        request: 'another IncomingMessage',
        status: 426,
        message: 'A WebSocket handshake has the header Sec-WebSocket-Version: 13 (RFC 6455 4.2.1)',
        rule: 'RFC 6455 4.2.1 (6)',
      },
    ]);
  });

  test('tells of the application’s own answer', async () => {
    const observed = observe();
    const { gateway, port } = await openSite((_request, response) => {
      response.writeHead(401).end('who are you?');
    });
    await (await knock(port)).rest();
    expect(observed.refuse.map(({ status, message, rule }) => [status, message, rule])).toEqual([
      [401, '', ''],
    ]);
    expect(gateway.server.stats().refused).toBe(1);
  });

  test.each([
    ['a foreign page', { Origin: 'https://evil.example' }, {}, 403],
    ['what verifyClient refuses', {}, { verifyClient: () => false }, 401],
  ])('tells of %s, once', async (_name, headers, options, status) => {
    const observed = observe();
    const { gateway, port } = await openSite(
      accepting(() => undefined),
      options,
    );
    await (await knock(port, headers)).rest();
    expect(observed.refuse.map((it) => it.status)).toEqual([status]);
    expect(gateway.server.stats()).toMatchObject({ opened: 0, refused: 1, errors: 0 });
  });

  test('does not tell of what it has left to others', async () => {
    const observed = observe();
    const { port } = await openSite(
      (incoming, response) => {
        if (!upgradeOf(incoming)?.unrouted()) response.writeHead(404).end();
      },
      {
        after: (http) =>
          http.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 418 Teapot\r\n\r\n')),
      },
    );
    expect(await (await knock(port)).head()).toContain('418');
    expect(observed.refuse).toEqual([]);
  });

  test('tells of a handler that fails', async () => {
    const observed = observe();
    const error = new Error('broken');
    const told = deferred<unknown>();
    const { gateway, port } = await openSite((incoming) => {
      const fails = () => {
        throw error;
      };
      upgradeOf(incoming)?.accept(route(fails, told.resolve));
    });
    const client = await RawClient.open(port);
    expect(await told.promise).toBe(error);
    expect(named(observed.error, { error, server: gateway.server })).toMatchObject([
      { error: 'error', role: 'server', server: 'server' },
    ]);
    expect(observed.error[0].webSocket).toBeInstanceOf(WebSocket);
    expect(gateway.server.stats().errors).toBe(1);
    client.socket.destroy();
  });
});

describe('nobody', () => {
  test('is told anything where nobody subscribes', async () => {
    const published = NAMES.map((name) => jest.spyOn(channel(`upwire:${name}`), 'publish'));
    const { socket, client } = await connected();
    client.write(frame({ opcode: 3, key: 1 }));
    await socket.closed;
    const server = await startServer({ onUpgrade: () => false });
    const refused = await rawClient(server);
    refused.write(request());
    await refused.rest();
    for (const publish of published) {
      expect(publish).not.toHaveBeenCalled();
      publish.mockRestore();
    }
  });

  test('is told any more behind unsubscribe', async () => {
    const observed = observe();
    const { client, socket } = await connected();
    client.socket.destroy();
    await socket.closed;
    for (const undo of unsubscribers) undo();
    const later = await connected();
    expect(observed.open).toHaveLength(1);
    later.client.socket.destroy();
    await later.socket.closed;
  });
});

test('a subscriber that throws harms nobody: its error is the process’s', async () => {
  const { exit, stdout, stderr } = await runChild(`
    const { subscribe } = require('node:diagnostics_channel');
    const uncaught = [];
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    for (const name of ['open', 'close', 'refuse', 'error']) {
      subscribe('upwire:' + name, () => { throw new Error('broken ' + name); });
    }
    const onUpgrade = ({ url }) => url === '/';
    const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1', onUpgrade });
    await new Promise((resolve) => server.once('listening', resolve));
    server.on('connection', (webSocket) => webSocket.on('message', (data) => webSocket.send(String(data))));
    const { port } = server.address();
    const client = await raw.RawClient.open(port);
    client.write(frames.frame({ opcode: frames.TEXT, payload: 'hello', key: 1 }));
    console.log(String((await client.frame()).payload));
    const refused = await raw.RawClient.connect(port);
    refused.write(raw.request({}, 'GET /no HTTP/1.1'));
    console.log((await refused.head()).split('\\r\\n')[0]);
    client.write(frames.frame({ opcode: 3, key: 1 }));
    console.log((await client.frame()).payload.readUInt16BE(0));
    await server.close({});
    console.log(uncaught.join());
    console.log(JSON.stringify(server.stats()));
  `);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    'hello',
    'HTTP/1.1 403 Forbidden',
    '1002',
    'broken open,broken refuse,broken error,broken close',
    // hello and a bad frame of 11 and 6 bytes; an echo and a close frame with a code and a reason, if any.
    expect.stringMatching(
      /^\{"open":0,"opened":1,"closed":1,"refused":1,"errors":1,"messages":\{"received":1,"sent":1\},"bytes":\{"received":17,"sent":\d+\}\}$/,
    ),
    '',
  ]);
});

test('NODE_DEBUG=upwire writes a line for each, without secrets', async () => {
  const { exit, stderr } = await runChild(
    `
    const onUpgrade = ({ url }) => url.startsWith('/no') ? { status: 401, body: 'no' } : undefined;
    const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1', onUpgrade });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address();
    const { once } = require('node:events');
    const client = new upwire.WebSocket('ws://user:secret@127.0.0.1:' + port + '/chat?token=secret');
    await once(client, 'open');
    client.close(1000, 'bye\\n');
    await once(client, 'close');
    const refused = new upwire.WebSocket('ws://127.0.0.1:' + port + '/no?token=secret');
    await once(refused, 'error');
    await server.close({});
  `,
    { NODE_DEBUG: 'upwire' },
  );
  expect(exit).toBe(0);
  expect(stderr).not.toContain('secret');
  const lines = stderr
    .replace(/UPWIRE \d+: /g, '')
    .replace(/:\d{4,5}\//g, ':0/')
    .split('\n');
  expect(lines.sort()).toEqual(
    [
      "open server '/chat'",
      'open client ws://127.0.0.1:0/chat',
      `close server 1000 'bye\\n'`,
      `close client 1000 'bye\\n'`,
      "refuse '/no' 401 '' ",
      'error client Error: Unexpected server response: 401 (WS_ERR_UNEXPECTED_RESPONSE)',
      '',
    ].sort(),
  );
});

test('the request is the one that the application sees', async () => {
  const observed = observe();
  let asked: IncomingMessage | undefined;
  await connected({
    onUpgrade: (incoming) => {
      asked = incoming;
    },
  });
  await turn();
  expect(observed.open[0].request).toBe(asked);
});

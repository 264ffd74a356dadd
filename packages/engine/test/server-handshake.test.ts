import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from '../src/server';
import type { ServerOptions, VerifyClientCallback, VerifyClientInfo } from '../src/server-options';
import type { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import type { RawClient } from './support/raw-client';
import { request } from './support/raw-client';
import { rawClient, startServer, turn } from './support/stage';
import { useFakeTimeouts } from './support/timeouts';

const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n';

function refusal(status: string, body: string, ...headers: string[]): string {
  const lines = ['Connection: close', 'Content-Type: text/html', `Content-Length: ${body.length}`];
  return `HTTP/1.1 ${status}\r\n${[...lines, ...headers].join('\r\n')}\r\n\r\n${body}`;
}

const FAILED = refusal('500 Internal Server Error', 'Internal Server Error');

interface Knocked {
  readonly server: WebSocketServer;
  readonly client: RawClient;
  /** Errors that the server has reported. */
  readonly reported: Error[];
  /** WebSockets that it has made. */
  readonly sockets: WebSocket[];
}

/** A client that has sent a handshake to a server with these options. */
async function knock(
  options: ServerOptions,
  headers: Record<string, string> = {},
): Promise<Knocked> {
  const server = await startServer(options);
  const reported: Error[] = [];
  const sockets: WebSocket[] = [];
  server.on('error', (error: Error) => reported.push(error));
  server.on('connection', (socket: WebSocket) => sockets.push(socket));
  const client = await rawClient(server);
  client.write(request(headers));
  return { server, client, reported, sockets };
}

const answered = async ({ client }: Knocked): Promise<string> => (await client.rest()).toString();

describe('verifyClient', () => {
  /** A server whose verifyClient has been called, and the callback it was given. */
  async function asked(): Promise<Knocked & { decide: VerifyClientCallback }> {
    let called: (callback: VerifyClientCallback) => void = () => undefined;
    const call = new Promise<VerifyClientCallback>((resolve) => {
      called = resolve;
    });
    const verifyClient = (_info: VerifyClientInfo, callback: VerifyClientCallback) =>
      called(callback);
    const knocked = await knock({ verifyClient });
    return { ...knocked, decide: await call };
  }

  test.each<[string, ServerOptions['verifyClient']]>([
    ['returns true', () => true],
    ['returns something truthy', () => 'yes' as unknown as boolean],
    ['resolves to true', async () => true],
    ['calls back at once', (_info, callback) => callback(true)],
    ['calls back later', (_info, callback) => void setImmediate(callback, true)],
    ['calls back and resolves to something else', async (_info, callback) => callback(true)],
  ])('accepts when it %s', async (_name, verifyClient) => {
    const knocked = await knock({ verifyClient });
    expect(await knocked.client.head()).toBe(`${ACCEPTED}\r\n`);
    await turn();
    expect(knocked.sockets).toHaveLength(1);
    expect(knocked.reported).toEqual([]);
  });

  test.each<[string, ServerOptions['verifyClient']]>([
    ['returns false', () => false],
    ['returns nothing', () => undefined as unknown as boolean],
    ['resolves to false', async () => false],
    ['resolves to nothing', async () => undefined as unknown as boolean],
    ['calls back at once', (_info, callback) => callback(false)],
    ['calls back later', (_info, callback) => void setImmediate(callback, false)],
    ['calls back with nothing', (_info, callback) => callback(undefined as unknown as boolean)],
  ])('answers 401 when it %s', async (_name, verifyClient) => {
    const knocked = await knock({ verifyClient });
    expect(await answered(knocked)).toBe(refusal('401 Unauthorized', 'Unauthorized'));
    expect(knocked.sockets).toEqual([]);
    expect(knocked.reported).toEqual([]);
  });

  test('may say everything in a refusal', async () => {
    const knocked = await knock({
      verifyClient: (_info, callback) =>
        callback(false, 429, 'Slow down', { 'Retry-After': 5, 'X-List': ['a', 'b'] }),
    });
    expect(await answered(knocked)).toBe(
      refusal('429 Too Many Requests', 'Slow down', 'Retry-After: 5', 'X-List: a', 'X-List: b'),
    );
  });

  test('a status code without a name', async () => {
    const knocked = await knock({ verifyClient: (_info, callback) => callback(false, 499) });
    expect(await answered(knocked)).toBe(refusal('499 unknown', 'unknown'));
  });

  test.each<[string, ServerOptions['verifyClient'], string]>([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      'no database',
    ],
    ['rejects', () => Promise.reject(new Error('no database')), 'no database'],
    [
      'with a callback throws',
      (_info, _callback) => {
        throw new Error('no database');
      },
      'no database',
    ],
    [
      'with a callback rejects',
      async (_info, _callback) => {
        throw new Error('no database');
      },
      'no database',
    ],
    [
      'rejects with what is no error',
      () => Promise.reject('a string'),
      "An option or listener failed with 'a string'",
    ],
    [
      'refuses with a status code that ends nothing',
      (_info, callback) => callback(false, 101),
      'The option "verifyClient" refused with the status code 101; it must be an integer from 200 to 599',
    ],
    [
      'refuses with a message that is no text',
      (_info, callback) => callback(false, 400, { error: 'no' } as never),
      'The option "verifyClient" refused with the message [Object]; it must be a string',
    ],
    [
      'puts a line break into a header’s value',
      (_info, callback) => callback(false, 400, 'no', { 'X-A': 'a\r\nSet-Cookie: b=1' }),
      `The option "verifyClient" refused with the header 'X-A': 'a\\r\\nSet-Cookie: b=1', which cannot be sent`,
    ],
    [
      'puts a line break into a header’s name',
      (_info, callback) => callback(false, 400, 'no', { 'X-A\r\nX-B': 'a' }),
      `The option "verifyClient" refused with the header 'X-A\\r\\nX-B': 'a', which cannot be sent`,
    ],
  ])('that %s costs the client a 500 and is reported', async (_name, verifyClient, message) => {
    const knocked = await knock({ verifyClient });
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported.map((error) => error.message)).toEqual([message]);
    expect(knocked.sockets).toEqual([]);
  });

  test('that throws behind its answer is reported, and the answer stands', async () => {
    const knocked = await knock({
      verifyClient: (_info, callback) => {
        callback(true);
        throw new Error('too late');
      },
    });
    expect(await knocked.client.head()).toBe(`${ACCEPTED}\r\n`);
    await turn();
    expect(knocked.reported).toEqual([new Error('too late')]);
    knocked.sockets[0].send('frames only');
    expect((await knocked.client.frame())?.payload.toString()).toBe('frames only');
  });

  test.each([
    ['accepts, then refuses', [true, false]],
    ['accepts twice', [true, true]],
  ])('that %s is reported, and the first answer stands', async (_name, answers) => {
    const { client, decide, reported, sockets } = await asked();
    for (const answer of answers) decide(answer);
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    await turn();
    expect(sockets).toHaveLength(1);
    expect(reported).toEqual([
      new Error('The option "verifyClient" has answered one handshake twice'),
    ]);
  });

  test('that refuses, then accepts is reported, and the first answer stands', async () => {
    const knocked = await asked();
    knocked.decide(false, 403);
    knocked.decide(true);
    expect(await answered(knocked)).toBe(refusal('403 Forbidden', 'Forbidden'));
    expect(knocked.sockets).toEqual([]);
    expect(knocked.reported).toHaveLength(1);
  });

  test.each([[true], [false]])('that says %p when the client has gone', async (verdict) => {
    const { server, client, decide, sockets, reported } = await asked();
    client.reset();
    await client.closed;
    // The server learns of the reset by its own socket's end, which nothing tells from outside.
    while ((await connections(server)) > 0) await turn();
    decide(verdict);
    await turn();
    expect(sockets).toEqual([]);
    expect(reported).toEqual([]);
  });

  const connections = (server: WebSocketServer): Promise<number> =>
    new Promise((resolve, reject) => {
      server._server?.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });

  describe('that never answers', () => {
    beforeEach(useFakeTimeouts);
    afterEach(() => jest.useRealTimers());

    test('is cut off after handshakeTimeout', async () => {
      const knocked = await asked();
      jest.advanceTimersByTime(29_999);
      await turn();
      expect(knocked.client.socket.destroyed).toBe(false);
      jest.advanceTimersByTime(1);
      expect(await answered(knocked)).toBe(
        refusal('503 Service Unavailable', 'The handshake took too long'),
      );
      knocked.decide(true);
      expect(knocked.sockets).toEqual([]);
      expect(knocked.reported).toEqual([]);
    });

    test('holds the client as long as it likes with handshakeTimeout: 0', async () => {
      const timers = jest.getTimerCount();
      let decide: VerifyClientCallback = () => undefined;
      const verifyClient = (_info: VerifyClientInfo, callback: VerifyClientCallback) => {
        decide = callback;
        called.resolve();
      };
      const called = deferred();
      const { client } = await knock({ verifyClient, handshakeTimeout: 0 });
      await called.promise;
      expect(jest.getTimerCount()).toBe(timers);
      decide(true);
      expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    });

    test('leaves no timer behind when it has answered', async () => {
      const timers = jest.getTimerCount();
      const { client, decide } = await asked();
      expect(jest.getTimerCount()).toBe(timers + 1);
      decide(true);
      await client.head();
      expect(jest.getTimerCount()).toBe(timers);
    });
  });

  test('is told whether the connection is secure', async () => {
    const told: boolean[] = [];
    const server = await startServer({
      verifyClient: ({ secure }: VerifyClientInfo) => {
        told.push(secure);
        return false;
      },
    });
    const { handleUpgrade } = server;
    for (const mark of [{}, { encrypted: true }, { authorized: true }]) {
      server.handleUpgrade = (incoming, socket, head, callback) => {
        handleUpgrade.call(server, incoming, Object.assign(socket, mark), head, callback);
      };
      const client = await rawClient(server);
      client.write(request());
      await client.rest();
    }
    expect(told).toEqual([false, true, true]);
  });
});

describe('shouldHandle', () => {
  /** A client that has knocked at a server with this shouldHandle. */
  async function handled(shouldHandle: WebSocketServer['shouldHandle']): Promise<Knocked> {
    const server = await startServer();
    server.shouldHandle = shouldHandle;
    const reported: Error[] = [];
    server.on('error', (error) => reported.push(error));
    const client = await rawClient(server);
    client.write(request());
    return { server, client, reported, sockets: [] };
  }

  test.each<[string, WebSocketServer['shouldHandle']]>([
    ['says', () => true],
    ['resolves to', async () => true],
  ])('%s true: 101', async (_name, shouldHandle) => {
    const { client, reported } = await handled(shouldHandle);
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    expect(reported).toEqual([]);
  });

  test.each<[string, WebSocketServer['shouldHandle']]>([
    ['says', () => false],
    ['resolves to', async () => false],
  ])('%s false: 400', async (_name, shouldHandle) => {
    const knocked = await handled(shouldHandle);
    expect(await answered(knocked)).toBe(refusal('400 Bad Request', 'Bad Request'));
    expect(knocked.reported).toEqual([]);
  });

  test.each<[string, WebSocketServer['shouldHandle']]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea'))],
  ])('%s: 500 and reported', async (_name, shouldHandle) => {
    const knocked = await handled(shouldHandle);
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported).toEqual([new Error('no idea')]);
  });

  test('has handshakeTimeout to decide', async () => {
    const server = await startServer({ handshakeTimeout: 1 });
    server.shouldHandle = () => new Promise(() => undefined);
    const client = await rawClient(server);
    client.write(request());
    expect((await client.rest()).toString()).toBe(
      refusal('503 Service Unavailable', 'The handshake took too long'),
    );
  });
});

describe('what else the application may get wrong', () => {
  test.each<[string, ServerOptions, string]>([
    [
      'handleProtocols throws',
      {
        handleProtocols: () => {
          throw new Error('no choice');
        },
      },
      'no choice',
    ],
    [
      'handleProtocols answers what was not offered',
      { handleProtocols: () => 'c' },
      `The option "handleProtocols" answered 'c', which the client did not offer (RFC 6455 4.2.2)`,
    ],
    [
      'handleProtocols answers a promise',
      { handleProtocols: (async () => 'a') as never },
      'The option "handleProtocols" answered [Promise], which the client did not offer (RFC 6455 4.2.2)',
    ],
    [
      'the class of the WebSockets throws',
      {
        WebSocket: class {
          constructor() {
            throw new Error('no socket');
          }
        } as never,
      },
      'no socket',
    ],
  ])('%s: 500 and reported', async (_name, options, message) => {
    const knocked = await knock(options, { 'Sec-WebSocket-Protocol': 'a, b' });
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported.map((error) => error.message)).toEqual([message]);
  });

  test('where nobody listens to errors, they are process warnings', async () => {
    const { exit, stdout, stderr } = await runChild(`
      const options = { port: 0, host: '127.0.0.1', verifyClient() { throw new Error('broken'); } };
      const server = new upwire.WebSocketServer(options, async () => {
        const client = await raw.RawClient.connect(server.address().port);
        client.write(raw.request());
        console.log((await client.head()).split('\\r\\n')[0]);
        client.end();
        server.close();
      });
      process.on('warning', (warning) => console.log('warning:', warning.message));
    `);
    expect({ exit, stdout }).toEqual({
      exit: 0,
      stdout: 'warning: broken\nHTTP/1.1 500 Internal Server Error\n',
    });
    expect(stderr).toContain('broken');
  });
});

describe('the event headers', () => {
  async function withHeaders(change: (lines: unknown[]) => void): Promise<Knocked> {
    const server = await startServer();
    const reported: Error[] = [];
    const sockets: WebSocket[] = [];
    server.on('error', (error: Error) => reported.push(error));
    server.on('connection', (socket: WebSocket) => sockets.push(socket));
    server.on('headers', (lines: unknown[]) => change(lines));
    const client = await rawClient(server);
    client.write(request());
    return { server, client, reported, sockets };
  }

  test('shows the status line and every header, and takes what is added', async () => {
    const seen: unknown[] = [];
    const { client } = await withHeaders((lines) => {
      seen.push(...lines);
      lines.push('Set-Cookie: a=1', 'Set-Cookie:b=2; Path=/', 'X-Empty:');
    });
    expect(await client.head()).toBe(
      `${ACCEPTED}Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\nX-Empty: \r\n\r\n`,
    );
    expect(seen.map((line) => `${line}\r\n`).join('')).toBe(ACCEPTED);
  });

  test('may take a header away', async () => {
    const { client } = await withHeaders((lines) => lines.splice(2, 1));
    expect(await client.head()).not.toContain('Connection');
  });

  test('does not change the status line', async () => {
    const { client } = await withHeaders((lines) =>
      lines.splice(0, 1, 'HTTP/1.1 200 OK\r\nX-Evil: 1'),
    );
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
  });

  test.each<[unknown, string]>([
    ['X-A: a\r\nX-Evil: 1', `'X-A: a\\r\\nX-Evil: 1'`],
    ['X-A: a\nX-Evil: 1', `'X-A: a\\nX-Evil: 1'`],
    ['X-A\r\nX-Evil: 1', `'X-A\\r\\nX-Evil: 1'`],
    ['X-A : a', `'X-A : a'`],
    ['no colon', `'no colon'`],
    [': no name', `': no name'`],
    ['', `''`],
    ['X-A: \u0000', `'X-A: \\x00'`],
    [' folded', `' folded'`],
    [5, '5'],
    [undefined, 'undefined'],
  ])('%p is no header line: 500 and reported, nothing injected', async (line, shown) => {
    const knocked = await withHeaders((lines) => lines.push(line));
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported).toEqual([
      new TypeError(`A "headers" listener left ${shown}, which is no header line`),
    ]);
    expect(knocked.sockets).toEqual([]);
  });

  test('a listener that throws: 500 and reported', async () => {
    const knocked = await withHeaders(() => {
      throw new Error('no headers');
    });
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported).toEqual([new Error('no headers')]);
  });
});

describe('the event wsClientError', () => {
  const WRONG: [string, Record<string, string>, string][] = [
    ['Upgrade', { Upgrade: 'h2c' }, 'Invalid Upgrade header'],
    ['key', { 'Sec-WebSocket-Key': 'x' }, 'Missing or invalid Sec-WebSocket-Key header'],
    [
      'version',
      { 'Sec-WebSocket-Version': '12' },
      'Missing or invalid Sec-WebSocket-Version header',
    ],
    ['subprotocols', { 'Sec-WebSocket-Protocol': ',' }, 'Invalid Sec-WebSocket-Protocol header'],
    ['a body', { 'Content-Length': '1' }, 'Unexpected request body'],
  ];

  test.each(WRONG)(
    'is given the error, the socket and the request: %s',
    async (_name, headers, message) => {
      const server = await startServer();
      const told = once(server, 'wsClientError') as Promise<[Error, Duplex, IncomingMessage]>;
      const client = await rawClient(server);
      client.write(request(headers));
      const [error, socket, incoming] = await told;
      expect(error).toEqual(new Error(message));
      expect(incoming.url).toBe('/');
      // The listener answers in place of the server, which has written nothing.
      socket.end('HTTP/1.1 418 Teapot\r\n\r\n');
      expect((await client.rest()).toString()).toBe('HTTP/1.1 418 Teapot\r\n\r\n');
    },
  );
});

describe('hostile requests', () => {
  const flood = (before: number, after: number): string => {
    const many = (count: number) => 'X:1\r\n'.repeat(count);
    return request()
      .replace('Upgrade: websocket\r\n', `${many(before)}Upgrade: websocket\r\n`)
      .replace(/\r\n\r\n$/, `\r\n${many(after)}\r\n`);
  };

  // Node keeps some 1,000 header lines and drops the rest without a word.
  test.each([
    [900, 0, ACCEPTED],
    [0, 900, ACCEPTED],
    [0, 2_000, ACCEPTED],
    [900, 1_100, ACCEPTED],
    [2_000, 0, refusal('400 Bad Request', 'Invalid Upgrade header')],
  ])('%d header lines before the handshake’s and %d behind', async (before, after, answer) => {
    const server = await startServer();
    const client = await rawClient(server);
    client.write(flood(before, after));
    const head = await client.head();
    const whole = answer === ACCEPTED ? head.replace(/\r\n$/, '') : head + (await client.rest());
    expect(whole).toBe(answer);
  });

  test('header lines of 64 KiB are Node’s to refuse, and the server goes on', async () => {
    const server = await startServer();
    const client = await rawClient(server);
    client.write(request({ 'X-Long': 'x'.repeat(65_536) }));
    expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 431 /);
    const next = await rawClient(server);
    next.write(request());
    expect(await next.head()).toBe(`${ACCEPTED}\r\n`);
  });

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype'])(
    'the name %s as header, subprotocol, extension and query',
    async (name) => {
      const server = await startServer({ path: '/p' });
      const client = await rawClient(server);
      const headers = {
        'Sec-WebSocket-Protocol': name,
        'Sec-WebSocket-Extensions': `${name}; ${name}=1`,
      };
      const text = request(headers, `GET /p?${name}=1 HTTP/1.1`);
      client.write(text.replace('Host:', `${name}: 1\r\nHost:`));
      expect(await client.head()).toBe(`${ACCEPTED}Sec-WebSocket-Protocol: ${name}\r\n\r\n`);
    },
  );

  test('a reset at any moment of the handshake', async () => {
    const server = await startServer({
      verifyClient: (_info, callback) => void setImmediate(callback, true),
    });
    const text = request();
    for (let sent = 0; sent <= text.length; sent += 16) {
      const client = await rawClient(server);
      if (sent > 0) client.write(text.slice(0, sent));
      client.reset();
      await client.closed;
    }
    const last = await rawClient(server);
    last.write(text);
    expect(await last.head()).toBe(`${ACCEPTED}\r\n`);
  });
});

function deferred(): { promise: Promise<unknown>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

import type { ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect } from 'node:net';
import { WebSocket } from '../../src/index';
import { eventsOf, once } from '../support/client-events';
import { clientLibraries, upwireClient, wsClient } from '../support/clients';
import { RawServer } from '../support/raw-server';

let server: RawServer;

beforeEach(async () => {
  server = await RawServer.listen((request) => request.refuse('400 Bad Request'));
});

afterEach(() => server.close());

/** The request that a client sends, its key apart. */
async function requestOf(
  library: typeof wsClient,
  address: string,
  protocols: string | string[] | undefined,
  options: object,
): Promise<string[]> {
  const known = server.requests.length;
  const client = new library.WebSocket(address, protocols, options);
  await eventsOf(client);
  const { line, lines } = server.requests[known];
  return [line, ...lines.map((text) => text.replace(/^(Sec-WebSocket-Key: ).{24}$/, '$1…'))];
}

describe('a request is the same as that of ws', () => {
  interface Case {
    readonly path?: string;
    readonly user?: string;
    readonly protocols?: string | string[];
    readonly options?: object | ((port: number) => object);
    readonly has: readonly string[];
  }

  const HANDSHAKE = [
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: …',
    'Connection: Upgrade',
    'Upgrade: websocket',
  ];

  test.each<[string, Case]>([
    ['with nothing else', { has: ['GET / HTTP/1.1', ...HANDSHAKE] }],
    ['with a path', { path: '/a%20b?c=d', has: ['GET /a%20b?c=d HTTP/1.1'] }],
    [
      'with compression',
      {
        options: { perMessageDeflate: true },
        has: ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'],
      },
    ],
    ['with a subprotocol', { protocols: 'a', has: ['Sec-WebSocket-Protocol: a'] }],
    ['with subprotocols', { protocols: ['b', 'a'], has: ['Sec-WebSocket-Protocol: b,a'] }],
    [
      'with subprotocols among the options',
      { options: { protocols: ['b', 'a'] }, has: ['Sec-WebSocket-Protocol: b,a'] },
    ],
    [
      'with subprotocols in both places',
      { protocols: 'a', options: { protocols: ['b'] }, has: ['Sec-WebSocket-Protocol: a'] },
    ],
    ['with an origin', { options: { origin: 'http://a' }, has: ['Origin: http://a'] }],
    ['with an empty origin', { options: { origin: '' }, has: HANDSHAKE }],
    [
      'in version 8',
      {
        options: { protocolVersion: 8, origin: 'http://a' },
        has: ['Sec-WebSocket-Version: 8', 'Sec-WebSocket-Origin: http://a'],
      },
    ],
    [
      'with headers',
      { options: { headers: { 'X-A': 'b', Cookie: 'c=d' } }, has: ['X-A: b', 'Cookie: c=d'] },
    ],
    ['with a list as header', { options: { headers: { X: ['a', 'b'] } }, has: ['X: a', 'X: b'] }],
    [
      'with another Host',
      { options: { headers: { host: 'a.example' } }, has: ['host: a.example'] },
    ],
    [
      'with headers that are the handshake’s',
      {
        options: {
          headers: { 'sec-websocket-key': 'mine', UPGRADE: 'h2c', connection: 'close' },
        },
        has: HANDSHAKE,
      },
    ],
    [
      'with a default port of its own, which Host leaves out',
      { options: (port) => ({ defaultPort: port }), has: ['Host: 127.0.0.1'] },
    ],
    ['without compression, by null', { options: { perMessageDeflate: null }, has: HANDSHAKE }],
    [
      'with credentials',
      { user: 'us%20er:p%40ss@', has: ['Authorization: Basic dXMgZXI6cEBzcw=='] },
    ],
    [
      'with credentials among the options',
      { options: { auth: 'a:b' }, has: ['Authorization: Basic YTpi'] },
    ],
    [
      'with credentials in both places',
      { user: 'c:d@', options: { auth: 'a:b' }, has: ['Authorization: Basic Yzpk'] },
    ],
    [
      'with credentials and a header',
      {
        user: 'c:d@',
        options: { headers: { authorization: 'Bearer x' } },
        has: ['authorization: Bearer x'],
      },
    ],
    [
      'with options that the address decides',
      {
        path: '/a',
        options: {
          host: 'b.example',
          hostname: 'c.example',
          port: 1,
          path: '/d',
          method: 'POST',
          protocol: 'https:',
          socketPath: '/e.sock',
          timeout: 1,
        },
        has: ['GET /a HTTP/1.1'],
      },
    ],
  ])('%s', async (_name, { path = '/', user = '', protocols, options, has }) => {
    const address = `ws://${user}127.0.0.1:${server.port}${path}`;
    const given = typeof options === 'function' ? options(server.port) : options;
    const all = { perMessageDeflate: false, ...given };
    const ours = await requestOf(upwireClient, address, protocols, all);
    expect(ours).toEqual(await requestOf(wsClient, address, protocols, all));
    expect(ours).toEqual(expect.arrayContaining([...has]));
  });

  test.each([
    ['ws://a.example/', 'a.example'],
    ['ws://a.example:80/', 'a.example'],
    ['ws://a.example:443/', 'a.example:443'],
    ['ws://a.example:8080/', 'a.example:8080'],
    ['ws://[::1]:8080/', '[::1]:8080'],
    ['ws://[::1]/', '[::1]'],
  ])('%s has the Host %s', async (address, host) => {
    for (const library of clientLibraries) {
      const createConnection = () => connect(server.port, '127.0.0.1');
      const request = await requestOf(library, address, undefined, { createConnection });
      expect(request).toContain(`Host: ${host}`);
    }
  });
});

test.each<[string, object, string, string]>([
  [
    'lookup',
    {
      lookup: (
        _host: string,
        options: { all?: boolean },
        callback: (...args: unknown[]) => void,
      ) => {
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    },
    'nowhere.invalid',
    '127.0.0.1',
  ],
  ['localAddress', { localAddress: '127.0.0.2' }, '127.0.0.1', '127.0.0.2'],
  ['family', { family: 4 }, 'localhost', '127.0.0.1'],
])('%s is handed to the socket', async (_name, options, host, from) => {
  for (const { WebSocket: Client } of clientLibraries) {
    const client = new Client(`ws://${host}:${server.port}/`, options);
    let address: string | undefined;
    client.on('unexpected-response', (request) => {
      address = request.socket?.localAddress;
      client.terminate();
    });
    await eventsOf(client);
    expect(address).toBe(from);
  }
});

test('each request has a key of its own', async () => {
  for (let index = 0; index < 3; index++) await eventsOf(new WebSocket(server.url));
  const keys = server.requests.map((request) => request.headers.get('sec-websocket-key') ?? '');
  expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([16, 16, 16]);
  expect(new Set(keys).size).toBe(3);
});

test('finishRequest sends the request', async () => {
  let seen: unknown[] = [];
  const client = new WebSocket(server.url, {
    finishRequest(request, webSocket) {
      seen = [webSocket, webSocket.readyState];
      request.setHeader('X-Late', 'yes');
      // Waits for nothing, and is asynchronous all the same.
      setImmediate(() => request.end());
    },
  });
  expect(seen).toEqual([client, 0]);
  await eventsOf(client);
  expect(server.requests[0].headers.get('x-late')).toBe('yes');
});

test('createConnection may call back', async () => {
  const client = new WebSocket(server.url, {
    createConnection(_options, oncreate) {
      setImmediate(() => oncreate(null, connect(server.port, '127.0.0.1')));
      return undefined;
    },
  });
  expect((await eventsOf(client))[0]).toEqual([
    'error',
    2,
    'Error: Unexpected server response: 400',
  ]);
});

test.each(['throws', 'calls back'])(
  'createConnection that %s an error fails the handshake',
  async (way) => {
    for (const library of clientLibraries) {
      const client = new library.WebSocket(server.url, {
        createConnection(_options: unknown, oncreate: unknown) {
          const error = new Error('no way there');
          if (way === 'throws') throw error;
          (oncreate as (error: Error) => void)(error);
          // The types of `ws` know a socket alone.
          return undefined as never;
        },
      });
      expect(await eventsOf(client)).toEqual([
        ['error', 2, 'Error: no way there'],
        ['close', 3, '1006 '],
      ]);
    }
  },
);

test('generateMask gives the keys', async () => {
  const raw = await RawServer.listen((request) => request.upgrade());
  let next = 0;
  const client = new WebSocket(raw.url, {
    perMessageDeflate: false,
    generateMask: (mask) => mask.writeUInt32BE(++next * 0x01010101),
  });
  await once(client, 'open');
  const { socket } = raw.requests[0];
  client.send('abc');
  client.send(Buffer.from('abc'));
  let received = Buffer.alloc(0);
  while (received.length < 18) {
    received = Buffer.concat([received, await once<Buffer>(socket, 'data')]);
  }
  expect(received.toString('hex')).toBe('818301010101606362' + '828302020202636061');
  client.terminate();
  await raw.close();
});

describe('what is thrown at the caller', () => {
  const ADDRESS = 'ws://127.0.0.1:1';

  test.each<[string, unknown[], string, string]>([
    ['an address that is none', ['x'], 'SyntaxError', 'Invalid URL: x'],
    ['no address', [undefined], 'SyntaxError', 'Invalid URL: undefined'],
    ['a subprotocol that is none', [ADDRESS, 'a b'], 'SyntaxError', ''],
    ['null as subprotocol', [ADDRESS, null], 'SyntaxError', ''],
    ['a number as subprotocol', [ADDRESS, 5], 'SyntaxError', ''],
    ['the same subprotocol twice', [ADDRESS, ['a', 'a']], 'SyntaxError', ''],
    ['the same in the options', [ADDRESS, { protocols: ['a', 'a'] }], 'SyntaxError', ''],
    [
      'an unknown version, before all else',
      ['x', 'a b', { protocolVersion: 7 }],
      'RangeError',
      'Unsupported protocol version: 7 (supported versions: 8, 13)',
    ],
    [
      'a version that is no number',
      [ADDRESS, { protocolVersion: '13' }],
      'RangeError',
      'Unsupported protocol version: 13 (supported versions: 8, 13)',
    ],
    ['a line end in a header', [ADDRESS, { headers: { a: 'b\r\nc: d' } }], 'TypeError', ''],
    ['a line end in the origin', [ADDRESS, { origin: 'a\r\nb: c' }], 'TypeError', ''],
    ['a header name that is none', [ADDRESS, { headers: { 'a b': 'c' } }], 'TypeError', ''],
    ['an agent that is none', [ADDRESS, { agent: 5 }], 'TypeError', ''],
    ['an agent that is true', [ADDRESS, { agent: true }], 'TypeError', ''],
    ['an agent of the other protocol', [ADDRESS, { agent: new HttpsAgent() }], 'TypeError', ''],
  ])('%s: as ws has it', (_name, args, name, message) => {
    const thrown = clientLibraries.map((library) => {
      // What no type allows is what this is about.
      const Client = library.WebSocket as unknown as new (...args: unknown[]) => unknown;
      try {
        return new Client(...args);
      } catch (error) {
        return error;
      }
    });
    expect(thrown[1]).toMatchObject({
      name,
      message: message || (thrown[0] as Error).message,
    });
    expect((thrown[0] as Error).name).toBe(name);
    expect((thrown[1] as Error).message).toBe((thrown[0] as Error).message);
  });

  test.each<[object, string]>([
    [{ handshakeTimeout: '5' }, 'The "handshakeTimeout" option must be a number, got "5"'],
    [{ handshakeTimeout: -1 }, 'The "handshakeTimeout" option must be an integer from 0 to'],
    [{ maxRedirects: 1.5 }, 'The "maxRedirects" option must be an integer from 0 to'],
    [{ maxRedirects: Number.NaN }, 'The "maxRedirects" option must be an integer from 0 to'],
    [{ followRedirects: 1 }, 'The "followRedirects" option must be a boolean, got 1'],
    [
      { allowSimultaneousHandshakes: 'x' },
      'The "allowSimultaneousHandshakes" option must be a boolean, got "x"',
    ],
    [{ generateMask: 5 }, 'The "generateMask" option must be a function, got 5'],
    [{ finishRequest: {} }, 'The "finishRequest" option must be a function, got {}'],
    [{ createConnection: 'x' }, `The "createConnection" option must be a function, got 'x'`],
    [{ origin: 5 }, 'The "origin" option must be a string, got 5'],
    [{ signal: {} }, 'The "signal" option must be an AbortSignal, got {}'],
    [{ headers: ['a', 'b'] }, 'The "headers" option must be a plain object, got [Array]'],
    [{ headers: new Map([['a', 'b']]) }, 'The "headers" option must be a plain object, got [Map]'],
    [{ headers: 'a: b' }, `The "headers" option must be a plain object, got 'a: b'`],
    [{ maxPayload: -1 }, 'The "maxPayload" option must be an integer'],
  ])('%p', (options, message) => {
    expect(() => new WebSocket(ADDRESS, options)).toThrow(message);
  });

  test('is what finishRequest throws, and the request is given up', async () => {
    const requests: ClientRequest[] = [];
    const open = () =>
      new WebSocket(server.url, {
        finishRequest(request) {
          requests.push(request);
          throw new Error('not today');
        },
      });
    expect(open).toThrow('not today');
    expect(requests.map((request) => request.destroyed)).toEqual([true]);
    // The remote is free for the next one.
    await eventsOf(new WebSocket(server.url));
    expect(server.requests).toHaveLength(1);
  });

  test('is nothing for options that are null or undefined', async () => {
    const nothing = { origin: null, headers: null, agent: null, signal: null, generateMask: null };
    const options = { ...nothing, handshakeTimeout: undefined, maxRedirects: undefined };
    // As programs written without types have it.
    await eventsOf(new WebSocket(server.url, options as object));
    expect(server.requests).toHaveLength(1);
  });
});

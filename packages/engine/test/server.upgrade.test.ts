import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { deflateRawSync } from 'node:zlib';
import type { UpgradeDecision } from '../src/index.mjs';
import { WebSocketServer } from '../src/server';
import type { ServerOptions } from '../src/server-options';
import { claimLastResponse } from '../src/upgrade/response';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { CLOSE, frame, TEXT } from './support/frames';
import type { RawClient } from './support/raw-client';
import { request } from './support/raw-client';
import { deferred } from './support/site';
import { until } from './support/sockets';
import { rawClient, startServer, turn } from './support/stage';
import { useFakeTimeouts } from './support/timeouts';

const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n';

function refusal(status: string, body: string): string {
  return (
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/html\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

const FAILED = refusal('500 Internal Server Error', 'Internal Server Error');

interface Knocked {
  readonly server: WebSocketServer;
  readonly client: RawClient;
  readonly reported: Error[];
  readonly sockets: WebSocket[];
}

type OnUpgrade = (request: IncomingMessage) => unknown;

/** A client that has sent a handshake to a server with this onUpgrade, whatever it answers. */
async function knock(
  onUpgrade: OnUpgrade,
  headers: Record<string, string> = {},
  options: ServerOptions = {},
): Promise<Knocked> {
  const server = await startServer({
    ...options,
    onUpgrade: onUpgrade as ServerOptions['onUpgrade'],
  });
  const reported: Error[] = [];
  const sockets: WebSocket[] = [];
  server.on('error', (error) => reported.push(error));
  server.on('connection', (webSocket) => sockets.push(webSocket));
  const client = await rawClient(server);
  client.write(request(headers));
  return { server, client, reported, sockets };
}

const answered = async ({ client }: Knocked): Promise<string> => (await client.rest()).toString();

/** The code of the close frame that comes next. */
const closeCodeOf = async (client: RawClient): Promise<number | undefined> => {
  const received = await client.frame();
  expect(received?.first).toBe(0x80 | CLOSE);
  return received?.payload.readUInt16BE(0);
};

/** The two ways to answer. */
const ways = [
  ['returned', (answer: unknown) => () => answer],
  ['resolved to', (answer: unknown) => async () => answer],
] as const;

describe.each(ways)('%s', (_way, give) => {
  test.each([
    ['undefined', undefined],
    ['true', true],
    ['an object', {}],
  ])('%s accepts', async (_name, answer) => {
    const { client, sockets, reported } = await knock(give(answer));
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    await turn();
    expect(sockets.map(({ data, readyState }) => [data, readyState])).toEqual([[undefined, 1]]);
    expect(reported).toEqual([]);
  });

  test('data is that of the WebSocket, in its connection listener already', async () => {
    const data = { user: 'ada' };
    const seen: unknown[] = [];
    const server = await startServer({ onUpgrade: give({ data }) as () => UpgradeDecision });
    server.on('connection', (webSocket) => seen.push(webSocket.data));
    const client = await rawClient(server);
    client.write(request());
    await client.head();
    expect(seen).toEqual([data]);
    expect(seen[0]).toBe(data);
  });

  test('headers stand behind those of the handshake, and listeners see them', async () => {
    const headers = { 'Set-Cookie': ['a=1', 'b=2'], 'X-Number': 5 };
    const server = await startServer({ onUpgrade: give({ headers }) as () => UpgradeDecision });
    const lines: string[][] = [];
    server.on('headers', (seen) => lines.push([...seen]));
    const client = await rawClient(server);
    client.write(request());
    expect(await client.head()).toBe(
      `${ACCEPTED}Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Number: 5\r\n\r\n`,
    );
    expect(lines[0].slice(-3)).toEqual(['Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Number: 5']);
  });

  test('the protocol goes before handleProtocols', async () => {
    const handleProtocols = jest.fn(() => 'a');
    const offer = { 'Sec-WebSocket-Protocol': 'a, b' };
    const { client, sockets } = await knock(give({ protocol: 'b' }), offer, { handleProtocols });
    expect(await client.head()).toBe(`${ACCEPTED}Sec-WebSocket-Protocol: b\r\n\r\n`);
    expect(sockets[0].protocol).toBe('b');
    expect(handleProtocols).not.toHaveBeenCalled();
  });

  test('without a protocol, handleProtocols decides', async () => {
    const offer = { 'Sec-WebSocket-Protocol': 'a, b' };
    const { client } = await knock(give({}), offer, { handleProtocols: () => 'b' });
    expect(await client.head()).toBe(`${ACCEPTED}Sec-WebSocket-Protocol: b\r\n\r\n`);
  });

  test('false refuses', async () => {
    const knocked = await knock(give(false));
    expect(await answered(knocked)).toBe(refusal('403 Forbidden', 'Forbidden'));
    expect([knocked.sockets, knocked.reported]).toEqual([[], []]);
  });

  test('an object with a status refuses', async () => {
    const answer = { status: 401, headers: { 'WWW-Authenticate': 'Bearer' }, body: '{"no":1}' };
    const knocked = await knock(give(answer));
    expect(await answered(knocked)).toBe(
      'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 8\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\nWWW-Authenticate: Bearer\r\n\r\n{"no":1}',
    );
    expect([knocked.sockets, knocked.reported]).toEqual([[], []]);
  });

  test('a Response refuses', async () => {
    const knocked = await knock(give(Response.json({ error: 'café' }, { status: 409 })));
    expect(await answered(knocked)).toBe(
      'HTTP/1.1 409 Conflict\r\nConnection: close\r\nContent-Length: 17\r\n' +
        'content-type: application/json\r\n\r\n{"error":"café"}',
    );
    expect([knocked.sockets, knocked.reported]).toEqual([[], []]);
  });

  test.each([
    [
      'null',
      null,
      'The option "onUpgrade" answered null; it must be undefined, a boolean, a plain object or a Response',
    ],
    [
      'a header that would end its line',
      { headers: { 'X-A': 'b\r\nSet-Cookie: c=1' } },
      `The option "onUpgrade" answered the header 'X-A': 'b\\r\\nSet-Cookie: c=1', which cannot be sent`,
    ],
    [
      'a protocol where none was offered',
      { protocol: 'a' },
      `The option "onUpgrade" answered the protocol 'a', which the client did not offer (RFC 6455 4.2.2)`,
    ],
    [
      'a limit out of range',
      { options: { maxPayload: -1 } },
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    [
      'a status that is none of a refusal',
      { status: 200 },
      'The option "onUpgrade" refused with the status code 200; it must be 400 to 599, or 300 to 399 with a Location header',
    ],
    [
      'a Response that says yes',
      new Response('yes'),
      'The option "onUpgrade" refused with the status code 200; it must be 400 to 599, or 300 to 399 with a Location header',
    ],
  ])('%s is a 500, and reported', async (_name, answer, message) => {
    const knocked = await knock(give(answer));
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported.map((error) => error.message)).toEqual([message]);
    expect(knocked.sockets).toEqual([]);
  });
});

describe('options of one connection', () => {
  const text = (length: number) => frame({ opcode: TEXT, payload: 'x'.repeat(length), key: 1 });

  test('go before those of the server, for this one alone', async () => {
    const onUpgrade = ({ url }: IncomingMessage) =>
      url === '/small' ? { options: { maxPayload: 10 } } : { options: { maxPayload: 1000 } };
    const server = await startServer({ maxPayload: 100, onUpgrade });
    const [small, large] = [await rawClient(server), await rawClient(server)];
    small.write(request({}, 'GET /small HTTP/1.1'));
    large.write(request({}, 'GET /large HTTP/1.1'));
    for (const client of [small, large]) await client.head();
    const messages: number[] = [];
    for (const webSocket of server.clients) {
      webSocket.on('message', (data) => messages.push(String(data).length));
    }
    large.write(text(1000));
    await until(() => messages.length > 0);
    small.write(text(11));
    expect(await closeCodeOf(small)).toBe(1009);
    large.write(text(1001));
    expect(await closeCodeOf(large)).toBe(1009);
    expect(messages).toEqual([1000]);
  });

  test('maxPayload holds for what is inflated', async () => {
    const { client } = await knock(
      () => ({ options: { maxPayload: 100 } }),
      { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
      { perMessageDeflate: true, maxPayload: 1000 },
    );
    expect(await client.head()).toContain('Sec-WebSocket-Extensions: permessage-deflate');
    const payload = deflateRawSync('x'.repeat(101), { finishFlush: 2 }).subarray(0, -4);
    expect(payload.length).toBeLessThan(100);
    client.write(frame({ opcode: TEXT, rsv: 4, payload, key: 1 }));
    expect(await closeCodeOf(client)).toBe(1009);
  });

  test('and may allow more than the server does', async () => {
    const { client, sockets } = await knock(
      () => ({ options: { maxPayload: 1000 } }),
      { 'Sec-WebSocket-Extensions': 'permessage-deflate' },
      { perMessageDeflate: true, maxPayload: 100 },
    );
    await client.head();
    const message = once(sockets[0], 'message');
    const payload = deflateRawSync('x'.repeat(101), { finishFlush: 2 }).subarray(0, -4);
    client.write(frame({ opcode: TEXT, rsv: 4, payload, key: 1 }));
    expect(String((await message)[0])).toBe('x'.repeat(101));
  });

  test('that are undefined are the server’s', async () => {
    const { client } = await knock(
      () => ({ options: { maxPayload: undefined } }),
      {},
      { maxPayload: 10 },
    );
    await client.head();
    client.write(text(11));
    expect(await closeCodeOf(client)).toBe(1009);
  });

  test('what a class sets for itself holds for what is inflated, too', async () => {
    class Narrow extends WebSocket {
      constructor(address: null, protocols: undefined, options: object) {
        super(address, protocols, { ...options, maxPayload: 100 });
      }
    }
    const server = await startServer({
      perMessageDeflate: true,
      // A server makes it with these arguments and no others.
      WebSocket: Narrow as unknown as typeof WebSocket,
    });
    const client = await rawClient(server);
    client.write(request({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    await client.head();
    const payload = deflateRawSync('x'.repeat(101), { finishFlush: 2 }).subarray(0, -4);
    client.write(frame({ opcode: TEXT, rsv: 4, payload, key: 1 }));
    expect(await closeCodeOf(client)).toBe(1009);
  });
});

describe('what fails', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea'))],
    [
      'answers a stream that fails',
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.error(new Error('no idea'));
            },
          }),
          { status: 400 },
        ),
    ],
  ])('onUpgrade %s: a 500, and reported once', async (_name, onUpgrade) => {
    const knocked = await knock(onUpgrade);
    expect(await answered(knocked)).toBe(FAILED);
    expect(knocked.reported).toEqual([new Error('no idea')]);
    expect(knocked.sockets).toEqual([]);
  });

  test('where nobody listens to errors, it is a process warning', async () => {
    const { exit, stdout } = await runChild(`
      const onUpgrade = async () => { throw new Error('broken'); };
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1', onUpgrade }, async () => {
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
  });

  test('a value that is no function is refused when the server is made', async () => {
    const options = { port: 0, onUpgrade: 'yes' } as unknown as ServerOptions;
    await expect(startServer(options)).rejects.toThrow(
      new TypeError('The "onUpgrade" option must be a function, got "yes"'),
    );
  });
});

describe('beside verifyClient', () => {
  test('it is asked when verifyClient has accepted', async () => {
    const order: string[] = [];
    const { client } = await knock(
      () => void order.push('onUpgrade'),
      {},
      {
        verifyClient: (_info, callback) => {
          order.push('verifyClient');
          setImmediate(() => {
            order.push('decided');
            callback(true);
          });
        },
      },
    );
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    expect(order).toEqual(['verifyClient', 'decided', 'onUpgrade']);
  });

  test('it is not asked when verifyClient has refused', async () => {
    const onUpgrade = jest.fn();
    const knocked = await knock(onUpgrade, {}, { verifyClient: () => false });
    expect(await answered(knocked)).toBe(refusal('401 Unauthorized', 'Unauthorized'));
    expect(onUpgrade).not.toHaveBeenCalled();
  });

  test('it is not asked for what is no handshake of the server', async () => {
    const onUpgrade = jest.fn();
    const knocked = await knock(onUpgrade, { 'Sec-WebSocket-Version': '7' });
    expect(await answered(knocked)).toMatch(/^HTTP\/1\.1 400 /);
    const elsewhere = await knock(onUpgrade, {}, { path: '/chat' });
    expect(await answered(elsewhere)).toMatch(/^HTTP\/1\.1 400 /);
    expect(onUpgrade).not.toHaveBeenCalled();
  });
});

describe('while it decides', () => {
  test('a client that goes away costs nothing, and its decision is without effect', async () => {
    const decision = deferred<boolean>();
    const asked = deferred<IncomingMessage>();
    const { client, sockets, reported } = await knock((incoming) => {
      asked.resolve(incoming);
      return decision.promise;
    });
    const { socket } = await asked.promise;
    client.reset();
    await until(() => socket.destroyed);
    decision.resolve(true);
    await turn();
    expect([sockets, reported]).toEqual([[], []]);
  });

  test('frames that come meanwhile are kept, in order', async () => {
    const decision = deferred<boolean>();
    const { server, client } = await knock(() => decision.promise);
    const messages: string[] = [];
    server.on('connection', (webSocket) => {
      webSocket.on('message', (data) => messages.push(String(data)));
    });
    for (const payload of ['a', 'b', 'c']) client.write(frame({ opcode: TEXT, payload, key: 1 }));
    await turn();
    decision.resolve(true);
    expect(await client.head()).toBe(`${ACCEPTED}\r\n`);
    await until(() => messages.length === 3);
    expect(messages).toEqual(['a', 'b', 'c']);
  });

  test('close(callback) makes it a 503, and a goodbye does not wait for it', async () => {
    const [first, second] = [deferred<boolean>(), deferred<boolean>()];
    const decisions = [first.promise, second.promise];
    const asked = jest.fn();
    const { server, client } = await knock(() => {
      asked();
      return decisions.shift();
    });
    await until(() => asked.mock.calls.length === 1);
    server.close();
    first.resolve(true);
    expect((await client.rest()).toString()).toBe(
      refusal('503 Service Unavailable', 'Service Unavailable'),
    );
    await server.close({});
  });

  describe('and never does', () => {
    beforeEach(useFakeTimeouts);
    afterEach(() => jest.useRealTimers());

    test('it gets 503 after handshakeTimeout, and no decision counts any more', async () => {
      const decision = deferred<boolean>();
      const asked = deferred();
      const knocked = await knock(
        () => {
          asked.resolve();
          return decision.promise;
        },
        {},
        { handshakeTimeout: 1000 },
      );
      await asked.promise;
      jest.advanceTimersByTime(999);
      await turn();
      expect(knocked.client.socket.readableLength).toBe(0);
      jest.advanceTimersByTime(1);
      const late = refusal('503 Service Unavailable', 'The handshake took too long');
      expect(await answered(knocked)).toBe(late);
      decision.resolve(true);
      await turn();
      expect([knocked.sockets, knocked.reported]).toEqual([[], []]);
    });

    test('it shares its time with verifyClient', async () => {
      const verified = deferred<boolean>();
      const asked = deferred();
      const knocked = await knock(
        () => {
          asked.resolve();
          return new Promise(() => undefined);
        },
        {},
        { handshakeTimeout: 1000, verifyClient: () => verified.promise },
      );
      await until(() => knocked.server.undecided.size === 1);
      jest.advanceTimersByTime(600);
      verified.resolve(true);
      await asked.promise;
      jest.advanceTimersByTime(400);
      expect(await answered(knocked)).toMatch(/^HTTP\/1\.1 503 /);
    });

    test('neither does a body that never ends', async () => {
      const body = new ReadableStream({ pull: () => undefined });
      const knocked = await knock(
        () => new Response(body, { status: 400 }),
        {},
        { handshakeTimeout: 1000 },
      );
      await until(() => knocked.server.undecided.size === 1);
      jest.advanceTimersByTime(1000);
      expect(await answered(knocked)).toMatch(/^HTTP\/1\.1 503 /);
    });
  });
});

test('on the response of a framework, the answer is that response', async () => {
  const server = new WebSocketServer({
    noServer: true,
    onUpgrade: ({ url }) =>
      url === '/no'
        ? new Response(Uint8Array.of(0, 255), { status: 418, headers: { 'Set-Cookie': 'b=2' } })
        : { headers: { 'Set-Cookie': 'b=2' } },
  });
  const http = await startServer();
  http.handleUpgrade = (incoming, socket, head) => {
    // It is the socket of an HTTP server.
    claimLastResponse(incoming, socket as Socket, (response) => {
      response.setHeader('Set-Cookie', 'a=1');
      server.handleUpgrade(incoming, response, head, () => undefined);
    });
  };
  const [accepted, refused] = [await rawClient(http), await rawClient(http)];
  accepted.write(request());
  expect(await accepted.head()).toContain('\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
  refused.write(request({}, 'GET /no HTTP/1.1'));
  expect(await refused.head()).toMatch(
    /^HTTP\/1\.1 418 [\s\S]*\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/,
  );
  expect(await refused.rest()).toEqual(Buffer.from([0, 255]));
  await server.close({ timeout: 0 });
});

describe('data', () => {
  test('is undefined, and the application’s to set', () => {
    const webSocket = new WebSocket(null);
    expect(webSocket.data).toBeUndefined();
    webSocket.data = { user: 'ada' };
    expect(webSocket.data).toEqual({ user: 'ada' });
  });

  test('that a class sets for itself stays where nothing was decided', async () => {
    class Guest extends WebSocket {
      override data: unknown = 'a guest';
    }
    const { client, sockets } = await knock(() => ({}), {}, { WebSocket: Guest });
    await client.head();
    expect(sockets[0].data).toBe('a guest');
  });
});

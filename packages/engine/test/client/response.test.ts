import type { IncomingMessage } from 'node:http';
import { WebSocket } from '../../src/index';
import type { ClientEvent } from '../support/client-events';
import { errorOf, eventsOf, once } from '../support/client-events';
import { upwireClient, wsClient } from '../support/clients';
import type { RawRequest } from '../support/raw-server';
import { RawServer } from '../support/raw-server';
import { useFakeTimeouts } from '../support/timeouts';

interface Case {
  readonly name: string;
  readonly answer: (request: RawRequest) => void;
  readonly protocols?: string[];
  readonly options?: object;
  readonly events: readonly ClientEvent[];
}

/** An answer that ends the handshake before there is an upgrade. */
const failed = (text: string): ClientEvent[] => [
  ['error', 2, `Error: ${text}`],
  ['close', 3, '1006 '],
];

/** An upgrade that turns out to be wrong. */
const upgradedAndFailed = (text: string): ClientEvent[] => [['upgrade', 0], ...failed(text)];

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade'];

const CASES: readonly Case[] = [
  {
    name: '101 and the end',
    answer: (request) => {
      request.upgrade();
      request.socket.end();
    },
    events: [
      ['upgrade', 0],
      ['open', 1],
      ['close', 3, '1006 '],
    ],
  },
  {
    name: '101 with a chosen subprotocol',
    protocols: ['a', 'b'],
    answer: (request) => {
      request.upgrade('Sec-WebSocket-Protocol: b');
      request.socket.end();
    },
    events: [
      ['upgrade', 0],
      ['open', 1],
      ['close', 3, '1006 '],
    ],
  },
  ...[200, 204, 304, 400, 401, 403, 404, 426, 500, 503].map((status) => ({
    name: `a plain ${status}`,
    answer: (request: RawRequest) => request.refuse(`${status} Whatever`),
    events: failed(`Unexpected server response: ${status}`),
  })),
  {
    name: 'a redirect that is not to be followed',
    answer: (request) => request.refuse('302 Found', 'Location: /elsewhere'),
    events: failed('Unexpected server response: 302'),
  },
  {
    name: 'a redirect to nowhere',
    options: { followRedirects: true },
    answer: (request) => request.refuse('302 Found'),
    events: failed('Unexpected server response: 302'),
  },
  {
    name: 'an upgrade with status 200',
    answer: (request) => {
      request.respond('200 OK', ...UPGRADE, `Sec-WebSocket-Accept: ${request.accept}`);
      request.socket.end();
    },
    events: failed('Unexpected server response: 200'),
  },
  {
    name: '101 without Connection',
    answer: (request) => request.respond('101 Switching Protocols', 'Upgrade: websocket'),
    events: failed('Unexpected server response: 101'),
  },
  {
    name: '101 with another Connection',
    answer: (request) =>
      request.respond('101 Switching Protocols', 'Upgrade: websocket', 'Connection: close'),
    events: failed('Unexpected server response: 101'),
  },
  {
    name: '101 without Upgrade',
    answer: (request) => request.respond('101 Switching Protocols', 'Connection: Upgrade'),
    events: failed('Unexpected server response: 101'),
  },
  {
    name: '101 to another protocol',
    answer: (request) =>
      request.respond('101 Switching Protocols', 'Upgrade: h2c', 'Connection: Upgrade'),
    events: upgradedAndFailed('Invalid Upgrade header'),
  },
  {
    name: '101 without Accept',
    answer: (request) => request.respond('101 Switching Protocols', ...UPGRADE),
    events: upgradedAndFailed('Invalid Sec-WebSocket-Accept header'),
  },
  {
    name: "101 with the key's own text as Accept",
    answer: (request) =>
      request.respond(
        '101 Switching Protocols',
        ...UPGRADE,
        `Sec-WebSocket-Accept: ${request.headers.get('sec-websocket-key')}`,
      ),
    events: upgradedAndFailed('Invalid Sec-WebSocket-Accept header'),
  },
  {
    name: '101 with Accept twice',
    answer: (request) => request.upgrade(`Sec-WebSocket-Accept: ${request.accept}`),
    events: upgradedAndFailed('Invalid Sec-WebSocket-Accept header'),
  },
  {
    name: '101 with a subprotocol out of nowhere',
    answer: (request) => request.upgrade('Sec-WebSocket-Protocol: a'),
    events: upgradedAndFailed('Server sent a subprotocol but none was requested'),
  },
  {
    name: '101 with another subprotocol',
    protocols: ['a', 'b'],
    answer: (request) => request.upgrade('Sec-WebSocket-Protocol: c'),
    events: upgradedAndFailed('Server sent an invalid subprotocol'),
  },
  {
    name: '101 with two subprotocols',
    protocols: ['a', 'b'],
    answer: (request) => request.upgrade('Sec-WebSocket-Protocol: a', 'Sec-WebSocket-Protocol: b'),
    events: upgradedAndFailed('Server sent an invalid subprotocol'),
  },
  {
    name: '101 with no subprotocol',
    protocols: ['a', 'b'],
    answer: (request) => request.upgrade(),
    events: upgradedAndFailed('Server sent no subprotocol'),
  },
  {
    name: '101 with an extension out of nowhere',
    answer: (request) => request.upgrade('Sec-WebSocket-Extensions: permessage-deflate'),
    events: upgradedAndFailed(
      'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
    ),
  },
  {
    name: '101 after 100 and 103',
    answer: (request) => {
      request.respond('100 Continue');
      request.respond('103 Early Hints', 'Link: </a>');
      request.upgrade();
      request.socket.end();
    },
    events: [
      ['upgrade', 0],
      ['open', 1],
      ['close', 3, '1006 '],
    ],
  },
  {
    name: 'the end',
    answer: (request) => request.socket.end(),
    events: failed('socket hang up'),
  },
  {
    name: 'a reset',
    answer: (request) => request.socket.resetAndDestroy(),
    events: failed('read ECONNRESET'),
  },
  {
    name: 'what is not HTTP',
    answer: (request) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    events: failed('Parse Error: Expected HTTP/, RTSP/ or ICE/'),
  },
  {
    name: 'half a response',
    answer: (request) => request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs'),
    events: failed('socket hang up'),
  },
  {
    // T15
    name: 'more headers than anybody reads',
    answer: (request) => request.respond('101 Switching Protocols', `X: ${'y'.repeat(20_000)}`),
    events: failed('Parse Error: Header overflow'),
  },
  {
    // T5
    name: '2000 headers and no handshake',
    answer: (request) =>
      request.respond(
        '101 Switching Protocols',
        ...new Array<string>(2001).fill('a:b'),
        ...UPGRADE,
      ),
    events: upgradedAndFailed('Invalid Sec-WebSocket-Accept header'),
  },
];

describe.each([wsClient, upwireClient])('a client of $name', ({ name: library, WebSocket }) => {
  test.each(CASES)('is answered $name', async ({ name, answer, protocols, options, events }) => {
    const server = await RawServer.listen(answer);
    const client = new WebSocket(server.url, protocols ?? [], {
      perMessageDeflate: false,
      ...options,
    });
    const expected =
      // `ws` looks at the headers that Node keeps, and so misses one that is there.
      library === 'ws' && name.startsWith('2000')
        ? upgradedAndFailed('Invalid Upgrade header')
        : events;
    expect(await eventsOf(client)).toEqual(expected);
    await server.close();
  });
});

describe('a client', () => {
  let server: RawServer;

  afterEach(() => server.close());

  test('knows the subprotocol when it is open', async () => {
    server = await RawServer.listen((request) => request.upgrade('Sec-WebSocket-Protocol: b'));
    const client = new WebSocket(server.url, ['a', 'b']);
    expect(client.protocol).toBe('');
    await once(client, 'open');
    expect([client.protocol, client.extensions, client.url]).toEqual(['b', '', `${server.url}/`]);
    client.terminate();
  });

  test('tells errors of the handshake apart by code', async () => {
    server = await RawServer.listen((request) => request.refuse('404 Not Found'));
    expect(await errorOf(new WebSocket(server.url))).toMatchObject({
      message: 'Unexpected server response: 404',
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      statusCode: 404,
    });
  });

  test('finds the handshake behind 2000 headers', async () => {
    server = await RawServer.listen((request) => {
      request.respond(
        '101 Switching Protocols',
        ...new Array<string>(2001).fill('a:b'),
        ...UPGRADE,
        `Sec-WebSocket-Accept: ${request.accept}`,
      );
      request.socket.end();
    });
    const events = await eventsOf(new WebSocket(server.url));
    expect(events.map(([event]) => event)).toEqual(['upgrade', 'open', 'close']);
  });

  test('shows the response before it is judged', async () => {
    server = await RawServer.listen((request) =>
      request.respond('101 Switching Protocols', ...UPGRADE, 'Set-Cookie: a=b'),
    );
    const client = new WebSocket(server.url);
    client.on('error', () => undefined);
    const closed = once(client, 'close');
    const response = await once<IncomingMessage>(client, 'upgrade');
    expect([response.statusCode, response.headers['set-cookie']]).toEqual([101, ['a=b']]);
    await closed;
  });

  test('hands an unexpected response to whoever listens, and waits', async () => {
    server = await RawServer.listen((request) => {
      request.respond('401 Unauthorized', 'Content-Length: 4', 'WWW-Authenticate: Basic');
      request.socket.write('body');
    });
    useFakeTimeouts();
    const client = new WebSocket(server.url, { handshakeTimeout: 50 });
    const response = await new Promise<IncomingMessage>((resolve) => {
      client.on('unexpected-response', (request: unknown, answer: IncomingMessage) => {
        expect(request).toMatchObject({ method: 'GET' });
        resolve(answer);
      });
    });
    const body: Buffer[] = [];
    for await (const chunk of response) body.push(chunk as Buffer);
    expect([response.statusCode, Buffer.concat(body).toString()]).toEqual([401, 'body']);
    jest.advanceTimersByTime(60_000);
    jest.useRealTimers();
    expect(client.readyState).toBe(0);
    const events = eventsOf(client);
    client.close();
    expect(await events).toEqual(
      failed('WebSocket was closed before the connection was established'),
    );
  });

  // RFC 7692 5.1 and 7.1, where `ws` takes what it did not ask for.
  test.each<[string, string, object]>([
    ['the same extension twice', 'permessage-deflate, permessage-deflate', {}],
    [
      'a larger window than asked for',
      'permessage-deflate; server_max_window_bits=15',
      { serverMaxWindowBits: 10 },
    ],
    ['context takeover that was declined', 'permessage-deflate', { serverNoContextTakeover: true }],
    ['window bits with a leading zero', 'permessage-deflate; client_max_window_bits=010', {}],
  ])('refuses %s', async (_name, extensions, perMessageDeflate) => {
    server = await RawServer.listen((request) =>
      request.upgrade(`Sec-WebSocket-Extensions: ${extensions}`),
    );
    const client = new WebSocket(server.url, { perMessageDeflate });
    expect(await eventsOf(client)).toEqual(
      upgradedAndFailed('Invalid Sec-WebSocket-Extensions header'),
    );
  });

  test('reads frames that came with the response', async () => {
    server = await RawServer.listen((request) => {
      request.socket.cork();
      request.upgrade();
      request.socket.write(Buffer.from('810548656c6c6f', 'hex'));
      request.socket.uncork();
    });
    const client = new WebSocket(server.url);
    const events: unknown[] = [];
    client.on('open', () => events.push('open'));
    client.on('message', (data: Buffer, binary: boolean) => events.push([String(data), binary]));
    await once(client, 'message');
    expect(events).toEqual(['open', ['Hello', false]]);
    client.terminate();
  });

  test('answers a masked frame with 1002, told by an error and not by the process', async () => {
    const received: Buffer[] = [];
    server = await RawServer.listen((request) => {
      request.upgrade();
      request.socket.on('data', (chunk: Buffer) => received.push(chunk));
      request.socket.write(Buffer.from('818100000000' + '61', 'hex'));
    });
    const client = new WebSocket(server.url, {
      generateMask: (mask) => mask.fill(0),
    });
    const ended = new Promise((resolve) => {
      client.once('open', () => server.sockets[0].once('end', resolve));
    });
    // No 'error' listener: the peer's fault ends this connection and nothing else.
    expect(await once(client, 'close')).toBe(1006);
    await ended;
    expect(Buffer.concat(received).toString('hex')).toBe('88820000000003ea');
  });
});

// T4, T5, T9, T10: headers that are many, long, split, or meant for somebody else (CVE-2021-32640, CVE-2024-37890).
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { createServer, METHODS } from 'node:http';
import { checkOrigin, createOriginPolicy } from '../../src/handshake/origin';
import engine, { WebSocket, WebSocketServer } from '../../src/index';
import { expectProportion } from '../support/proportion';
import { RawClient, request } from '../support/raw-client';
import { RawServer } from '../support/raw-server';
import { afterTest, rawClient, startServer } from '../support/stage';

const HANDSHAKE = ['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'];
const OPTIONAL = ['Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions'];
const MANY = 'X:1\r\n'.repeat(2_000);

const OFFER = {
  'Sec-WebSocket-Protocol': 'chat',
  'Sec-WebSocket-Extensions': 'permessage-deflate',
};

/** A handshake with 2,000 lines before or behind one of its headers. */
function flooded(name: string, where: 'before' | 'behind'): string {
  const line = new RegExp(`^${name}: .*\r\n`, 'm');
  return request(OFFER).replace(line, (found) =>
    where === 'before' ? MANY + found : found + MANY,
  );
}

describe('2,000 header lines', () => {
  // Node keeps some of the lines and drops the rest without a word: a header that is dropped is one that is missing.
  const REFUSALS: Record<string, string> = {
    Host: 'Invalid Upgrade header',
    Upgrade: 'Invalid Upgrade header',
    Connection: 'Missing or invalid Sec-WebSocket-Key header',
    'Sec-WebSocket-Key': 'Missing or invalid Sec-WebSocket-Key header',
    'Sec-WebSocket-Version': 'Missing or invalid Sec-WebSocket-Version header',
  };

  test.each(HANDSHAKE)('before %s of a request: refused, and the server goes on', async (name) => {
    const server = await startServer({ perMessageDeflate: true });
    const client = await rawClient(server);
    client.write(flooded(name, 'before'));
    const answer = (await client.rest()).toString();
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.split('\r\n\r\n')[1]).toBe(REFUSALS[name]);
    const next = await rawClient(server);
    next.write(request());
    expect(await next.head()).toMatch(/^HTTP\/1\.1 101 /);
  });

  test.each([...HANDSHAKE, ...OPTIONAL])(
    'behind %s of a request, or all kept: never a crash',
    async (name) => {
      for (const maxHeadersCount of [2_000, 0]) {
        const http = await startHttp();
        http.maxHeadersCount = maxHeadersCount;
        const server = new WebSocketServer({ server: http, perMessageDeflate: true });
        afterTest(() => {
          for (const socket of server.clients ?? []) socket.terminate();
        });
        for (const where of ['before', 'behind'] as const) {
          const client = await rawClient(http);
          client.write(flooded(name, where));
          const head = await client.head();
          if (maxHeadersCount === 0) {
            expect(head).toMatch(
              /^HTTP\/1\.1 101 (.|\r\n)*Protocol: chat\r\n(.|\r\n)*permessage-deflate\r\n/,
            );
          } else expect(head).toMatch(/^HTTP\/1\.1 (101|400) /);
        }
      }
    },
  );

  const ANSWER = ['Upgrade', 'Connection', 'Sec-WebSocket-Accept', ...OPTIONAL];

  test.each(ANSWER)('before and behind %s of an answer: it is found', async (name) => {
    for (const where of ['before', 'behind']) {
      const many = new Array<string>(2_000).fill('X: 1');
      const server = await RawServer.listen((incoming) => {
        const lines = [
          'Upgrade: websocket',
          'Connection: Upgrade',
          `Sec-WebSocket-Accept: ${incoming.accept}`,
          'Sec-WebSocket-Protocol: chat',
          'Sec-WebSocket-Extensions: permessage-deflate',
        ];
        const at =
          lines.findIndex((line) => line.startsWith(`${name}:`)) + (where === 'before' ? 0 : 1);
        incoming.respond(
          '101 Switching Protocols',
          ...lines.slice(0, at),
          ...many,
          ...lines.slice(at),
        );
      });
      const client = new WebSocket(server.url, 'chat');
      await once(client, 'open');
      expect([client.protocol, client.extensions]).toEqual(['chat', 'permessage-deflate']);
      client.terminate();
      await server.close();
    }
  });
});

describe('a long header takes a time in proportion', () => {
  const MIB = 1024 * 1024;

  /** What a parser makes of a header, an error included. */
  function outcome(parse: (header: string) => unknown, header: string): unknown {
    try {
      return parse(header);
    } catch (error) {
      return error;
    }
  }

  const same = { secure: false, host: 'example.com' };
  const PARSERS: Record<string, (header: string) => unknown> = {
    'extension.parse': engine.extension.parse,
    'subprotocol.parse': engine.subprotocol.parse,
    checkOrigin: (header) =>
      checkOrigin({ headers: { origin: header } } as IncomingMessage, createOriginPolicy(), same),
    'PerMessageDeflate.accept': (header) => {
      const offers = engine.extension.parse(header)['permessage-deflate'] ?? [];
      return new engine.PerMessageDeflate({ isServer: true }).accept(offers);
    },
  };

  const UNITS: [string, string, string][] = [
    ['spaces', 'a', ' '],
    ['spaces and commas', 'a', ' ,'],
    ['commas', 'a', ','],
    ['semicolons', 'a', ';'],
    ['quotes', 'a; b="', '"'],
    ['backslashes', 'a; b="', '\\'],
    ['escapes', 'a; b="', '\\c'],
    ['tabs', 'a', '\t'],
    ['one name', '', 'a'],
    ['names', 'a', ',b'],
    ['parameters', 'a', ';b=c'],
    ['offers', 'permessage-deflate', ',permessage-deflate;x'],
    ['hosts', 'http://', 'a.'],
    ['brackets', 'http://', '['],
  ];

  test.each(
    Object.keys(PARSERS).flatMap((parser) => UNITS.map((unit) => [parser, ...unit] as const)),
  )('%s of 16 KiB and 1 MiB of %s', (parser, _name, start, unit) => {
    const parse = PARSERS[parser];
    const header = (size: number) => start + unit.repeat(Math.floor(size / unit.length));
    // The same comes of both, but for where.
    expect(kind(outcome(parse, header(MIB)))).toBe(kind(outcome(parse, header(16 * 1024))));
    expectProportion((size) => outcome(parse, header(size)));
  });

  function kind(value: unknown): string {
    return value instanceof Error
      ? value.message.replace(/\d+|"[^"]*"/g, 'N').slice(0, 100)
      : typeof value;
  }
});

describe('an upgrade that is not for us', () => {
  test.each(METHODS.filter((method) => method !== 'GET' && method !== 'CONNECT'))(
    '%s is answered 405',
    async (method) => {
      const server = await startServer();
      const client = await rawClient(server);
      client.write(request({}, `${method} / HTTP/1.1`));
      expect(await client.head()).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
    },
  );

  test('CONNECT is not taken for a handshake', async () => {
    const server = await startServer();
    const connection = jest.fn();
    server.on('connection', connection);
    const client = await rawClient(server);
    client.write(request({}, 'CONNECT localhost:80 HTTP/1.1'));
    expect((await client.rest()).toString()).toBe('');
    expect(connection).not.toHaveBeenCalled();
  });

  test.each(['h2c', 'websocket/13', 'web socket', 'xwebsocket', 'websocket-', 'TLS/1.0', '\tfoo'])(
    'to %j is answered 400',
    async (upgrade) => {
      const server = await startServer();
      const client = await rawClient(server);
      client.write(request({ Upgrade: upgrade }));
      expect(await client.head()).toMatch(/^HTTP\/1\.1 400 /);
    },
  );

  test('on the path of somebody else is answered 400', async () => {
    const server = await startServer({ path: '/ours' });
    for (const path of ['/', '/theirs', '/ours/', '//ours', '/ours%2f', '*', 'http://ours/ours']) {
      const client = await rawClient(server);
      client.write(request({}, `GET ${path} HTTP/1.1`));
      expect([path, (await client.head()).slice(0, 12)]).toEqual([path, 'HTTP/1.1 400']);
    }
  });

  test('on a server without WebSockets is Node’s to answer', async () => {
    const http = await startHttp();
    const client = await RawClient.connect((http.address() as { port: number }).port);
    client.write(request());
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK/);
    client.socket.destroy();
  });
});

async function startHttp(): Promise<Server> {
  const http = createServer((_request, response) => response.end('plain'));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(() => {
    http.closeAllConnections();
    http.close();
  });
  return http;
}

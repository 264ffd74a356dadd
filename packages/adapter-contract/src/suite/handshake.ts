import type { IncomingMessage } from 'node:http';
import { request } from '../../../engine/test/support/raw-client';
import { answerOf } from '../../../engine/test/support/site';
import { connectTo, dial, knockAt, open } from '../client';
import type { Application, Harness } from '../harness';
import { openSite } from '../site';

/** Handshakes that break a rule, with what their answer has. */
const BROKEN: [
  what: string,
  line: string,
  headers: Record<string, string | null>,
  status: number,
  answer: object,
][] = [
  ['POST', 'POST /chat HTTP/1.1', {}, 405, { allow: 'GET' }],
  ['PUT', 'PUT /chat HTTP/1.1', {}, 405, { allow: 'GET' }],
  ['HEAD', 'HEAD /chat HTTP/1.1', {}, 405, { allow: 'GET' }],
  ['HTTP/1.0', 'GET /chat HTTP/1.0', {}, 400, {}],
  ['no Host', 'GET /chat HTTP/1.1', { Host: null }, 400, {}],
  ['a Host that is none', 'GET /chat HTTP/1.1', { Host: 'a b' }, 400, {}],
  ['a body', 'GET /chat HTTP/1.1', { 'Content-Length': '3' }, 400, {}],
  ['chunks', 'GET /chat HTTP/1.1', { 'Transfer-Encoding': 'chunked' }, 400, {}],
  ['no key', 'GET /chat HTTP/1.1', { 'Sec-WebSocket-Key': null }, 400, {}],
  ['a short key', 'GET /chat HTTP/1.1', { 'Sec-WebSocket-Key': 'AAAA' }, 400, {}],
  ...['8', '12', '14', '0x0d', '13, 13'].map((version): (typeof BROKEN)[number] => [
    `version ${version}`,
    'GET /chat HTTP/1.1',
    { 'Sec-WebSocket-Version': version },
    426,
    { 'sec-websocket-version': '13', upgrade: 'websocket', connection: 'close, Upgrade' },
  ]),
  [
    'no version',
    'GET /chat HTTP/1.1',
    { 'Sec-WebSocket-Version': null },
    426,
    { 'sec-websocket-version': '13', upgrade: 'websocket', connection: 'close, Upgrade' },
  ],
];

/** The opening handshake: what is refused before the application sees it, and what the 101 says. */
export function handshakes<App extends Application>(harness: Harness<App>): void {
  test.each(BROKEN)(
    'a handshake with %s is refused before any middleware runs',
    async (_what, line, headers, status, expected) => {
      const middleware = jest.fn();
      const { address } = await openSite(harness, (app) => {
        app.use(middleware);
        app.ws('/chat', middleware);
      });
      const client = await connectTo(address);
      client.write(request(headers, line));
      const answer = await answerOf(client);
      expect(answer).toMatchObject({ status, headers: { connection: 'close', ...expected } });
      expect(answer.headers).not.toHaveProperty('sec-websocket-accept');
      expect(middleware).not.toHaveBeenCalled();
    },
  );

  test('the 101 has what RFC 6455 4.2.2 asks for, and no extension that nobody has asked for', async () => {
    const { address } = await openSite(harness, (app) => app.ws('/chat', () => undefined));
    const client = await knockAt(address, '/chat', {
      'Sec-WebSocket-Extensions': 'permessage-deflate',
      Upgrade: 'WebSocket',
      Connection: 'keep-alive, upgrade',
    });
    const [line, ...lines] = (await client.head()).trimEnd().split('\r\n');
    expect(line).toBe('HTTP/1.1 101 Switching Protocols');
    expect(lines).toEqual(
      expect.arrayContaining([
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      ]),
    );
    const names = lines.map((it) => it.slice(0, it.indexOf(':')).toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      'content-length',
      'content-type',
      'transfer-encoding',
      'sec-websocket-extensions',
      'sec-websocket-protocol',
    ]) {
      expect(names).not.toContain(name);
    }
  });

  describe('subprotocols', () => {
    const openChoosing = (choose?: (offered: Set<string>) => string | false) =>
      openSite(
        harness,
        (app) => app.ws('/chat', (webSocket) => webSocket.send(webSocket.protocol)),
        {
          upwire: { handleProtocols: choose },
        },
      );

    test.each<[string, (() => string | false) | undefined, string | undefined]>([
      ['the first that was offered by default', undefined, 'a'],
      ['that of handleProtocols', () => 'b', 'b'],
      ['none where it says so', () => false, undefined],
    ])('%s', async (_what, choose, chosen) => {
      const { address } = await openChoosing(choose);
      const client = await knockAt(address, '/chat', { 'Sec-WebSocket-Protocol': 'a, b' });
      const line = /\r\nSec-WebSocket-Protocol: (.*)\r\n/i.exec(await client.head());
      expect(line?.[1]).toBe(chosen);
      expect((await client.frame())?.payload.toString()).toBe(chosen ?? '');
    });

    test('are what a client gets', async () => {
      const { address } = await openChoosing();
      const client = await open(address, '/chat', { subprotocols: ['chat.v2', 'chat.v1'] });
      expect([client.webSocket.protocol, await client.message()]).toEqual(['chat.v2', 'chat.v2']);
    });
  });

  test('verifyClient of ws decides behind the middleware, by the framework’s own response', async () => {
    const { address } = await openSite(
      harness,
      (app) => {
        app.use((context) => context.set('X-Frame-Options', 'SAMEORIGIN'));
        app.ws('/chat', () => undefined);
      },
      {
        upwire: {
          verifyClient: ({ req }: { req: IncomingMessage }) =>
            req.headers.authorization === 'Bearer 1',
        },
      },
    );
    expect(await dial(address, '/chat')).toMatchObject({
      status: 401,
      headers: { 'x-frame-options': 'SAMEORIGIN', connection: 'close' },
    });
    const headers = { Authorization: 'Bearer 1' };
    expect((await dial(address, '/chat', { headers })).status).toBe(101);
  });

  describe('pipelined requests', () => {
    const PAGE = 'GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n';

    const openShop = () =>
      openSite(harness, (app) => {
        app.page('GET', '/page', async (context) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          context.answer(200, 'a page');
        });
        app.ws('/chat', (webSocket) => webSocket.send('hello'));
        app.ws('/guarded', () => undefined, { guards: [(context) => context.answer(401, 'no')] });
      });

    test('in front of a handshake are answered first', async () => {
      const { address } = await openShop();
      const client = await connectTo(address);
      client.write(PAGE, PAGE, request({}, 'GET /chat HTTP/1.1'));
      for (let count = 0; count < 2; count++) {
        expect(await client.head()).toMatch(/^HTTP\/1\.1 200 /);
        expect(await client.bytes(6)).toEqual(Buffer.from('a page'));
      }
      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect((await client.frame())?.payload.toString()).toBe('hello');
    });

    test('behind a handshake that is refused are not answered', async () => {
      const { address, log } = await openShop();
      const client = await knockAt(address, '/guarded');
      client.write(PAGE);
      expect(await answerOf(client)).toMatchObject({
        status: 401,
        body: 'no',
        headers: { connection: 'close' },
      });
      expect(log).toEqual(['GET /guarded 401']);
    });
  });

  describe('an upgrade to another protocol', () => {
    const openShop = () =>
      openSite(harness, (app) => {
        app.ws('/chat', () => undefined);
        app.page('GET', '/page', (context) =>
          context.answer(200, `page, not ${context.header('Upgrade')}`),
        );
      });
    const H2C = {
      Upgrade: 'h2c',
      Connection: 'Upgrade, HTTP2-Settings',
      'HTTP2-Settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
      'Sec-WebSocket-Key': null,
      'Sec-WebSocket-Version': null,
    };

    test('is an ordinary request for a page', async () => {
      const { address } = await openShop();
      expect(await answerOf(await knockAt(address, '/page', H2C))).toMatchObject({
        status: 200,
        body: 'page, not h2c',
      });
    });

    test('is none for a WebSocket route', async () => {
      const { address } = await openShop();
      expect((await answerOf(await knockAt(address, '/chat', H2C))).status).toBe(426);
    });
  });
}

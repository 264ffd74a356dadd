import type { RouteOptions } from '@upwire/engine/internal';
import { z } from 'zod';
import { dial, enterAt, framesBehind101, knockAt, open } from '../client';
import type { Application, Handler, Harness, SiteOptions } from '../harness';
import { openSite, until } from '../site';

const echo: Handler = (webSocket) => webSocket.on('message', (text) => webSocket.send(text));

/** Options of one route, which go before those for all. */
export function routeOptions<App extends Application>(harness: Harness<App>): void {
  /** A site with the route `/own`, which has options, and `/plain`, which has none. */
  const openTwo = (
    handler: Handler,
    options: RouteOptions,
    upwire?: SiteOptions['upwire'],
    guards: (() => unknown)[] = [],
  ) =>
    openSite(
      harness,
      (app) => {
        app.ws('/own', handler, { options, guards });
        app.ws('/plain', handler, { guards });
      },
      { upwire },
    );

  test('maxPayload holds for its route, in groups of any kind as well', async () => {
    const { groups } = harness.facts;
    const { address } = await openSite(
      harness,
      (app) => {
        app.ws('/own', echo, { options: { maxPayload: 10 } });
        app.ws('/plain', echo);
        for (const [index, kind] of groups.entries()) {
          app.group(
            `/${kind}`,
            (inner) => inner.ws('/own', echo, { options: { maxPayload: 20 + index } }),
            kind,
          );
        }
      },
      { upwire: { maxPayload: 40 } },
    );
    const sizes: [string, number][] = [
      ['/own', 10],
      ['/plain', 40],
      ...groups.map((kind, index): [string, number] => [`/${kind}/own`, 20 + index]),
    ];
    for (const [path, size] of sizes) {
      const client = await open(address, path);
      expect(await client.ask('x'.repeat(size))).toBe('x'.repeat(size));
      client.send('x'.repeat(size + 1));
      expect((await client.closed)[0]).toBe(1009);
    }
  });

  test('subprotocols are chosen as the route likes them', async () => {
    const { address } = await openTwo((webSocket) => webSocket.send(webSocket.protocol), {
      subprotocols: ['b', 'a'],
    });
    const subprotocols = ['a', 'b'];
    expect(await (await open(address, '/own', { subprotocols })).message()).toBe('b');
    expect(await (await open(address, '/plain', { subprotocols })).message()).toBe('a');
  });

  test('origins are those of the route', async () => {
    const { address } = await openTwo(
      echo,
      { origins: ['https://app.example'] },
      { origins: ['https://other.example'] },
    );
    const statuses: Record<string, number> = {};
    for (const origin of ['https://app.example', 'https://other.example']) {
      for (const path of ['/own', '/plain']) {
        statuses[`${path} ${origin}`] = (await dial(address, path, { origin })).status;
      }
    }
    expect(statuses).toEqual({
      '/own https://app.example': 101,
      '/own https://other.example': 403,
      '/plain https://app.example': 403,
      '/plain https://other.example': 101,
    });
  });

  test('compression is agreed on where the route says so, and works', async () => {
    const { address } = await openTwo(echo, { perMessageDeflate: true });
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
    expect(await (await knockAt(address, '/own', offer)).head()).toContain(
      '\r\nSec-WebSocket-Extensions: permessage-deflate',
    );
    expect(await (await knockAt(address, '/plain', offer)).head()).not.toMatch(
      /sec-websocket-extensions/i,
    );
    const client = await open(address, '/own', { perMessageDeflate: true });
    expect(client.webSocket.extensions).toBe('permessage-deflate');
    const text = 'again and '.repeat(1_000);
    expect(await client.ask(text)).toBe(text);
  });

  test('handshakeTimeout holds from the route’s own guards on', async () => {
    const slow = () => new Promise((resolve) => setTimeout(resolve, 150));
    const { address } = await openTwo(
      (webSocket) => webSocket.send('in'),
      { handshakeTimeout: 10_000 },
      { handshakeTimeout: 50 },
      [slow],
    );
    expect(await (await open(address, '/own')).message()).toBe('in');
    expect((await dial(address, '/plain')).status).toBe(503);
  });

  test('heartbeat finds the dead peers of its route', async () => {
    const { address } = await openTwo(echo, { heartbeat: { interval: 40, timeout: 40 } });
    const plain = await enterAt(address, '/plain');
    const own = await enterAt(address, '/own');
    expect((await own.frames()).map(({ first }) => first)).toEqual([0x89]);
    expect(plain.socket.destroyed).toBe(false);
  });

  test('maxConnections counts the WebSockets of its route', async () => {
    const { address, webSockets } = await openTwo(echo, { maxConnections: 1 });
    const first = await open(address, '/own');
    expect(await first.ask('hi')).toBe('hi');
    const refused = await dial(address, '/own');
    expect([refused.status, refused.headers.connection]).toEqual([503, 'close']);
    for (let count = 0; count < 2; count++) await open(address, '/plain');
    first.webSocket.close(1000);
    await first.closed;
    await until(() => webSockets.clients?.size === 2);
    expect(await (await open(address, '/own')).ask('hi')).toBe('hi');
  });

  test('message says what the messages of the route are', async () => {
    const answer: Handler = (webSocket) =>
      webSocket.on('message', (data: unknown) => webSocket.send(JSON.stringify(data)));
    const { address } = await openTwo(answer, { message: z.object({ seat: z.number() }) });
    const own = await open(address, '/own');
    expect(await own.ask('{ "seat": 7, "more": true }')).toBe('{"seat":7}');
    own.send('{ "seat": "7" }');
    expect((await own.closed)[0]).toBe(1007);
    expect(await (await open(address, '/plain')).ask('{ "seat": "7" }')).toBe(
      '"{ \\"seat\\": \\"7\\" }"',
    );
  });

  test('onError of the route is told in the place of all others', async () => {
    const told: unknown[] = [];
    const error = new Error('broken');
    const { address, errors } = await openSite(
      harness,
      (app) => {
        const fail = () => {
          throw error;
        };
        app.ws('/own', fail, { options: { onError: (it) => told.push(['own', it]) } });
        app.ws('/plain', fail);
      },
      { onError: (it) => told.push(['plain', it]) },
    );
    for (const path of ['/own', '/plain']) {
      expect(await framesBehind101(address, path)).toEqual(['88 03f3']);
    }
    expect(told).toEqual([
      ['own', error],
      ['plain', error],
    ]);
    expect(errors).toEqual([]);
  });

  test.each<[object, string, string]>([
    [{ maxPayload: -1 }, 'RangeError', 'The "maxPayload" option must be an integer from 0 to'],
    [{ heartbeat: 5 }, 'TypeError', 'The "heartbeat" option must be false or an object, got 5'],
    [{ port: 80 }, 'TypeError', 'is not one of a single route'],
  ])('a route with %p is refused when it is declared', async (options, name, message) => {
    const opening = openSite(harness, (app) => app.ws('/own', echo, { options }));
    await expect(opening).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message),
    });
  });
}

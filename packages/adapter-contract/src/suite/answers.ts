import { dial, get } from '../client';
import type { Application, Context, Facts, Harness, Middleware, Scope } from '../harness';
import { openSite, until } from '../site';

/** Ways in which middleware refuses, with what a WebSocket client then gets. */
const refusals = (): [what: string, refuse: (context: Context) => void, expected: object][] => [
  [
    '401 with JSON',
    (context) => context.answer(401, { error: 'log in first' }),
    {
      status: 401,
      body: '{"error":"log in first"}',
      headers: {
        'content-type': expect.stringMatching(/^application\/json\b/),
        'content-length': '24',
      },
    },
  ],
  [
    'a redirect',
    (context) => context.answer(302, '', { Location: '/login' }),
    { status: 302, headers: { location: '/login' } },
  ],
  [
    '429 with Retry-After',
    (context) => context.answer(429, 'slow down', { 'Retry-After': '17' }),
    { status: 429, body: 'slow down', headers: { 'retry-after': '17' } },
  ],
  [
    'cookies',
    (context) => {
      context.set('Set-Cookie', ['tried=1; Path=/', 'again=2']);
      context.answer(403, 'Forbidden');
    },
    {
      status: 403,
      body: 'Forbidden',
      headers: { 'set-cookie': ['tried=1; Path=/', 'again=2'] },
    },
  ],
  ['204 with nothing', (context) => context.answer(204), { status: 204, body: '' }],
  [
    'a page',
    (context) => context.answer(200, '<h1>not a WebSocket</h1>'),
    { status: 200, body: '<h1>not a WebSocket</h1>' },
  ],
  [
    'a large page',
    (context) => context.answer(403, 'no! '.repeat(250_000)),
    { status: 403, body: 'no! '.repeat(250_000) },
  ],
];

/** Places where middleware may stand. */
function placesOf({ groups }: Facts): [string, (app: Scope, guard: Middleware) => void][] {
  return [
    [
      'of the application',
      (app, guard) => {
        app.use(guard);
        app.ws('/in/chat', unreachable);
      },
    ],
    ['of the route', (app, guard) => app.ws('/in/chat', unreachable, { guards: [guard] })],
    ...groups.map((kind): [string, (app: Scope, guard: Middleware) => void] => [
      `of a ${kind}`,
      (app, guard) =>
        app.group(
          '/in',
          (inner) => {
            inner.use(guard);
            inner.ws('/chat', unreachable);
          },
          kind,
        ),
    ]),
  ];
}

function unreachable(): never {
  throw new Error('The handler of a refused WebSocket has run');
}

/** What the application answers, the client gets: refusals, errors and ordinary pages. */
export function answers<App extends Application>(harness: Harness<App>): void {
  const { facts } = harness;

  describe.each(placesOf(facts))('middleware %s that answers', (_place, wire) => {
    test.each(refusals())('%s', async (_what, refuse, expected) => {
      const site = await openSite(harness, (app) => wire(app, refuse));
      const answer = await dial(site.address, '/in/chat');
      expect(answer).toMatchObject(expected);
      expect(answer.headers.connection).toBe('close');
      expect(answer.headers).not.toHaveProperty('sec-websocket-accept');
      await until(() => site.log.length >= 1);
      expect(site.log).toEqual([`GET /in/chat ${answer.status}`]);
      expect(site.errors).toEqual([]);
    });

    test('after a while', async () => {
      const { address } = await openSite(harness, (app) =>
        wire(app, async (context) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          context.answer(401, 'not you');
        }),
      );
      expect(await dial(address, '/in/chat')).toMatchObject({ status: 401, body: 'not you' });
    });

    test.each<[string, number, Middleware]>([
      ['throws', 500, () => fail(500, 'broken')],
      ['rejects', 500, async () => fail(500, 'broken')],
      ['throws an error with a status', 418, () => fail(418, 'teapot')],
    ])('with an error: it %s', async (_how, status, guard) => {
      const site = await openSite(harness, (app) => wire(app, guard));
      const answer = await dial(site.address, '/in/chat');
      const message = status === 418 ? 'teapot' : 'broken';
      expect(answer.status).toBe(status);
      expect(answer.body).toMatch(facts.errorPage(status, message));
      expect(answer.headers.connection).toBe('close');
      expect(site.errors).toMatchObject([{ message }]);
    });
  });

  describe('a WebSocket', () => {
    const openShop = () =>
      openSite(harness, (app) => {
        app.ws('/chat', (webSocket) => webSocket.send('hello'));
        app.page('GET', '/page', (context) => context.answer(200, { a: 'page' }));
        app.group('/in', (inner) => inner.ws('/chat', (webSocket) => webSocket.send('hello')));
      });

    test.each(['/none', '/chat/none', '/in/none', '/cha', '/chatt', '/'])(
      'to %s, which has no route, gets the framework’s 404',
      async (path) => {
        const { address, log, webSockets } = await openShop();
        const { status, headers, body } = await dial(address, path);
        expect([status, headers.connection]).toEqual([404, 'close']);
        expect(body).toMatch(facts.notFound('GET', path));
        await until(() => log.length >= 1);
        expect(log).toEqual([`GET ${path} 404`]);
        expect(webSockets.clients?.size).toBe(0);
      },
    );

    test('to a path without a route gets what the application answers there', async () => {
      const { address } = await openSite(harness, (app) => {
        app.ws('/chat', () => undefined);
        app.otherwise((context) => context.answer(404, `nothing at ${context.url}`));
      });
      for (const answer of [await dial(address, '/none?x'), await get(address, '/none?x')]) {
        expect(answer).toMatchObject({ status: 404, body: 'nothing at /none?x' });
      }
    });

    test('to an application without any route gets its 404', async () => {
      const { address } = await openSite(harness, () => undefined);
      expect((await get(address, '/')).status).toBe(404);
      expect((await dial(address, '/')).status).toBe(404);
    });

    test('to a page gets the page', async () => {
      const { address } = await openShop();
      const { status, headers, body } = await dial(address, '/page');
      expect([status, body, headers.connection]).toEqual([200, '{"a":"page"}', 'close']);
      expect(await get(address, '/page')).toMatchObject({ status: 200, body: '{"a":"page"}' });
    });
  });

  describe('a plain request', () => {
    test.each(['/chat', '/in/chat'])(
      'to %s, which is for WebSockets alone, gets 426 with what middleware has set',
      async (path) => {
        const { address, log } = await openSite(harness, (app) => {
          app.use((context) => context.set('X-Frame-Options', 'SAMEORIGIN'));
          app.ws('/chat', unreachable);
          app.group('/in', (inner) => inner.ws('/chat', unreachable));
        });
        const { status, headers, body } = await get(address, path);
        expect([status, headers.get('upgrade'), body]).toEqual([
          426,
          'websocket',
          'This is a WebSocket endpoint: connect to it with a WebSocket client.\n',
        ]);
        expect(headers.get('connection')).toMatch(/\bUpgrade\b/);
        expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
        expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
        await until(() => log.length >= 1);
        expect(log).toEqual([`GET ${path} 426`]);
      },
    );

    test('to it with a guard in front is for the guard', async () => {
      const { address } = await openSite(harness, (app) => {
        app.use((context) => context.answer(401, 'log in'));
        app.ws('/chat', unreachable);
      });
      expect(await get(address, '/chat')).toMatchObject({ status: 401, body: 'log in' });
    });

    test('of another method may have a route of its own', async () => {
      const { address } = await openSite(harness, (app) => {
        app.ws('/chat', (webSocket) => webSocket.send('hello'));
        app.page('POST', '/chat', (context) => context.answer(200, 'posted'));
      });
      expect(await get(address, '/chat', { method: 'POST' })).toMatchObject({
        status: 200,
        body: 'posted',
      });
      expect(await (await dial(address, '/chat')).client.message()).toBe('hello');
    });

    test('of another method without a route is none for the WebSocket’s', async () => {
      const { address } = await openSite(harness, (app) => app.ws('/chat', unreachable));
      const { status } = await get(address, '/chat', { method: 'DELETE' });
      expect([404, 405]).toContain(status);
    });
  });
}

function fail(status: number, message: string): never {
  throw Object.assign(new Error(message), { status, statusCode: status });
}

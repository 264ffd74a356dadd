import type { Answer } from '../client';
import { dial, get, open } from '../client';
import type { Application, Harness, Scope } from '../harness';
import { openSite, until } from '../site';
import { SlowStore } from '../store';

/** Sessions, and what else middleware does to the 101 of the framework's own response. */
export function sessions<App extends Application>(harness: Harness<App>): void {
  describe.each(harness.facts.sessions)('a session of $name', ({ name, stored }) => {
    const openShop = async () => {
      const store = new SlowStore();
      const site = await openSite(harness, (app) => setUp(app, store), { session: name, store });
      return { ...site, store };
    };

    test('has its cookie on the 101', async () => {
      const { address } = await openShop();
      const { status, headers } = await dial(address, '/login');
      expect([status, headers.connection, headers.upgrade]).toEqual([101, 'Upgrade', 'websocket']);
      expect(cookieOf(headers)).toMatch(/^[\w.-]+=[^;]+/);
      expect(headers).not.toHaveProperty('content-length');
      expect(headers).not.toHaveProperty('transfer-encoding');
    });

    test('is kept: a later page reads what a guard has put into it', async () => {
      const { address } = await openShop();
      const { headers, client } = await dial(address, '/login');
      expect(await client.message()).toBe('welcome, ada');
      const page = await get(address, '/who', { headers: { Cookie: cookieOf(headers) } });
      expect(page).toMatchObject({ status: 200, body: '{"user":"ada"}' });
    });

    test('is kept before the first message is handled', async () => {
      const { address, store } = await openShop();
      const client = await open(address, '/login');
      expect(await client.message()).toBe('welcome, ada');
      for (const text of ['a', 'b', 'c']) client.send(text);
      const answers = [];
      for (let count = 0; count < 3; count++) answers.push(await client.message());
      const saved = stored ? 1 : 0;
      expect(answers).toEqual(['a', 'b', 'c'].map((text) => `${text}: ${saved} saved`));
      expect(store.saved).toHaveLength(saved);
    });

    test('of a page is there for a WebSocket, and the other way round', async () => {
      const { address, store } = await openShop();
      const page = await get(address, '/enter');
      const cookie = page.headers.getSetCookie().map(pairOf).join('; ');
      const { client } = await dial(address, '/greet', { headers: { Cookie: cookie } });
      expect(await client.message()).toBe('hello, grace');
      expect(store.size).toBe(stored ? 1 : 0);
    });

    test('goes with a refusal as well', async () => {
      const { address } = await openShop();
      const { status, headers } = await dial(address, '/refused');
      expect(status).toBe(401);
      const page = await get(address, '/who', { headers: { Cookie: cookieOf(headers) } });
      expect(page.body).toBe('{"user":"eve"}');
    });
  });

  test('the access log has the 101 once, and goes on behind it', async () => {
    const { address, log } = await openSite(harness, (app) => {
      app.ws('/chat', (webSocket) => webSocket.on('message', (text) => webSocket.send(text)));
      app.page('GET', '/page', (context) => context.answer(200, 'page'));
    });
    const client = await open(address, '/chat?room=1');
    await client.ask('hi');
    client.webSocket.close(1000);
    await client.closed;
    await get(address, '/page?x');
    await until(() => log.length >= 2);
    expect(log).toEqual(['GET /chat?room=1 101', 'GET /page?x 200']);
  });

  test('headers of middleware are on the 101', async () => {
    const { address } = await openSite(harness, (app) => {
      app.use((context) => {
        context.set('X-Frame-Options', 'SAMEORIGIN');
        context.set('Set-Cookie', ['a=1', 'b=2']);
      });
      app.ws('/chat', () => undefined, {
        guards: [async (context) => context.set('X-Route', 'own')],
      });
    });
    const { status, headers } = await dial(address, '/chat');
    expect(status).toBe(101);
    expect(headers).toMatchObject({
      'x-frame-options': 'SAMEORIGIN',
      'x-route': 'own',
      'set-cookie': ['a=1', 'b=2'],
    });
  });
}

function setUp(app: Scope, store: SlowStore): void {
  app.ws(
    '/login',
    (webSocket, { session }) => {
      webSocket.on('message', (text) => webSocket.send(`${text}: ${store.saved.length} saved`));
      webSocket.send(`welcome, ${session.get('user')}`);
    },
    {
      guards: [
        async ({ session }) => {
          await new Promise(setImmediate);
          session.set('user', 'ada');
        },
      ],
    },
  );
  app.ws('/greet', (webSocket, { session }) => webSocket.send(`hello, ${session.get('user')}`));
  app.ws('/refused', () => undefined, {
    guards: [
      (context) => {
        context.session.set('user', 'eve');
        context.answer(401, { error: 'log in first' });
      },
    ],
  });
  app.page('GET', '/enter', (context) => {
    context.session.set('user', 'grace');
    context.answer(200, 'come in');
  });
  app.page('GET', '/who', (context) => context.answer(200, { user: context.session.get('user') }));
}

/** The `Cookie` header that a browser would send after an answer. */
function cookieOf(headers: Answer['headers']): string {
  return (headers['set-cookie'] ?? []).map(pairOf).join('; ');
}

function pairOf(cookie: string): string {
  return cookie.split(';')[0];
}

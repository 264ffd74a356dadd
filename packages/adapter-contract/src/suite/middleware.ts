import { dial, get, open } from '../client';
import type { Application, Handler, Harness, Middleware } from '../harness';
import { openSite, until } from '../site';

const echo: Handler = (webSocket) =>
  webSocket.on('message', (text) => webSocket.send(`got ${text}`));

/** Middleware on its way to the 101, and what routes tell their handlers. */
export function middleware<App extends Application>(harness: Harness<App>): void {
  const { facts } = harness;

  describe.each(facts.groups)('middleware, with a %s', (kind) => {
    /** An application whose middleware notes when it runs; half of it is asynchronous. */
    async function openNoted() {
      const calls: string[] = [];
      const note =
        (name: string): Middleware =>
        (context) => {
          calls.push(`${name} ${context.url}`);
          return name.length % 2 === 0 ? new Promise(setImmediate) : undefined;
        };
      const site = await openSite(harness, (app) => {
        app.use(note('first'));
        app.use(note('second'));
        app.group(
          '/outer',
          (outer) => {
            outer.use(note('outer'));
            outer.group(
              '/inner',
              (inner) => {
                inner.use(note('inner'));
                inner.ws(
                  '/:room',
                  (webSocket, { url, params }) => {
                    calls.push(`handler ${url} ${params.room}`);
                    webSocket.send('ready');
                  },
                  { guards: [note('guard'), note('second guard')] },
                );
                inner.page('GET', '/a/page', (context) => context.answer(200, 'page'));
              },
              kind,
            );
          },
          kind,
        );
        app.group('/other', (other) => other.use(note('never')), kind);
      });
      return { ...site, calls };
    }

    const front = (url: string) =>
      ['first', 'second', 'outer', 'inner'].map((it) => `${it} ${url}`);

    test('runs exactly once each, in its order, before the 101; the URL is untouched', async () => {
      const { address, calls } = await openNoted();
      const url = '/outer/inner/red?x=%20y&/../z=//';
      expect(await (await open(address, url)).message()).toBe('ready');
      expect(calls).toEqual([
        ...front(url),
        `guard ${url}`,
        `second guard ${url}`,
        `handler ${url} red`,
      ]);
    });

    test('runs as often for a plain request', async () => {
      const { address, calls } = await openNoted();
      expect((await get(address, '/outer/inner/a/page?x')).body).toBe('page');
      expect(calls).toEqual(front('/outer/inner/a/page?x'));
    });

    test('runs as often for a WebSocket without a route', async () => {
      const { address, calls } = await openNoted();
      expect((await dial(address, '/none')).status).toBe(404);
      expect(calls).toEqual(['first /none', 'second /none']);
    });
  });

  test('middleware sees Node’s own request, whose URL stays as it was sent', async () => {
    const seen: unknown[] = [];
    const { address } = await openSite(harness, (app) => {
      app.use(({ request }) => seen.push([request.method, request.url, request.httpVersion]));
      app.ws('/chat/:room', (_webSocket, { request }) => seen.push(request.url));
    });
    await open(address, '/chat/a%20b?c=d');
    expect(seen).toEqual([['GET', '/chat/a%20b?c=d', '1.1'], '/chat/a%20b?c=d']);
  });

  test('what middleware finds out is there for the handler', async () => {
    const { address } = await openSite(harness, (app) => {
      app.use((context) => {
        context.state.user = context.header('X-User');
      });
      app.ws('/chat', (webSocket, { state }) => webSocket.send(JSON.stringify(state.user)), {
        guards: [
          async ({ state }) => {
            state.user = [state.user, 'guarded'];
          },
        ],
      });
    });
    const clients = [];
    for (const user of ['ada', 'bob']) {
      clients.push(await open(address, '/chat', { headers: { 'X-User': user } }));
    }
    expect(await clients[0].message()).toBe('["ada","guarded"]');
    expect(await clients[1].message()).toBe('["bob","guarded"]');
  });

  test('middleware that is slow loses no message', async () => {
    const { address } = await openSite(harness, (app) => {
      app.use(() => new Promise((resolve) => setTimeout(resolve, 60)));
      app.ws('/chat', async (webSocket, context) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        await echo(webSocket, context);
      });
    });
    const client = await open(address, '/chat');
    for (let count = 0; count < 100; count++) client.send(String(count));
    for (let count = 0; count < 100; count++) expect(await client.message()).toBe(`got ${count}`);
  });

  test('middleware that listens to the response hears of its end as of any other', async () => {
    const events: string[] = [];
    const { address } = await openSite(harness, (app) => {
      app.use(({ response }) => {
        response.on('finish', () => events.push(`finish ${response.statusCode}`));
        response.on('close', () => events.push('close'));
      });
      app.ws('/chat', () => events.push('handler'));
    });
    await open(address, '/chat');
    await until(() => events.length >= 3);
    expect(events).toEqual(['finish 101', 'handler', 'close']);
  });

  test('middleware may wrap the response and hold back its end', async () => {
    const heads: unknown[] = [];
    const { address } = await openSite(harness, (app) => {
      app.use(({ response }) => {
        const { writeHead, end } = response;
        response.writeHead = ((...args: unknown[]) => {
          heads.push(args[0]);
          response.setHeader('X-Late', 'yes');
          return Reflect.apply(writeHead, response, args);
        }) as typeof writeHead;
        response.end = ((...args: unknown[]) => {
          setTimeout(() => Reflect.apply(end, response, args), 20);
          return response;
        }) as typeof end;
      });
      app.ws('/chat', echo);
    });
    const { status, headers, client } = await dial(address, '/chat');
    expect([status, headers['x-late'], heads]).toEqual([101, 'yes', [101]]);
    expect(await client.ask('hi')).toBe('got hi');
    expect((await dial(address, '/none')).status).toBe(404);
  });

  describe('a route', () => {
    test('has its parameters, decoded', async () => {
      const { address } = await openSite(harness, (app) => {
        app.ws('/rooms/:room/:seat', (webSocket, { params, url }) =>
          webSocket.send(JSON.stringify([{ ...params }, url])),
        );
      });
      const url = '/rooms/caf%C3%A9%20noir/7?a=1';
      const client = await open(address, url);
      expect(JSON.parse(await client.message())).toEqual([{ room: 'café noir', seat: '7' }, url]);
    });

    test('may take all that is below a path', async () => {
      const { address } = await openSite(harness, (app) => {
        app.ws('/any/one', (webSocket) => webSocket.send('one'));
        app.ws(facts.wildcard('/any'), (webSocket, { url }) => webSocket.send(url));
      });
      expect(await (await open(address, '/any/a/b')).message()).toBe('/any/a/b');
      expect(await (await open(address, '/any/one')).message()).toBe('one');
      expect((await dial(address, '/anyone')).status).toBe(404);
    });

    test('below a catch-all guard is guarded', async () => {
      const { address } = await openSite(harness, (app) => {
        app.ws(facts.wildcard('/any'), echo, {
          guards: [(context) => context.header('X-Token') ?? context.answer(401, 'who?')],
        });
      });
      expect(await dial(address, '/any/a/b')).toMatchObject({ status: 401, body: 'who?' });
      const client = await open(address, '/any/a/b', { headers: { 'X-Token': '1' } });
      expect(await client.ask('hi')).toBe('got hi');
    });

    test.each(facts.groups)('in a %s stands beside its pages', async (kind) => {
      const { address } = await openSite(harness, (app) => {
        app.group(
          '/in',
          (inner) => {
            inner.ws('/chat', echo);
            inner.page('GET', '/page', (context) => context.answer(200, 'inner'));
          },
          kind,
        );
        app.page('GET', '/page', (context) => context.answer(200, 'outer'));
      });
      expect(await (await open(address, '/in/chat')).ask('hi')).toBe('got hi');
      expect((await get(address, '/in/page')).body).toBe('inner');
      expect((await get(address, '/page')).body).toBe('outer');
      expect((await dial(address, '/chat')).status).toBe(404);
    });
  });
}

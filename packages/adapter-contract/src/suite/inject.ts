import { once } from 'node:events';
import type { WebSocket } from '@upwire/engine/internal';
import { later } from '../../../engine/test/support/site';
import { get } from '../client';
import type { Application, Harness, Site } from '../harness';
import { openSite, until } from '../site';

/** WebSockets in tests, without a port. */
export function injections<App extends Application>(harness: Harness<App>): void {
  const openChat = () =>
    openSite(
      harness,
      (app) => {
        app.page('GET', '/enter', (context) => {
          context.session.set('user', 'ada');
          context.answer(200, 'come in');
        });
        app.ws(
          '/rooms/:room',
          (webSocket, { params, session }) => {
            webSocket.send(`${session.get('user')} in ${params.room}`);
            webSocket.on('message', (text) => webSocket.send(`got ${text}`));
          },
          {
            guards: [
              (context) => {
                if (context.session.get('user') === undefined) context.answer(401, { who: 'you?' });
              },
            ],
          },
        );
        app.ws('/open', (webSocket) => {
          webSocket.send('hello');
          webSocket.on('message', (text) => webSocket.send(`got ${text}`));
        });
      },
      { session: harness.facts.sessions[0].name },
    );

  const inject = async (site: Site, ...args: Parameters<Site['inject']>): Promise<WebSocket> => {
    const webSocket = await site.inject(...args);
    later(() => webSocket.terminate());
    return webSocket;
  };

  const messageOf = async (webSocket: WebSocket) => String((await once(webSocket, 'message'))[0]);

  test('an injected WebSocket goes through the application, session and all, and no socket', async () => {
    const site = await openChat();
    const page = await get(site.address, '/enter');
    const cookie = page.headers
      .getSetCookie()
      .map((it) => it.split(';')[0])
      .join('; ');
    await until(() => site.log.length === 1);

    const client = await inject(site, '/rooms/red', { headers: { cookie } });

    expect(await messageOf(client)).toBe('ada in red');
    client.send('hi');
    expect(await messageOf(client)).toBe('got hi');
    const connections = await new Promise((resolve) =>
      site.server.getConnections((_error, count) => resolve(count)),
    );
    expect(connections).toBe(0);
    expect(site.webSockets.clients?.size).toBe(1);
    client.close(1000, 'bye');
    expect(await once(client, 'close')).toEqual([1000, Buffer.from('bye')]);
    await until(() => site.log.length === 2);
    expect(site.log[1]).toBe('GET /rooms/red 101');
  });

  test('a refusal rejects with what the application has answered', async () => {
    const site = await openChat();
    await expect(site.inject('/rooms/red')).rejects.toMatchObject({
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      status: 401,
      headers: {
        'content-type': expect.stringMatching(/^application\/json\b/),
        connection: 'close',
      },
      body: '{"who":"you?"}',
    });
    await expect(site.inject('/none')).rejects.toMatchObject({
      status: 404,
      body: expect.stringMatching(harness.facts.notFound('GET', '/none')),
    });
    await expect(site.inject('/open', { method: 'POST' })).rejects.toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
    await expect(site.inject('/open', { origin: 'http://evil.example' })).rejects.toMatchObject({
      status: 403,
    });
    expect(site.errors).toEqual([]);
  });

  test('what the handler sends at once waits for its listener', async () => {
    const site = await openChat();
    const client = await inject(site, '/open');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await messageOf(client)).toBe('hello');
  });
}

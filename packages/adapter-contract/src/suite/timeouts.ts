import type { ServerResponse } from 'node:http';
import { answerOf, deferred } from '../../../engine/test/support/site';
import { dial, get, knockAt, open } from '../client';
import type { Application, Harness, Middleware } from '../harness';
import { openSite, until } from '../site';

const TIMEOUT = 120;

/** The time-out of the handshake. */
export function timeouts<App extends Application>(harness: Harness<App>): void {
  const openSlow = (guard: Middleware, handler: () => void = () => undefined) =>
    openSite(
      harness,
      (app) => {
        app.use((context) => context.set('X-Frame-Options', 'SAMEORIGIN'));
        app.ws('/slow', handler, { guards: [guard] });
        app.ws('/chat', (webSocket) => webSocket.send('hello'));
        app.page('GET', '/slow-page', async (context) => {
          await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT));
          context.answer(200, 'a page');
        });
      },
      { upwire: { handshakeTimeout: TIMEOUT } },
    );

  test('a handshake that takes too long is 503, with what middleware has set', async () => {
    const site = await openSlow(() => new Promise(() => undefined));
    const started = performance.now();
    const { status, headers, body } = await dial(site.address, '/slow');
    expect(performance.now() - started).toBeGreaterThanOrEqual(TIMEOUT - 1);
    expect([status, body, headers.connection]).toEqual([
      503,
      'The handshake took too long',
      'close',
    ]);
    expect(headers['x-frame-options']).toBe('SAMEORIGIN');
    await until(() => site.log.length >= 1);
    expect(site.log).toEqual(['GET /slow 503']);
    expect(await (await open(site.address, '/chat')).message()).toBe('hello');
  });

  test('what middleware lets through behind it reaches no handler', async () => {
    const held = deferred<() => void>();
    const handler = jest.fn();
    const site = await openSlow(
      () => new Promise<void>((proceed) => held.resolve(proceed)),
      handler,
    );
    const client = await knockAt(site.address, '/slow');
    expect((await answerOf(client)).status).toBe(503);
    (await held.promise)();
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    expect(handler).not.toHaveBeenCalled();
    expect(site.webSockets.clients?.size).toBe(0);
  });

  test('a 101 that middleware never lets go of ends with the connection', async () => {
    const handler = jest.fn();
    const site = await openSlow(({ response }) => {
      response.end = (() => response) as ServerResponse['end'];
    }, handler);
    const client = await knockAt(site.address, '/slow');
    expect(await client.rest()).toEqual(Buffer.alloc(0));
    expect(handler).not.toHaveBeenCalled();
  });

  test('it is for handshakes alone: neither pages nor open WebSockets have it', async () => {
    const site = await openSlow(() => undefined);
    const client = await open(site.address, '/chat');
    expect((await get(site.address, '/slow-page')).body).toBe('a page');
    expect(client.webSocket.readyState).toBe(client.webSocket.OPEN);
  });
}

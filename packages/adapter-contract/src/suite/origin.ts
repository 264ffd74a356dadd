import { answerOf } from '../../../engine/test/support/site';
import { dial, knockAt } from '../client';
import type { Application, Harness, SiteOptions } from '../harness';
import { openSite } from '../site';

type Origins = NonNullable<SiteOptions['upwire']>['origins'];

const PROXIED = {
  Host: 'internal:8080',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Proto': 'https',
  Origin: 'https://app.example',
};

/** Pages of which origins may connect. */
export function origins<App extends Application>(harness: Harness<App>): void {
  async function statusOf(headers: Record<string, string>, options?: SiteOptions): Promise<number> {
    const { address } = await openSite(harness, (app) => app.ws('/chat', () => undefined), options);
    const all = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name,
        value.replace('PORT', String(address.port)),
      ]),
    );
    return (await dial(address, '/chat', { headers: all })).status;
  }

  test.each<[string, Record<string, string>, number]>([
    ['of no browser', {}, 101],
    ['of the application', { Origin: 'http://127.0.0.1:PORT' }, 101],
    ['by the name it was asked for', { Host: 'app.example', Origin: 'http://app.example' }, 101],
    ['of another scheme', { Origin: 'https://127.0.0.1:PORT' }, 403],
    ['of another port', { Origin: 'http://127.0.0.1:1' }, 403],
    ['of another host', { Origin: 'http://evil.example' }, 403],
    ['of a sandboxed page', { Origin: 'null' }, 403],
    ['of a name that begins alike', { Host: 'a.b', Origin: 'http://a.b.evil.example' }, 403],
    [
      'that a client claims to be forwarded',
      { 'X-Forwarded-Host': 'evil.example', Origin: 'http://evil.example' },
      403,
    ],
    [
      'whose scheme a client claims',
      { 'X-Forwarded-Proto': 'https', Origin: 'https://127.0.0.1:PORT' },
      403,
    ],
  ])('the origin must be the same by default: %s', async (_what, headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });

  test('an origin that is refused is told which option allows it', async () => {
    const { address } = await openSite(harness, (app) => app.ws('/chat', () => undefined));
    const headers = { Host: 'app.example', Origin: 'http://evil.example' };
    const { status, headers: own, body } = await answerOf(await knockAt(address, '/chat', headers));
    expect([status, own.connection]).toEqual([403, 'close']);
    expect(body).toBe(
      'The origin "http://evil.example" may not open a WebSocket here: this server is http://app.example. ' +
        'The option "origins" allows others (RFC 6455 10.2)',
    );
  });

  test.each<[string, boolean | undefined, Record<string, string>, number]>([
    ['trusted', true, PROXIED, 101],
    ['trusted, and another origin', true, { ...PROXIED, Origin: 'https://evil.example' }, 403],
    ['trusted, and another scheme', true, { ...PROXIED, Origin: 'http://app.example' }, 403],
    ['not trusted', false, PROXIED, 403],
    ['not trusted by default', undefined, PROXIED, 403],
  ])('the origin behind a proxy that is %s', async (_what, trustProxy, headers, status) => {
    expect(await statusOf(headers, { trustProxy })).toBe(status);
  });

  test.each<[string, Origins, string, number]>([
    ['a list', ['https://app.example', 'https://*.app.example'], 'https://app.example', 101],
    ['a list with sub-domains', ['https://*.app.example'], 'https://a.b.app.example', 101],
    ['a list', ['https://app.example'], 'https://evil.example', 403],
    ['an empty list', [], 'http://127.0.0.1:PORT', 403],
    ['a function', (origin) => origin.endsWith('.example'), 'https://app.example', 101],
    ['a function', (origin) => origin.endsWith('.example'), 'https://app.test', 403],
    ['a function of the request', (_origin, { url }) => url === '/chat', 'https://a.test', 101],
    ['an asynchronous function', async () => false, 'http://127.0.0.1:PORT', 403],
    ['everybody', '*', 'null', 101],
  ])('the option origins with %s: %p, %s', async (_what, allowed, origin, status) => {
    expect(await statusOf({ Origin: origin }, { upwire: { origins: allowed } })).toBe(status);
  });

  test('the origin is looked at behind the guard, which answers first', async () => {
    const { address } = await openSite(harness, (app) => {
      app.use((context) => context.answer(401, 'who?'));
      app.ws('/chat', () => undefined);
    });
    expect((await dial(address, '/chat', { origin: 'http://evil.example' })).status).toBe(401);
  });

  test('the origin of a page without a WebSocket route is the application’s business', async () => {
    const { address } = await openSite(harness, (app) => {
      app.page('GET', '/page', (context) => context.answer(200, 'page'));
    });
    const origin = 'http://evil.example';
    expect((await dial(address, '/page', { origin })).status).toBe(200);
    expect((await dial(address, '/none', { origin })).status).toBe(404);
  });
}

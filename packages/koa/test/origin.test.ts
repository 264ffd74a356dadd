import { dial } from '@upwire/adapter-contract';
import { answerOf, cleanUp, knock } from '../../engine/test/support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

describe.each(VERSIONS)('%s: the origin', (_name, Koa) => {
  async function statusOf(headers: Record<string, string>, proxy?: boolean): Promise<number> {
    const { port } = await openSite(new Koa({ proxy }), (app) => {
      app.ws('/chat', () => undefined);
    });
    const all = Object.entries(headers).map(([name, value]) => [
      name,
      value.replace('PORT', String(port)),
    ]);
    return (await dial(port, '/chat', { headers: Object.fromEntries(all) })).status;
  }

  test.each<[string, Record<string, string>, number]>([
    ['of no browser', {}, 101],
    ['of the application', { Origin: 'http://127.0.0.1:PORT' }, 101],
    ['of another scheme', { Origin: 'https://127.0.0.1:PORT' }, 403],
    ['of another host', { Origin: 'http://evil.example' }, 403],
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
    [
      'behind a user name in Host',
      { Host: 'evil.example@app.example', Origin: 'http://evil.example' },
      400,
    ],
  ])('by default must be the same: %s', async (_what, headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });

  const proxied = {
    Host: 'internal:8080',
    'X-Forwarded-Host': 'app.example',
    'X-Forwarded-Proto': 'https',
    Origin: 'https://app.example',
  };

  test.each<[string, boolean | undefined, Record<string, string>, number]>([
    ['true', true, proxied, 101],
    [
      'true, behind two proxies',
      true,
      { ...proxied, 'X-Forwarded-Host': 'app.example, inner', 'X-Forwarded-Proto': 'https, http' },
      101,
    ],
    ['true, and another origin', true, { ...proxied, Origin: 'https://evil.example' }, 403],
    ['true, and another scheme', true, { ...proxied, Origin: 'http://app.example' }, 403],
    ['false', false, proxied, 403],
    ['its default', undefined, proxied, 403],
  ])('with app.proxy %s', async (_what, proxy, headers, status) => {
    expect(await statusOf(headers, proxy)).toBe(status);
  });

  test('that is refused is told which option allows it', async () => {
    const { port } = await openSite(Koa, (app) => void app.ws('/chat', () => undefined));
    const { status, headers, body } = await answerOf(
      await knock(
        port,
        { Host: 'app.example', Origin: 'http://evil.example' },
        'GET /chat HTTP/1.1',
      ),
    );
    expect([status, headers.connection]).toEqual([403, 'close']);
    expect(body).toBe(
      'The origin "http://evil.example" may not open a WebSocket here: this server is http://app.example. ' +
        'The option "origins" allows others (RFC 6455 10.2)',
    );
  });
});

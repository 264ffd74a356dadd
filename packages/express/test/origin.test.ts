import { dial } from '@upwire/adapter-contract';
import { answerOf, cleanUp, knock } from '../../engine/test/support/site';
import type { Options } from '../src/index.mjs';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

describe.each(VERSIONS)('%s: the origin', (_name, express) => {
  async function statusOf(
    headers: Record<string, string>,
    { trustProxy, ...options }: Options & { trustProxy?: unknown } = {},
  ): Promise<number> {
    const { port } = await openSite(
      express,
      (app) => {
        if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
        app.ws('/chat', () => undefined);
      },
      options,
    );
    const all = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(port))]),
    );
    return (await dial(port, '/chat', { headers: all })).status;
  }

  test.each<[string, Record<string, string>, number]>([
    ['of no browser', {}, 101],
    ['of the application', { Origin: 'http://127.0.0.1:PORT' }, 101],
    [
      'of the application, by the name it was asked for',
      { Host: 'app.example', Origin: 'http://app.example' },
      101,
    ],
    ['of another scheme', { Origin: 'https://127.0.0.1:PORT' }, 403],
    ['of another port', { Origin: 'http://127.0.0.1:1' }, 403],
    ['of another host', { Origin: 'http://evil.example' }, 403],
    ['of a sandboxed page', { Origin: 'null' }, 403],
    [
      'of a name that begins alike',
      { Host: 'app.example', Origin: 'http://app.example.evil.example' },
      403,
    ],
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
  ])('by default must be the same: %s', async (_what, headers, status) => {
    expect(await statusOf(headers)).toBe(status);
  });

  test('that is refused is told which option allows it', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', () => undefined);
    });
    const client = await knock(
      port,
      { Host: 'app.example', Origin: 'http://evil.example' },
      'GET /chat HTTP/1.1',
    );
    const { status, headers, body } = await answerOf(client);
    expect([status, headers.connection]).toEqual([403, 'close']);
    expect(body).toBe(
      'The origin "http://evil.example" may not open a WebSocket here: this server is http://app.example. ' +
        'The option "origins" allows others (RFC 6455 10.2)',
    );
  });

  const proxied = {
    Host: 'internal:8080',
    'X-Forwarded-Host': 'app.example',
    'X-Forwarded-Proto': 'https',
    Origin: 'https://app.example',
  };

  test.each<[string, unknown, Record<string, string>, number]>([
    ['trusted, all of them', true, proxied, 101],
    ['trusted, by address', 'loopback', proxied, 101],
    ['trusted, one hop', 1, proxied, 101],
    ['trusted, by function', () => true, proxied, 101],
    [
      'trusted, of which there are two',
      true,
      { ...proxied, 'X-Forwarded-Host': 'app.example, inner' },
      101,
    ],
    ['trusted, and another origin', true, { ...proxied, Origin: 'https://evil.example' }, 403],
    ['trusted, and another scheme', true, { ...proxied, Origin: 'http://app.example' }, 403],
    ['not trusted', false, proxied, 403],
    ['not trusted by default', undefined, proxied, 403],
    ['not trusted at this address', '10.0.0.1', proxied, 403],
  ])('behind a proxy that is %s', async (_what, trustProxy, headers, status) => {
    expect(await statusOf(headers, { trustProxy })).toBe(status);
  });

  test('in a mounted application is judged by that one’s own trust', async () => {
    const { port } = await openSite(express, (app, { applyTo }) => {
      app.set('trust proxy', true);
      const heir = express();
      const careful = express();
      for (const inner of [heir, careful]) {
        applyTo(inner);
        inner.ws('/chat', () => undefined);
      }
      careful.set('trust proxy', false);
      app.use('/heir', heir);
      app.use('/careful', careful);
    });
    expect((await dial(port, '/heir/chat', { headers: proxied })).status).toBe(101);
    expect((await dial(port, '/careful/chat', { headers: proxied })).status).toBe(403);
  });

  test.each<[string, Options['origins'], string, number]>([
    ['a list', ['https://app.example', 'https://*.app.example'], 'https://app.example', 101],
    ['a list with sub-domains', ['https://*.app.example'], 'https://a.b.app.example', 101],
    ['a list', ['https://app.example'], 'https://evil.example', 403],
    ['an empty list', [], 'http://127.0.0.1:PORT', 403],
    ['a function', (origin) => origin.endsWith('.example'), 'https://app.example', 101],
    ['a function', (origin) => origin.endsWith('.example'), 'https://app.test', 403],
    [
      'a function that sees the request',
      (_origin, request) => request.url === '/chat',
      'https://a.test',
      101,
    ],
    ['an asynchronous function', async () => false, 'http://127.0.0.1:PORT', 403],
    ['everybody', '*', 'null', 101],
  ])('with %s: %p, %s', async (_what, origins, origin, status) => {
    expect(await statusOf({ Origin: origin }, { origins })).toBe(status);
  });

  test('is looked at behind the guard, which answers first', async () => {
    const { port } = await openSite(express, (app) => {
      app.use((_request, response) => void response.sendStatus(401));
      app.ws('/chat', () => undefined);
    });
    expect((await dial(port, '/chat', { origin: 'http://evil.example' })).status).toBe(401);
  });
});

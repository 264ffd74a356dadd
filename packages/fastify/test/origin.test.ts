import { dial } from '@upwire/adapter-contract';
import type { FastifyServerOptions } from 'fastify';
import { answerOf, cleanUp, knock } from '../../engine/test/support/site';
import type { Options } from '../src/index.mjs';
import { openSite } from './support/site';

afterEach(cleanUp);

async function statusOf(
  headers: Record<string, string>,
  { fastify, ...options }: Options & { fastify?: FastifyServerOptions } = {},
): Promise<number> {
  const { port } = await openSite(
    (app) => {
      app.get('/chat', { websocket: true }, () => undefined);
    },
    { fastify, ...options },
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

test('an origin that is refused is told which option allows it; hooks of the response see that', async () => {
  const seen: number[] = [];
  const { port } = await openSite((app) => {
    app.addHook('onResponse', async (_request, reply) => void seen.push(reply.statusCode));
    app.get('/chat', { websocket: true }, () => undefined);
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
  expect(seen).toEqual([403]);
});

const proxied = {
  Host: 'internal:8080',
  'X-Forwarded-Host': 'app.example',
  'X-Forwarded-Proto': 'https',
  Origin: 'https://app.example',
};

test.each<[string, FastifyServerOptions['trustProxy'], Record<string, string>, number]>([
  ['trusted, all of them', true, proxied, 101],
  ['trusted, by address', '127.0.0.1', proxied, 101],
  ['trusted, by function', () => true, proxied, 101],
  [
    'trusted, of which there are two',
    true,
    { ...proxied, 'X-Forwarded-Host': 'other.example, app.example' },
    101,
  ],
  ['trusted, and another origin', true, { ...proxied, Origin: 'https://evil.example' }, 403],
  ['trusted, and another scheme', true, { ...proxied, Origin: 'http://app.example' }, 403],
  ['not trusted', false, proxied, 403],
  ['not trusted by default', undefined, proxied, 403],
  ['not trusted at this address', '10.0.0.1', proxied, 403],
])('behind a proxy that is %s', async (_what, trustProxy, headers, status) => {
  expect(await statusOf(headers, { fastify: { trustProxy } })).toBe(status);
});

test.each<[string, Options['origins'], string, number]>([
  ['a list', ['https://app.example', 'https://*.app.example'], 'https://app.example', 101],
  ['a list with sub-domains', ['https://*.app.example'], 'https://a.b.app.example', 101],
  ['a list', ['https://app.example'], 'https://evil.example', 403],
  ['an empty list', [], 'http://127.0.0.1:PORT', 403],
  ['a function', (origin) => origin.endsWith('.example'), 'https://app.example', 101],
  [
    'a function that sees the request',
    (_origin, { routeOptions }) => routeOptions.url === '/chat',
    'https://a.test',
    101,
  ],
  ['an asynchronous function', async () => false, 'http://127.0.0.1:PORT', 403],
  ['everybody', '*', 'null', 101],
])('the option origins with %s: %p, %s', async (_what, origins, origin, status) => {
  expect(await statusOf({ Origin: origin }, { origins })).toBe(status);
});

test('the origin is looked at behind the hooks, which answer first', async () => {
  const { port } = await openSite((app) => {
    app.addHook('onRequest', (_request, reply) => void reply.code(401).send());
    app.get('/chat', { websocket: true }, () => undefined);
  });
  expect((await dial(port, '/chat', { origin: 'http://evil.example' })).status).toBe(401);
});

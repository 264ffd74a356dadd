import { mkdtemp, rm } from 'node:fs/promises';
import type { ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from '../../src/index';
import { errorOf, eventsOf, once } from '../support/client-events';
import type { ClientLibrary } from '../support/clients';
import { clientLibraries } from '../support/clients';
import { RawServer } from '../support/raw-server';

const servers: RawServer[] = [];

async function listen(...args: Parameters<typeof RawServer.listen>): Promise<RawServer> {
  const server = await RawServer.listen(...args);
  servers.push(server);
  return server;
}

/** A server that sends everybody to the same place. */
function redirecting(location: () => string, status = 302): Promise<RawServer> {
  return listen((request) => request.refuse(`${status} Go There`, `Location: ${location()}`));
}

const upgrading = (): Promise<RawServer> => listen((request) => request.upgrade());

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe.each(clientLibraries)('a client of $name', (library) => {
  const follow = (url: string, options: object = {}) =>
    new library.WebSocket(url, { followRedirects: true, ...options });

  test.each([300, 301, 302, 303, 307, 308, 399])('follows a %s', async (status) => {
    const target = await upgrading();
    const first = await redirecting(() => `${target.url}/there?x`, status);
    const client = follow(first.url);
    await once(client, 'open');
    expect(client.url).toBe(`${target.url}/there?x`);
    expect(target.requests[0].line).toBe('GET /there?x HTTP/1.1');
    client.terminate();
  });

  test('follows a path on the same server, with a new key', async () => {
    const server = await listen((request, index) => {
      if (index === 0) request.refuse('302 Found', 'Location: ../b');
      else request.upgrade();
    });
    const client = follow(`${server.url}/a/a`);
    await once(client, 'open');
    const [one, two] = server.requests.map((it) => it.headers.get('sec-websocket-key'));
    expect(server.requests.map((it) => it.line)).toEqual(['GET /a/a HTTP/1.1', 'GET /b HTTP/1.1']);
    expect(one).not.toBe(two);
    client.terminate();
  });

  test('asks for the same subprotocols and lets finishRequest send each request', async () => {
    const target = await listen((request) => request.upgrade('Sec-WebSocket-Protocol: b'));
    const first = await redirecting(() => target.url);
    const sent: ClientRequest[] = [];
    const client = new library.WebSocket(first.url, ['a', 'b'], {
      followRedirects: true,
      finishRequest(request: ClientRequest) {
        sent.push(request);
        request.end();
      },
    });
    await once(client, 'open');
    expect([client.protocol, sent.length]).toEqual(['b', 2]);
    expect(target.requests[0].headers.get('sec-websocket-protocol')).toBe('a,b');
    client.terminate();
  });

  test.each([
    [undefined, 11],
    [0, 1],
    [3, 4],
  ])('gives up behind maxRedirects %p', async (maxRedirects, requests) => {
    const server = await redirecting(() => '/again');
    const options = maxRedirects === undefined ? {} : { maxRedirects };
    expect(await eventsOf(follow(server.url, options))).toEqual([
      ['error', 2, 'Error: Maximum redirects exceeded'],
      ['close', 3, '1006 '],
    ]);
    expect(server.requests).toHaveLength(requests);
  });

  test.each([
    ['http://', 'SyntaxError: Invalid URL: http://'],
    ['/a#b', 'SyntaxError: The URL contains a fragment identifier'],
    [
      'ftp://a.example',
      'SyntaxError: The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    ],
  ])('fails on the location %s', async (location, text) => {
    const server = await redirecting(() => location);
    expect(await eventsOf(follow(server.url))).toEqual([
      ['error', 2, text],
      ['close', 3, '1006 '],
    ]);
  });

  test('tells each redirect before it is sent', async () => {
    const target = await upgrading();
    const first = await redirecting(() => `${target.url}/b`);
    const client = follow(first.url);
    const told: unknown[] = [];
    client.on('redirect', (url: string, request: ClientRequest) => {
      told.push(url, client.url, client.readyState);
      request.setHeader('X-Redirected', 'yes');
    });
    await once(client, 'open');
    expect(told).toEqual([`${target.url}/b`, `${target.url}/b`, 0]);
    expect(target.requests[0].headers.get('x-redirected')).toBe('yes');
    client.terminate();
  });

  test('may be given up by a redirect listener', async () => {
    const target = await upgrading();
    const first = await redirecting(() => target.url);
    const client = follow(first.url);
    client.on('redirect', () => client.terminate());
    expect(await eventsOf(client)).toEqual([
      ['error', 2, 'Error: WebSocket was closed before the connection was established'],
      ['close', 3, '1006 '],
    ]);
    expect(target.requests).toHaveLength(0);
  });

  test('has its deadline anew for each request', async () => {
    const silent = await listen(() => undefined);
    const first = await redirecting(() => silent.url);
    expect(await eventsOf(follow(first.url, { handshakeTimeout: 60 }))).toEqual([
      ['error', 2, 'Error: Opening handshake has timed out'],
      ['close', 3, '1006 '],
    ]);
    expect(silent.requests).toHaveLength(1);
  });
});

/** T28: who hears of credentials. */
describe.each(clientLibraries)('credentials of a client of $name', (library) => {
  const HEADERS = { Authorization: 'Bearer x', COOKIE: 'a=b', Host: 'h.example', 'X-Own': 'y' };

  async function sent(
    target: RawServer,
    first: RawServer,
    options: object,
    prepare: (client: InstanceType<ClientLibrary['WebSocket']>) => void = () => undefined,
    user = '',
  ): Promise<Record<string, string | undefined>> {
    const url = first.url.replace('ws://', `ws://${user}`);
    const client = new library.WebSocket(url, { followRedirects: true, ...options });
    prepare(client);
    await once(client, 'open');
    client.terminate();
    const { headers } = target.requests.at(-1) ?? {};
    const names = ['authorization', 'cookie', 'host', 'x-own'];
    return Object.fromEntries(names.map((name) => [name, headers?.get(name)]));
  }

  test('stay on the same host and port', async () => {
    const server = await listen((request, index) => {
      if (index === 0) request.refuse('302 Found', 'Location: /b');
      else request.upgrade();
    });
    expect(await sent(server, server, { headers: HEADERS })).toEqual({
      authorization: 'Bearer x',
      cookie: 'a=b',
      host: 'h.example',
      'x-own': 'y',
    });
  });

  test.each(['another port', 'another name'])('do not go to %s', async (where) => {
    const target = await upgrading();
    const host = where === 'another port' ? '127.0.0.1' : 'localhost';
    const first = await redirecting(() => `ws://${host}:${target.port}`);
    expect(await sent(target, first, { headers: HEADERS })).toEqual({
      authorization: undefined,
      cookie: undefined,
      host: `${host}:${target.port}`,
      'x-own': 'y',
    });
  });

  test.each(['the address', 'the options'])('of %s do not go to another host', async (where) => {
    const target = await upgrading();
    const first = await redirecting(() => target.url);
    const options = where === 'the options' ? { auth: 'u:p' } : {};
    const user = where === 'the options' ? '' : 'u:p@';
    const headers = await sent(target, first, options, undefined, user);
    expect(first.requests[0].headers.get('authorization')).toBe('Basic dTpw');
    expect(headers.authorization).toBeUndefined();
  });

  test('in the location of another host are not sent', async () => {
    const target = await upgrading();
    const first = await redirecting(() => target.url.replace('ws://', 'ws://v:q@'));
    expect((await sent(target, first, {})).authorization).toBeUndefined();
  });

  test.each([
    ['', 'Basic djpx'],
    ['u:p@', 'Basic dTpw'],
  ])('in the location of the same host count where there are none: %s', async (user, expected) => {
    const server = await listen((request, index) => {
      const location = server.url.replace('ws://', 'ws://v:q@');
      if (index === 0) request.refuse('302 Found', `Location: ${location}/b`);
      else request.upgrade();
    });
    expect((await sent(server, server, {}, undefined, user)).authorization).toBe(expected);
  });

  test('are for the redirect listener to take off, where there is one', async () => {
    const target = await upgrading();
    const first = await redirecting(() => target.url);
    const headers = await sent(target, first, { headers: HEADERS }, (client) => {
      client.on('redirect', (_url: string, request: ClientRequest) =>
        request.removeHeader('cookie'),
      );
    });
    expect(headers).toEqual({
      authorization: 'Bearer x',
      cookie: undefined,
      host: 'h.example',
      'x-own': 'y',
    });
  });
});

// `ws` sends them again to the first host, on a path that the other one chose.
test('credentials do not come back from another host', async () => {
  const home = await listen((request, index) => {
    if (index === 0) request.refuse('302 Found', `Location: ${away.url}`);
    else request.upgrade();
  });
  const away = await redirecting(() => `${home.url}/delete-everything`);
  const client = new WebSocket(home.url.replace('ws://', 'ws://u:p@'), {
    followRedirects: true,
    headers: { Cookie: 'a=b' },
  });
  await once(client, 'open');
  client.terminate();
  const has = ['authorization', 'cookie'].map((name) =>
    home.requests.map((request) => request.headers.has(name)),
  );
  expect(has).toEqual([
    [true, false],
    [true, false],
  ]);
});

test('credentials for a proxy do not go to another host', async () => {
  const target = await upgrading();
  const first = await redirecting(() => target.url);
  const client = new WebSocket(first.url, {
    followRedirects: true,
    headers: { 'Proxy-Authorization': 'Basic x' },
  });
  await once(client, 'open');
  client.terminate();
  expect(first.requests[0].headers.has('proxy-authorization')).toBe(true);
  expect(target.requests[0].headers.has('proxy-authorization')).toBe(false);
});

describe('a local socket', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'upwire-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  const onSocket = (path: string, answer: Parameters<typeof RawServer.listen>[0]) =>
    listen(answer, undefined, { path });

  test.each([false, true])(
    'is not where a host may redirect to, a listener for it %p',
    async (listener) => {
      // T29
      const path = join(directory, 'inner.sock');
      const inner = await onSocket(path, (request) => request.upgrade());
      const outer = await redirecting(() => `ws+unix:${path}:/`);
      const client = new WebSocket(outer.url, { followRedirects: true });
      if (listener) client.on('redirect', () => undefined);
      expect((await errorOf(client)).message).toBe(
        `A redirect must not lead to a local socket: ws+unix:${path}:/`,
      );
      expect(inner.sockets).toHaveLength(0);
    },
  );

  test('redirects within itself', async () => {
    const path = join(directory, 'a b.sock');
    const server = await onSocket(path, (request, index) => {
      if (index === 0) request.refuse('302 Found', 'Location: /there?x');
      else request.upgrade();
    });
    const client = new WebSocket(`ws+unix:${path}`, {
      followRedirects: true,
      headers: { Cookie: 'a=b' },
    });
    await once(client, 'open');
    expect(server.requests.map((it) => [it.line, it.headers.get('cookie')])).toEqual([
      ['GET / HTTP/1.1', 'a=b'],
      ['GET /there?x HTTP/1.1', 'a=b'],
    ]);
    expect(client.url).toBe(`ws+unix:${path.replace(' ', '%20')}:/there?x`);
    client.terminate();
  });

  test('redirects to a host and to another socket without credentials', async () => {
    const host = await upgrading();
    const other = await onSocket(join(directory, 'b.sock'), (request) => request.upgrade());
    for (const [target, location] of [
      [host, host.url],
      [other, `ws+unix:${join(directory, 'b.sock')}:/x`],
    ] as const) {
      const path = join(directory, `${servers.length}.sock`);
      await onSocket(path, (request) => request.refuse('302 Found', `Location: ${location}`));
      const client = new WebSocket(`ws+unix:${path}:/`, {
        followRedirects: true,
        headers: { Cookie: 'a=b' },
      });
      await once(client, 'open');
      client.terminate();
      expect(target.requests[0].headers.has('cookie')).toBe(false);
    }
  });
});

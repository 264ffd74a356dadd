import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { request } from '../../../engine/test/support/raw-client';
import type { Target } from '../client';
import { connectTo } from '../client';
import type { Application, Handler, Harness, Middleware } from '../harness';
import { openSite } from '../site';

/** Request targets by which somebody may try to come to `/admin/x` and past the guard of `/admin`. */
const TARGETS = [
  // Case, slashes and dots.
  '/admin/x',
  '/ADMIN/x',
  '/Admin/X',
  '/admin/x/',
  '/admin//x',
  '//admin/x',
  '///admin///x',
  '/./admin/x',
  '/admin/./x',
  '/admin/x/.',
  '/admin/x/..',
  '/admin/../admin/x',
  '/public/../admin/x',
  '/admin/x/../x',
  '/.admin/x',
  '/admin./x',
  '/admin/x.',
  '/admin/..;/admin/x',
  'admin/x',
  // Encoded.
  '/%61dmin/x',
  '/%41DMIN/x',
  '/%61%64%6d%69%6e/x',
  '/admin/%78',
  '/%61dmin/%78',
  '/admin%2fx',
  '/admin%2Fx',
  '/%2fadmin/x',
  '/%2Fadmin%2Fx',
  '/%2e/admin/x',
  '/public/%2e%2e/admin/x',
  '/public/%2e%2e%2fadmin/x',
  '/%252e%252e/admin/x',
  '/%2561dmin/x',
  '/%u0061dmin/x',
  '/admin/x%00',
  '/admin%00/x',
  '/%00/admin/x',
  '/admin/x%20',
  '/admin%20/x',
  '/admin%09/x',
  '/admin/x%0a',
  '/admin/x%0d%0aX-Token:%20good',
  '/admin/%E0%A4%A',
  // Parameters, back slashes, other scripts.
  '/admin/x;a=b',
  '/admin;a=b/x',
  '/;/admin/x',
  '/admin/;/x',
  '/admin\\x',
  '\\admin\\x',
  '/\\admin/x',
  '/public/..\\admin/x',
  '/%5cadmin/x',
  '/\uff41dmin/x',
  '/adm\u0131n/x',
  '/%EF%BD%81dmin/x',
  '/adm%C4%B1n/x',
  '/admin%E2%80%8B/x',
  // Query and fragment.
  '/admin/x?',
  '/admin/x?token=good',
  '/?/admin/x',
  '/public?/../admin/x',
  '/admin/x#',
  '/#/admin/x',
  '/public#/../../admin/x',
  // Whole URLs.
  'http://localhost/admin/x',
  'HTTP://LOCALHOST/ADMIN/x',
  'http://localhost//admin/x',
  'http://localhost:80/admin/x',
  'http://user@localhost/admin/x',
  'http://evil.example/admin/x',
  'https://localhost/admin/x',
  'ws://localhost/admin/x',
  'http:/admin/x',
  'http:///admin/x',
  'x:/admin/x',
  '//localhost/admin/x',
  '/http://localhost/admin/x',
  '*',
];

/** Headers by which somebody may try to change what a request asks for, or who it seems to be. */
const HEADERS: [target: string, headers: Record<string, string>][] = [
  ['/', { 'X-Original-URL': '/admin/x' }],
  ['/', { 'X-Rewrite-URL': '/admin/x' }],
  ['/', { 'X-Forwarded-Prefix': '/admin', 'X-Forwarded-Path': '/x' }],
  ['/x', { 'X-Forwarded-Prefix': '/admin' }],
  ['/admin/x', { 'X-HTTP-Method-Override': 'OPTIONS' }],
  ['/admin/x', { Connection: 'Upgrade, X-Token' }],
  ['/admin/x', { 'X-Token': '' }],
  ['/admin/x', { 'X-Token': 'bad, good' }],
  ['/admin/x', { X_Token: 'good' }],
  ['/admin/x', { 'X-Forwarded-For': '127.0.0.1' }],
  ['/admin/x', { Upgrade: 'WebSocket' }],
  ['/admin/x', { Upgrade: 'h2c, websocket' }],
  ['/admin/x', { 'Sec-WebSocket-Protocol': 'good' }],
  ['/admin/x', { Cookie: 'x-token=good' }],
];

const TECHNIQUES: [target: string, headers: Record<string, string>][] = [
  ...TARGETS.map((target): [string, Record<string, string>] => [target, {}]),
  ...HEADERS,
];

/** The guard of `/admin`. */
const guard: Middleware = (context) => {
  if (context.header('X-Token') !== 'good') context.answer(401, 'who are you?');
};

/** Puts a guard in front of the route `/admin/x`. */
type Wiring<App> = (app: App, guard: Middleware, handle: Handler) => void;

/** Those that every framework has. */
function wiringsOf<App extends Application>({
  facts,
  wirings,
}: Harness<App>): [string, Wiring<App>][] {
  const ofGroups = facts.groups.flatMap((kind): [string, Wiring<App>][] => [
    [
      `the middleware of a ${kind}`,
      (app, check, handle) =>
        app.group(
          '/admin',
          (inner) => {
            inner.use(check);
            inner.ws('/x', handle);
          },
          kind,
        ),
    ],
    [
      `the middleware of a ${kind} around another`,
      (app, check, handle) =>
        app.group(
          '/admin',
          (outer) => {
            outer.use(check);
            outer.group('/x', (inner) => inner.ws('/', handle), kind);
          },
          kind,
        ),
    ],
  ]);
  return [
    ['the route’s own', (app, check, handle) => app.ws('/admin/x', handle, { guards: [check] })],
    [
      'the own of a route with a parameter',
      (app, check, handle) => app.ws('/admin/:x', handle, { guards: [check] }),
    ],
    ...ofGroups,
    ...Object.entries(wirings),
  ];
}

/** Another listener on the server, to which all that has no route is passed on. */
function refuse(_request: IncomingMessage, socket: Duplex): void {
  socket.end('HTTP/1.1 404 Not mine\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

/** The status that a technique gets; 0 where the connection ends without an answer. */
async function statusOf(
  target: Target,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const client = await connectTo(target);
  client.socket.write(request(headers, `GET ${path} HTTP/1.1`), 'utf8');
  const head = await client.head().catch(() => '');
  client.socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
}

/** The path that was guarded is the path that is routed. */
export function guards<App extends Application>(harness: Harness<App>): void {
  test('there are at least 90 ways to dodge a guard', () => {
    expect(new Set(TECHNIQUES.map((it) => JSON.stringify(it))).size).toBe(TECHNIQUES.length);
    expect(TECHNIQUES.length).toBeGreaterThanOrEqual(90);
  });

  describe.each(['alone', 'beside another listener'])('nobody dodges a guard, %s:', (company) => {
    test.each(wiringsOf(harness))('%s', async (_wiring, wire) => {
      const reached: string[] = [];
      const { address, server } = await openSite(harness, (app) =>
        wire(app, guard, (_webSocket, { url }) => reached.push(url)),
      );
      if (company !== 'alone') server.on('upgrade', refuse);

      const refused = await statusesOf(address, {});

      expect(reached).toEqual([]);
      expect(TECHNIQUES.filter((_, index) => !isRefusal(refused[index]))).toEqual([]);

      // With the token the very same techniques come through or not; those that do were stopped by the guard.
      const allowed = await statusesOf(address, { 'X-Token': 'good' });
      const through = TECHNIQUES.flatMap(([target], index) =>
        allowed[index] === 101 ? [{ target, before: refused[index] }] : [],
      );
      expect(reached).toHaveLength(through.length);
      // Where nothing tells beforehand whose a request is, it is the other listener's until it has come to a route.
      const stopped = company === 'alone' ? [401] : [401, 404];
      expect(through.filter(({ before }) => !stopped.includes(before))).toEqual([]);
      const targets = through.map(({ target }) => target);
      expect(targets).toContain('/admin/x');
      if (harness.facts.takesAbsoluteForm) expect(targets).toContain('http://localhost/admin/x');
    });
  });
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}

/** The statuses of all techniques, in their order. */
function statusesOf(target: Target, more: Record<string, string>): Promise<number[]> {
  return Promise.all(
    TECHNIQUES.map(([path, headers]) => statusOf(target, path, { ...more, ...headers })),
  );
}

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RequestHandler } from 'express';
import { request } from '../../engine/test/support/raw-client';
import { cleanUp, connect } from '../../engine/test/support/site';
import type { App, Express } from './support/site';
import { openSite, prepare, VERSIONS } from './support/site';

afterEach(cleanUp);

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

const guard: RequestHandler = (req, res, next) => {
  if (req.get('X-Token') === 'good') next();
  else res.status(401).send('who are you?');
};

/** Ways to put the guard in front of the route. */
const WIRINGS: Record<string, (app: App, express: Express, reached: () => void) => void> = {
  'app.use and app.ws': (app, _express, reached) => {
    app.use('/admin', guard);
    app.ws('/admin/x', reached);
  },
  'app.use and a parameter': (app, _express, reached) => {
    app.use('/admin', guard);
    app.ws('/admin/:x', reached);
  },
  'a mounted router': (app, express, reached) => {
    const router = express.Router();
    router.use(guard);
    router.ws('/x', reached);
    app.use('/admin', router);
  },
  'app.use and a mounted router': (app, express, reached) => {
    const router = express.Router();
    router.ws('/x', reached);
    app.use('/admin', guard);
    app.use('/admin', router);
  },
  'app.use and a mounted application': (app, express, reached) => {
    const inner = prepare(express).app;
    inner.ws('/x', reached);
    app.use('/admin', guard);
    app.use('/admin', inner);
  },
  'app.all and app.ws': (app, _express, reached) => {
    app.all(/^\/admin(\/|$)/i, guard);
    app.ws('/admin/x', reached);
  },
  'the route’s own middleware': (app, _express, reached) => {
    app.ws('/admin/x', guard, reached);
  },
};

/** Another listener on the server, to which all that has no route is passed on. */
function refuse(_request: IncomingMessage, socket: Duplex): void {
  socket.end('HTTP/1.1 404 Not mine\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

/** The status that a technique gets; 0 where the connection ends without an answer. */
async function statusOf(
  port: number,
  target: string,
  headers: Record<string, string>,
): Promise<number> {
  const client = await connect(port);
  client.socket.write(request(headers, `GET ${target} HTTP/1.1`), 'utf8');
  const head = await client.head().catch(() => '');
  client.socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0);
}

test('there are at least 55 techniques', () => {
  expect(new Set(TECHNIQUES.map((it) => JSON.stringify(it))).size).toBe(TECHNIQUES.length);
  expect(TECHNIQUES.length).toBeGreaterThanOrEqual(55);
});

describe.each(VERSIONS)('%s: the guarded path is the routed path', (_name, express) => {
  test.each(
    Object.entries(WIRINGS).flatMap(([name, wire]) => [
      [name, 'alone', wire] as const,
      [name, 'beside another listener', wire] as const,
    ]),
  )('%s, %s', async (_wiring, company, wire) => {
    let reached = 0;
    const { port, server } = await openSite(express, (app) => {
      app.set('env', 'test');
      wire(app, express, () => {
        reached += 1;
      });
    });
    if (company !== 'alone') server.on('upgrade', refuse);
    const statusesWith = (more: Record<string, string>) =>
      Promise.all(
        TECHNIQUES.map(([target, headers]) => statusOf(port, target, { ...more, ...headers })),
      );

    const refused = await statusesWith({});

    expect(reached).toBe(0);
    expect(refused.filter((status) => status < 400 || status >= 500)).toEqual([]);

    // With the token the very same techniques come through or not; those that do were stopped by the guard.
    const allowed = await statusesWith({ 'X-Token': 'good' });
    const through = TECHNIQUES.filter((_, index) => allowed[index] === 101);
    expect(reached).toBe(through.length);
    expect(refused.filter((_, index) => allowed[index] === 101)).toEqual(through.map(() => 401));
    const targets = through.map(([target]) => target);
    expect(targets).toEqual(expect.arrayContaining(['/admin/x', 'http://localhost/admin/x']));
  });
});

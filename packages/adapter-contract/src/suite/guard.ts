import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { request } from '../../../engine/test/support/raw-client';
import type { Target } from '../client';
import { connectTo } from '../client';
import type { Application, Handler, Harness, Middleware } from '../harness';
import { openSite } from '../site';

/** Ways to come to `/admin/x` and past the guard of `/admin`: request targets, with headers. */
const TECHNIQUES: [target: string, headers: Record<string, string>][] = JSON.parse(
  readFileSync(join(__dirname, 'techniques.json'), 'utf8'),
);

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

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from '@upwire/engine/internal';
import { TEXT } from '../../../engine/test/support/frames';
import type { RawClient } from '../../../engine/test/support/raw-client';
import { request } from '../../../engine/test/support/raw-client';
import { deferred, masked } from '../../../engine/test/support/site';
import { connectTo, enterAt, knockAt, open } from '../client';
import type { Application, Harness, Middleware, Site } from '../harness';
import { openSite, until } from '../site';

/** A site that writes down what becomes of the WebSockets of `/watched`. */
interface WatchedSite extends Site {
  readonly events: string[];
  readonly opened: Promise<WebSocket>;
  readonly closed: Promise<void>;
  readonly sockets: Socket[];
}

type Watch = (guard?: Middleware) => Promise<WatchedSite>;

/** Resets the connection and waits until the server has seen it. */
async function reset({ sockets }: WatchedSite, client: RawClient): Promise<void> {
  // Not by `once`, which a reset rejects.
  const gone = new Promise((resolve) => sockets[0].once('close', resolve));
  client.reset();
  await gone;
}

async function accepted({ server, sockets }: WatchedSite): Promise<void> {
  if (sockets.length === 0) await once(server, 'connection');
  await new Promise(setImmediate);
}

/** Middleware that holds what ends a response until it is told to let go. */
function hold(held: (release: () => void) => void): Middleware {
  return ({ response }) => {
    const { end } = response;
    response.end = ((...args: unknown[]) => {
      held(() => Reflect.apply(end, response, args));
      return response;
    }) as ServerResponse['end'];
  };
}

/** Each moment leaves the connection reset, and returns what the application has to have heard. */
const MOMENTS: Record<string, (watch: Watch) => Promise<[site: WatchedSite, heard: string[]]>> = {
  'before the headers': async (watch) => {
    const site = await watch();
    const client = await connectTo(site.address);
    await accepted(site);
    await reset(site, client);
    return [site, []];
  },
  'in the headers': async (watch) => {
    const site = await watch();
    const client = await connectTo(site.address);
    client.write(request().slice(0, 60));
    await accepted(site);
    await reset(site, client);
    return [site, []];
  },
  'in a guard that then lets it through': async (watch) => {
    const guarded = deferred<() => void>();
    const site = await watch(() => new Promise<void>((proceed) => guarded.resolve(proceed)));
    const client = await knockAt(site.address, '/watched');
    const proceed = await guarded.promise;
    await reset(site, client);
    proceed();
    return [site, []];
  },
  'in a guard that then refuses it': async (watch) => {
    const guarded = deferred<() => void>();
    const site = await watch(async (context) => {
      await new Promise<void>((proceed) => guarded.resolve(proceed));
      context.answer(401, 'too late');
    });
    const client = await knockAt(site.address, '/watched');
    const proceed = await guarded.promise;
    await reset(site, client);
    proceed();
    return [site, []];
  },
  'before the 101 that middleware holds': async (watch) => {
    const held = deferred<() => void>();
    const site = await watch(hold(held.resolve));
    const client = await knockAt(site.address, '/watched');
    const release = await held.promise;
    await reset(site, client);
    release();
    return [site, []];
  },
  'after the 101': async (watch) => {
    const site = await watch();
    const client = await enterAt(site.address, '/watched');
    await site.opened;
    await reset(site, client);
    await site.closed;
    return [site, ['handler', 'close 1006']];
  },
  'in a frame': async (watch) => {
    const site = await watch();
    const client = await enterAt(site.address, '/watched');
    const told = once(await site.opened, 'message');
    const frame = masked({ opcode: TEXT, payload: 'a whole one' });
    client.write(frame, frame.subarray(0, 9));
    await told;
    await reset(site, client);
    await site.closed;
    return [site, ['handler', 'message', 'close 1006']];
  },
  'in the closing handshake': async (watch) => {
    const site = await watch();
    const client = await enterAt(site.address, '/watched');
    (await site.opened).close(1000, 'bye');
    await client.frame();
    await reset(site, client);
    await site.closed;
    return [site, ['handler', 'close 1006']];
  },
};

/** A client that resets its connection, at whatever moment, hurts nobody. */
export function resets<App extends Application>(harness: Harness<App>): void {
  const watch: Watch = async (guard) => {
    const events: string[] = [];
    const opened = deferred<WebSocket>();
    const closed = deferred();
    const setUp = (app: App): void => {
      app.ws(
        '/watched',
        (webSocket) => {
          events.push('handler');
          webSocket.on('message', () => events.push('message'));
          webSocket.on('error', (error: Error) => events.push(`error ${error.message}`));
          webSocket.on('close', (code: number) => {
            events.push(`close ${code}`);
            closed.resolve();
          });
          opened.resolve(webSocket);
        },
        { guards: guard === undefined ? [] : [guard] },
      );
      app.ws('/echo', (webSocket) => webSocket.on('message', (text) => webSocket.send(text)));
    };
    const site = await openSite(harness, setUp, { accessLog: false });
    const sockets: Socket[] = [];
    site.server.on('connection', (socket: Socket) => sockets.push(socket));
    return { ...site, events, opened: opened.promise, closed: closed.promise, sockets };
  };

  test.each(Object.entries(MOMENTS))(
    'a reset %s hurts nobody and leaves nothing',
    async (_when, act) => {
      const [site, heard] = await act(watch);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);

      expect(site.events).toEqual(heard);
      // Some frameworks report of any request that its client has gone.
      expect(site.errors.filter((error) => !isReset(error))).toEqual([]);
      expect(site.webSockets.clients?.size).toBe(0);
      let count = -1;
      site.server.getConnections((_error, open) => {
        count = open;
      });
      await until(() => count >= 0);
      expect(count).toBe(0);
      expect(await (await open(site.address, '/echo')).ask('hi')).toBe('hi');
    },
  );

  test('a reset while the application closes lets it close', async () => {
    const site = await watch();
    const client = await enterAt(site.address, '/watched');
    await site.opened;
    const closed = site.close();
    await client.frame();
    await reset(site, client);
    await site.closed;
    await closed;
    expect(site.events).toEqual(['handler', 'close 1006']);
    expect(site.errors).toEqual([]);
  });
}

function isReset(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ECONNRESET';
}

import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocket } from '../../src/websocket';
import { TEXT } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import { request } from '../support/raw-client';
import type { App } from '../support/site';
import {
  accepting,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  masked,
  openSite,
} from '../support/site';

afterEach(cleanUp);

/** A site that writes down what becomes of its WebSockets. */
async function watchedSite(guard: (proceed: () => void, response: ServerResponse) => void) {
  const events: string[] = [];
  const opened = deferred<WebSocket>();
  const closed = deferred();
  const accept = accepting((webSocket) => {
    events.push('handler');
    opened.resolve(webSocket);
    webSocket.on('message', () => events.push('message'));
    webSocket.on('error', (error) => events.push(`error ${error.message}`));
    webSocket.on('close', (code: number) => {
      events.push(`close ${code}`);
      closed.resolve();
    });
  });
  const app: App = (req, res) => {
    if (req.url === '/check') accept(req, res);
    else guard(() => accept(req, res), res);
  };
  const site = await openSite(app);
  const listeners = listenersOf(site.server);
  const sockets: Socket[] = [];
  site.server.on('connection', (socket) => sockets.push(socket));
  return { ...site, events, opened: opened.promise, closed: closed.promise, sockets, listeners };
}

function listenersOf(server: Server): Record<string, number> {
  return Object.fromEntries(
    server.eventNames().map((name) => [String(name), server.listenerCount(name)]),
  );
}

type WatchedSite = Awaited<ReturnType<typeof watchedSite>>;

/** Resets the connection and waits until the server has seen it. */
async function reset(site: WatchedSite, client: RawClient): Promise<void> {
  const [socket] = site.sockets;
  const gone = new Promise((resolve) => socket.once('close', resolve));
  client.reset();
  await gone;
}

async function accepted(site: WatchedSite, client: RawClient): Promise<void> {
  if (site.sockets.length === 0) await once(site.server, 'connection');
  await new Promise(setImmediate);
  expect(client.socket.destroyed).toBe(false);
}

const atOnce = (proceed: () => void) => proceed();

/** Each moment leaves the connection reset; it returns what the application has to say. */
const MOMENTS: Record<string, () => Promise<{ site: WatchedSite; expected: string[] }>> = {
  'before the headers': async () => {
    const site = await watchedSite(atOnce);
    const client = await connect(site.port);
    await accepted(site, client);
    await reset(site, client);
    return { site, expected: [] };
  },
  'in the headers': async () => {
    const site = await watchedSite(atOnce);
    const client = await connect(site.port);
    client.write(request().slice(0, 60));
    await accepted(site, client);
    await reset(site, client);
    return { site, expected: [] };
  },
  'in the guard': async () => {
    const guarded = deferred<() => void>();
    const site = await watchedSite((proceed) => guarded.resolve(proceed));
    const client = await knock(site.port);
    const proceed = await guarded.promise;
    await reset(site, client);
    proceed();
    return { site, expected: [] };
  },
  'before the 101 that middleware holds': async () => {
    const held = deferred<() => void>();
    const site = await watchedSite((proceed, response) => {
      const { end } = response;
      response.end = (() => {
        held.resolve(() => Reflect.apply(end, response, []));
        return response;
      }) as typeof end;
      proceed();
    });
    const client = await knock(site.port);
    const release = await held.promise;
    await reset(site, client);
    release();
    return { site, expected: [] };
  },
  'after the 101': async () => {
    const site = await watchedSite(atOnce);
    const client = await enter(site.port);
    await site.opened;
    await reset(site, client);
    await site.closed;
    return { site, expected: ['handler', 'close 1006'] };
  },
  'in a frame': async () => {
    const site = await watchedSite(atOnce);
    const client = await enter(site.port);
    const webSocket = await site.opened;
    const told = new Promise((resolve) => webSocket.once('message', resolve));
    const frame = masked({ opcode: TEXT, payload: 'a whole one' });
    client.write(frame, frame.subarray(0, 9));
    await told;
    await reset(site, client);
    await site.closed;
    return { site, expected: ['handler', 'message', 'close 1006'] };
  },
  'in the closing handshake': async () => {
    const site = await watchedSite(atOnce);
    const client = await enter(site.port);
    const webSocket = await site.opened;
    webSocket.close(1000, 'bye');
    await client.frame();
    await reset(site, client);
    await site.closed;
    return { site, expected: ['handler', 'close 1006'] };
  },
  'while the server drains': async () => {
    const site = await watchedSite(atOnce);
    const client = await enter(site.port);
    await site.opened;
    const down = new Promise((resolve) => site.server.close(resolve));
    await client.frame();
    await reset(site, client);
    await site.closed;
    await down;
    site.server.listen(site.port, '127.0.0.1');
    await once(site.server, 'listening');
    return { site, expected: ['handler', 'close 1006'] };
  },
};

describe('a reset', () => {
  test.each(Object.entries(MOMENTS))('%s hurts nobody and leaves nothing', async (_when, act) => {
    const { site, expected } = await act();
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);

    expect(site.events).toEqual(expected);
    expect(site.gateway.server.clients?.size).toBe(0);
    expect(listenersOf(site.server)).toEqual({
      ...site.listeners,
      connection: site.listeners.connection + 1,
    });
    const count = await new Promise((resolve) =>
      site.server.getConnections((_, open) => resolve(open)),
    );
    expect(count).toBe(0);
    await enter(site.port, 'GET /check HTTP/1.1');
  });
});

import { deflateRawSync } from 'node:zlib';
import type { GatewayOptions, RouteOptions } from '../../src/upgrade/options';
import { checkRouteOptions } from '../../src/upgrade/options';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';
import { BINARY, CLOSE, TEXT } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import { request } from '../support/raw-client';
import type { App } from '../support/site';
import {
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  masked,
  openSite,
  route,
} from '../support/site';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(async () => {
  jest.useRealTimers();
  await cleanUp();
});

type Handle = (webSocket: WebSocket) => unknown;

interface Routed {
  readonly options?: RouteOptions;
  readonly handle?: Handle;
}

/** An app with WebSocket routes by their paths. */
function routing(routes: Record<string, Routed>): App {
  const checked = new Map(
    Object.entries(routes).map(([path, { options, handle = () => undefined }]) => [
      path,
      { ...route(handle), options: options && checkRouteOptions(options) },
    ]),
  );
  return (request, response) => {
    const found = checked.get(request.url ?? '');
    if (found === undefined) response.writeHead(404).end();
    else upgradeOf(request)?.accept(found);
  };
}

const open = async (options: GatewayOptions, routes: Record<string, Routed>) =>
  (await openSite(routing(routes), options)).port;

/** The code and reason of the close frame that is next. */
async function closing(client: RawClient): Promise<[code: number, reason: string]> {
  const frame = await client.frame();
  expect(frame?.first).toBe(0x80 | CLOSE);
  const { payload } = frame ?? { payload: Buffer.alloc(2) };
  return [payload.readUInt16BE(0), payload.toString('utf8', 2)];
}

const get = (path: string) => `GET ${path} HTTP/1.1`;

describe('a route’s own options go before the gateway’s, and these before the defaults', () => {
  test('maxPayload', async () => {
    const handle: Handle = (webSocket) => webSocket.on('message', () => webSocket.send('got it'));
    const port = await open(
      { maxPayload: 20 },
      {
        '/small': { options: { maxPayload: 10 }, handle },
        '/large': { options: { maxPayload: 30 }, handle },
        '/undefined': { options: { maxPayload: undefined }, handle },
        '/none': { handle },
      },
    );
    for (const [path, size] of [
      ['/small', 10],
      ['/large', 30],
      ['/undefined', 20],
      ['/none', 20],
    ] as const) {
      const client = await enter(port, get(path));
      client.write(masked({ opcode: BINARY, payload: Buffer.alloc(size) }));
      expect((await client.frame())?.payload.toString()).toBe('got it');
      client.write(masked({ opcode: BINARY, payload: Buffer.alloc(size + 1) }));
      expect(await closing(client)).toEqual([1009, '']);
    }
  });

  test('perMessageDeflate: agreed on where the route has it, on its own terms', async () => {
    const on: GatewayOptions = { perMessageDeflate: true };
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const agreed = async (port: number, path: string) =>
      /Sec-WebSocket-Extensions: (.*)\r\n/.exec(
        await (await knock(port, offer, get(path))).head(),
      )?.[1];
    const port = await open(
      {},
      {
        '/on': { options: { perMessageDeflate: true } },
        '/bits': { options: { perMessageDeflate: { serverNoContextTakeover: true } } },
        '/none': {},
      },
    );
    const other = await open(on, {
      '/off': { options: { perMessageDeflate: false } },
      '/none': {},
    });
    expect(await agreed(port, '/on')).toBe('permessage-deflate');
    expect(await agreed(port, '/bits')).toBe('permessage-deflate; server_no_context_takeover');
    expect(await agreed(port, '/none')).toBeUndefined();
    expect(await agreed(other, '/off')).toBeUndefined();
    expect(await agreed(other, '/none')).toBe('permessage-deflate');
  });

  test('maxPayload limits what a message is inflated to', async () => {
    const heard = deferred<number>();
    const handle: Handle = (webSocket) =>
      webSocket.on('message', (text: string) => heard.resolve(text.length));
    const port = await open(
      { perMessageDeflate: true, maxPayload: 100 },
      { '/more': { options: { maxPayload: 1000 }, handle }, '/none': { handle } },
    );
    const compressed = (length: number) =>
      masked({
        opcode: TEXT,
        rsv: 4,
        // RFC 7692 7.2.1: less the four bytes that end a flushed block.
        payload: deflateRawSync('x'.repeat(length), { finishFlush: 2 }).subarray(0, -4),
      });
    const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

    const more = await knock(port, offer, get('/more'));
    await more.head();
    more.write(compressed(1000));
    expect(await heard.promise).toBe(1000);
    more.write(compressed(1001));
    expect(await closing(more)).toEqual([1009, '']);

    const less = await knock(port, offer, get('/none'));
    await less.head();
    less.write(compressed(101));
    expect(await closing(less)).toEqual([1009, '']);
  });

  test('origins', async () => {
    const port = await open(
      { origins: ['https://a.example'] },
      { '/b': { options: { origins: ['https://b.example'] } }, '/none': {} },
    );
    const answer = async (path: string, Origin: string) =>
      (await (await knock(port, { Origin }, get(path))).head()).split(' ')[1];
    expect(await answer('/b', 'https://b.example')).toBe('101');
    expect(await answer('/b', 'https://a.example')).toBe('403');
    expect(await answer('/none', 'https://a.example')).toBe('101');
    expect(await answer('/none', 'https://b.example')).toBe('403');
  });

  test('heartbeat, idleTimeout and maxLifetime', async () => {
    const port = await open(
      { heartbeat: false },
      {
        '/beats': { options: { heartbeat: { interval: 20 } } },
        '/idle': { options: { idleTimeout: 20 } },
        '/old': { options: { maxLifetime: 20 } },
      },
    );
    const beats = await enter(port, get('/beats'));
    expect((await beats.frame())?.first).toBe(0x89);
    expect(await closing(await enter(port, get('/idle')))).toEqual([1001, 'idle timeout']);
    expect(await closing(await enter(port, get('/old')))).toEqual([1001, 'maximum lifetime']);
  });

  test('closeTimeout', async () => {
    const handle: Handle = (webSocket) => webSocket.close(1000);
    const port = await open({}, { '/': { options: { closeTimeout: 20 }, handle } });
    const client = await enter(port);
    expect(await closing(client)).toEqual([1000, '']);
    // The client answers nothing, and would be waited for for 10 s.
    await client.closed;
  });

  test('maxBufferedAmount and overflow', async () => {
    const refused: Record<string, number> = { '/close': 0, '/drop': 0, '/none': 0 };
    const flood =
      (path: string): Handle =>
      (webSocket) => {
        for (let count = 0; count < 3; count++) {
          webSocket.send(Buffer.alloc(60), (error) => {
            if (error) refused[path] += 1;
          });
        }
        webSocket.send('end');
      };
    const limit = { maxBufferedAmount: 100 };
    const port = await open(
      {},
      {
        '/close': { options: limit, handle: flood('/close') },
        '/drop': { options: { ...limit, overflow: 'drop' }, handle: flood('/drop') },
        '/none': { handle: flood('/none') },
      },
    );
    const lengths = async (path: string) => {
      const client = await enter(port, get(path));
      client.write(masked({ opcode: CLOSE }));
      return (await client.frames()).map(({ payload }) => payload.length);
    };
    expect(await lengths('/close')).toEqual([60, 2]);
    expect(await lengths('/drop')).toEqual([60, 3, 0]);
    expect(await lengths('/none')).toEqual([60, 60, 60, 3, 0]);
    expect(refused).toEqual({ '/close': 2, '/drop': 2, '/none': 0 });
  });

  test('holdMessages', async () => {
    const handle: Handle = async (webSocket) => {
      await new Promise(setImmediate);
      webSocket.on('message', (text: string) => webSocket.send(text));
      webSocket.send('listening');
    };
    const port = await open(
      {},
      { '/lost': { options: { holdMessages: false }, handle }, '/none': { handle } },
    );
    const heard = async (path: string) => {
      const client = await connect(port);
      client.write(request({}, get(path)), masked({ opcode: TEXT, payload: 'early' }));
      await client.head();
      expect((await client.frame())?.payload.toString()).toBe('listening');
      client.write(masked({ opcode: TEXT, payload: 'later' }));
      return (await client.frame())?.payload.toString();
    };
    expect(await heard('/lost')).toBe('later');
    expect(await heard('/none')).toBe('early');
  });

  test('onError', async () => {
    const told: string[] = [];
    const handle: Handle = () => {
      throw new Error('broken');
    };
    const port = await open(
      { onError: () => told.push('gateway') },
      { '/own': { options: { onError: () => told.push('route') }, handle }, '/none': { handle } },
    );
    expect(await closing(await enter(port, get('/own')))).toEqual([1011, '']);
    expect(await closing(await enter(port, get('/none')))).toEqual([1011, '']);
    expect(told).toEqual(['route', 'gateway']);
  });
});

describe('subprotocols', () => {
  const selected = async (port: number, path: string, offered: string) =>
    /Sec-WebSocket-Protocol: (.*)\r\n/.exec(
      await (await knock(port, { 'Sec-WebSocket-Protocol': offered }, get(path))).head(),
    )?.[1];

  test('a list picks our first that the client offers, and none in common is none', async () => {
    const agreed: string[] = [];
    const handle: Handle = (webSocket) => agreed.push(webSocket.protocol);
    const port = await open({ subprotocols: ['b', 'a'] }, { '/': { handle } });
    expect(await selected(port, '/', 'a, b, c')).toBe('b');
    expect(await selected(port, '/', 'c, a')).toBe('a');
    expect(await selected(port, '/', 'c')).toBeUndefined();
    expect(agreed).toEqual(['b', 'a', '']);
  });

  test('a function is given what is offered and the request', async () => {
    const seen: unknown[] = [];
    const port = await open(
      {},
      {
        '/': {
          options: {
            subprotocols: (offered, { url }) => {
              seen.push([...offered], url);
              return offered.has('b') ? 'b' : false;
            },
          },
        },
      },
    );
    expect(await selected(port, '/', 'a, b')).toBe('b');
    expect(await selected(port, '/', 'a')).toBeUndefined();
    expect(seen).toEqual([['a', 'b'], '/', ['a'], '/']);
  });

  test('a function that answers what was not offered is our fault: 500', async () => {
    const { port, gateway } = await openSite(
      routing({ '/': { options: { subprotocols: () => 'other' } } }),
    );
    const reported = deferred<Error>();
    gateway.server.on('error', reported.resolve);
    const answer = await answerOf(await knock(port, { 'Sec-WebSocket-Protocol': 'a' }));
    expect(answer.status).toBe(500);
    expect((await reported.promise).message).toBe(
      `The option "subprotocols" answered 'other', which the client did not offer (RFC 6455 4.2.2)`,
    );
  });

  test('of a route go before handleProtocols of the gateway', async () => {
    const port = await open(
      { handleProtocols: () => 'a' },
      { '/own': { options: { subprotocols: ['b'] } }, '/none': {} },
    );
    expect(await selected(port, '/own', 'a, b')).toBe('b');
    expect(await selected(port, '/none', 'a, b')).toBe('a');
  });

  test('and handleProtocols at once throw', async () => {
    await expect(open({ subprotocols: ['a'], handleProtocols: () => 'a' }, {})).rejects.toThrow(
      new TypeError(
        'Only one of the options "subprotocols" and "handleProtocols" can be given: both pick the subprotocol',
      ),
    );
  });
});

test('routes with options share the topics of all', async () => {
  const handle: Handle = (webSocket) => {
    webSocket.subscribe('news');
    webSocket.send('subscribed');
  };
  const { port, gateway } = await openSite(
    routing({ '/own': { options: { maxPayload: 10 }, handle }, '/none': { handle } }),
  );
  const clients = [await enter(port, get('/own')), await enter(port, get('/none'))];
  for (const client of clients) await client.frame();
  expect(gateway.server.publish('news', 'hello')).toBe(2);
  for (const client of clients) expect((await client.frame())?.payload.toString()).toBe('hello');
});

test('functions among the options are given the request as the application knows it', async () => {
  const known = { name: 'the framework’s own' };
  const seen: unknown[] = [];
  const options = checkRouteOptions({
    origins: (_origin: string, request: unknown) => {
      seen.push(request);
      return true;
    },
    subprotocols: (_offered: Set<string>, request: unknown) => {
      seen.push(request);
      return false;
    },
    onError: (_error: unknown, _webSocket: WebSocket, request: unknown) => seen.push(request),
  });
  const { port } = await openSite((request) => {
    const handle: Handle = () => Promise.reject(new Error('broken'));
    upgradeOf(request)?.accept({ ...route(handle), options, request: known });
  });
  const client = await knock(port, { Origin: 'https://a.example', 'Sec-WebSocket-Protocol': 'a' });
  await client.head();
  expect(await closing(client)).toEqual([1011, '']);
  expect(seen).toEqual([known, known, known]);
});

describe('handshakeTimeout', () => {
  /** Comes to a route, and decides when it is told to. */
  function slow(options: RouteOptions | undefined, decided: Promise<void>): App {
    const checked = options && checkRouteOptions(options);
    return (request) => {
      const upgrade = upgradeOf(request);
      upgrade?.reach(checked);
      decided.then(() => upgrade?.accept({ ...route(() => undefined), options: checked }));
    };
  }

  test.each<[string, GatewayOptions, RouteOptions | undefined, number]>([
    ['of a route is shorter', {}, { handshakeTimeout: 50 }, 50],
    ['of a route is longer', { handshakeTimeout: 50 }, { handshakeTimeout: 70_000 }, 70_000],
    ['of a gateway holds where the route has none', { handshakeTimeout: 50 }, {}, 50],
  ])('that %s', async (_what, gateway, options, timeout) => {
    const { port } = await openSite(slow(options, new Promise(() => undefined)), gateway);
    useFakeTimeouts();
    const client = await knock(port);
    const answer = answerOf(client);
    while (jest.getTimerCount() === 0) await new Promise(setImmediate);

    // What has passed since the request counts, and is less than a tenth of it.
    jest.advanceTimersByTime(timeout * 0.9 - 1);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(timeout * 0.1 + 1);

    expect((await answer).status).toBe(503);
  });

  test('that is over when the framework comes to the route', async () => {
    const options = checkRouteOptions({ handshakeTimeout: 1 });
    const { port } = await openSite((request) => {
      setTimeout(() => upgradeOf(request)?.accept({ ...route(() => undefined), options }), 30);
    });
    const answer = await answerOf(await knock(port));
    expect(answer).toMatchObject({ status: 503, body: 'The handshake took too long' });
  });

  test('of a route does not hold for another that the request is passed on to', async () => {
    const short = checkRouteOptions({ handshakeTimeout: 20 });
    const { port } = await openSite((request) => {
      const upgrade = upgradeOf(request);
      upgrade?.reach(short);
      upgrade?.reach(undefined);
      setTimeout(() => upgrade?.accept(route((webSocket) => webSocket.send('in time'))), 60);
    });
    const client = await enter(port);
    expect((await client.frame())?.payload.toString()).toBe('in time');
  });
});

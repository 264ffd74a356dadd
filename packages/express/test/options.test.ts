import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { dial, open } from '@upwire/adapter-contract';
import { WebSocketServer as WsServer } from 'ws';
import { z } from 'zod';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

/** Calls `upwire` as a program in JavaScript may. */
const call = (...args: unknown[]) => Reflect.apply(upwire, undefined, args);

describe.each(VERSIONS)('%s: upwire()', (_name, express) => {
  test.each<[string, object, new (message: string) => Error, string]>([
    [
      'maxPayload -1',
      { maxPayload: -1 },
      RangeError,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    [
      'maxPayload NaN',
      { maxPayload: Number.NaN },
      RangeError,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got NaN',
    ],
    ['maxPayload 3 GiB', { maxPayload: 3 * 2 ** 30 }, RangeError, 'got 3221225472'],
    ['maxPayload 1.5', { maxPayload: 1.5 }, RangeError, 'got 1.5'],
    [
      'maxPayload as text',
      { maxPayload: '1mb' },
      TypeError,
      'The "maxPayload" option must be a number, got "1mb"',
    ],
    [
      'maxPayload null',
      { maxPayload: null },
      TypeError,
      'The "maxPayload" option must be a number, got null',
    ],
    [
      'handshakeTimeout 0',
      { handshakeTimeout: 0 },
      RangeError,
      'The "handshakeTimeout" option must be an integer from 1 to ',
    ],
    [
      'handshakeTimeout Infinity',
      { handshakeTimeout: Number.POSITIVE_INFINITY },
      RangeError,
      'got Infinity',
    ],
    [
      'closeTimeout 0',
      { closeTimeout: 0 },
      RangeError,
      'The "closeTimeout" option must be an integer from 1 to ',
    ],
    [
      'origins as text',
      { origins: 'x' },
      TypeError,
      'The option "origins" must be \'*\', a list of origins or a function',
    ],
    ['origins null', { origins: null }, TypeError, 'The option "origins" must be'],
    ['onError 5', { onError: 5 }, TypeError, 'The "onError" option must be a function, got 5'],
    [
      'autoPong "no"',
      { autoPong: 'no' },
      TypeError,
      'The "autoPong" option must be a boolean, got "no"',
    ],
    ['handleProtocols 5', { handleProtocols: 5 }, TypeError, 'handleProtocols'],
    [
      'leaveRouterUntouched 1',
      { leaveRouterUntouched: 1 },
      TypeError,
      'The "leaveRouterUntouched" option must be a boolean, got number',
    ],
    [
      'wsOptions null',
      { wsOptions: null },
      TypeError,
      'The "wsOptions" option must be an object of options, got null',
    ],
    [
      'wsOptions 5',
      { wsOptions: 5 },
      TypeError,
      'The "wsOptions" option must be an object of options, got 5',
    ],
    [
      'wsOptions.maxPayload',
      { wsOptions: { maxPayload: -1 } },
      RangeError,
      'The "maxPayload" option must be',
    ],
    [
      'wsOptions.port',
      { wsOptions: { port: 80 } },
      TypeError,
      'One and only one of the "port", "server", or "noServer" options',
    ],
  ])('%s throws', (_what, options, type, message) => {
    expect(() => call(express(), null, options)).toThrow(type);
    expect(() => call(express(), null, options)).toThrow(message);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a number', 5],
    ['text', 'options'],
  ])('options that are %s throw', (_what, options) => {
    expect(() => call(express(), null, options)).toThrow(
      new TypeError(`The third argument must be an object of options, got ${options}`),
    );
  });

  test.each<[string, unknown]>([
    ['options in its place', { maxPayload: 1 }],
    ['a port', 3000],
    ['an application', express()],
    ['another library’s server', new WsServer({ noServer: true })],
  ])('a server that is %s throws', (_what, server) => {
    expect(() => call(express(), server)).toThrow(TypeError);
    expect(() => call(express(), server)).toThrow(
      'The server must be one of node:http or node:https, got ',
    );
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a router', express.Router()],
    ['a server', createServer()],
    ['a function', () => undefined],
    ['Express itself', express],
  ])('an application that is %s throws', (_what, app) => {
    expect(() => call(app)).toThrow(
      new TypeError('The first argument must be an Express application'),
    );
  });

  test('undefined is the default, also where wsOptions says another thing', () => {
    const { getWss } = upwire(express(), undefined, {
      maxPayload: undefined,
      handshakeTimeout: undefined,
      origins: undefined,
      onError: undefined,
      leaveRouterUntouched: undefined,
      wsOptions: undefined,
    });
    expect(getWss().options).toMatchObject({ maxPayload: 1_048_576, closeTimeout: 10_000 });
  });

  test('wsOptions are options, and those beside them go first', () => {
    const { getWss } = upwire(express(), null, {
      maxPayload: 5,
      wsOptions: { maxPayload: 6, closeTimeout: 7 },
    });
    expect(getWss().options).toMatchObject({ maxPayload: 5, closeTimeout: 7 });
    const other = upwire(express(), null, { maxPayload: undefined, wsOptions: { maxPayload: 6 } });
    expect(other.getWss().options.maxPayload).toBe(6);
  });

  test('verifyClient of express-ws decides behind the middleware', async () => {
    const { port } = await openSite(
      express,
      (app) => {
        app.use((_request, response, next) => {
          response.set('X-Powered-By', 'tests');
          next();
        });
        app.ws('/chat', () => undefined);
      },
      {
        wsOptions: {
          verifyClient: ({ req }: { req: IncomingMessage }) =>
            req.headers.authorization === 'Bearer 1',
        },
      },
    );
    const refused = await dial(port, '/chat');
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'x-powered-by': 'tests', connection: 'close' },
    });
    expect((await dial(port, '/chat', { headers: { Authorization: 'Bearer 1' } })).status).toBe(
      101,
    );
  });
});

describe.each(VERSIONS)('%s: the options of a route', (_name, express) => {
  test('go before those of the application; routers and mounted applications take them as well', async () => {
    const echo = (webSocket: upwire.WebSocket) =>
      void webSocket.on('message', (text) => webSocket.send(text));
    const { port } = await openSite(
      express,
      (app, { applyTo }) => {
        const router = express.Router();
        const inner = express();
        applyTo(inner);
        app.ws('/app/:room', { maxPayload: 10 }, echo);
        router.ws('/', { maxPayload: 20 }, echo);
        inner.ws('/', { maxPayload: 30 }, echo);
        app.use('/router', router);
        app.use('/inner', inner);
        app.ws('/none', echo);
      },
      { maxPayload: 40 },
    );
    for (const [path, size] of [
      ['/app/1', 10],
      ['/router', 20],
      ['/inner', 30],
      ['/none', 40],
    ] as const) {
      const client = await open(port, path);
      expect(await client.ask('x'.repeat(size))).toBe('x'.repeat(size));
      client.send('x'.repeat(size + 1));
      expect(await client.closed).toEqual([1009, '']);
    }
  });

  test('stand in front of the middleware, which runs as ever', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws(
        '/chat/:room',
        { subprotocols: ['b', 'a'] },
        (request, response, next) => {
          response.set('X-Room', request.params.room);
          next();
        },
        [
          (request, response, next) => {
            if (request.query.token === '1') next();
            else response.status(401).send('no');
          },
        ],
        (webSocket) => webSocket.send(webSocket.protocol),
      );
    });
    expect(await dial(port, '/chat/red')).toMatchObject({ status: 401, body: 'no' });
    const { status, headers, client } = await dial(port, '/chat/red?token=1', {
      subprotocols: ['a', 'b'],
    });
    expect(status).toBe(101);
    expect(headers['x-room']).toBe('red');
    expect(await client.message()).toBe('b');
  });

  test('handshakeTimeout holds from the route’s own middleware on', async () => {
    const { port } = await openSite(
      express,
      (app) => {
        const slow = (_request: unknown, _response: unknown, next: () => void) =>
          void setTimeout(next, 60);
        app.ws('/longer', { handshakeTimeout: 10_000 }, slow, (webSocket) => webSocket.send('in'));
        app.ws('/none', slow, (webSocket) => webSocket.send('in'));
      },
      { handshakeTimeout: 20 },
    );
    expect(await (await open(port, '/longer')).message()).toBe('in');
    expect(await dial(port, '/none')).toMatchObject({ status: 503 });
  });

  test('functions are given Express’s request', async () => {
    const rooms: unknown[] = [];
    const { port } = await openSite(express, (app) => {
      app.ws(
        '/chat/:room',
        {
          origins: (_origin, { params }) => rooms.push(params.room) > 0,
          subprotocols: (_offered, { params }) => void rooms.push(params.room),
          onError: (_error, _webSocket, { params }) => rooms.push(params.room),
        },
        () => {
          throw new Error('broken');
        },
      );
    });
    const client = await open(port, '/chat/red', {
      origin: 'https://a.example',
      headers: { 'Sec-WebSocket-Protocol': 'a' },
    });
    expect(await client.closed).toEqual([1011, '']);
    expect(rooms).toEqual(['red', 'red', 'red']);
  });

  test.each<[string, object, new (message: string) => Error, string]>([
    [
      'maxPayload',
      { maxPayload: -1 },
      RangeError,
      'The "maxPayload" option must be an integer from 0 to 2147483647 bytes, got -1',
    ],
    [
      'verifyClient',
      { verifyClient: () => true },
      TypeError,
      "The option 'verifyClient' is not one of a single route",
    ],
  ])('%s throws where the route is declared', (_what, options, type, message) => {
    const { app } = upwire(express());
    const declare = () => Reflect.apply(app.ws, app, ['/chat', options, () => undefined]);
    expect(declare).toThrow(type);
    expect(declare).toThrow(message);
  });

  test.each<[string, unknown[]]>([
    ['alone', [{ maxPayload: 1 }]],
    ['behind middleware', [() => undefined, { maxPayload: 1 }, () => undefined]],
    ['twice', [{ maxPayload: 1 }, { maxPayload: 2 }, () => undefined]],
  ])('%s throw', (_what, args) => {
    const { app } = upwire(express());
    expect(() => Reflect.apply(app.ws, app, ['/chat', ...args])).toThrow(
      'ws() takes a path, options if any, middleware functions and, last, a handler function; ',
    );
  });
});

describe.each(VERSIONS)('%s: limits', (_name, express) => {
  test('maxConnections counts by the address that trust proxy says, or by what a function says', async () => {
    const { port } = await openSite(express, (app) => {
      app.set('trust proxy', 'loopback');
      app.ws('/address', { maxConnections: { perKey: 1 } }, () => undefined);
      app.ws(
        '/user',
        { maxConnections: { perKey: 1, key: ({ query }) => String(query.user) } },
        () => undefined,
      );
    });
    const from = async (address: string) =>
      (await dial(port, '/address', { headers: { 'X-Forwarded-For': address } })).status;
    expect(await from('192.0.2.1')).toBe(101);
    expect(await from('192.0.2.2')).toBe(101);
    expect(await from('192.0.2.1')).toBe(429);
    // Only the last address was added by the proxy that is trusted.
    expect(await from('192.0.2.3, 192.0.2.2')).toBe(429);

    expect((await dial(port, '/user?user=a')).status).toBe(101);
    expect((await dial(port, '/user?user=b')).status).toBe(101);
    const refused = await dial(port, '/user?user=a');
    expect(refused).toMatchObject({
      status: 429,
      headers: { connection: 'close' },
      body: 'Too many connections from this client',
    });
  });

  test('without trust proxy nobody chooses an address', async () => {
    const { port } = await openSite(express, (app) => void app.ws('/chat', () => undefined), {
      maxConnections: { perKey: 1 },
    });
    const from = async (address: string) =>
      (await dial(port, '/chat', { headers: { 'X-Forwarded-For': address } })).status;
    expect([await from('192.0.2.1'), await from('192.0.2.2')]).toEqual([101, 429]);
  });

  test('maxConnections of all routes is a 503', async () => {
    const { port } = await openSite(
      express,
      (app) => void app.ws('/a', () => undefined).ws('/b', () => undefined),
      { maxConnections: 1 },
    );
    await open(port, '/a');
    expect(await dial(port, '/b')).toMatchObject({
      status: 503,
      headers: { connection: 'close', 'retry-after': '10' },
    });
  });

  test('rateLimit', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', { rateLimit: { messages: 2, interval: 1_000_000 } }, (webSocket) => {
        webSocket.on('message', (text) => webSocket.send(text));
      });
    });
    const client = await open(port, '/chat');
    expect([await client.ask('a'), await client.ask('b')]).toEqual(['a', 'b']);
    client.send('c');
    expect(await client.closed).toEqual([1008, 'Too many messages']);
  });
});

describe.each(VERSIONS)('%s: message', (_name, express) => {
  test('hands over what the schema makes of a message, and answers what is wrong', async () => {
    const { port } = await openSite(express, (app) => {
      const message = z.object({ room: z.string(), count: z.number().default(1) });
      app.ws('/strict', { message }, (webSocket) => {
        webSocket.on('message', ({ room, count }) => webSocket.send(room.repeat(count)));
      });
      app.ws(
        '/polite/:name',
        {
          message,
          onInvalidMessage: ([issue], webSocket, { params }) =>
            webSocket.send(`${params.name}: ${issue.path?.join('.')}`),
        },
        (webSocket) => {
          webSocket.on('message', ({ room }) => webSocket.send(room));
        },
      );
    });
    const strict = await open(port, '/strict');
    expect(await strict.ask('{"room":"red"}')).toBe('red');
    expect(await strict.ask('{"room":"red","count":2}')).toBe('redred');
    strict.send('{"room":5}');
    expect(await strict.closed).toEqual([1007, 'The message is not valid']);

    const polite = await open(port, '/polite/alice');
    expect(await polite.ask('{"room":5}')).toBe('alice: room');
    expect(await polite.ask('{"room":"blue"}')).toBe('blue');
  });

  test('what a validator throws is told to the error middleware, once', async () => {
    const errors: unknown[] = [];
    const { port } = await openSite(express, (app) => {
      app.ws(
        '/chat',
        {
          message: () => {
            throw new Error('no database');
          },
        },
        () => undefined,
      );
      app.use((error: unknown, _request: unknown, _response: unknown, _next: unknown) => {
        errors.push(error);
      });
    });
    const client = await open(port, '/chat');
    client.send('1');
    client.send('2');
    expect(await client.closed).toEqual([1011, '']);
    expect(errors).toEqual([new Error('no database')]);
  });
});

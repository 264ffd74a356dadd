import { ServerResponse } from 'node:http';
import { dial, get, open } from '@upwire/adapter-contract';
import type { Application, Request } from 'express';
import { answerOf, cleanUp, knock } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, prepare, VERSIONS } from './support/site';

afterEach(cleanUp);

/** What a request came with, as JSON, for a handler to send. */
function shown(request: { params: unknown; query: unknown; baseUrl: string; url: string }): string {
  const { params, query, baseUrl, url } = request;
  return JSON.stringify({ params, query, baseUrl, url });
}

describe.each(VERSIONS)('%s: a route', (_name, express) => {
  const is5 = express === VERSIONS[0][1];

  test('has parameters, decoded, and a query', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws('/rooms/:room/:seat', (webSocket, request) => webSocket.send(shown(request)));
    });
    const client = await open(port, '/rooms/caf%C3%A9%20noir/7?a=1&b=2&b=3');
    expect(JSON.parse(await client.message())).toEqual({
      params: { room: 'caf\u00e9 noir', seat: '7' },
      query: { a: '1', b: ['2', '3'] },
      baseUrl: '',
      url: '/rooms/caf%C3%A9%20noir/7?a=1&b=2&b=3',
    });
  });

  test('whose parameter cannot be decoded is 400', async () => {
    const { port } = await openSite(express, (app) => {
      app.set('env', 'test');
      app.ws('/rooms/:room', () => undefined);
    });
    const { status } = await answerOf(await knock(port, {}, 'GET /rooms/%E0%A4%A HTTP/1.1'));
    expect(status).toBe(400);
  });

  test.each<[string, string | RegExp | (string | RegExp)[], string, object]>([
    ['a list of paths', ['/one', '/two/:x'], '/two/5', { x: '5' }],
    ['a regular expression', /^\/files\/(.+)\.(txt|md)$/, '/files/a/b.md', { 0: 'a/b', 1: 'md' }],
    ['both', ['/one', /^\/t(w)o$/], '/two', { 0: 'w' }],
    is5
      ? ['a wildcard', '/any/*rest', '/any/a/b', { rest: ['a', 'b'] }]
      : ['a wildcard', '/any/*', '/any/a/b', { 0: 'a/b' }],
    ['any case', '/CaSe', '/case', {}],
    ['a slash behind', '/slash', '/slash/', {}],
  ])('takes %s', async (_what, path, url, params) => {
    const { port } = await openSite(express, (app) => {
      app.ws(path, (webSocket, request) => webSocket.send(shown(request)));
    });
    const client = await open(port, url);
    expect(JSON.parse(await client.message())).toMatchObject({ params });
  });

  test('keeps to the settings of the application', async () => {
    const { port } = await openSite(express, (app) => {
      app.enable('case sensitive routing');
      app.enable('strict routing');
      app.ws('/Exact', (webSocket) => webSocket.send('exact'));
    });
    expect(await (await open(port, '/Exact')).message()).toBe('exact');
    expect((await dial(port, '/exact')).status).toBe(404);
    expect((await dial(port, '/Exact/')).status).toBe(404);
  });

  test('in routers in routers, with and without mergeParams', async () => {
    const { port } = await openSite(express, (app) => {
      const inner = express.Router({ mergeParams: true });
      inner.ws('/in/:x', (webSocket, request) => webSocket.send(shown(request)));
      const outer = express.Router({ mergeParams: true });
      outer.use('/at/:y', inner);
      app.use('/sub/:z', outer);
      const forgetful = express.Router();
      forgetful.ws('/:x', (webSocket, request) => webSocket.send(shown(request)));
      app.use('/forget/:z', forgetful);
    });
    const client = await open(port, '/sub/1/at/2/in/3?q=4');
    expect(JSON.parse(await client.message())).toEqual({
      params: { x: '3', y: '2', z: '1' },
      query: { q: '4' },
      baseUrl: '/sub/1/at/2',
      url: '/in/3?q=4',
    });
    const other = await open(port, '/forget/1/2');
    expect(JSON.parse(await other.message()).params).toEqual({ x: '2' });
  });

  test('in a router that is mounted at several paths, and is one of a list', async () => {
    const { port } = await openSite(express, (app) => {
      const router = express.Router();
      router.ws('/x', (webSocket, request) => webSocket.send(request.baseUrl));
      app.use(['/a', '/b'], [express.Router(), router]);
    });
    expect(await (await open(port, '/a/x')).message()).toBe('/a');
    expect(await (await open(port, '/b/x')).message()).toBe('/b');
  });

  test.each<[string, (app: Application) => Application]>([
    ['that has got ws by upwire()', (app) => upwire(app).app],
    ['that has got ws by applyTo()', (app) => app],
  ])('in an application in an application %s', async (how, give) => {
    const { port } = await openSite(express, (app, { applyTo }) => {
      const innermost = give(express());
      const inner = give(express());
      if (how.includes('applyTo')) for (const each of [inner, innermost]) applyTo(each);
      innermost.ws('/in/:x', (webSocket, request) => webSocket.send(shown(request)));
      inner.get('/page', (_request, response) => void response.send('inner page'));
      inner.use('/deep', innermost);
      inner.ws('/top', (webSocket) => webSocket.send('top'));
      app.use('/sub', inner);
      app.ws('/sub/behind', (webSocket) => webSocket.send('behind'));
      app.get('/sub/deep/in/:x', (_request, response) => void response.send('page behind'));
      app.use((_request, response) => void response.status(404).send('nothing'));
    });
    expect(JSON.parse(await (await open(port, '/sub/deep/in/3')).message())).toMatchObject({
      params: { x: '3' },
      baseUrl: '/sub/deep',
    });
    expect(await (await open(port, '/sub/top')).message()).toBe('top');
    // What the inner applications leave over is for the outer one to answer.
    expect(await (await open(port, '/sub/behind')).message()).toBe('behind');
    expect(await get(port, '/sub/deep/in/3')).toMatchObject({ status: 200, body: 'page behind' });
    expect(await get(port, '/sub/page')).toMatchObject({ status: 200, body: 'inner page' });
    expect(await dial(port, '/sub/nothing')).toMatchObject({ status: 404, body: 'nothing' });
    expect(await get(port, '/sub/top')).toMatchObject({ status: 404, body: 'nothing' });
  });

  test('runs app.param and router.param', async () => {
    const calls: string[] = [];
    const { port } = await openSite(express, (app) => {
      app.param('room', (_request, response, next, room) => {
        calls.push(`app ${room}`);
        if (room === 'secret') response.status(403).send('no such room');
        else next();
      });
      const router = express.Router();
      router.param('seat', (_request, _response, next, seat) => {
        calls.push(`router ${seat}`);
        next();
      });
      router.ws('/:seat', (webSocket) => webSocket.send(calls.join(', ')));
      app.use('/rooms/:room', router);
    });
    expect(await (await open(port, '/rooms/red/7')).message()).toBe('app red, router 7');
    expect(await dial(port, '/rooms/secret/7')).toMatchObject({
      status: 403,
      body: 'no such room',
    });
  });

  test('may be followed by another for the same path', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws(
        '/chat',
        (request, _response, next) => next(request.query.second ? 'route' : undefined),
        (webSocket) => webSocket.send('first'),
      );
      app.ws('/chat', (webSocket) => webSocket.send('second'));
    });
    expect(await (await open(port, '/chat')).message()).toBe('first');
    expect(await (await open(port, '/chat?second=1')).message()).toBe('second');
  });

  test('added while the application runs', async () => {
    const { port, app } = await openSite(express, () => undefined);
    expect((await dial(port, '/late')).status).toBe(404);
    app.ws('/late', (webSocket) => webSocket.send('here'));
    expect(await (await open(port, '/late')).message()).toBe('here');
  });
});

describe.each(VERSIONS)('%s: plain requests', (_name, express) => {
  test('get 426 also where middleware has said what type the page has; HEAD as well', async () => {
    const { port } = await openSite(express, (app) => {
      app.use((_request, response, next) => {
        response.type('json');
        next();
      });
      app.ws('/chat', () => undefined);
    });
    const { status, headers } = await get(port, '/chat');
    expect([status, headers.get('content-type')]).toEqual([426, 'text/plain; charset=utf-8']);
    expect(await get(port, '/chat', { method: 'HEAD' })).toMatchObject({ status: 426, body: '' });
  });

  test('do not run the route’s own middleware', async () => {
    const middleware = jest.fn();
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', middleware, () => undefined);
    });
    expect((await get(port, '/chat')).status).toBe(426);
    expect(middleware).not.toHaveBeenCalled();
  });

  test('to a page of the same path behind the route get the page', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', (webSocket) => webSocket.send('a message'));
      app.get('/chat', (_request, response) => void response.send('a page'));
    });
    expect(await get(port, '/chat')).toMatchObject({ status: 200, body: 'a page' });
    expect(await (await open(port, '/chat')).message()).toBe('a message');
  });

  test('to a page of the same path in front of the route get the page, and so do WebSockets that it does not let by', async () => {
    const { port } = await openSite(express, (app) => {
      app.get('/closed', (_request, response) => void response.send('a page'));
      app.ws('/closed', (webSocket) => webSocket.send('a message'));
      app.get('/open', (request, response, next) => {
        if (request.get('Upgrade')) next();
        else response.send('a page');
      });
      app.ws('/open', (webSocket) => webSocket.send('a message'));
    });
    for (const path of ['/closed', '/open']) {
      expect(await get(port, path)).toMatchObject({ status: 200, body: 'a page' });
    }
    // Whatever is in front may be a guard, such as `app.all('/admin/*', requireAdmin)`: nothing is skipped.
    expect(await dial(port, '/closed')).toMatchObject({ status: 200, body: 'a page' });
    expect(await (await open(port, '/open')).message()).toBe('a message');
  });

  test('fall through to a catch-all of a single page application', async () => {
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', (webSocket) => webSocket.send('a message'));
      app.use((_request, response) => void response.send('<div id="app">'));
    });
    expect(await get(port, '/chat')).toMatchObject({ status: 200, body: '<div id="app">' });
    expect(await get(port, '/other')).toMatchObject({ status: 200, body: '<div id="app">' });
    expect(await (await open(port, '/chat')).message()).toBe('a message');
  });
});

describe.each(VERSIONS)('%s: ws()', (_name, express) => {
  const handler = () => undefined;
  const { app } = prepare(express);

  test('returns what it was called on', () => {
    const router = express.Router();
    expect(app.ws('/a', handler)).toBe(app);
    expect(app.ws('/a', handler).get('/b', handler).ws('/c', handler)).toBe(app);
    expect(router.ws('/a', handler).ws('/b', [handler], handler)).toBe(router);
  });

  test.each<[string, unknown[], string]>([
    ['no handler', ['/a'], 'it got no function for /a'],
    ['an empty list', ['/a', []], 'it got no function for /a'],
    ['undefined', ['/a', undefined], 'it got a value of type undefined for /a'],
    ['undefined in front', ['/a', undefined, handler], 'it got a value of type undefined for /a'],
    ['a promise', ['/a', Promise.resolve()], 'it got a value of type object for /a'],
    ['a string', [/x/, 'handler'], 'it got a value of type string for /x/'],
    ['options', ['/a', handler, { maxPayload: 1 }], 'it got a value of type object for /a'],
    ['no path', [handler], 'it got no function for'],
  ])('throws for %s', (_what, args, message) => {
    for (const target of [app, express.Router()]) {
      const add = () => Reflect.apply(target.ws, target, args);
      expect(add).toThrow(TypeError);
      expect(add).toThrow(
        'ws() takes a path, options if any, middleware functions and, last, a handler function; ',
      );
      expect(add).toThrow(message);
    }
  });
});

describe.each(VERSIONS)('%s: the response of a handshake', (_name, express) => {
  test('is one of the application that answers it', async () => {
    const inner = express();
    const { port } = await openSite(express, (app, { applyTo }) => {
      Object.assign(responsesOf(app), { greet: () => 'outer' });
      Object.assign(responsesOf(inner), { greet: () => 'inner' });
      app.use((_request, response, next) => {
        expect(response).toBeInstanceOf(ServerResponse);
        expect(Object.getPrototypeOf(response)).toBe(responsesOf(app));
        next();
      });
      app.ws('/outer', (webSocket, request) => webSocket.send(greetingOf(request)));
      app.use('/mounted', inner);
      applyTo(inner);
      inner.ws('/inner', (webSocket, request) => webSocket.send(greetingOf(request)));
    });
    expect(await (await open(port, '/outer')).message()).toBe('outer');
    expect(await (await open(port, '/mounted/inner')).message()).toBe('inner');
  });
});

/** What an application's responses inherit from; its types do not say. */
function responsesOf(app: Application): object {
  return (app as Application & { response: object }).response;
}

function greetingOf({ res }: Request): string {
  return (res as unknown as { greet: () => string }).greet();
}

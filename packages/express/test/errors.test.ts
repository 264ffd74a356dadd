import { framesBehind101, open } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import type { ErrorRequestHandler } from 'express';
import { cleanUp } from '../../engine/test/support/site';
import type { App, Express } from './support/site';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

const BOOM = new Error('boom');

function boom(): never {
  throw BOOM;
}

async function later(): Promise<never> {
  await new Promise(setImmediate);
  throw BOOM;
}

/** Handlers that fail when a message comes, or before. */
const FAULTS: Record<string, (webSocket: WebSocket) => unknown> = {
  'a handler that throws': boom,
  'a handler that rejects': later,
  'a listener that throws': (webSocket) => webSocket.on('message', boom),
  'a listener that rejects': (webSocket) => webSocket.on('message', later),
};

const ONLY_1011 = ['88 03f3'];

async function openFaulty(
  express: Express,
  fault: (webSocket: WebSocket) => unknown,
  behind: (app: App) => void = () => undefined,
  options?: Parameters<typeof openSite>[2],
) {
  return openSite(
    express,
    (app) => {
      app.ws('/echo', (webSocket) =>
        webSocket.on('message', (text) => webSocket.send(`got ${text}`)),
      );
      app.ws('/faulty', (webSocket) => fault(webSocket));
      behind(app);
    },
    options,
  );
}

describe.each(VERSIONS)('%s', (_name, express) => {
  describe.each(Object.entries(FAULTS))('%s', (_what, fault) => {
    test('is 1011; error middleware sees it once, and what that answers reaches nobody', async () => {
      const seen: unknown[] = [];
      const handler: ErrorRequestHandler = (error, request, response, _next) => {
        seen.push([error, request.path, response.headersSent]);
        response.status(500).set('X-Late', '1').json({ error: 'sorry' });
        seen.push('answered');
      };
      const { port } = await openFaulty(express, fault, (app) => app.use(handler));
      const other = await open(port, '/echo');

      expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);

      expect(seen).toEqual([[BOOM, '/faulty', false], 'answered']);
      expect(await other.ask('still there')).toBe('got still there');
    });
  });

  test('onError is given Express’s request, and error middleware nothing', async () => {
    const seen: unknown[] = [];
    const middleware = jest.fn();
    const { port } = await openFaulty(
      express,
      boom,
      (app) =>
        app.use(((error, _request, _response, next) => {
          middleware();
          next(error);
        }) as ErrorRequestHandler),
      { onError: (error, _webSocket, request) => seen.push([error, request.path]) },
    );
    expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
    expect(seen).toEqual([[BOOM, '/faulty']]);
    expect(middleware).not.toHaveBeenCalled();
  });

  test('where there is neither, it is in Express’s own log', async () => {
    const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    try {
      const { port } = await openFaulty(express, boom, (app) => app.set('env', 'development'));

      expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);

      // The error in Express 5, its stack in Express 4.
      expect(log.mock.calls.map(([first]) => String(first).split('\n')[0])).toEqual([
        'Error: boom',
      ]);
    } finally {
      log.mockRestore();
    }
  });

  test.each<[string, ErrorRequestHandler]>([
    [
      'writes piece by piece',
      (_error, _request, response, _next) => {
        response.writeHead(500, { 'Content-Type': 'text/plain' });
        response.write('a');
        response.end('b');
      },
    ],
    ['redirects', (_error, _request, response, _next) => response.redirect('/error')],
    ['passes it on', (error, _request, _response, next) => next(error)],
    [
      'fails itself',
      (_error, _request, _response, _next) => {
        throw new Error('second');
      },
    ],
    ['sends a file', (_error, _request, response, _next) => response.sendFile(__filename)],
  ])('error middleware that %s harms nobody', async (_what, handler) => {
    const { port } = await openFaulty(express, boom, (app) => {
      app.set('env', 'test');
      app.use(handler);
    });
    const other = await open(port, '/echo');
    expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
    expect(await other.ask('still there')).toBe('got still there');
  });

  test.each([undefined, null, 0, ''])('a rejection with %p is an error, too', async (value) => {
    const seen: unknown[] = [];
    const { port } = await openFaulty(
      express,
      () => Promise.reject(value),
      (app) =>
        app.use(((error, _request, response, _next) => {
          seen.push(error);
          response.end();
        }) as ErrorRequestHandler),
    );
    expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
    expect(seen).toEqual([new Error(`A WebSocket handler failed with ${value}`)]);
  });

  test('a handler that calls next() leaves the WebSocket as it is', async () => {
    const behind = jest.fn((_request, response) => void response.send('a page'));
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', (webSocket, _request, next) => {
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
        next();
      });
      app.ws('/chat', (webSocket) => webSocket.send('a second handler'));
      app.use(behind);
    });
    const client = await open(port, '/chat');
    expect(await client.ask('hi')).toBe('got hi');
  });

  test('a handler that calls next(error) has it reported, and goes on', async () => {
    const seen: unknown[] = [];
    const { port } = await openSite(express, (app) => {
      app.ws('/chat', (webSocket, _request, next) => {
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
        next(BOOM);
      });
      app.use(((error, _request, response, _next) => {
        seen.push(error);
        response.status(500).send('sorry');
      }) as ErrorRequestHandler);
    });
    const client = await open(port, '/chat');
    expect(await client.ask('hi')).toBe('got hi');
    expect(seen).toEqual([BOOM]);
  });
});

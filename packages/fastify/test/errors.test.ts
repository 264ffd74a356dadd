import { resolve } from 'node:path';
import { connectTo, dial, open } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { startProgram } from '../../engine/test/support/programs';
import { request } from '../../engine/test/support/raw-client';
import { answerOf, cleanUp, enter, knock, masked } from '../../engine/test/support/site';
import type { SiteOptions } from './support/site';
import { openSite } from './support/site';

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

/** All bytes behind the 101, as frames; anything else fails the test. */
async function framesBehind101(port: number, path: string): Promise<string[]> {
  const client = await enter(port, `GET ${path} HTTP/1.1`);
  client.write(masked({ opcode: 1, payload: 'hi' }));
  const frames: string[] = [];
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    frames.push(`${frame.first.toString(16)} ${frame.payload.toString('hex')}`);
    if (frame.first === 0x88) client.write(masked({ opcode: 8, payload: frame.payload }));
  }
  return frames;
}

const ONLY_1011 = ['88 03f3'];

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly reqId?: string;
  readonly err?: { readonly message: string };
}

async function openFaulty(fault: (webSocket: WebSocket) => unknown, options: SiteOptions = {}) {
  const lines: LogLine[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const errorHandler = jest.fn((_error, _request, reply: FastifyReply) => {
    reply.code(500).send('sorry');
  });
  const onError = jest.fn(async () => undefined);
  const { port, app } = await openSite(
    (app) => {
      app.setErrorHandler(errorHandler);
      app.addHook('onError', onError);
      app.get('/echo', { websocket: true }, (webSocket) => {
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      });
      app.get('/faulty/:id', { websocket: true }, (webSocket) => fault(webSocket));
    },
    { fastify: { logger: { level: 'error', stream } }, ...options },
  );
  return { port, app, lines, errorHandler, onError };
}

describe.each(Object.entries(FAULTS))('%s', (_what, fault) => {
  test('is 1011, and one line in the log of the request', async () => {
    const { port, lines, errorHandler, onError } = await openFaulty(fault);
    const other = await open(port, '/echo');

    expect(await framesBehind101(port, '/faulty/1')).toEqual(ONLY_1011);

    expect(lines).toMatchObject([
      { level: 50, msg: 'A WebSocket handler failed', reqId: 'req-2', err: { message: 'boom' } },
    ]);
    // They answer requests, and this one has been answered.
    expect(errorHandler).not.toHaveBeenCalled();
    expect(onError).not.toHaveBeenCalled();
    expect(await other.ask('still there')).toBe('got still there');
  });

  test('is 1011; with onError, only that is told', async () => {
    const seen: unknown[] = [];
    const errorHandler = jest.fn();
    const { port, lines } = await openFaulty(fault, {
      onError: (error, webSocket, { params, ws }) => {
        seen.push([error, webSocket.readyState, params, ws]);
      },
      errorHandler,
    });

    expect(await framesBehind101(port, '/faulty/7')).toEqual(ONLY_1011);

    expect(seen).toEqual([[BOOM, 2, { id: '7' }, true]]);
    expect(lines).toEqual([]);
    expect(errorHandler).not.toHaveBeenCalled();
  });

  test('is 1011; with errorHandler, only that is told', async () => {
    const seen: unknown[] = [];
    const site = await openFaulty(fault, {
      errorHandler(error, webSocket, req: FastifyRequest, reply: FastifyReply) {
        seen.push([error, webSocket.readyState, req.params, reply.statusCode, reply.sent]);
        seen.push(this === site.app);
      },
    });

    expect(await framesBehind101(site.port, '/faulty/7')).toEqual(ONLY_1011);

    expect(seen).toEqual([[BOOM, 2, { id: '7' }, 101, true], true]);
    expect(site.lines).toEqual([]);
  });

  test('may be ended by errorHandler without a word', async () => {
    const { port } = await openFaulty(fault, {
      errorHandler: (_error, webSocket) => webSocket.terminate(),
    });
    const client = await enter(port, 'GET /faulty/1 HTTP/1.1');
    client.write(masked({ opcode: 1, payload: 'hi' }));
    await client.closed;
  });

  test('whose errorHandler answers with a page harms nobody', async () => {
    const { port } = await openFaulty(fault, {
      errorHandler: (_error, _webSocket, _request, reply) => {
        reply.code(500).send('sorry');
        reply.raw.writeHead(500).end('sorry');
      },
    });
    expect(await framesBehind101(port, '/faulty/1')).toEqual(ONLY_1011);
  });
});

test.each([undefined, null, 0, 'text'])('a rejection with %p is an error, too', async (value) => {
  const seen: unknown[] = [];
  const { port } = await openFaulty(() => Promise.reject(value), {
    onError: (error) => seen.push(error),
  });
  expect(await framesBehind101(port, '/faulty/1')).toEqual(ONLY_1011);
  expect(seen).toEqual([value]);
});

test('a connection listener that throws is told of, and keeps the handler from running', async () => {
  const handler = jest.fn();
  const { port, app, lines } = await openFaulty(handler);
  app.websocketServer.on('connection', boom);
  expect(await framesBehind101(port, '/faulty/1')).toEqual(ONLY_1011);
  expect(handler).not.toHaveBeenCalled();
  expect(lines).toMatchObject([{ msg: 'A WebSocket handler failed', err: { message: 'boom' } }]);
});

test('the onError of a route goes before that of all', async () => {
  const seen: unknown[] = [];
  const { port } = await openSite(
    (app) => {
      app.get(
        '/faulty',
        { websocket: { onError: (error, _webSocket, { url }) => seen.push([error, url]) } },
        boom,
      );
    },
    { onError: boom },
  );
  expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
  expect(seen).toEqual([[BOOM, '/faulty']]);
});

describe('an option that fails before the 101 is answered by the error handler', () => {
  test.each<[string, unknown, string]>([
    ['an Error', BOOM, 'boom'],
    ['text', 'no origin', 'A WebSocket handshake failed with no origin'],
  ])('%s', async (_what, reason, message) => {
    const handler = jest.fn();
    const { port } = await openSite(
      (app) => {
        app.setErrorHandler((error: Error, _request, reply) => {
          reply.code(503).send(error.message);
        });
        app.get('/chat', { websocket: true }, handler);
      },
      { origins: () => Promise.reject(reason) },
    );
    const { status, body, headers } = await dial(port, '/chat', { origin: 'http://a.example' });
    expect([status, body, headers.connection]).toEqual([503, message, 'close']);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe('a client that goes away', () => {
  test.each(['onRequest', 'preHandler', 'onSend'] as const)('in %s harms nobody', async (hook) => {
    const handler = jest.fn();
    let reached = (): void => undefined;
    const inHook = new Promise<void>((settle) => {
      reached = settle;
    });
    let goOn = (): void => undefined;
    const { port, app } = await openSite((app) => {
      const wait = async ({ url }: FastifyRequest) => {
        if (url !== '/chat') return;
        reached();
        await new Promise<void>((settle) => {
          goOn = settle;
        });
      };
      if (hook === 'onSend') app.addHook('onSend', wait);
      else if (hook === 'preHandler') app.addHook('preHandler', wait);
      else app.addHook('onRequest', wait);
      app.get('/chat', { websocket: true }, handler);
      app.get('/other', { websocket: true }, (webSocket) => webSocket.send('hello'));
    });
    const client = await connectTo(port);
    client.write(request({}, 'GET /chat HTTP/1.1'));
    await inHook;
    const [socket] = await new Promise<unknown[]>((settle) =>
      app.server.getConnections((...it) => settle(it)),
    );
    expect(socket).toBeNull();
    client.reset();
    // What comes later on another connection is read later.
    expect(await (await open(port, '/other')).message()).toBe('hello');
    goOn();
    await new Promise(setImmediate);
    expect(await (await open(port, '/other')).message()).toBe('hello');
    expect(handler).not.toHaveBeenCalled();
  });
});

test('nothing of this ends a process, and then it ends by itself', async () => {
  const program = startProgram(resolve(__dirname, 'programs/faults.ts'));
  const port = Number(await program.line());
  const other = await open(port, '/echo');
  for (const path of ['/throws', '/rejects', '/listener', '/async-listener', '/late']) {
    expect(await framesBehind101(port, path)).toEqual(ONLY_1011);
  }
  const bad = await enter(port, 'GET /echo HTTP/1.1');
  bad.write(Buffer.from([0x81, 0x01, 0x61]));
  expect((await bad.frame())?.payload).toEqual(Buffer.from([0x03, 0xea]));
  for (const [path, expected] of [
    ['/throws-before', 500],
    ['/throws-in-onsend', 500],
    ['/nowhere', 404],
    ['/%E0%A4%A', 400],
    // Answered in the application's place, which answers all the same, later.
    ['/slow-store', 503],
  ] as const) {
    const { status } = await answerOf(await knock(port, {}, `GET ${path} HTTP/1.1`));
    expect([path, status]).toEqual([path, expected]);
  }
  expect(await program.line()).toBe('stored');
  for (const path of ['/hangs', '/hangs-in-onsend']) {
    const gone = await knock(port, {}, `GET ${path} HTTP/1.1`);
    expect(await program.line()).toBe('hanging');
    gone.reset();
    expect(await program.line()).toBe('gone');
  }
  expect(await other.ask('still there')).toBe('got still there');

  program.send('close');
  expect((await other.closed)[0]).toBe(1001);
  expect(await program.line()).toBe('closed');
  const { code, signal, errors } = await program.ended;
  expect([code, signal]).toEqual([0, null]);
  for (const text of ['throws', 'rejects', 'listener', 'async listener', 'late']) {
    expect(errors.split(`"message":"${text}"`)).toHaveLength(2);
  }
});

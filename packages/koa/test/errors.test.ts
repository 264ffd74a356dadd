import { resolve } from 'node:path';
import { dial, open } from '@upwire/adapter-contract';
import type { WebSocket } from '@upwire/engine/internal';
import type { ParameterizedContext } from 'koa';
import { startProgram } from '../../engine/test/support/programs';
import { answerOf, cleanUp, enter, knock } from '../../engine/test/support/site';
import type upwire from '../src/index';
import { framesBehind101, ONLY_1011 } from './support/frames';
import type { KoaClass } from './support/site';
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

/** Where the handler stands: behind the 101 of a route, or of `ctx.ws()`. */
const PATHS = ['/faulty', '/committed'];

async function openFaulty(
  Koa: KoaClass,
  fault: (webSocket: WebSocket) => unknown,
  options?: upwire.Options,
) {
  const told: [unknown, string | undefined][] = [];
  const site = await openSite(
    Koa,
    (app) => {
      app.on('error', (error, context?: ParameterizedContext) => {
        told.push([error, context?.path]);
      });
      app.ws('/echo', (webSocket) =>
        webSocket.on('message', (text) => webSocket.send(`got ${text}`)),
      );
      app.ws('/faulty', (webSocket) => fault(webSocket));
      app.use(async (context) => {
        if (context.ws) await fault(await context.ws());
      });
    },
    options,
  );
  return { ...site, told };
}

describe.each(VERSIONS)('%s', (_name, Koa) => {
  describe.each(Object.entries(FAULTS))('%s', (_what, fault) => {
    test.each(PATHS)('is 1011, and told once by the error event (%s)', async (path) => {
      const { port, told } = await openFaulty(Koa, fault);
      const other = await open(port, '/echo');

      expect(await framesBehind101(port, path)).toEqual(ONLY_1011);

      expect(told).toEqual([[BOOM, path]]);
      expect(await other.ask('still there')).toBe('got still there');
    });

    test.each(PATHS)('is 1011; with onError, only that is told (%s)', async (path) => {
      const seen: unknown[] = [];
      const { port, told } = await openFaulty(Koa, fault, {
        onError: (error, webSocket, context) => {
          seen.push([error, webSocket.readyState, context.path]);
        },
      });

      expect(await framesBehind101(port, path)).toEqual(ONLY_1011);

      expect(seen).toEqual([[BOOM, 2, path]]);
      expect(told).toEqual([]);
    });

    test('is 1011, and in Koa’s own log where there is nothing else', async () => {
      const log = jest.spyOn(console, 'error').mockImplementation(() => undefined);
      try {
        const { port } = await openSite(Koa, (app) => {
          app.removeAllListeners('error');
          app.ws('/faulty', (webSocket) => fault(webSocket));
        });

        expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);

        expect(log.mock.calls).toEqual([[expect.stringMatching(/^\n {2}Error: boom\n {6}at /)]]);
      } finally {
        log.mockRestore();
      }
    });
  });

  test.each([undefined, null, 0, '', 'text'])(
    'a rejection with %p is an error, too',
    async (value) => {
      const { port, told } = await openFaulty(Koa, () => Promise.reject(value));
      expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
      expect(told).toEqual([[new Error(`A WebSocket handler failed with ${value}`), '/faulty']]);
      expect((told[0][0] as Error).cause).toBe(value);
    },
  );

  test('ctx.throw() in a handler comes too late for an answer', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.ws('/faulty', (_webSocket, context) => context.throw(401, 'no'));
    });
    expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
    expect(errors).toEqual([expect.objectContaining({ status: 401, message: 'no' })]);
  });

  test('a handler that answers as if it were a page harms nobody', async () => {
    const { port, errors } = await openSite(Koa, (app) => {
      app.ws('/chat', (webSocket, context) => {
        context.status = 500;
        context.body = 'a page';
        context.set('X-Late', '1');
        context.cookies.set('late', '1');
        context.res.write('HTTP/1.1 500');
        context.res.end('more');
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      });
    });
    const client = await open(port, '/chat');
    expect(await client.ask('hi')).toBe('got hi');
    expect(errors).toEqual([]);
  });

  test('an error listener that fails is a warning; the client gets its 1011', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    try {
      const { port } = await openSite(Koa, (app) => {
        app.on('error', () => {
          throw new Error('second');
        });
        app.ws('/faulty', boom);
        app.use(boom);
      });
      expect(await framesBehind101(port, '/faulty')).toEqual(ONLY_1011);
      expect(await dial(port, '/broken')).toMatchObject({
        status: 500,
        body: 'Internal Server Error',
      });
      expect(warn.mock.calls).toEqual([[new Error('second')], [new Error('second')]]);
    } finally {
      warn.mockRestore();
    }
  });

  test('an error of the option origins is Koa’s to answer', async () => {
    const { port, errors } = await openSite(Koa, (app) => void app.ws('/chat', () => undefined), {
      origins: () => Promise.reject(BOOM),
    });
    expect(await dial(port, '/chat', { origin: 'http://a.example' })).toMatchObject({
      status: 500,
      body: 'Internal Server Error',
    });
    expect(errors).toEqual([BOOM]);
  });
});

test.each(['koa', 'koa2'])('nothing of this ends a process (%s)', async (version) => {
  const program = startProgram(resolve(__dirname, 'programs/faults.ts'), version);
  const port = Number(await program.line());
  const other = await open(port, '/echo');
  const failing = ['/throws', '/rejects', '/listener', '/async-listener', '/late', '/committed'];
  for (const path of failing) expect(await framesBehind101(port, path)).toEqual(ONLY_1011);
  const bad = await enter(port, 'GET /echo HTTP/1.1');
  bad.write(Buffer.from([0x81, 0x01, 0x61]));
  expect((await bad.frame())?.payload).toEqual(Buffer.from([0x03, 0xea]));
  for (const path of ['/throws-before', '/nowhere', '/%E0%A4%A']) {
    const { status } = await answerOf(await knock(port, {}, `GET ${path} HTTP/1.1`));
    expect([404, 500]).toContain(status);
  }
  // A refused `ctx.ws()` that is awaited only later, and one whose client has gone.
  const evil = await answerOf(
    await knock(port, { Origin: 'http://evil.example' }, 'GET /awaits-later HTTP/1.1'),
  );
  expect(evil.status).toBe(403);
  expect(await program.line()).toBe('refused: The WebSocket handshake was not accepted');
  for (const path of ['/hangs', '/hangs-on-the-way-back', '/hangs-before-ws']) {
    const gone = await knock(port, {}, `GET ${path} HTTP/1.1`);
    expect(await program.line()).toBe('hanging');
    gone.reset();
    expect(await program.line()).toBe('gone');
  }
  expect(await other.ask('still there')).toBe('got still there');

  program.send('close');
  expect((await other.closed)[0]).toBe(1001);
  const { code, signal, errors } = await program.ended;
  expect([code, signal]).toEqual([0, null]);
  for (const text of ['throws', 'rejects', 'listener', 'async listener', 'late', 'committed']) {
    expect(errors.match(new RegExp(`^ *Error: ${text}$`, 'gm'))).toHaveLength(1);
  }
});

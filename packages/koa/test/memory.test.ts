import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { enterAt } from '@upwire/adapter-contract';
import type { Middleware, ParameterizedContext } from 'koa';
import { cleanUp } from '../../engine/test/support/site';
import upwire from '../src/index';
import { openSite, VERSIONS } from './support/site';

afterEach(cleanUp);

setFlagsFromString('--expose-gc');
// Not the test environment's global, which was made before the flag.
const collectGarbage = runInNewContext('gc') as () => void;

/** What of the named things is let go of within some turns of the event loop, each with a collection. */
async function collected(references: Map<string, WeakRef<object>>): Promise<string[]> {
  const gone = (): string[] =>
    [...references].filter(([, it]) => it.deref() === undefined).map(([name]) => name);
  // The last to let go of it may be a timer, or the socket's other end.
  for (let turn = 0; turn < 30 && gone().length < references.size; turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn));
    collectGarbage();
  }
  return gone();
}

const PARTS = ['context', 'request', 'response', 'req', 'res'];

/** Notes the parts of every context. */
function noting(references: Map<string, WeakRef<object>>): Middleware {
  return (context, next) => {
    const { request, response, req, res } = context;
    for (const [name, part] of Object.entries({ context, request, response, req, res })) {
      references.set(name, new WeakRef(part));
    }
    return next();
  };
}

const WAYS: Record<string, (handler: upwire.WebSocketHandler) => Middleware> = {
  'ws(handler)': (handler) => upwire.ws(handler),
  'ctx.ws()': (handler) => async (context) => {
    const webSocket = await context.ws?.();
    if (webSocket) await handler(webSocket, context);
  },
};

describe.each(VERSIONS)('%s: while a WebSocket is open', (_name, Koa) => {
  describe.each(Object.entries(WAYS))('by %s', (_way, route) => {
    async function openNoted(
      handler: upwire.WebSocketHandler,
      { listens = false, ...options }: upwire.Options & { listens?: boolean } = {},
      own = new Koa(),
    ) {
      const references = new Map<string, WeakRef<object>>();
      const { port, getWss } = await openSite(
        own,
        (app) => {
          if (!listens) app.removeAllListeners('error');
          app.use(noting(references));
          app.use(route(handler));
        },
        options,
      );
      const client = await enterAt(port, '/');
      await client.frame();
      return { references, clients: getWss().clients, port };
    }

    test('nothing of its request is kept', async () => {
      const { references, clients } = await openNoted((webSocket) => webSocket.send('hello'));
      expect(await collected(references)).toEqual(PARTS);
      expect(clients?.size).toBe(1);
    });

    test('nothing is kept behind an asynchronous handler either', async () => {
      const { references } = await openNoted(async (webSocket) => {
        webSocket.on('message', () => undefined);
        await new Promise(setImmediate);
        webSocket.send('hello');
      });
      expect(await collected(references)).toEqual(PARTS);
    });

    test('with asynchronous storage neither', async () => {
      const own = new Koa({ asyncLocalStorage: true });
      const { references, port } = await openNoted((webSocket) => webSocket.send('hello'), {}, own);
      // What Node sets a timer for at the first request (the text of the date) is no matter of the next one.
      const client = await enterAt(port, '/');
      await client.frame();
      expect(await collected(references)).toEqual(PARTS);
    });

    test('what the handler keeps is kept', async () => {
      const { references } = await openNoted((webSocket, context) => {
        webSocket.on('close', () => context.path);
        webSocket.send('hello');
      });
      expect(await collected(references)).toEqual([]);
    });

    test.each([
      ['onError', { onError: () => undefined }],
      ['a listener of the error event', { listens: true }],
    ])('the context is kept for %s, which is given it', async (_what, options) => {
      const { references } = await openNoted((webSocket) => webSocket.send('hello'), options);
      expect(await collected(references)).not.toContain('context');
    });
  });

  test('behind a refusal nothing is kept, nor of a request that is left to others', async () => {
    const references = new Map<string, WeakRef<object>>();
    const foreign: object[] = [];
    const { port, server } = await openSite(Koa, (app) => {
      app.use(noting(references));
      app.use((context: ParameterizedContext) => {
        context.status = 401;
      });
    });
    server.on('upgrade', (_request, socket) => {
      foreign.push(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n');
    });
    await enterAt(port, '/');
    expect(foreign).toHaveLength(1);
    // The socket, which is open, keeps the request itself.
    expect(await collected(references)).toEqual(expect.arrayContaining(['context', 'res']));
  });
});

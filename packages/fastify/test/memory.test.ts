import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { open } from '@upwire/adapter-contract';
import type { FastifyInstance } from 'fastify';
import { cleanUp } from '../../engine/test/support/site';
import type { SiteOptions } from './support/site';
import { openSite } from './support/site';

afterEach(cleanUp);

setFlagsFromString('--expose-gc');
// Not the test environment's global, which was made before the flag.
const collectGarbage = runInNewContext('gc') as () => void;

/** What is left of things after a few turns of the event loop, each with a collection. */
async function leftOf(references: Record<string, WeakRef<object>>): Promise<string[]> {
  const left = (): string[] =>
    Object.keys(references).filter((name) => references[name].deref() !== undefined);
  // The last to let go of it may be a timer, or the socket's other end.
  for (let turn = 0; turn < 30 && left().length > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn));
    collectGarbage();
  }
  return left();
}

const logger = { level: 'info', stream: { write: () => undefined } };

describe('while a WebSocket is open', () => {
  test.each<[string, SiteOptions, (app: FastifyInstance) => void, string[]]>([
    ['with nothing else', {}, () => undefined, []],
    ['with a log', { fastify: { logger } }, () => undefined, []],
    [
      'with hooks of all kinds',
      { fastify: { handlerTimeout: 60_000, connectionTimeout: 60_000 } },
      (app) => {
        app.addHook('onTimeout', async () => undefined);
        app.addHook('onRequestAbort', async (_request) => undefined);
        app.addHook('onResponse', async () => undefined);
        app.addHook('onSend', async () => undefined);
        // Makes an AbortController that listens to the request.
        app.addHook('onRequest', async (request) => void request.signal.aborted);
      },
      [],
    ],
    [
      'with only an onTimeout hook',
      {},
      (app) => app.addHook('onTimeout', async () => undefined),
      [],
    ],
    ['with onError', { onError: () => undefined }, () => undefined, ['request', 'raw request']],
    [
      'with errorHandler',
      { errorHandler: () => undefined },
      () => undefined,
      ['request', 'raw request', 'reply', 'response'],
    ],
  ])('%s, no more of its handshake is kept than is needed', async (_what, options, setUp, kept) => {
    const references: Record<string, WeakRef<object>> = {};
    const { app, port } = await openSite((app) => {
      setUp(app);
      app.addHook('onRequest', async (request, reply) => {
        references.request = new WeakRef(request);
        references['raw request'] = new WeakRef(request.raw);
        references.reply = new WeakRef(reply);
        references.response = new WeakRef(reply.raw);
      });
      app.get('/chat', { websocket: true }, (webSocket) => {
        webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      });
    }, options);
    const client = await open(port, '/chat');
    expect(await client.ask('hi')).toBe('got hi');

    expect(await leftOf(references)).toEqual(kept);
    expect(await client.ask('hi')).toBe('got hi');
    expect(app.websocketServer.clients?.size).toBe(1);
  });
});

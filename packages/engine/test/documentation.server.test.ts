import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from '../src/index';
import type { ServerOptions } from '../src/server-options';
import { portOf } from './support/libraries';
import type { Names } from './support/snippets';
import { promised, runSnippet, snippetsOf } from './support/snippets';
import { afterTest, startServer, strike } from './support/stage';

// The snippets of docs/engine/server.md, run as they stand there.

/** The class of the snippets, whose servers are gone after the test. */
class TestServer extends WebSocketServer {
  constructor(options: ServerOptions) {
    super('port' in options ? { host: '127.0.0.1', ...options } : options);
    afterTest(() => strike(this));
  }
}

async function startHttp(answer: Parameters<typeof createServer>[1]): Promise<Server> {
  const http = createServer(answer).listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(() => {
    http.closeAllConnections();
    http.close();
  });
  return http;
}

const users: Record<string, object> = { 'user=ada': { name: 'ada', trusted: true } };

/** Whatever the snippets use and do not make themselves. */
async function namesFor(code: string): Promise<Names> {
  const http = await startHttp((_request, response) => response.end());
  const service = await startHttp((_request, response) => {
    response.writeHead(402, { 'WWW-Authenticate': 'Basic realm="chat"' }).end('Pay first');
  });
  const server = await startServer({ path: '/' });
  const onHttp = code.includes('server: http');
  const url = `ws://127.0.0.1:${portOf(onHttp ? http : server)}`;
  const names: Names = {
    WebSocket,
    WebSocketServer: TestServer,
    once,
    http,
    service: `http://127.0.0.1:${portOf(service)}`,
    findUser: async (cookie: string | undefined) => users[cookie ?? ''],
    subscribe: (name: string, listener: (message: unknown) => void) => {
      subscribe(name, listener);
      afterTest(() => unsubscribe(name, listener));
    },
  };
  if (!code.includes('const server =')) names.server = server;
  if (!code.includes('const url =')) names.url = url;
  return names;
}

test.each(snippetsOf('server.md'))('%s', async (code) => {
  expect(promised(code)).not.toEqual([]);
  expect(await runSnippet(code, await namesFor(code))).toEqual(promised(code));
});

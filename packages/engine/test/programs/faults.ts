/** A server whose handlers fail in every way there is. It ends when it is told to, and by nothing else. */
import { createServer } from 'node:http';
import { Gateway } from '../../src/upgrade/gateway';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';

const ROUTES: Record<string, (webSocket: WebSocket) => unknown> = {
  '/echo': (webSocket) => webSocket.on('message', (data: string) => webSocket.send(data)),
  '/throws': () => {
    throw new Error('throws');
  },
  '/rejects': async () => {
    throw new Error('rejects');
  },
  '/listener': (webSocket) =>
    webSocket.on('message', () => {
      throw new Error('listener');
    }),
  '/async-listener': (webSocket) =>
    webSocket.on('message', async () => {
      throw new Error('async listener');
    }),
  '/peer': () => undefined,
};

const gateway = new Gateway({
  dispatch: (request) => {
    const handle = ROUTES[request.url ?? ''];
    if (handle === undefined) throw new Error('the framework');
    upgradeOf(request)?.accept({
      authority: { secure: false, host: 'localhost' },
      handle,
      onError: (error) => console.error(String(error)),
    });
  },
  routes: () => 'here',
});
const server = createServer();
gateway.attach(server);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
process.stdin.once('data', () => {
  process.stdin.destroy();
  server.close();
  for (const webSocket of gateway.server.clients ?? []) webSocket.terminate();
});

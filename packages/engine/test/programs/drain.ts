/** A server that closes when it is told to, and should then end by itself: nothing of ours may keep it alive. */
import { createServer } from 'node:http';
import { Gateway } from '../../src/upgrade/gateway';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';

const gateway = new Gateway(
  {
    dispatch: (request, response) => {
      if (request.url === '/hanging') return;
      if (request.url === '/refused') response.writeHead(401).end('no');
      else {
        upgradeOf(request)?.accept({
          authority: { secure: false, host: 'localhost' },
          handle: (webSocket: WebSocket) => webSocket.send('hello'),
          onError: (error) => console.error(error),
        });
      }
    },
    routes: () => 'here',
  },
  { closeTimeout: Number(process.argv[2]), handshakeTimeout: 600 },
);
const server = createServer();
gateway.attach(server);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
process.stdin.once('data', () => {
  process.stdin.destroy();
  server.close(() => console.log('closed'));
});

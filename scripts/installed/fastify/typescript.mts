import type { AddressInfo } from 'node:net';
import type { Options, WebSocket, WebSocketHandler } from '@upwire/fastify';
import upwire from '@upwire/fastify';
import Fastify from 'fastify';
import { checkEcho } from './echo.cjs';

const options: Options = { maxPayload: 1024 };
const echo: WebSocketHandler = (webSocket: WebSocket, request) => {
  if (!request.ws) throw new Error('no handshake');
  webSocket.on('message', (text) => webSocket.send(text));
};

const app = Fastify();
await app.register(upwire, options);
app.route({ method: 'GET', url: '/echo', handler: async () => 'page', wsHandler: echo });

await app.listen({ port: 0, host: '127.0.0.1' });
await checkEcho((app.server.address() as AddressInfo).port, '/echo');
await app.close();

import type { AddressInfo } from 'node:net';

import upwire = require('@upwire/fastify');
import Fastify = require('fastify');

import { checkEcho } from './echo.cjs';

const options: upwire.Options = { maxPayload: 1024 };

async function main(): Promise<void> {
  const app = Fastify();
  await app.register(upwire, options);
  app.get<{ Params: { room: string } }>(
    '/rooms/:room',
    { websocket: true },
    (webSocket, request) => {
      const room: string = request.params.room;
      // @ts-expect-error the declarations are in force: the route has no such parameter
      const other: unknown = request.params.other;
      if (room !== 'echo' || other !== undefined) throw new Error('wrong parameters');
      webSocket.on('message', (text) => webSocket.send(text));
    },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  await checkEcho((app.server.address() as AddressInfo).port, '/rooms/echo');
  await app.close();
}

void main();

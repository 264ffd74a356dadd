import type { AddressInfo } from 'node:net';
import type { Options, WebSocket } from '@upwire/express';
import upwire from '@upwire/express';
import express, { Router } from 'express';
import { checkEcho } from './echo.cjs';

const options: Options = { maxPayload: 1024 };
const { app } = upwire(express(), null, options);
const router = Router();

router.ws('/:room', (webSocket: WebSocket, request) => {
  const room: string = request.params.room;
  // @ts-expect-error the declarations are in force: the path has no such parameter
  const other: unknown = request.params.other;
  if (room !== 'echo' || other !== undefined) throw new Error('wrong parameters');
  webSocket.on('message', (text) => webSocket.send(text));
});
app.use('/rooms', router);

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/rooms/echo');
  server.close();
});

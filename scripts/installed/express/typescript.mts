import type { AddressInfo } from 'node:net';
import type { MessageWebSocket, Options, RouteOptions, WebSocket } from '@upwire/express';
import upwire from '@upwire/express';
import express, { Router } from 'express';
import { checkEcho } from './echo.cjs';

const options: Options = { maxPayload: 1024 };
const { app, close, getWss, injectWS } = upwire(express(), null, options);
const router = Router();

router.ws('/:room', (webSocket: WebSocket, request) => {
  const room: string = request.params.room;
  // @ts-expect-error the declarations are in force: the path has no such parameter
  const other: unknown = request.params.other;
  if (room !== 'echo' || other !== undefined) throw new Error('wrong parameters');
  webSocket.on('message', (text) => webSocket.send(text));
});
app.use('/rooms', router);

const own: RouteOptions = { subprotocols: ['sums'], maxConnections: { total: 1 } };
const numbers = (value: unknown): number[] => [value].flat().map(Number);
app.ws('/sums', { ...own, message: numbers }, (webSocket: MessageWebSocket<number[]>) => {
  // @ts-expect-error the declarations are in force: a list of numbers is no text
  webSocket.on('message', (list) => list.trim());
  webSocket.removeAllListeners('message');
  webSocket.on('message', (list) => webSocket.send(String(list.reduce((sum, it) => sum + it, 0))));
});

async function checkSums(): Promise<void> {
  const webSocket = await injectWS('/sums', { subprotocols: 'sums' });
  webSocket.send('[1, 2, 3]');
  const sum = await new Promise((resolve) =>
    webSocket.once('message', (data) => resolve(`${data}`)),
  );
  const { size } = getWss('/sums').clients;
  if (sum !== '6' || size !== 1 || webSocket.protocol !== 'sums') throw new Error(`got ${sum}`);
  const refused: unknown = await injectWS('/sums').catch((error: unknown) => error);
  if (!(refused instanceof Error) || !('status' in refused) || refused.status !== 503) {
    throw new Error('a second one was let in');
  }
  await close({ code: 1012 });
}

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/rooms/echo');
  await checkSums();
  server.close();
});

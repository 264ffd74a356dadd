import type { AddressInfo } from 'node:net';

import upwire = require('@upwire/express');
import express = require('express');

import { checkEcho } from './echo.cjs';

const options: upwire.Options = { maxPayload: 1024 };
const { app } = upwire(express(), null, options);

app.ws('/rooms/:room', (webSocket, request) => {
  const room: string = request.params.room;
  // @ts-expect-error the declarations are in force: the path has no such parameter
  const other: unknown = request.params.other;
  if (room !== 'echo' || other !== undefined) throw new Error('wrong parameters');
  webSocket.on('message', (text) => webSocket.send(text));
});

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/rooms/echo');
  server.close();
});

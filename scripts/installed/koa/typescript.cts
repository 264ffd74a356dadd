import type { AddressInfo } from 'node:net';

import upwire = require('@upwire/koa');
import Koa = require('koa');

import { checkEcho } from './echo.cjs';

const options: upwire.Options = { maxPayload: 1024 };
const { app } = upwire(new Koa<{ room: string }>(), null, options);

app.use((ctx, next) => {
  ctx.state.room = ctx.path;
  return next();
});
app.use(
  upwire.ws<{ room: string }>((webSocket, ctx) => {
    const room: string = ctx.state.room;
    // @ts-expect-error the declarations are in force: the state has no such member
    const other: unknown = ctx.state.other;
    if (room !== '/echo' || other !== undefined) throw new Error('wrong state');
    webSocket.on('message', (text) => webSocket.send(text));
  }),
);

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/echo');
  server.close();
});

import type { AddressInfo } from 'node:net';
import type { RouteOptions, WebSocket } from '@upwire/koa';
import upwire from '@upwire/koa';
import Koa from 'koa';
import { checkEcho } from './echo.cjs';

const options: RouteOptions = { maxPayload: 1024 };
const { app } = upwire(new Koa());

app.use(async (ctx) => {
  // @ts-expect-error the declarations are in force: it is there for WebSockets alone
  if (ctx.path !== '/echo') await ctx.ws();
  const webSocket: WebSocket | undefined = await ctx.ws?.(options);
  webSocket?.on('message', (text) => webSocket.send(text));
});

const server = app.listen(0, '127.0.0.1', async () => {
  await checkEcho((server.address() as AddressInfo).port, '/echo');
  server.close();
});

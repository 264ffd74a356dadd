import type { AddressInfo } from 'node:net';
import type { RouteOptions, WebSocket } from '@upwire/koa';
import upwire from '@upwire/koa';
import easy from '@upwire/koa/easy';
import type { Middleware } from '@upwire/koa/websocket';
import websockify from '@upwire/koa/websocket';
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

// The forms of koa-websocket and koa-easy-ws.
const dialect = websockify(new Koa(), { maxPayload: 1024 });
const echo: Middleware = ({ websocket }) => {
  websocket.on('message', (text) => websocket.send(text));
};
dialect.ws.use(echo);
const easyApp = new Koa();
easyApp.use(easy('ws', { wsOptions: options }));
easyApp.use(async (ctx) => {
  const webSocket = await ctx.ws?.();
  webSocket?.on('message', (text) => webSocket.send(text));
});

for (const each of [app, dialect, easyApp]) {
  const server = each.listen(0, '127.0.0.1', async () => {
    await checkEcho((server.address() as AddressInfo).port, '/echo');
    server.close();
  });
}

/**
 * What TypeScript makes of the package. Nothing here runs: `npm run typecheck` passes when every line has the type that
 * it is expected to have, and every line under `@ts-expect-error` is an error.
 */
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Router from '@koa/router';
import type { ClientWebSocket } from '@upwire/engine/internal';
import type { Middleware, ParameterizedContext } from 'koa';
import Koa from 'koa';
import * as v from 'valibot';
import { z } from 'zod';
import upwire from '../src/index';
import type {
  Instance,
  MessageWebSocket,
  Options,
  RouteOptions,
  WebSocket,
  WebSocketHandler,
  WebSocketMethod,
} from '../src/index.mjs';
import named, { upwire as alsoNamed, ws } from '../src/index.mjs';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes a value whose type is exactly `Expected`. */
function expectType<Expected>(): <Actual>(
  value: Actual,
  ...same: Same<Actual, Expected> extends true ? [] : ['not the same type']
) => void {
  return () => undefined;
}

interface State {
  user: string;
}
interface Extras {
  database: { find(name: string): number };
}

const plain: Middleware = (_context, next) => next();

export function instance(): void {
  const app = new Koa();
  const made = upwire(app);
  expectType<upwire.Instance<Koa>>()(made);
  expectType<WebSocketMethod<Koa>>()(made.app.ws);
  made.app.ws.server.on('connection', (webSocket) => {
    expectType<WebSocket>()(webSocket);
  });
  expectType<Promise<ClientWebSocket>>()(made.injectWS('/chat'));
  expectType<Promise<void>>()(made.close());
  made.close({ code: 1012, reason: 'a new version', timeout: 1 });
  made.injectWS('/chat', { headers: { cookie: 'a=1' }, subprotocols: ['a'] });
  made.attach(createServer(app.callback()));
  made.attach(createSecureServer({}, app.callback()));
  upwire(app, createServer(), {
    maxPayload: 1,
    handshakeTimeout: 2,
    origins: ['https://a.example'],
  });
  upwire(app, undefined, {
    onError: (error, webSocket, context) => {
      expectType<unknown>()(error);
      expectType<WebSocket>()(webSocket);
      expectType<ParameterizedContext>()(context);
    },
    origins: (origin, context) => origin === context.host,
    subprotocols: (offered, context) => (offered.has('a') && context.secure ? 'a' : false),
  });
  const options: Options = { maxPayload: undefined };
  const again: Instance<Koa> = named(app, null, options);
  alsoNamed(again.app);

  // @ts-expect-error an application is needed
  upwire();
  // @ts-expect-error a router is none
  upwire(new Router());
  // @ts-expect-error options are not a server
  upwire(app, { maxPayload: 1 });
  // @ts-expect-error not a number
  upwire(app, null, { maxPayload: '1mb' });
  // @ts-expect-error no such option
  upwire(app, null, { maxPaylod: 1 });
  // @ts-expect-error a server has to be one
  made.attach(3000);
}

export function handlers(): void {
  const { app } = upwire(new Koa());
  const handler: WebSocketHandler = (webSocket) => webSocket.send('hello');

  app.ws('/chat', handler);
  app.ws('/chat/:room', (webSocket, context) => {
    expectType<WebSocket>()(webSocket);
    expectType<Record<string, string>>()(context.params);
    expectType<string>()(context.path);
    webSocket.on('message', (text: string) => webSocket.send(text.trim()));
  });
  app.ws(['/a', /^\/b$/], async (webSocket) => {
    await Promise.resolve();
    webSocket.close(1000, 'bye');
  });
  app.ws('/chat', plain, plain, (webSocket, context) => {
    expectType<WebSocket>()(webSocket);
    expectType<string>()(context.url);
  });
  app.ws(
    '/chat',
    async (context, next) => {
      expectType<Record<string, string>>()(context.params);
      await next();
      context.set('X-Behind', '1');
    },
    handler,
  );
  app.ws.use(plain).use((context, next) => {
    expectType<string>()(context.path);
    return next();
  });
  app.ws('/a', handler).ws('/b', handler).listen(3000);

  // @ts-expect-error a handler is needed
  app.ws('/chat');
  // @ts-expect-error a path is needed
  app.ws(handler);
  // @ts-expect-error not a function
  app.ws('/chat', 'handler');
  // @ts-expect-error not a function in front
  app.ws('/chat', undefined, handler);
  app.ws('/chat', (webSocket) => {
    // @ts-expect-error no such method
    webSocket.sendd('hello');
  });
}

export function states(): void {
  const { app } = upwire(new Koa<State, Extras>());
  app.ws(
    '/chat/:room',
    (context, next) => {
      expectType<string>()(context.state.user);
      return next();
    },
    (_webSocket, context) => {
      expectType<string>()(context.state.user);
      expectType<number>()(context.database.find(context.params.room));
      // @ts-expect-error no such thing in this context
      context.databases;
    },
  );
  app.ws.use((context, next) => {
    expectType<string>()(context.state.user);
    return next();
  });
  class Own extends Koa<State, Extras> {
    readonly name = 'own';
  }
  const made = upwire(new Own());
  expectType<string>()(made.app.ws('/a', (_webSocket, { state }) => state.user).name);
}

export function endpoints(): void {
  const app = new Koa();
  const router = new Router();
  router.get(
    '/chat/:room',
    ws((webSocket) => webSocket.send('hello')),
  );
  router.get(
    '/chat/:room',
    plain,
    upwire.ws((webSocket, context) => {
      expectType<WebSocket>()(webSocket);
      expectType<string>()(context.path);
      webSocket.send(context.params.room);
    }),
  );
  app.use(ws(() => undefined));
  app.use(ws((webSocket) => webSocket.close(), { maxPayload: 1 }));
  const typed = ws<State, Extras>((_webSocket, context) => {
    expectType<string>()(context.state.user);
    context.database.find('x');
  });
  expectType<Middleware<State, Extras>>()(typed);
  const untyped: Middleware = ws(() => undefined);
  app.use(untyped);
  new Koa<State, Extras>().use(typed);
  new Router<State, Extras>().get('/chat', typed);

  // @ts-expect-error a handler is needed
  ws();
  // @ts-expect-error not a function
  ws('handler');
  // @ts-expect-error no such option
  ws(() => undefined, { maxPaylod: 1 });
}

export function contexts(): void {
  const app = new Koa();
  app.use(async (context) => {
    if (context.ws) {
      expectType<WebSocket>()(await context.ws());
      const webSocket = await context.ws({ maxPayload: 1 });
      webSocket.send('hello');
      // @ts-expect-error no such option
      context.ws({ maxPaylod: 1 });
    }
    // @ts-expect-error there for WebSockets alone
    context.ws();
  });
  new Router().get('/', async (context) => {
    const webSocket = await context.ws?.();
    webSocket?.send('hello');
  });
}

export function routeOptions(): void {
  const { app } = upwire(new Koa());
  const options: RouteOptions = { maxPayload: 1, subprotocols: ['a'], heartbeat: false };

  app.ws('/chat', options, () => undefined);
  app.ws('/chat/:room', options, plain, (webSocket, context) => {
    expectType<WebSocket>()(webSocket);
    expectType<Record<string, string>>()(context.params);
  });
  app.ws(
    '/chat',
    {
      origins: (origin, context) => origin === context.host,
      subprotocols: (offered, context) => (offered.has('a') && context.ip ? 'a' : false),
      onError: (_error, webSocket, context) => {
        expectType<WebSocket>()(webSocket);
        expectType<ParameterizedContext>()(context);
      },
    },
    () => undefined,
  );

  // @ts-expect-error no such option
  app.ws('/chat', { maxPaylod: 1 }, () => undefined);
  // @ts-expect-error not a number
  app.ws('/chat', { maxPayload: '1mb' }, () => undefined);
  // @ts-expect-error of the whole application
  app.ws('/chat', { verifyClient: () => true }, () => undefined);
  // @ts-expect-error a handler is needed
  app.ws('/chat', { maxPayload: 1 });
}

export function messages(): void {
  const { app } = upwire(new Koa());
  const router = new Router();

  app.ws(
    '/zod/:room',
    { message: z.object({ n: z.number().default(1) }) },
    (webSocket, context) => {
      expectType<MessageWebSocket<{ n: number }>>()(webSocket);
      expectType<Record<string, string>>()(context.params);
      webSocket.on('message', (data, isBinary) => {
        expectType<{ n: number }>()(data);
        expectType<false>()(isBinary);
      });
      // @ts-expect-error no such property
      webSocket.on('message', ({ m }) => m);
    },
  );
  app.ws('/valibot', { message: v.array(v.string()) }, plain, (webSocket) => {
    webSocket.on('message', (data) => expectType<string[]>()(data));
  });
  router.get(
    '/zod',
    ws(
      (webSocket, context) => {
        expectType<string>()(context.path);
        webSocket.on('message', (data) => expectType<number>()(data));
      },
      { message: z.number(), maxPayload: 1 },
    ),
  );
  app.use(async (context) => {
    const webSocket = await context.ws?.({ message: async (value: unknown) => [value] });
    webSocket?.on('message', (data) => expectType<unknown[]>()(data));
  });
  app.ws(
    '/hooks',
    {
      message: z.number(),
      onInvalidMessage: (issues, webSocket, context) => {
        expectType<string>()(issues[0].message);
        expectType<WebSocket>()(webSocket);
        expectType<ParameterizedContext>()(context);
      },
      maxConnections: { perKey: 1, key: (context) => context.state.user },
      rateLimit: { messages: 1, interval: 1, burst: 1, exceed: 'drop' },
    },
    plain,
    (webSocket) => webSocket.on('message', (data) => expectType<number>()(data)),
  );
  app.ws('/none', { message: false, maxConnections: false, rateLimit: false }, (webSocket) => {
    webSocket.on('message', (data) => expectType<string | Buffer>()(data));
  });
  upwire(app, null, { message: z.number(), maxConnections: 5 });

  // @ts-expect-error no schema
  app.ws('/wrong', { message: {} }, () => undefined);
  // @ts-expect-error no schema
  ws(() => undefined, { message: {} });
  // @ts-expect-error no such option
  app.ws('/wrong', { message: z.number(), maxPaylod: 1 }, () => undefined);
}

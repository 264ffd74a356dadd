/**
 * What TypeScript makes of the package. Nothing here runs: `npm run typecheck` passes when every line has the type that
 * it is expected to have, and every line under `@ts-expect-error` is an error.
 */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ClientWebSocket } from '@upwire/engine/internal';
import { type } from 'arktype';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import express from 'express';
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
import named, { upwire as alsoNamed } from '../src/index.mjs';

type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Takes a value whose type is exactly `Expected`. */
function expectType<Expected>(): <Actual>(
  value: Actual,
  ...same: Same<Actual, Expected> extends true ? [] : ['not the same type']
) => void {
  return () => undefined;
}

const plain: RequestHandler = (_request, _response, next) => next();

export function instance(): void {
  const app = express();
  const made = upwire(app);
  expectType<upwire.Instance<express.Express>>()(made);
  expectType<express.Express>()(made.app);
  made.getWss().on('connection', (webSocket: WebSocket) => webSocket.send('hello'));
  made.getWss().on('connection', (webSocket, request) => {
    expectType<WebSocket>()(webSocket);
    expectType<IncomingMessage>()(request);
  });
  expectType<Set<WebSocket>>()(made.getWss().clients);
  expectType<ReadonlySet<WebSocket>>()(made.getWss('/chat').clients);
  expectType<ReadonlySet<WebSocket>>()(made.getWss(/chat/).clients);
  // @ts-expect-error only the whole server closes
  made.getWss('/chat').close();
  // @ts-expect-error one at a time
  made.getWss(['/chat']);
  expectType<Promise<void>>()(made.close());
  made.close({ code: 1012, reason: 'a new version', timeout: 1 });
  made.applyTo(express.Router);
  made.applyTo(express.Router());
  expectType<Promise<ClientWebSocket>>()(made.injectWS('/chat'));
  made.injectWS('/chat', {
    headers: { cookie: 'a=1' },
    subprotocols: ['a'],
    onInit: () => undefined,
  });
  made.attach(createServer(app));
  made.attach(createSecureServer({}, app));
  upwire(app, createServer(app), {
    maxPayload: 1,
    handshakeTimeout: 2,
    origins: ['https://a.example'],
  });
  upwire(app, null, { origins: '*', leaveRouterUntouched: true, wsOptions: { maxPayload: 1 } });
  upwire(app, undefined, {
    onError: (error, webSocket, request) => {
      expectType<unknown>()(error);
      expectType<WebSocket>()(webSocket);
      expectType<Request>()(request);
    },
    origins: (origin, request) => origin === request.get('host'),
    handleProtocols: (offered) => (offered.has('a') ? 'a' : false),
  });
  const options: Options = { maxPayload: undefined };
  const again: Instance<express.Express> = named(app, null, options);
  alsoNamed(again.app);

  // @ts-expect-error an application is needed
  upwire();
  // @ts-expect-error a router is none
  upwire(express.Router());
  // @ts-expect-error options are not a server
  upwire(app, { maxPayload: 1 });
  // @ts-expect-error not a number
  upwire(app, null, { maxPayload: '1mb' });
  // @ts-expect-error no such option
  upwire(app, null, { maxPaylod: 1 });
  // @ts-expect-error neither '*' nor a list nor a function
  upwire(app, null, { origins: 'https://a.example' });
  // @ts-expect-error no such option
  made.injectWS('/chat', { header: {} });
  // @ts-expect-error a server has to be one
  made.attach(3000);
}

export function handlers(): void {
  const { app } = upwire(express());
  const handler: WebSocketHandler = (webSocket) => webSocket.send('hello');

  app.ws('/chat', handler);
  app.ws('/chat', (webSocket, request, next) => {
    expectType<WebSocket>()(webSocket);
    expectType<NextFunction>()(next);
    expectType<string>()(request.url);
    webSocket.on('message', (data) => webSocket.send(data));
  });
  app.ws('/chat', async (webSocket) => {
    await Promise.resolve();
    webSocket.close(1000, 'bye');
  });
  app.ws('/chat', (webSocket) => {
    webSocket.on('message', function (data, isBinary) {
      expectType<string | Buffer>()(data);
      expectType<boolean>()(isBinary);
      expectType<WebSocket>()(this);
      this.send(data, { binary: isBinary });
    });
    webSocket.on('message', (text: string) => webSocket.send(text.trim()));
    webSocket.on('message', async (data: Buffer, isBinary: boolean) => isBinary || data.length);
    webSocket.once('close', (code, reason) => {
      expectType<number>()(code);
      expectType<Buffer>()(reason);
    });
    webSocket.onmessage = ({ data, target }) => target.send(data);
  });
  app.ws('/chat', plain, handler);
  app.ws('/chat', plain, [plain, plain], handler);
  app.ws('/chat', [plain], plain, plain, plain, (webSocket, request) => {
    expectType<WebSocket>()(webSocket);
    expectType<string>()(request.url);
  });

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

export function parameters(): void {
  const { app } = upwire(express());

  app.ws('/chat/:room', (_webSocket, request) => {
    expectType<string>()(request.params.room);
    // @ts-expect-error no such parameter
    request.params.seat;
  });
  app.ws('/chat/:room/:seat', plain, (_webSocket, request) => {
    expectType<string>()(request.params.room);
    expectType<string>()(request.params.seat);
  });
  app.ws(
    '/chat/:room',
    (request, response, next) => {
      expectType<string>()(request.params.room);
      expectType<NextFunction>()(next);
      response.status(401).json({ error: 'no' });
    },
    (_webSocket, request) => {
      expectType<string>()(request.params.room);
    },
  );
  app.ws('/chat/:room', plain, plain, (_webSocket, request) => {
    expectType<string>()(request.params.room);
  });
  app.ws('/chat/:room', plain, plain, plain, (_webSocket, request) => {
    expectType<string>()(request.params.room);
  });
  app.ws<{ room: 'red' | 'blue' }>('/chat/:room', (_webSocket, request) => {
    expectType<'red' | 'blue'>()(request.params.room);
  });
  app.ws(['/a/:x', /^\/b\/(.*)$/], (_webSocket, request) => {
    expectType<string | string[]>()(request.params.x);
    expectType<string>()(request.params[0]);
  });
  const path: string = ['/chat', ':room'].join('/');
  app.ws(path, (_webSocket, request) => {
    expectType<string | string[]>()(request.params.room);
  });
  app.ws('/none', (_webSocket, request) => {
    // @ts-expect-error no such parameter
    request.params.room;
  });
}

export function routeOptions(): void {
  const { app } = upwire(express());
  const options: RouteOptions = { maxPayload: 1, subprotocols: ['a'], heartbeat: false };

  app.ws('/chat', options, () => undefined);
  app.ws('/chat/:room', options, (webSocket, request) => {
    expectType<WebSocket>()(webSocket);
    expectType<string>()(request.params.room);
    // @ts-expect-error no such parameter
    request.params.seat;
  });
  app.ws('/chat/:room', { maxPayload: 1 }, plain, [plain], (_webSocket, request) => {
    expectType<string>()(request.params.room);
  });
  app.ws<{ room: 'red' }>('/chat/:room', { maxPayload: 1 }, (_webSocket, request) => {
    expectType<'red'>()(request.params.room);
  });
  app.ws([/a/, '/b'], { origins: '*' }, () => undefined);
  express.Router().ws('/:room', options, (_webSocket, request) => {
    expectType<string>()(request.params.room);
  });
  app.ws(
    '/chat',
    {
      origins: (origin, request) => origin === request.get('host'),
      subprotocols: (offered, request) => (offered.has('a') && request.ip ? 'a' : false),
      onError: (_error, webSocket, request) => {
        expectType<WebSocket>()(webSocket);
        expectType<Request>()(request);
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
  const { app } = upwire(express());
  const router = express.Router();

  app.ws(
    '/zod/:room',
    { message: z.object({ n: z.number().default(1) }) },
    (webSocket, request) => {
      expectType<MessageWebSocket<{ n: number }>>()(webSocket);
      expectType<string>()(request.params.room);
      webSocket.on('message', (data, isBinary) => {
        expectType<{ n: number }>()(data);
        expectType<false>()(isBinary);
      });
      webSocket.once('message', ({ n }) => expectType<number>()(n));
      webSocket.on('close', (code) => expectType<number>()(code));
      webSocket.send('hello');
      // @ts-expect-error no such property
      webSocket.on('message', ({ m }) => m);
    },
  );
  router.ws('/valibot', { message: v.array(v.string()) }, plain, (webSocket) => {
    webSocket.on('message', (data) => expectType<string[]>()(data));
  });
  app.ws('/arktype', { message: type({ 'a?': 'string' }) }, (webSocket) => {
    webSocket.on('message', (data) => expectType<{ a?: string }>()(data));
  });
  app.ws('/function', { message: (value) => String(value) }, (webSocket) => {
    webSocket.on('message', (data) => expectType<string>()(data));
  });
  app.ws('/later', { message: async (value: unknown) => [value] }, (webSocket) => {
    webSocket.on('message', (data) => expectType<unknown[]>()(data));
  });
  app.ws([/list/], { message: z.number(), maxPayload: 1 }, (webSocket) => {
    webSocket.on('message', (data) => expectType<number>()(data));
  });
  app.ws(
    '/hooks',
    {
      message: z.number(),
      onInvalidMessage: (issues, webSocket, request) => {
        expectType<string>()(issues[0].message);
        expectType<WebSocket>()(webSocket);
        expectType<Request>()(request);
      },
      maxConnections: { perKey: 1, key: (request) => request.sessionID },
      rateLimit: { messages: 1, interval: 1, burst: 1, exceed: 'drop' },
    },
    plain,
    plain,
    (webSocket) => webSocket.on('message', (data) => expectType<number>()(data)),
  );
  app.ws('/none', { message: false, maxConnections: false, rateLimit: false }, (webSocket) => {
    webSocket.on('message', (data) => expectType<string | Buffer>()(data));
  });
  upwire(app, null, { message: z.number(), maxConnections: 5 });

  // @ts-expect-error no schema
  app.ws('/wrong', { message: {} }, () => undefined);
  // @ts-expect-error no such option
  app.ws('/wrong', { message: z.number(), maxPaylod: 1 }, () => undefined);
  // @ts-expect-error not one of the three
  app.ws('/wrong', { rateLimit: { messages: 1, interval: 1, exceed: 'wait' } }, () => undefined);
  // @ts-expect-error an interval is needed
  app.ws('/wrong', { rateLimit: { messages: 1 } }, () => undefined);
  // @ts-expect-error a key is text
  app.ws('/wrong', { maxConnections: { perKey: 1, key: () => 5 } }, () => undefined);
}

export function chains(): void {
  const { app } = upwire(express());
  const same: express.Express = app.ws('/a', () => undefined);
  same
    .ws('/a', () => undefined)
    .get('/b', (_request: Request, response: Response) => void response.send('b'))
    .listen(3000);

  const router = express.Router();
  const sameRouter: express.Router = router.ws('/a/:b', (_webSocket, request) => request.params.b);
  // @ts-expect-error only applications listen
  sameRouter.listen(3000);
  router.ws('/a', plain, () => undefined).get('/b', plain);
  app.use('/sub', router);
  const method: WebSocketMethod<express.Router> = router.ws;
  method.call(router, '/c', () => undefined);
}

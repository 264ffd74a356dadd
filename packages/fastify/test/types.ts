/**
 * What TypeScript makes of the package. Nothing here runs: `npm run typecheck` passes when every line has the type that
 * it is expected to have, and every line under `@ts-expect-error` is an error.
 */
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ClientWebSocket, WebSocketServer } from '@upwire/engine/internal';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifyTypeProvider,
  preHandlerAsyncHookHandler,
} from 'fastify';
import Fastify from 'fastify';
import { z } from 'zod';
import upwire from '../src/index';
import type {
  ErrorHandler,
  InjectOptions,
  Options,
  RouteOptions,
  WebSocket,
  WebSocketHandler,
  WebsocketHandler,
  WebsocketPluginOptions,
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

const guard: preHandlerAsyncHookHandler = async (_request, reply) => reply.code(401).send();

export async function registering(): Promise<void> {
  const app = Fastify();
  await app.register(upwire);
  await app.register(named, { maxPayload: 1, handshakeTimeout: 2, origins: ['https://a.example'] });
  await app.register(alsoNamed, { prefix: '/unused', origins: '*' });
  app.register(upwire, {
    options: { maxPayload: 1, clientTracking: false, server: createServer() },
  });
  app.register(upwire, { server: createSecureServer({}) });
  app.register(upwire, {
    onError: (error, webSocket, request) => {
      expectType<unknown>()(error);
      expectType<WebSocket>()(webSocket);
      expectType<FastifyRequest>()(request);
    },
    origins: (origin, request) => origin === request.host,
    subprotocols: (offered, { ip }) => (offered.has('a') && ip !== '' ? 'a' : false),
  });
  app.register(upwire, {
    errorHandler(error, webSocket, request, reply) {
      expectType<FastifyInstance>()(this);
      expectType<Error>()(error);
      expectType<WebSocket>()(webSocket);
      expectType<FastifyRequest>()(request);
      expectType<FastifyReply>()(reply);
    },
    preClose: (done) => done(),
  });
  app.register(upwire, { preClose: async () => undefined });
  const options: Options & WebsocketPluginOptions = { maxPayload: undefined };
  const errorHandler: ErrorHandler = (error) => app.log.error(error);
  app.register(upwire, { ...options, errorHandler });
  app.register(upwire, () => ({ maxPayload: 1 }));
  Fastify({ https: {} }).register(upwire, options);
  Fastify({ http2: true, https: { allowHTTP1: true } }).register(upwire, options);

  // @ts-expect-error not a number
  app.register(upwire, { maxPayload: '1mb' });
  // @ts-expect-error neither '*' nor a list nor a function
  app.register(upwire, { origins: 'https://a.example' });
  // @ts-expect-error a server has to be one
  app.register(upwire, { server: 3000 });
}

export async function instance(app: FastifyInstance): Promise<void> {
  expectType<WebSocketServer>()(app.websocketServer);
  for (const webSocket of app.websocketServer.clients ?? []) webSocket.close(1000);
  app.websocketServer.on('connection', (webSocket) => webSocket.send('hello'));
  app.websocketServer.close((error) => expectType<Error | undefined>()(error));

  expectType<ClientWebSocket>()(await app.injectWS());
  const options: InjectOptions = { headers: { cookie: 'a=1' }, subprotocols: ['a'] };
  const client = await app.injectWS('/chat', options, {
    onInit: (it) => it.on('message', () => 1),
  });
  client.send('hello');
  // @ts-expect-error not a path
  app.injectWS(5);
  // @ts-expect-error no such option
  app.injectWS('/chat', { header: {} });
}

export function handlers(app: FastifyInstance): void {
  const handler: WebSocketHandler & WebsocketHandler = (webSocket) => webSocket.send('hello');
  app.get('/chat', { websocket: true }, handler);
  app.get('/chat', { websocket: true }, function (webSocket, request) {
    expectType<WebSocket>()(webSocket);
    expectType<boolean>()(request.ws);
    expectType<string>()(request.url);
    this.log.info(request.id);
    webSocket.on('message', (data, isBinary) => {
      expectType<string | Buffer>()(data);
      expectType<boolean>()(isBinary);
    });
  });
  app.get(
    '/chat',
    { websocket: true, preHandler: [guard], onRequest: guard },
    async (webSocket) => {
      await Promise.resolve();
      webSocket.close(1000, 'bye');
    },
  );
  app
    .get('/a', { websocket: true }, handler)
    .get('/b', async (request) => expectType<boolean>()(request.ws))
    .get('/c', { websocket: false }, async (request) => request.url);

  // Both forms of a full declaration, and one for pages and WebSockets.
  app.route({
    method: 'GET',
    url: '/chat',
    websocket: true,
    preHandler: guard,
    handler: (webSocket, request) => {
      expectType<WebSocket>()(webSocket);
      expectType<string>()(request.url);
    },
  });
  app.route({
    method: 'GET',
    url: '/chat',
    handler: (request, reply) => {
      expectType<string>()(request.url);
      reply.code(200).send('page');
    },
    wsHandler: (webSocket, request) => {
      expectType<WebSocket>()(webSocket);
      expectType<string>()(request.url);
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/chat',
    websocket: true,
    handler: async (request) => request.url,
    wsHandler: handler,
  });

  // @ts-expect-error no such method
  app.get('/chat', { websocket: true }, (webSocket) => webSocket.sendd('hello'));
  // @ts-expect-error neither a boolean nor options
  app.get('/chat', { websocket: 'yes' }, handler);
  // @ts-expect-error not a function
  app.route({ method: 'GET', url: '/chat', handler: async () => 1, wsHandler: 'no' });
}

export function generics(app: FastifyInstance): void {
  interface Chat {
    Params: { room: string };
    Querystring: { name: string };
    Headers: { 'x-version': number };
  }
  app.get<Chat>('/:room', { websocket: true }, (_webSocket, request) => {
    expectType<string>()(request.params.room);
    expectType<string>()(request.query.name);
    expectType<number>()(request.headers['x-version']);
    // @ts-expect-error no such parameter
    request.params.seat;
  });
  app.route<Chat>({
    method: 'GET',
    url: '/:room',
    websocket: true,
    handler: (_webSocket, request) => expectType<string>()(request.params.room),
  });
  app.route<Chat>({
    method: 'GET',
    url: '/:room',
    handler: (request, reply) => void reply.send(request.params.room),
    wsHandler: (_webSocket, request) => expectType<string>()(request.query.name),
  });
}

/** What a type provider is: JSON Schema types by their name. */
interface Named extends FastifyTypeProvider {
  readonly validator: this['schema'] extends { readonly type: 'string' }
    ? string
    : this['schema'] extends { readonly type: 'integer' }
      ? number
      : unknown;
}

export function typeProvider(plain: FastifyInstance): void {
  const app = plain.withTypeProvider<Named>();
  const schema = { querystring: { type: 'string' }, params: { type: 'integer' } } as const;
  app.get('/chat', { websocket: true, schema }, (_webSocket, request) => {
    expectType<string>()(request.query);
    expectType<number>()(request.params);
  });
  app.get(
    '/chat',
    { websocket: { message: { type: 'integer' } }, schema },
    (webSocket, request) => {
      expectType<string>()(request.query);
      webSocket.on('message', (data) => expectType<number>()(data));
    },
  );
}

export function routeOptions(app: FastifyInstance): void {
  const options: RouteOptions = { maxPayload: 1, subprotocols: ['a'], heartbeat: false };
  app.get('/chat', { websocket: options }, (webSocket) => expectType<WebSocket>()(webSocket));
  app.get('/chat', { websocket: { maxPayload: 1 } }, (webSocket, request) => {
    expectType<WebSocket>()(webSocket);
    expectType<string>()(request.url);
  });
  app.route({
    method: 'GET',
    url: '/chat',
    websocket: {
      origins: (origin, request) => origin === request.host,
      maxConnections: 5,
      onError: (_error, webSocket, request) => {
        expectType<WebSocket>()(webSocket);
        expectType<FastifyRequest>()(request);
      },
    },
    handler: (webSocket) => expectType<WebSocket>()(webSocket),
  });

  // @ts-expect-error no such option
  app.get('/chat', { websocket: { maxPaylod: 1 } }, () => undefined);
  // @ts-expect-error not a number
  app.get('/chat', { websocket: { maxPayload: '1mb' } }, () => undefined);
  // @ts-expect-error of the whole plugin
  app.get('/chat', { websocket: { verifyClient: () => true } }, () => undefined);
}

export function messages(app: FastifyInstance): void {
  const point = z.object({ x: z.number() });
  app.get('/points', { websocket: { message: point } }, (webSocket, request) => {
    expectType<string>()(request.url);
    webSocket.on('message', (data) => expectType<{ x: number }>()(data));
    // @ts-expect-error what is sent is text or bytes
    webSocket.send({ x: 1 });
  });
  app.get(
    '/numbers',
    { websocket: { message: async (it: unknown) => Number(it) } },
    (webSocket) => {
      webSocket.on('message', (data) => expectType<number>()(data));
    },
  );
  // Without a type provider, nobody says what a JSON Schema makes.
  app.get('/any', { websocket: { message: { type: 'object' } } }, (webSocket) => {
    webSocket.on('message', (data) => expectType<unknown>()(data));
  });
  app.route({
    method: 'GET',
    url: '/points',
    websocket: { message: point, maxPayload: 1 },
    handler: (webSocket) =>
      void webSocket.on('message', (data) => expectType<{ x: number }>()(data)),
  });
  app.route({
    method: 'GET',
    url: '/points',
    websocket: { message: point },
    handler: (_request, reply) => void reply.send('page'),
    wsHandler: (webSocket) =>
      void webSocket.on('message', (data) => expectType<{ x: number }>()(data)),
  });
}

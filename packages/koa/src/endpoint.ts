import type { MessageSchema } from '@upwire/engine/internal';
import { upgradeRequired } from '@upwire/engine/internal';
import type { DefaultContext, DefaultState, Middleware, Next, ParameterizedContext } from 'koa';
import { handshakeOf } from './handshake';
import { checkedOptions } from './options';
import type { MessageRouteOptions, RouteOptions, SchemaWebSocket, WebSocketHandler } from './types';

/** Middleware that is the end of a WebSocket route. */
const endpoints = new WeakSet<Middleware>();

/** Whether a function of a stack is the end of a WebSocket route. */
export function isEndpoint(middleware: unknown): boolean {
  return typeof middleware === 'function' && endpoints.has(middleware as Middleware);
}

/**
 * Makes a WebSocket route, to be put wherever middleware goes: `router.get('/chat/:room', requireLogin, ws(handler))`.
 * What stands in front of it runs before the 101, and so does what middleware does on the way back.
 *
 * @param options of this route, which go before those of the application
 * @throws TypeError for anything but a function
 * @throws TypeError or RangeError that names the option and the value
 */
export function ws<Schema extends MessageSchema, StateT = DefaultState, ContextT = DefaultContext>(
  handler: WebSocketHandler<StateT, ContextT, SchemaWebSocket<Schema>>,
  options: MessageRouteOptions<Schema>,
): Middleware<StateT, ContextT>;
export function ws<StateT = DefaultState, ContextT = DefaultContext>(
  handler: WebSocketHandler<StateT, ContextT>,
  options?: RouteOptions,
): Middleware<StateT, ContextT>;
export function ws(handler: WebSocketHandler, options?: object): Middleware {
  if (typeof handler !== 'function') {
    throw new TypeError(`ws() takes a handler function, got a value of type ${typeof handler}`);
  }
  const checked = checkedOptions(options);
  const endpoint: Middleware = async (context, next) => {
    const handshake = handshakeOf(context.req);
    if (handshake === undefined) await passBy(context, next);
    else handshake.take(context, handler, checked);
  };
  endpoints.add(endpoint);
  return endpoint;
}

/** Lets a plain request go on to whatever else may answer it. If nothing does, it should have been a WebSocket. */
export async function passBy(context: ParameterizedContext, next: Next): Promise<void> {
  await next();
  const { response, res } = context;
  if (context.method !== 'GET' && context.method !== 'HEAD') return;
  if (context.status !== 404 || response.body != null || context.respond === false) return;
  if (res.headersSent || res.writableEnded) return;
  const { status, headers, body } = upgradeRequired(res);
  context.status = status;
  context.set({ ...headers });
  context.body = body;
}

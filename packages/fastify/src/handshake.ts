import type { OwnAuthority, Route, RouteOptions, WebSocket } from '@upwire/engine/internal';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorHandler } from './options';
import type { WebSocketHandler } from './types';

/** What a handshake comes to. */
export interface Target {
  readonly instance: FastifyInstance;
  readonly handler: WebSocketHandler;
  readonly options: RouteOptions | undefined;
  readonly errorHandler: ErrorHandler | undefined;
}

/** One handshake that has come to its route. */
export class HandshakeRoute implements Route, OwnAuthority {
  readonly options: RouteOptions | undefined;
  private readonly target: Target;
  /** Outlives the handshake, and keeps no more of it alive than it needs. */
  private readonly report: (error: unknown, webSocket: WebSocket) => void;
  /** Until the handler runs, and no longer. */
  private exchange: { readonly request: FastifyRequest; readonly reply: FastifyReply } | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, target: Target) {
    this.options = target.options;
    this.target = target;
    this.report =
      target.errorHandler === undefined
        ? reportToLog(request.log)
        : reportTo(target.errorHandler, target.instance, request, reply);
    this.exchange = { request, reply };
  }

  get request(): FastifyRequest | undefined {
    return this.exchange?.request;
  }

  // Fastify works out what is asked for, and nothing before.

  get authority(): OwnAuthority {
    return this;
  }

  get secure(): boolean {
    return this.request?.protocol === 'https';
  }

  get host(): string | undefined {
    return this.request?.host;
  }

  get clientAddress(): string | undefined {
    return this.request?.ip;
  }

  /** Has Fastify send the 101, so that its `onSend` and `onResponse` hooks run with it. */
  readonly respond = (): void => {
    this.exchange?.reply.code(101).send();
  };

  /** Has Fastify send a refusal of ours, which is not the application's but runs through its hooks all the same. */
  readonly refuse: Route['refuse'] = (status, headers, body) => {
    const reply = this.exchange?.reply.code(status);
    for (const [name, value] of headers) {
      // Hooks may make another body of it, and Fastify sees to the length.
      if (name.toLowerCase() !== 'content-length') reply?.header(name, value);
    }
    reply?.send(body);
  };

  readonly handle = (webSocket: WebSocket): unknown => {
    const { exchange, target } = this;
    if (exchange === undefined) return undefined;
    this.exchange = undefined;
    // Whatever Fastify still has on the socket for this request, such as its `onTimeout` hook, it takes back.
    exchange.reply.hijack();
    return target.handler.call(target.instance, webSocket, exchange.request);
  };

  readonly onError = (error: unknown, webSocket?: WebSocket): void => {
    if (webSocket === undefined) this.exchange?.reply.send(asError(error));
    else this.report(error, webSocket);
  };
}

// Each in a function of its own, because the closures of one function share what any of them keeps alive.

function reportToLog(log: FastifyRequest['log']) {
  return (error: unknown): void => log.error({ err: error }, 'A WebSocket handler failed');
}

function reportTo(
  errorHandler: ErrorHandler,
  instance: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  return (error: unknown, webSocket: WebSocket): void =>
    // It is typed for what nearly everybody throws.
    errorHandler.call(instance, error as Error, webSocket, request, reply);
}

/** Fastify takes for an answer whatever is no Error. */
function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new Error(`A WebSocket handshake failed with ${String(error)}`, { cause: error });
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type Koa from 'koa';
import type { Middleware } from 'koa';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Whether a value is a Koa application, of whatever copy of Koa. */
export function isApplication(value: unknown): value is Koa {
  if (typeof value !== 'object' || value === null) return false;
  const methods = ['use', 'callback', 'listen', 'createContext', 'emit'];
  return (
    methods.every((name) => typeof Reflect.get(value, name) === 'function') &&
    Array.isArray(Reflect.get(value, 'middleware'))
  );
}

/** Runs requests through an application's middleware, inside one more that is told when all the others are done. */
export class Onion {
  private readonly app: Koa;
  private readonly outermost: Middleware;
  private readonly layers: () => readonly Middleware[];
  private composed: readonly Middleware[] = [];
  private listener: RequestListener | undefined = undefined;

  /** @param layers the middleware; by default the application's own */
  constructor(
    app: Koa,
    outermost: Middleware,
    layers = (): readonly Middleware[] => app.middleware,
  ) {
    this.app = app;
    this.outermost = outermost;
    this.layers = layers;
  }

  /** Runs one request. Settled when it has been answered, or will be by somebody else. */
  run(request: IncomingMessage, response: ServerResponse): unknown {
    const layers = this.layers();
    if (this.listener === undefined || !same(layers, this.composed)) {
      this.composed = [...layers];
      this.listener = this.compose();
    }
    return this.listener(request, response);
  }

  /**
   * Composed as late as this because Koa copies the middleware then, and by Koa itself so that contexts, error handling
   * and asynchronous storage are the application's own: it is lent the longer list for as long as that takes.
   */
  private compose(): RequestListener {
    const { app } = this;
    const { middleware } = app;
    app.middleware = [this.outermost, ...this.composed];
    try {
      return app.callback();
    } finally {
      app.middleware = middleware;
    }
  }
}

function same(some: readonly unknown[], others: readonly unknown[]): boolean {
  return some.length === others.length && some.every((it, index) => it === others[index]);
}

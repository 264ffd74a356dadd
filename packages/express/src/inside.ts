import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';

/** A layer of a router's stack, as Express 4 and 5 have it. */
export interface Layer {
  readonly name?: string;
  /** What it stands for: middleware, a router or an application. */
  readonly handle: object;
  readonly route?: { readonly stack: readonly { readonly handle: unknown }[] };
  /** What the last match has taken of the path, in releases that keep it here. */
  readonly path?: string;
  /** Whether the path is the layer's; newer releases answer with what they have found. */
  match(path: string): boolean | { readonly path: string };
}

/** A router's inside, where Express 4 and 5 agree. */
export interface RouterInside {
  readonly stack: readonly Layer[];
  handle(request: IncomingMessage, response: ServerResponse, done: (error?: unknown) => void): void;
}

/** An application's inside; the first two are Express 4's. */
export interface ApplicationInside {
  lazyrouter?(): void;
  _router?: RouterInside;
  router: RouterInside;
  /** What its responses inherit from. */
  readonly response: ServerResponse;
  set(...args: unknown[]): unknown;
  use(...args: unknown[]): unknown;
  handle(request: IncomingMessage, response: ServerResponse, done?: unknown): void;
  listen(...args: unknown[]): HttpServer;
}

/** Whether a value is an Express application, of whatever copy of Express. */
export function isApplication(value: unknown): value is ApplicationInside {
  if (typeof value !== 'function') return false;
  return ['handle', 'set', 'use', 'listen'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  );
}

/** The application's router. Asked for when routes are there and not before, for settings decide how it is made. */
export function routerOf(app: ApplicationInside): RouterInside {
  // Express 4 makes it on demand, and throws where Express 5 has the property.
  if (app.lazyrouter === undefined) return app.router;
  app.lazyrouter();
  return app._router as RouterInside;
}

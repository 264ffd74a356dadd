import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { AnyServer, Gateway } from '@upwire/engine/internal';
import Koa from 'koa';
import { attachListening } from './core';

type Found = (app: Koa) => void;

/** Who wants to know which application a middleware is given to. */
const awaited = new WeakMap<object, Found>();
/** The gateways of applications, by the listeners that `app.callback()` has made. */
const gateways = new WeakMap<object, Gateway>();

/**
 * Tells of the application that a middleware is given to, of which Koa tells the middleware only when a request comes.
 * It is seen in applications of the copy of Koa that this package finds.
 */
export function whenUsed(middleware: object, found: Found): void {
  awaited.set(middleware, found);
}

/** Has all servers of an application attached: those that it makes itself, and those that are given its `callback()`. */
export function attachServers(app: Koa, gateway: Gateway): void {
  attachListening(app, gateway);
  const { callback } = app;
  app.callback = () => {
    const listener = callback.call(app);
    gateways.set(listener, gateway);
    return listener;
  };
}

/** The server that a request has come to. */
export function serverOf({ socket }: IncomingMessage): AnyServer | undefined {
  // Node keeps it on the socket of every connection to a server.
  const { server } = socket as { server?: unknown };
  return server instanceof NetServer ? (server as AnyServer) : undefined;
}

// As soon as the package is there: `app.use(easy())` looks `use` up before it calls `easy()`.
const { use } = Koa.prototype;
Koa.prototype.use = function (this: Koa, ...middleware: Parameters<typeof use>) {
  awaited.get(middleware[0])?.(this);
  return use.apply(this, middleware);
  // Its type parameters are those of one call, and tell nothing here.
} as typeof use;

// A server hands over upgrade requests only if somebody listens for them before the first one comes.
subscribe('net.server.socket', (message) => {
  // What the channel carries, by Node's documentation.
  const { server } = (message as { readonly socket: { readonly server?: NetServer } }).socket;
  for (const listener of server?.listeners('request') ?? []) {
    gateways.get(listener)?.attach(server as AnyServer);
  }
});

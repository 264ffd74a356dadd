import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { RouteOptions, Upgrade, WebSocket } from '@upwire/engine/internal';
import { upgradeOf } from '@upwire/engine/internal';
import type { Next, ParameterizedContext } from 'koa';
import { checkedOptions } from './options';
import { Reporter, toError } from './reporter';
import type { ContextMethod, WebSocketHandler } from './types';

const handshakes = new WeakMap<IncomingMessage, Handshake>();

/** The handshake that a request is on its way through the middleware; `undefined` for an ordinary request. */
export function handshakeOf(request: IncomingMessage): Handshake | undefined {
  return handshakes.get(request);
}

/** The outermost middleware of every handshake. */
export async function runHandshake(context: ParameterizedContext, next: Next): Promise<void> {
  const upgrade = upgradeOf(context.req);
  // An application in an application: the outer one answers.
  if (upgrade === undefined || handshakes.has(context.req)) return next();
  const handshake = new Handshake(context, upgrade);
  handshakes.set(context.req, handshake);
  return handshake.run(next);
}

/** The route that a handshake has come to. */
interface TakenRoute {
  readonly handle: (webSocket: WebSocket) => unknown;
  readonly options: RouteOptions | undefined;
}

/**
 * One handshake on its way through the application's middleware. A route only leaves its handler here; when all
 * middleware is done, so that cookies and headers which it sets on its way back are there, the 101 goes out in the place
 * of Koa's answer.
 */
class Handshake {
  readonly context: ParameterizedContext;
  private readonly upgrade: Upgrade;
  private route: TakenRoute | undefined = undefined;
  /** What `ctx.ws()` has given. */
  private opening: Promise<WebSocket> | undefined = undefined;
  /** The middleware on its way there and back. */
  private unwinding: Promise<unknown> = Promise.resolve();

  constructor(context: ParameterizedContext, upgrade: Upgrade) {
    this.context = context;
    this.upgrade = upgrade;
    // What messages the WebSocket gives is said by the options.
    context.ws = ((options?: object) => this.open(options)) as ContextMethod;
  }

  /** Runs the middleware, and answers if it wants a WebSocket. */
  async run(next: Next): Promise<void> {
    this.unwinding = next();
    try {
      await this.unwinding;
    } catch (error) {
      await this.failed(error);
      return;
    }
    const { context, route } = this;
    if (this.opening !== undefined) return;
    if (route === undefined) {
      this.leave();
    } else if (context.status === 101) {
      this.accept(route);
    } else {
      // Middleware has changed its mind on the way back.
      context.respond = undefined;
    }
  }

  /** Gives a route's own middleware the time that the route's options say. */
  reach(options: RouteOptions | undefined): void {
    if (!this.isTaken) this.upgrade.reach(options);
  }

  /** A route wants the WebSocket. The first one has it. */
  take(
    context: ParameterizedContext,
    handler: WebSocketHandler,
    options: RouteOptions | undefined,
  ): void {
    if (this.isTaken) return;
    this.upgrade.reach(options);
    context.status = 101;
    context.respond = false;
    // With the asynchronous storage of whoever is around the route.
    const handle = AsyncResource.bind((webSocket: WebSocket) => handler(webSocket, context));
    this.route = { handle, options };
  }

  private get isTaken(): boolean {
    return this.route !== undefined || this.opening !== undefined;
  }

  /** `ctx.ws()`: accepts at once. */
  private open(options: object | undefined): Promise<WebSocket> {
    if (this.opening === undefined) {
      const checked = checkedOptions(options);
      this.context.status = 101;
      this.context.respond = false;
      this.opening = this.accepted(checked);
      // It may be awaited later, and a client that is refused must not end the process until then.
      this.opening.catch(() => undefined);
    }
    return this.opening;
  }

  private accepted(options: RouteOptions | undefined): Promise<WebSocket> {
    const { res: response } = this.context;
    return new Promise((resolve, reject) => {
      const refused = (): void => reject(new Error('The WebSocket handshake was not accepted'));
      if (response.destroyed) {
        refused();
        return;
      }
      response.once('close', refused);
      const handle = (webSocket: WebSocket): unknown => {
        resolve(webSocket);
        return this.unwinding;
      };
      this.accept({ handle, options });
    });
  }

  private accept({ handle, options }: TakenRoute): void {
    const { context } = this;
    const { secure, host, ip } = context;
    const reporter = new Reporter(context);
    this.upgrade.accept({
      options,
      request: context,
      authority: { secure, host: host || undefined },
      clientAddress: ip || undefined,
      handle: (webSocket) => {
        reporter.opened();
        this.opening ??= Promise.resolve(webSocket);
        return handle(webSocket);
      },
      onError: reporter.report,
    });
  }

  /** Leaves a request that no route has wanted to other listeners of the server, where there are any. */
  private leave(): boolean {
    const left = this.upgrade.unrouted();
    if (left) {
      const { req, res } = this.context;
      this.context.respond = false;
      handshakes.delete(req);
      // Koa and its middleware (package on-finished) watch response and socket for the end of the answer, and let go of
      // both, of a stream as the body for example, when they hear of it.
      res.emit('end');
    }
    return left;
  }

  private async failed(error: unknown): Promise<void> {
    const { opening, context } = this;
    if (opening !== undefined) {
      const refusal = await opening.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      // Behind the 101 it is the handler's failure; of a refusal the client has its answer.
      if (refusal === undefined || refusal === error) return;
    } else if (this.route === undefined && this.leave()) {
      // A guard's answer is for nobody; a fault is to be known.
      if (!isExposed(error)) context.app.emit('error', toError(error), context);
      return;
    }
    throw error;
  }
}

/** Whether an error is an answer for the client, such as those of `ctx.throw(401)`. */
function isExposed(error: unknown): boolean {
  return (error as { expose?: unknown } | null | undefined)?.expose === true;
}

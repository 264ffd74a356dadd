import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type {
  EarlyTextWebSocket,
  Gateway,
  Route,
  RouteOptions,
  Upgrade,
  WebSocket,
} from '@upwire/engine/internal';
import { upgradeOf } from '@upwire/engine/internal';
import type { Next, ParameterizedContext } from 'koa';
import { checkedOptions } from './options';
import { Reporter, toError } from './reporter';
import type { ContextMethod, WebSocketHandler } from './types';

/** The route that a handshake has come to. */
interface TakenRoute {
  readonly handle: (webSocket: WebSocket) => unknown;
  readonly options: RouteOptions | undefined;
}

/** That of middleware which has taken `ctx.websocket`. */
const NO_HANDLER: TakenRoute = { handle: () => undefined, options: undefined };

/**
 * One handshake on its way through the application's middleware. A route only leaves its handler here; when all
 * middleware is done, so that cookies and headers which it sets on its way back are there, the 101 goes out in the place
 * of Koa's answer.
 */
export class Handshake {
  readonly context: ParameterizedContext;
  private upgrade: Upgrade;
  private route: TakenRoute | undefined = undefined;
  /** What `ctx.ws()` has given. */
  private opening: Promise<WebSocket> | undefined = undefined;
  /** What `ctx.websocket` has given before there was a connection. */
  private early: EarlyTextWebSocket | undefined = undefined;
  /** Whether the context has `ctx.websocket`. */
  private isShown = false;
  /** The WebSocket, when there is a connection. */
  private webSocket: WebSocket | undefined = undefined;
  /** The middleware on its way there and back. */
  private unwinding: Promise<unknown> = Promise.resolve();
  private isUnwound = false;

  /** From now on it is what {@link handshakeOf} finds. */
  constructor(context: ParameterizedContext, upgrade: Upgrade) {
    this.context = context;
    this.upgrade = upgrade;
    keep(context.req, this);
  }

  /**
   * `ctx.ws`.
   *
   * @param owner whose options hold and who counts the WebSocket; by default the gateway that the request has come to
   */
  method(owner?: Gateway): ContextMethod {
    // What messages the WebSocket gives is said by the options.
    return ((options?: object) => this.open(options, owner)) as ContextMethod;
  }

  /** Runs the middleware, and answers if it wants a WebSocket. */
  async run(next: Next): Promise<void> {
    this.unwinding = next();
    try {
      await this.unwinding;
    } catch (error) {
      this.isUnwound = true;
      await this.failed(error);
      return;
    }
    this.isUnwound = true;
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
    this.checkLate(options);
    this.upgrade.reach(options);
    this.want(context);
    // With the asynchronous storage of whoever is around the route.
    const route = new AsyncResource('upwire.route');
    const handle = (webSocket: WebSocket) =>
      route.runInAsyncScope(handler, undefined, webSocket, context);
    this.route = { handle, options };
  }

  /**
   * Gives the context the property `websocket`: the WebSocket, before there is a connection as well. Whoever reads it
   * takes it.
   *
   * @param atOnce accept it as soon as the middleware has to wait for anything, which may be the WebSocket itself; else
   * when all middleware is done
   */
  showWebSocket(atOnce: boolean): void {
    this.isShown = true;
    const get = (): WebSocket => this.webSocket ?? this.giveEarly(atOnce);
    Object.defineProperty(this.context, 'websocket', { get, configurable: true });
  }

  private giveEarly(atOnce: boolean): WebSocket {
    if (this.early === undefined) {
      if (this.opening !== undefined)
        throw new Error('ctx.ws() was called before ctx.websocket was read');
      this.early = this.upgrade.giveEarly(this.route?.options);
      if (!this.isTaken) {
        this.route = NO_HANDLER;
        this.want(this.context);
      }
      if (atOnce) setImmediate(() => this.hasten());
    }
    return this.early;
  }

  /** Accepts what middleware has taken and still is at work with. */
  private hasten(): void {
    const { route, opening, isUnwound, context } = this;
    if (route === undefined || opening !== undefined || isUnwound || context.status !== 101) return;
    this.opening = this.accepted(route);
    this.opening.catch(() => undefined);
  }

  private get isTaken(): boolean {
    return (this.route !== undefined && this.route !== NO_HANDLER) || this.opening !== undefined;
  }

  /** Middleware on its way back sees what the answer will be, and may still change it. */
  private want(context: ParameterizedContext): void {
    context.status = 101;
    context.respond = false;
  }

  private checkLate(options: RouteOptions | undefined): void {
    if (options === undefined || this.early === undefined) return;
    throw new Error('ctx.websocket was read before the options of the route were known');
  }

  /** `ctx.ws()`: accepts at once. */
  private open(options: object | undefined, owner: Gateway | undefined): Promise<WebSocket> {
    if (this.opening === undefined) {
      const checked = checkedOptions(options);
      this.checkLate(checked);
      this.want(this.context);
      // For whoever reads ctx.websocket meanwhile.
      if (this.isShown) this.early ??= this.upgrade.giveEarly(checked);
      this.opening = this.accepted({ ...NO_HANDLER, options: checked }, owner);
      // It may be awaited later, and a client that is refused must not end the process until then.
      this.opening.catch(() => undefined);
    }
    return this.opening;
  }

  private accepted({ handle, options }: TakenRoute, owner?: Gateway): Promise<WebSocket> {
    const { res: response } = this.context;
    return new Promise((resolve, reject) => {
      const refused = (): void => reject(new Error('The WebSocket handshake was not accepted'));
      if (response.destroyed) {
        refused();
        return;
      }
      response.once('close', refused);
      const opened = async (webSocket: WebSocket): Promise<void> => {
        resolve(webSocket);
        await Promise.all([handle(webSocket), this.unwinding]);
      };
      this.accept({ handle: opened, options }, owner);
    });
  }

  private accept({ handle, options }: TakenRoute, owner?: Gateway): void {
    const { context } = this;
    const reporter = new Reporter(context);
    const route: Route = {
      options,
      webSocket: this.early,
      request: context,
      authority: context,
      get clientAddress() {
        return context.ip || undefined;
      },
      handle: (webSocket) => {
        reporter.opened();
        this.opened(webSocket);
        return handle(webSocket);
      },
      onError: reporter.report,
    };
    this.upgrade.accept(route, owner);
  }

  private opened(webSocket: WebSocket): void {
    this.webSocket = webSocket;
    this.opening ??= Promise.resolve(webSocket);
    this.early?.begin();
    // The request may live as long as the WebSocket; what only the handshake has needed must not.
    this.upgrade = upgradeOf(this.context.req) ?? this.upgrade;
    this.route = NO_HANDLER;
  }

  /** Leaves a request that no route has wanted to other listeners of the server, where there are any. */
  private leave(): boolean {
    const { req } = this.context;
    // Others begin within the call, and it may be another application of Koa.
    keep(req, undefined);
    const left = this.upgrade.unrouted();
    if (left) {
      this.context.respond = false;
      // Koa and its middleware (package on-finished) watch response and socket for the end of the answer, and let go of
      // both, of a stream as the body for example, when they hear of it.
      this.context.res.emit('end');
    } else {
      keep(req, this);
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

const kHandshake = Symbol('upwire.koa.handshake');

/** A request that may be a handshake. Weak collections cost the garbage collector more (ADR 27). */
type MaybeHandshake = IncomingMessage & { [kHandshake]?: Handshake | undefined };

/** The handshake that a request is on its way through the middleware; `undefined` for an ordinary request. */
export function handshakeOf(request: MaybeHandshake): Handshake | undefined {
  return request[kHandshake];
}

function keep(request: MaybeHandshake, handshake: Handshake | undefined): void {
  request[kHandshake] = handshake;
}

/** Whether an error is an answer for the client, such as those of `ctx.throw(401)`. */
function isExposed(error: unknown): boolean {
  return (error as { expose?: unknown } | null | undefined)?.expose === true;
}

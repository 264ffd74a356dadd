import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkHandshake, GATEWAY_POLICY, SERVER_CLOSED } from '../handshake/accept';
import type { OriginPolicy, Origins, OwnAuthority } from '../handshake/origin';
import { checkOrigin, createOriginPolicy } from '../handshake/origin';
import type { Refusal } from '../handshake/refusal';
import { createRefusal } from '../handshake/refusal';
import { endLingering } from '../io/linger';
import type { WebSocketOptions } from '../options';
import { describe, integerOption } from '../protocol/limits';
import { ResponseReply } from '../reply';
import { WebSocketServer } from '../server';
import type { WebSocket } from '../websocket';
import type { AnyServer, GatedGateway, RouteKnowledge, ServerGate } from './gate';
import { attachGateway } from './gate';
import { claimResponse } from './response';

/** Options that every adapter takes. `undefined` is always the default. */
export interface GatewayOptions extends WebSocketOptions {
  /**
   * Pages that may connect, where the browser names one: `'*'`, a list of origins, or a function.
   * @defaultValue the application's own origin
   */
  origins?: Origins<IncomingMessage> | undefined;
  /**
   * Time for the application to answer a handshake, in milliseconds; then the client gets a 503.
   * @defaultValue 10000
   */
  handshakeTimeout?: number | undefined;
  /**
   * Told once when a handler, or a listener of its WebSocket, throws or rejects; the client gets 1011.
   * @defaultValue the framework's own error handling
   */
  onError?: ((error: unknown, webSocket: WebSocket, request: IncomingMessage) => void) | undefined;
}

/** Defaults for applications that face the network, where the bare engine has those of `ws`. */
const DEFAULTS = { maxPayload: 1024 * 1024, closeTimeout: 10_000 } as const;
const HANDSHAKE_TIMEOUT = 10_000;

/** What a gateway needs of the framework. */
export interface Framework {
  /** Runs the framework's own stack on a request, as for any other. */
  dispatch(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request will come to a WebSocket route, as far as can be told. */
  routes(request: IncomingMessage): RouteKnowledge;
}

/** What a route does with its WebSocket. */
export interface Route {
  /** Where the request was sent, by the framework's own knowledge of proxies. */
  readonly authority: OwnAuthority;
  /** The application's handler. */
  handle(webSocket: WebSocket): unknown;
  /** The framework's own error handling, for applications that have no `onError`. */
  onError(error: unknown): void;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** The handshake that a request is; `undefined` for an ordinary request. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return upgrades.get(request);
}

/**
 * Lets upgrade requests run through a framework's own stack, with a real response on the real socket: accepting one
 * means ending that response with 101, refusing it means that the application has answered something else.
 */
export class Gateway implements GatedGateway {
  /** The WebSockets of all routes: `clients`, and `connection` events. */
  readonly server: WebSocketServer;
  readonly handshakeTimeout: number;
  /** @internal */
  readonly origins: OriginPolicy<IncomingMessage>;
  /** @internal */
  readonly framework: Framework;
  private readonly onError: GatewayOptions['onError'];
  private readonly reporters = new WeakMap<WebSocket, (error: unknown) => void>();

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(framework: Framework, options: GatewayOptions = {}) {
    this.framework = framework;
    this.onError = functionOption('onError', options.onError);
    this.origins = createOriginPolicy(options.origins);
    this.handshakeTimeout = integerOption(
      'handshakeTimeout',
      options.handshakeTimeout,
      HANDSHAKE_TIMEOUT,
      { min: 1, max: 2 ** 31 - 1, unit: 'milliseconds' },
    );
    this.server = new WebSocketServer(
      {
        ...options,
        maxPayload: options.maxPayload ?? DEFAULTS.maxPayload,
        closeTimeout: options.closeTimeout ?? DEFAULTS.closeTimeout,
        noServer: true,
      },
      undefined,
      {
        textAsString: true,
        holdMessages: true,
        hooks: {
          onListenerError: (error, webSocket) => this.reporters.get(webSocket)?.(error),
        },
      },
    );
  }

  /** Takes the upgrade requests of a server; any number of servers, at any time. */
  attach(server: AnyServer): void {
    attachGateway(server, this);
  }

  routes(request: IncomingMessage): RouteKnowledge {
    return this.framework.routes(request);
  }

  handle(
    gate: ServerGate,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    elsewhere: (() => void) | undefined,
  ): void {
    claimResponse(request, socket, (response) => {
      const upgrade = new Upgrade(this, gate, request, response, head, elsewhere);
      upgrades.set(request, upgrade);
      upgrade.start();
    });
  }

  /** @internal The handshake is over: makes the WebSocket and runs the handler, in the same tick. */
  open(upgrade: Upgrade, response: ServerResponse, route: Route): void {
    const { request, head, gate } = upgrade;
    this.server.handleUpgrade(request, response, head, (webSocket) => {
      this.reporters.set(webSocket, (error) => {
        if (this.onError === undefined) route.onError(error);
        else this.onError(error, webSocket, request);
      });
      gate.track(webSocket);
      run(webSocket, () => {
        this.server.emit('connection', webSocket, request);
        return route.handle(webSocket);
      });
    });
  }
}

/** One handshake on its way through the framework. */
export class Upgrade {
  readonly request: IncomingMessage;
  readonly head: Buffer;
  readonly gate: ServerGate;
  private readonly gateway: Gateway;
  private readonly response: ServerResponse;
  private readonly elsewhere: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private accepted = false;

  constructor(
    gateway: Gateway,
    gate: ServerGate,
    request: IncomingMessage,
    response: ServerResponse,
    head: Buffer,
    elsewhere: (() => void) | undefined,
  ) {
    this.gateway = gateway;
    this.gate = gate;
    this.request = request;
    this.response = response;
    this.head = head;
    this.elsewhere = elsewhere;
  }

  /** @internal Validates the handshake and lets the framework answer it. */
  start(): void {
    const { gateway, gate, request, response } = this;
    response.once('finish', () => this.finished());
    response.once('close', () => clearTimeout(this.timer));
    const refusal = gate.closing ? SERVER_CLOSED : checkHandshake(request, GATEWAY_POLICY);
    if (refusal !== null) {
      this.refuse(refusal);
      return;
    }
    this.timer = setTimeout(() => this.expire(), gateway.handshakeTimeout);
    this.timer.unref();
    gateway.framework.dispatch(request, response);
  }

  /**
   * Accepts the handshake. The application has let the request through to a route of WebSockets.
   *
   * @param response the framework's own, as its middleware has left it
   */
  accept(response: ServerResponse, route: Route): void {
    if (this.accepted || response.headersSent || response.destroyed) return;
    this.accepted = true;
    const proceed = (refusal: Refusal | null): void => {
      if (refusal !== null) this.refuse(refusal);
      else if (this.gate.closing) this.refuse(SERVER_CLOSED);
      else this.gateway.open(this, response, route);
    };
    try {
      const decision = checkOrigin(this.request, this.gateway.origins, route.authority);
      if (isThenable(decision)) decision.then(proceed).then(undefined, (error) => this.fail(error));
      else proceed(decision);
    } catch (error) {
      this.fail(error);
    }
  }

  /**
   * Tells that the framework has no route for the request.
   *
   * @returns true when somebody else will answer it, false when the framework has to
   */
  unrouted(): boolean {
    const { elsewhere, response } = this;
    const { socket } = response;
    if (elsewhere === undefined || response.headersSent || socket === null) return false;
    clearTimeout(this.timer);
    upgrades.delete(this.request);
    response.detachSocket(socket);
    response.emit('close');
    elsewhere();
    return true;
  }

  /** Answers in place of the application. */
  refuse(refusal: Refusal): void {
    new ResponseReply(this.response).refuse(refusal);
  }

  private finished(): void {
    clearTimeout(this.timer);
    const { socket, statusCode } = this.response;
    // The 101's socket is taken by whoever has accepted.
    if (statusCode !== 101 && socket !== null) endLingering(socket);
  }

  private expire(): void {
    if (this.response.headersSent) this.response.destroy();
    else this.refuse(createRefusal(503, 'The handshake took too long'));
  }

  private fail(error: unknown): void {
    if (!this.response.headersSent) this.refuse(createRefusal(500));
    process.emitWarning(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Runs a handler; what it throws or rejects with ends its own WebSocket and nobody else's. */
function run(webSocket: WebSocket, handler: () => unknown): void {
  const failed = (error: unknown): void => webSocket.listenerFailed(error);
  try {
    const result = handler();
    if (isThenable(result)) result.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

function functionOption<Value>(name: string, value: Value): Value {
  if (value === undefined || typeof value === 'function') return value;
  throw new TypeError(`The "${name}" option must be a function, got ${describe(value)}`);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { OriginPolicy, Origins } from '../handshake/origin';
import { createOriginPolicy } from '../handshake/origin';
import type { WebSocketOptions } from '../options';
import { describe, integerOption } from '../protocol/limits';
import { WebSocketServer } from '../server';
import type { ServerOptions } from '../server-options';
import type { WebSocket } from '../websocket';
import { contain, warn } from './contain';
import type { AnyServer, GatedGateway, RouteKnowledge, ServerGate } from './gate';
import { attachGateway } from './gate';
import { claimResponse } from './response';
import type { Route, UpgradeOwner } from './upgrade';
import { startUpgrade, Upgrade } from './upgrade';

/** Options that every adapter takes. `undefined` is always the default. */
export interface GatewayOptions
  extends WebSocketOptions,
    Pick<ServerOptions, 'broker' | 'clientTracking' | 'handleProtocols' | 'verifyClient'> {
  /**
   * Pages that may connect, where the browser names one: `'*'`, a list of origins, or a function.
   * @defaultValue the application's own origin
   */
  origins?: Origins<IncomingMessage> | undefined;
  /**
   * Time for the application to answer a handshake, in milliseconds; then the client gets a 503. An answer that has
   * begun may take longer, but the connection is cut when nothing moves for as long as this.
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
const DEFAULTS = {
  maxPayload: 1024 * 1024,
  maxBufferedAmount: 16 * 1024 * 1024,
  closeTimeout: 10_000,
  holdMessages: true,
  heartbeat: { interval: 30_000 },
} as const;
const HANDSHAKE_TIMEOUT = 10_000;

/** What a gateway needs of the framework. */
export interface Framework {
  /** Runs the framework's own stack on a request, as for any other. */
  dispatch(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a request will come to a WebSocket route, as far as can be told; asked only where others may answer too. */
  routes(request: IncomingMessage): RouteKnowledge;
}

type Reporter = (error: unknown) => void;

/**
 * Lets upgrade requests run through a framework's own stack, with a real response on the real socket: accepting one
 * means ending that response with 101, refusing it means that the application has answered something else.
 */
export class Gateway implements GatedGateway, UpgradeOwner {
  /** The WebSockets of all routes: `clients`, and `connection` events. */
  readonly server: WebSocketServer;
  readonly handshakeTimeout: number;
  /** @internal */
  readonly origins: OriginPolicy<IncomingMessage>;
  private readonly framework: Framework;
  private readonly onError: GatewayOptions['onError'];
  private readonly reporters = new WeakMap<WebSocket, Reporter>();

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
      { ...DEFAULTS, ...given(options), noServer: true },
      undefined,
      {
        textAsString: true,
        hooks: {
          onListenerError: (error, webSocket) =>
            contain(() => this.reporters.get(webSocket)?.(error), warn),
        },
      },
    );
  }

  /**
   * Takes the upgrade requests of a server; any number of servers, at any time.
   *
   * @throws TypeError for anything but a server
   */
  attach(server: AnyServer): void {
    attachGateway(server, this);
  }

  /** @internal */
  routes(request: IncomingMessage): RouteKnowledge {
    return this.framework.routes(request);
  }

  /** @internal */
  handle(
    gate: ServerGate,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    elsewhere: (() => void) | undefined,
  ): void {
    claimResponse(request, socket, (response) =>
      startUpgrade(new Upgrade(this, gate, request, response, head, elsewhere)),
    );
  }

  /** @internal */
  dispatch(request: IncomingMessage, response: ServerResponse): void {
    this.framework.dispatch(request, response);
  }

  /** @internal */
  open({ request, response, gate }: Upgrade, head: Buffer, route: Route): void {
    this.server.handleUpgrade(request, response, head, (webSocket) => {
      gate.track(webSocket);
      this.reporters.set(webSocket, this.reporter(webSocket, request, route));
      this.run(webSocket, request, route);
    });
  }

  /** Whom to tell of errors. It lives as long as the WebSocket, and keeps no more alive than it needs. */
  private reporter(webSocket: WebSocket, request: IncomingMessage, route: Route): Reporter {
    const { onError } = this;
    return onError === undefined ? route.onError : (error) => onError(error, webSocket, request);
  }

  /** Runs the application's part; what it throws or rejects with ends its own WebSocket and nobody else's. */
  private run(webSocket: WebSocket, request: IncomingMessage, route: Route): void {
    let refused = false;
    const failed = (error: unknown): void => {
      refused = true;
      webSocket.listenerFailed(error);
    };
    // One by one, because an emitter leaves their rejections to the process.
    for (const listener of this.server.rawListeners('connection')) {
      contain(() => Reflect.apply(listener, this.server, [webSocket, request]), failed);
    }
    if (!refused) contain(() => route.handle(webSocket), failed);
  }
}

/** The options less those that are `undefined`, which would stand in the way of a default. */
function given(options: GatewayOptions): GatewayOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function functionOption<Value>(name: string, value: Value): Value {
  if (value === undefined || typeof value === 'function') return value;
  throw new TypeError(`The "${name}" option must be a function, got ${describe(value)}`);
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CloseOptions } from '../closing';
import type { TextWebSocket, TextWebSocketClass } from '../events';
import type { Refusal } from '../handshake/refusal';
import type { MessageIssue } from '../message-schema';
import { ResponseReply } from '../reply';
import { WebSocketServer } from '../server';
import type { WebSocket } from '../websocket';
import type { Place } from './connection-limit';
import { contain, warn } from './contain';
import type { AnyServer, GatedGateway, RouteKnowledge, ServerGate } from './gate';
import { attachGateway, detachGateway } from './gate';
import type { InjectOptions } from './inject';
import { inject } from './inject';
import type { GatewayOptions, RouteOptions } from './options';
import { checkSharedOptions, given } from './options';
import { claimResponse } from './response';
import type { GatewayHooks, RouteSettings } from './settings';
import { gatewayBehavior, gatewaySettings, routeSettings, termsTelling } from './settings';
import type { Route, UpgradeOwner } from './upgrade';
import { knownRequest, startUpgrade, Upgrade } from './upgrade';

/** Defaults for applications that face the network, where the bare engine has those of `ws`. */
const DEFAULTS = {
  maxPayload: 1024 * 1024,
  maxBufferedAmount: 16 * 1024 * 1024,
  closeTimeout: 10_000,
  holdMessages: true,
  heartbeat: { interval: 30_000 },
} as const;

/** The server of a gateway's WebSockets. */
export type GatewayServer = WebSocketServer<TextWebSocketClass>;

/** What a gateway needs of the framework. */
export interface Framework {
  /** Runs the framework's own stack on a request, as for any other. What it throws or rejects with is a 500. */
  dispatch(request: IncomingMessage, response: ServerResponse): unknown;
  /** Whether a request will come to a WebSocket route, as far as can be told; asked only where others may answer too. */
  routes(request: IncomingMessage): RouteKnowledge;
  /** What its responses inherit from, if not from Node's alone. */
  readonly responsePrototype?: ServerResponse;
}

/** What is kept of a handshake for its WebSocket. */
interface Opened {
  /** Told of errors. */
  readonly failed: (error: unknown, webSocket: TextWebSocket) => void;
  /** Answers messages that are wrong. */
  readonly invalid:
    | ((issues: readonly MessageIssue[], webSocket: TextWebSocket) => unknown)
    | undefined;
  readonly place: Place | undefined;
}

const kOpened = Symbol('upwire.opened');

/** A WebSocket that may be one of a gateway. Weak collections cost the garbage collector more (ADR 27). */
type MaybeOpened = WebSocket & { [kOpened]?: Opened };

function keepOpened(webSocket: MaybeOpened, opened: Opened): void {
  webSocket[kOpened] = opened;
}

function openedOf(webSocket: MaybeOpened): Opened | undefined {
  return webSocket[kOpened];
}

/**
 * Lets upgrade requests run through a framework's own stack, with a real response on the real socket: accepting one
 * means ending that response with 101, refusing it means that the application has answered something else.
 */
export class Gateway implements GatedGateway, UpgradeOwner {
  /** The WebSockets of all routes: `clients`, and `connection` events. */
  readonly server: GatewayServer;
  /** Whether it has been told to close. */
  closing = false;
  private readonly framework: Framework;
  /** What holds where a route says nothing. */
  private readonly settings: RouteSettings;
  private readonly settingsOfRoutes = new WeakMap<RouteOptions, RouteSettings>();
  /** The server of injected handshakes. */
  private injected: Server | undefined = undefined;
  private readonly hooks: GatewayHooks = {
    onListenerError: (error, webSocket) =>
      contain(() => openedOf(webSocket)?.failed(error, asText(webSocket)), warn),
    onInvalidMessage: (issues, webSocket) =>
      contain(
        () => openedOf(webSocket)?.invalid?.(issues, asText(webSocket)),
        (error) => webSocket.listenerFailed(error),
      ),
    onClosed: (webSocket) => openedOf(webSocket)?.place?.leave(),
  };

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(framework: Framework, options: GatewayOptions = {}) {
    this.framework = framework;
    const own = given(options);
    checkSharedOptions(own);
    const all = { ...DEFAULTS, ...own, noServer: true };
    const behavior = gatewayBehavior(own, this.hooks);
    this.server = new WebSocketServer<TextWebSocketClass>(all, undefined, behavior);
    this.settings = gatewaySettings(this.server, own, behavior);
  }

  /** Time for the application to answer a handshake, in milliseconds. */
  get handshakeTimeout(): number {
    return this.settings.handshakeTimeout;
  }

  /**
   * Takes the upgrade requests of a server; any number of servers, at any time.
   *
   * @throws TypeError for anything but a server
   */
  attach(server: AnyServer): void {
    attachGateway(server, this);
  }

  /** Leaves the upgrade requests of a server to others. What is open or under way goes on. */
  detach(server: AnyServer): void {
    detachGateway(server, this);
  }

  /**
   * Opens a WebSocket within the process: the handshake runs through the framework's stack as any other, and needs
   * neither a port nor a server.
   *
   * @param path path and query
   * @returns the client's WebSocket, open; what comes before its `'message'` listener waits for it. Rejects with an
   * `Error` that has the `code` `WS_ERR_UNEXPECTED_RESPONSE`, `status`, `headers` and `body` where it was refused
   * @throws TypeError for a path that does not begin with a slash
   */
  inject(path: string, options?: InjectOptions): Promise<WebSocket> {
    if (this.injected === undefined) {
      // It never listens: it is there to make requests of bytes.
      this.injected = createServer((request, response) => this.dispatch(request, response));
      this.attach(this.injected);
    }
    const { injected } = this;
    return inject((socket) => injected.emit('connection', socket), path, options);
  }

  /**
   * Takes no more WebSockets, says goodbye to those that are open, injected ones among them, and cuts those that have not
   * ended in time. Handshakes that come meanwhile, or are not decided yet, are answered 503. Its servers go on.
   *
   * @returns a promise that settles when all have ended; it never rejects
   * @throws TypeError or RangeError that names the option and the value
   * @throws Error with `clientTracking: false`, where nobody knows who is connected
   */
  close(options: CloseOptions = {}): Promise<void> {
    const over = this.server.close(options);
    this.closing = true;
    return over;
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
    const { responsePrototype } = this.framework;
    const start = (response: ServerResponse) =>
      startUpgrade(new Upgrade(this, gate, request, response, head, elsewhere));
    claimResponse(request, socket, start, responsePrototype);
  }

  /** @internal */
  dispatch(request: IncomingMessage, response: ServerResponse): unknown {
    return this.framework.dispatch(request, response);
  }

  /** @internal What holds for a route with these options, which {@link checkRouteOptions} has made. */
  settingsOf(options: RouteOptions | undefined): RouteSettings {
    if (options === undefined) return this.settings;
    let settings = this.settingsOfRoutes.get(options);
    if (settings === undefined) {
      settings = routeSettings(options, this.settings, this.hooks);
      this.settingsOfRoutes.set(options, settings);
    }
    return settings;
  }

  /** @internal */
  refused(request: IncomingMessage, status: number, refusal: Refusal | undefined): void {
    this.server.refused(request, status, refusal);
  }

  /** @internal */
  open(upgrade: Upgrade, head: Buffer, route: Route): void {
    const { request, response, gate } = upgrade;
    const { terms } = this.settingsOf(route.options);
    const known = knownRequest(route, request);
    const opened = (webSocket: TextWebSocket): void => {
      gate.track(webSocket);
      keepOpened(webSocket, {
        failed: this.failed(known, route),
        invalid: this.invalid(known, route),
        place: upgrade.handOver(),
      });
      this.run(webSocket, request, route);
    };
    const reply = new ResponseReply(response, route);
    const { webSocket } = route;
    const own = webSocket === undefined ? terms : { ...terms, webSocket };
    this.server.answer(request, reply, head, opened, termsTelling(known, own));
  }

  // What these two return lives as long as the WebSocket, and keeps no more alive than it needs: each in a function of
  // its own, because the closures of one function share what any of them keeps.

  private failed(request: IncomingMessage, route: Route): Opened['failed'] {
    const { onError } = this.settingsOf(route.options);
    if (onError === undefined) return route.onError;
    return (error, webSocket) => onError(error, webSocket, request);
  }

  private invalid(request: IncomingMessage, route: Route): Opened['invalid'] {
    const { onInvalidMessage } = this.settingsOf(route.options);
    if (onInvalidMessage === undefined) return undefined;
    return (issues, webSocket) => onInvalidMessage(issues, webSocket, request);
  }

  /** Runs the application's part; what it throws or rejects with ends its own WebSocket and nobody else's. */
  private run(webSocket: TextWebSocket, request: IncomingMessage, route: Route): void {
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

/** A WebSocket of a gateway: they all give text as strings. */
function asText(webSocket: WebSocket): TextWebSocket {
  return webSocket as TextWebSocket;
}

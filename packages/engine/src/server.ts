import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PrepareData, PrepareOptions } from './broadcast';
import { prepared } from './broadcast';
import type { CloseOptions } from './closing';
import { checkCloseOptions, Farewell } from './closing';
import type { ResolvedDeflateOptions } from './deflate/options';
import { resolveDeflateOptions } from './deflate/options';
import type { WebSocketServerEvents } from './events';
import { TypedEmitter } from './events';
import { SERVER_POLICY } from './handshake/accept';
import type { Refusal } from './handshake/refusal';
import { show } from './handshake/show';
import type { HostListeners } from './http-host';
import { HttpHost } from './http-host';
import { guard } from './io/guard';
import { observeError, observeRefusal } from './observe';
import type { WebSocketBehavior } from './options';
import type { PreparedMessage } from './protocol/prepared';
import type { HandshakeReply } from './reply';
import { ResponseReply, SocketReply } from './reply';
import { ServerHandshake } from './server-handshake';
import type {
  CheckedServerOptions,
  ConnectionOf,
  ServerOptions,
  ServerOptionsShown,
} from './server-options';
import { checkServerOptions } from './server-options';
import type { ServerStats } from './tally';
import { statsOf, Tally } from './tally';
import type { HandshakeTerms } from './terms';
import { checkTopic } from './topics/subscriber';
import { inTurn } from './upgrade/response';
import type { WebSocket } from './websocket';

const ServerState = { RUNNING: 0, CLOSING: 1, CLOSED: 2 } as const;
type ServerState = (typeof ServerState)[keyof typeof ServerState];

/** Takes the WebSocket of a handshake that was accepted. */
export type UpgradeCallback<
  Connection extends WebSocket = WebSocket,
  Request extends IncomingMessage = IncomingMessage,
> = (webSocket: Connection, request: Request) => void;

/**
 * A WebSocket server with the API of `ws`.
 *
 * Events: `connection(webSocket, request)`, `headers(lines, request)`, `wsClientError(error, socket, request)`,
 * `listening`, `close` and `error`. An option function that throws, or answers what cannot be sent, costs that one
 * client a 500 and is told by `error`, or as a process warning where nobody listens.
 */
export class WebSocketServer<
  Class extends typeof WebSocket = typeof WebSocket,
  Message extends typeof IncomingMessage = typeof IncomingMessage,
  Given = unknown,
> extends TypedEmitter<WebSocketServerEvents<ConnectionOf<Class, Given>, InstanceType<Message>>> {
  readonly options: ServerOptionsShown<Message>;
  /** The open WebSockets. With `clientTracking: false` it is `undefined`, whatever the type of `@types/ws` says. */
  readonly clients: Set<ConnectionOf<Class, Given>>;
  /** @internal */
  _server: HttpServer | HttpsServer | null = null;
  /** @internal */
  _state: ServerState = ServerState.RUNNING;
  /** @internal The `perMessageDeflate` option, checked; `undefined` where it is off. */
  readonly deflate: ResolvedDeflateOptions | undefined;
  /** With `port` or `server`. */
  private host: HttpHost | undefined = undefined;
  private notifyWhenEmpty = false;
  private farewell: Farewell | undefined = undefined;
  /** @internal */
  readonly tally: Tally = new Tally(this.erased);
  private readonly refusedRequests = new WeakSet<IncomingMessage>();
  /** @internal Handshakes that wait for a decision of the application's. */
  readonly undecided = new Set<ServerHandshake>();

  /**
   * @param options exactly one of `port`, `server` and `noServer`
   * @param callback called when the server listens; only with `port`
   * @param behavior how its WebSockets differ from those of `ws`; for gateways
   * @throws TypeError or RangeError that names the option and the value
   */
  constructor(
    options: ServerOptions<Class, Message> = {},
    callback?: () => void,
    behavior?: Partial<WebSocketBehavior>,
  ) {
    super();
    // Of one object the two types: what it holds, and what it shows.
    this.options = checkServerOptions(
      options,
      behavior,
    ) as ServerOptions as ServerOptionsShown<Message>;
    const { perMessageDeflate, clientTracking } = this.checkedOptions;
    this.deflate = perMessageDeflate ? resolveDeflateOptions(perMessageDeflate) : undefined;
    this.clients = trackedClients(clientTracking);
    if (this.checkedOptions.port !== null) this.attach().listen(this.options, callback);
    else if (this.options.server) this.attach(this.options.server);
  }

  /**
   * The address the HTTP server listens on; `null` when it does not.
   *
   * @throws Error in `noServer` mode
   */
  address(): AddressInfo | string | null {
    if (this.options.noServer) {
      throw new Error('The server is operating in "noServer" mode');
    }
    return this._server === null ? null : this._server.address();
  }

  /** The `path` option; `''` where there is none. */
  get path(): string {
    return this.options.path ?? '';
  }

  /**
   * Takes no more connections. `close` is emitted when the last WebSocket has ended; those that are open are left
   * alone, and so is an HTTP server that was given as an option.
   */
  close(callback?: (error?: Error) => void): void;
  /**
   * Takes no more connections, closes those that are open, and cuts those that have not ended in time. Handshakes that are
   * not decided, or come meanwhile, are answered 503. An HTTP server that was given as an option is left alone.
   *
   * It may be called in any state, any number of times; each may shorten the time.
   *
   * @returns a promise that settles when `close` has been emitted, and never rejects. No timer of it keeps the process alive
   * @throws TypeError or RangeError that names the option and the value
   * @throws Error with `clientTracking: false`, where nobody knows who is connected
   */
  close(options: CloseOptions): Promise<void>;
  close(given?: CloseOptions | ((error?: Error) => void)): void | Promise<void> {
    if (typeof given === 'object' && given !== null) return this.sayGoodbye(given);
    if (this._state === ServerState.CLOSED) {
      if (given !== undefined) {
        this.once('close', () => given(new Error('The server is not running')));
      }
      process.nextTick(emitClose, this);
      return;
    }
    if (given !== undefined) this.once('close', given);
    if (this._state === ServerState.CLOSING) return;
    this.stop();
    this.host?.detach();
  }

  /**
   * Sends a message to all subscribers of a topic.
   *
   * @returns to how many of this process it was sent
   * @throws TypeError for a topic that is no string, or data that cannot be prepared
   */
  publish(topic: string, data: PrepareData | PreparedMessage, options?: PrepareOptions): number {
    checkTopic(topic);
    return this.checkedOptions.broker.publish(topic, prepared(data, options));
  }

  /**
   * The WebSockets of this process that are subscribed to a topic; a view that must not be changed.
   *
   * @throws TypeError for a topic that is no string
   */
  subscribers(topic: string): ReadonlySet<WebSocket> {
    checkTopic(topic);
    return this.checkedOptions.broker.subscribers(topic);
  }

  /** What this server has had to do with so far. It is counted as it happens, and costs nothing more to read. */
  stats(): ServerStats {
    return statsOf(this.tally);
  }

  /** Whether a request is for this server: by default, whether its path is the `path` option. */
  shouldHandle(request: InstanceType<Message>): boolean | Promise<boolean> {
    const { path } = this.options;
    if (!path) return true;
    const url = request.url ?? '';
    const query = url.indexOf('?');
    return (query === -1 ? url : url.slice(0, query)) === path;
  }

  /**
   * Answers a handshake.
   *
   * @param target the socket, or the framework's response on that socket, which then writes the 101 or the refusal
   * @param head what was read behind the request
   * @param callback takes the WebSocket; never called when the handshake is refused
   * @throws Error when the socket has been upgraded before
   */
  handleUpgrade(
    request: InstanceType<Message>,
    target: Duplex | ServerResponse,
    head: Buffer,
    callback: UpgradeCallback<ConnectionOf<Class, Given>, InstanceType<Message>>,
  ): void {
    const reply = replyTo(target);
    const answer = (): void =>
      // The WebSocket that is made is of the class that the options name.
      this.answer(request, reply, head, callback as UpgradeCallback, this.terms);
    // A response has its turn from the framework; behind the 101 there must be nothing but frames.
    if (target instanceof ServerResponse) answer();
    else inTurn(target, answer);
  }

  /** @internal As {@link handleUpgrade}, on terms of their own in place of the server's. */
  answer(
    request: IncomingMessage,
    reply: HandshakeReply,
    head: Buffer,
    callback: UpgradeCallback,
    terms: HandshakeTerms,
  ): void {
    new ServerHandshake(this, request, reply, head, callback, terms).start();
  }

  /** What this server's handshakes agree to. */
  private get terms(): HandshakeTerms {
    const { checkedOptions: options, deflate } = this;
    const choice = options.handleProtocols ?? null;
    const subprotocols = { choice, option: 'handleProtocols' } as const;
    return { policy: SERVER_POLICY, options, deflate, subprotocols };
  }

  // ---- the handshakes' calls

  /** @internal The options as they were checked; who changes them meanwhile is told at the next handshake. */
  get checkedOptions(): CheckedServerOptions {
    return this.options as ServerOptions as CheckedServerOptions;
  }

  /** @internal Whether new connections are taken. */
  get running(): boolean {
    return this._state === ServerState.RUNNING;
  }

  /** @internal Counts a new WebSocket among the clients. */
  track(webSocket: ConnectionOf<Class, Given>): void {
    const { clients } = this;
    if (!clients) return;
    clients.add(webSocket);
    this.farewell?.sayTo(webSocket);
  }

  /** @internal A WebSocket tells its `'close'`; called without a listener for each, which would be memory for each. */
  forget(webSocket: ConnectionOf<Class, Given>): void {
    const { clients } = this;
    if (!clients?.delete(webSocket)) return;
    if (this.notifyWhenEmpty && clients.size === 0) process.nextTick(emitClose, this);
  }

  /** @internal A handshake was answered otherwise; its socket lingers behind the answer. */
  turnAway(socket: Duplex): void {
    this.host?.turnAway(socket);
  }

  /**
   * @internal Counts a handshake that is answered otherwise, by whomever, and tells those who observe; once.
   *
   * @param status of the answer; `undefined` where it is the application's to give
   */
  refused(request: IncomingMessage, status: number | undefined, refusal?: Refusal): void {
    if (this.refusedRequests.has(request)) return;
    this.refusedRequests.add(request);
    this.tally.refused++;
    observeRefusal(this.erased, request, status, refusal);
  }

  /** @internal Tells of the application's own failures, which cost one client its connection and nobody else. */
  report(failure: unknown, request?: IncomingMessage): void {
    this.tally.errors++;
    const server = this.erased;
    observeError({ error: failure, role: 'server', webSocket: undefined, server, request });
    const error =
      failure instanceof Error
        ? failure
        : new Error(`An option or listener failed with ${show(failure)}`, { cause: failure });
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else process.emitWarning(error);
  }

  /** The same by the type that all servers have in common. */
  private get erased(): WebSocketServer {
    return this as unknown as WebSocketServer;
  }

  // ---- closing

  private stop(): void {
    this._state = ServerState.CLOSING;
    this._server = null;
    if (this.host?.close(() => this.serverClosed())) return;
    if (this.clients?.size > 0) this.notifyWhenEmpty = true;
    else process.nextTick(emitClose, this);
  }

  private sayGoodbye(options: CloseOptions): Promise<void> {
    if (!this.clients) {
      throw new Error(
        'The server cannot say goodbye to its clients: with "clientTracking: false" it does not know them',
      );
    }
    const goodbye = checkCloseOptions(options, this.checkedOptions.closeTimeout);
    if (this._state === ServerState.CLOSED) return Promise.resolve();
    // Its 'upgrade' listener stays until the end, to answer those who come meanwhile.
    if (this._state === ServerState.RUNNING) this.stop();
    this.farewell ??= new Farewell(this);
    for (const handshake of this.undecided) handshake.turnAway();
    this.farewell.say(goodbye);
    return this.farewell.over;
  }

  /** Our HTTP server has closed; Node says so a moment before its sockets tell their end. */
  private serverClosed(): void {
    if (this.farewell !== undefined && this.clients.size > 0) this.notifyWhenEmpty = true;
    else emitClose(this);
  }

  /** @internal Ends what is left of the connections. */
  cut(): void {
    for (const webSocket of this.clients) {
      webSocket.terminate();
      webSocket.releaseInbox();
    }
    this.host?.cut();
  }

  /** @internal The server has ended, and emits `close`. */
  ended(): void {
    this._state = ServerState.CLOSED;
    this.notifyWhenEmpty = false;
    this.host?.detach();
    try {
      this.emit('close');
    } finally {
      this.farewell?.end();
    }
  }

  // ---- the HTTP server

  /** @param server the one given; by default one of its own */
  private attach(server?: HttpServer | HttpsServer): HttpHost {
    const listeners: HostListeners = {
      listening: () => this.emit('listening'),
      error: (error) => this.emit('error', error),
      upgrade: (incoming, socket, head) => {
        // The HTTP server makes its requests of the class that the types name.
        const request = incoming as InstanceType<Message>;
        this.handleUpgrade(request, socket, head, (webSocket) =>
          this.emit('connection', webSocket, request),
        );
      },
    };
    this.host = new HttpHost(listeners, server);
    this._server = this.host.server;
    return this.host;
  }
}

/** `@types/ws` does not know of servers that keep no set, and code is typed by it. */
function trackedClients<Connection>(tracking: boolean): Set<Connection> {
  return (tracking ? new Set() : undefined) as Set<Connection>;
}

function replyTo(target: Duplex | ServerResponse): HandshakeReply {
  if (target instanceof ServerResponse) return new ResponseReply(target);
  // A reset while the application decides must not be an unheard 'error'.
  guard(target);
  return new SocketReply(target);
}

function emitClose(server: { ended(): void }): void {
  server.ended();
}

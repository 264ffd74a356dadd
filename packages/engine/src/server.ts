import { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { createServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  acceptance,
  checkHandshake,
  NOT_HANDLED,
  offeredSubprotocols,
  SERVER_CLOSED,
  SERVER_POLICY,
} from './handshake/accept';
import { requestOrigin } from './handshake/origin';
import type { Header, Refusal } from './handshake/refusal';
import { applicationRefusal, createRefusal } from './handshake/refusal';
import { selectSubprotocol } from './handshake/subprotocols';
import { isFieldValue, isToken } from './handshake/tokens';
import type { WebSocketBehavior } from './options';
import type { HandshakeReply } from './reply';
import { ResponseReply, SocketReply } from './reply';
import type { CheckedServerOptions, ServerOptions, VerifyClientInfo } from './server-options';
import { checkServerOptions } from './server-options';
import type { WebSocket } from './websocket';

/** Sockets that have become WebSockets. */
const upgraded = new WeakSet<Duplex>();

const ServerState = { RUNNING: 0, CLOSING: 1, CLOSED: 2 } as const;
type ServerState = (typeof ServerState)[keyof typeof ServerState];

/** Takes the WebSocket of a handshake that was accepted. */
export type UpgradeCallback = (webSocket: WebSocket, request: IncomingMessage) => void;

/**
 * A WebSocket server with the API of `ws`.
 *
 * Events: `connection(webSocket, request)`, `headers(lines, request)`, `wsClientError(error, socket, request)`,
 * `listening`, `close` and `error`. An option function that throws, or answers what cannot be sent, costs that one
 * client a 500 and is told by `error`, or as a process warning where nobody listens.
 */
export class WebSocketServer extends EventEmitter {
  readonly options: CheckedServerOptions;
  /** The open WebSockets; `undefined` with `clientTracking: false`. */
  readonly clients: Set<WebSocket> | undefined;
  /** @internal */
  _server: HttpServer | HttpsServer | null = null;
  /** @internal */
  _state: ServerState = ServerState.RUNNING;
  private readonly ownsServer: boolean;
  private detach: () => void = () => undefined;
  private notifyWhenEmpty = false;

  /**
   * @param options exactly one of `port`, `server` and `noServer`
   * @param callback called when the server listens; only with `port`
   * @param behavior how its WebSockets differ from those of `ws`; for gateways
   * @throws TypeError or RangeError that names the option and the value
   */
  constructor(
    options: ServerOptions,
    callback?: () => void,
    behavior?: Partial<WebSocketBehavior>,
  ) {
    super();
    this.options = checkServerOptions(options, behavior);
    this.clients = this.options.clientTracking ? new Set() : undefined;
    this.ownsServer = this.options.port !== undefined && this.options.port !== null;
    if (this.ownsServer) this.listen(callback);
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

  /**
   * Takes no more connections. `close` is emitted when the last WebSocket has ended; those that are open are left
   * alone, and so is an HTTP server that was given as an option.
   */
  close(callback?: (error?: Error) => void): void {
    if (this._state === ServerState.CLOSED) {
      if (callback !== undefined) {
        this.once('close', () => callback(new Error('The server is not running')));
      }
      process.nextTick(emitClose, this);
      return;
    }
    if (callback !== undefined) this.once('close', callback);
    if (this._state === ServerState.CLOSING) return;
    this._state = ServerState.CLOSING;
    const server = this._server;
    this.detach();
    this._server = null;
    if (this.ownsServer && server !== null) {
      server.close(() => emitClose(this));
    } else if (this.clients !== undefined && this.clients.size > 0) {
      this.notifyWhenEmpty = true;
    } else {
      process.nextTick(emitClose, this);
    }
  }

  /** Whether a request is for this server: by default, whether its path is the `path` option. */
  shouldHandle(request: IncomingMessage): boolean {
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
    request: IncomingMessage,
    target: Duplex | ServerResponse,
    head: Buffer,
    callback: UpgradeCallback,
  ): void {
    const reply: HandshakeReply =
      target instanceof ServerResponse ? new ResponseReply(target) : new SocketReply(target);
    // A reset while the application decides must not be an unheard 'error'.
    if (!(target instanceof ServerResponse)) target.on('error', destroyThis);
    const refusal = checkHandshake(request, SERVER_POLICY);
    if (refusal !== null) {
      this.refuseClient(reply, refusal, request);
      return;
    }
    try {
      this.decide(request, reply, head, callback);
    } catch (error) {
      if (error instanceof MisuseError) throw error;
      this.failHandshake(reply, error);
    }
  }

  // ---- the steps of a handshake

  private decide(
    request: IncomingMessage,
    reply: HandshakeReply,
    head: Buffer,
    callback: UpgradeCallback,
  ): void {
    if (!this.shouldHandle(request)) {
      reply.refuse(NOT_HANDLED);
      return;
    }
    const offered = offeredSubprotocols(request);
    if (!(offered instanceof Set)) {
      this.refuseClient(reply, offered, request);
      return;
    }
    const complete = (): void => this.complete(request, reply, head, offered, callback);
    const { verifyClient } = this.options;
    if (!verifyClient) {
      complete();
      return;
    }
    const info = verifyInfo(request);
    // `ws` tells the two forms apart by the number of parameters.
    if (verifyClient.length !== 2) {
      if ((verifyClient as (info: VerifyClientInfo) => boolean)(info)) complete();
      else reply.refuse(createRefusal(401));
      return;
    }
    let answered = false;
    verifyClient(info, (accepted, status, message, headers) => {
      if (answered) return;
      answered = true;
      try {
        if (accepted) complete();
        else this.refuseByApplication(reply, status, message, headers);
      } catch (error) {
        if (error instanceof MisuseError) throw error;
        this.failHandshake(reply, error);
      }
    });
  }

  private complete(
    request: IncomingMessage,
    reply: HandshakeReply,
    head: Buffer,
    offered: Set<string>,
    callback: UpgradeCallback,
  ): void {
    const { socket } = reply;
    if (socket === null || !socket.readable || !socket.writable) {
      socket?.destroy();
      return;
    }
    if (upgraded.has(socket)) {
      throw new MisuseError(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this._state !== ServerState.RUNNING) {
      reply.refuse(SERVER_CLOSED);
      return;
    }
    const protocol = selectSubprotocol(offered, this.options.handleProtocols, request);
    const headers = this.withOwnHeaders(acceptance(request, { subprotocol: protocol }), request);
    upgraded.add(socket);
    const webSocket = new this.options.WebSocket(null, undefined, this.options);
    reply.accept(headers, (taken) => {
      webSocket.setSocket(taken, head, { protocol: protocol || '' });
      taken.off('error', destroyThis);
      this.track(webSocket);
      callback(webSocket, request);
    });
  }

  /** Lets `headers` listeners change the lines of the 101, and checks what they have made of them. */
  private withOwnHeaders(headers: Header[], request: IncomingMessage): readonly Header[] {
    if (this.listenerCount('headers') === 0) return headers;
    const lines = headers.map(([name, value]) => `${name}: ${value}`);
    const all = ['HTTP/1.1 101 Switching Protocols', ...lines];
    this.emit('headers', all, request);
    return all.slice(1).map(parseLine);
  }

  private track(webSocket: WebSocket): void {
    const { clients } = this;
    if (clients === undefined) return;
    clients.add(webSocket);
    webSocket.on('close', () => {
      clients.delete(webSocket);
      if (this.notifyWhenEmpty && clients.size === 0) process.nextTick(emitClose, this);
    });
  }

  private refuseClient(reply: HandshakeReply, refusal: Refusal, request: IncomingMessage): void {
    if (this.listenerCount('wsClientError') === 0) {
      reply.refuse(refusal);
      return;
    }
    const error = new Error(refusal.message);
    Error.captureStackTrace(error, this.handleUpgrade);
    this.emit('wsClientError', error, reply.socket, request);
  }

  private refuseByApplication(
    reply: HandshakeReply,
    status?: number,
    message?: string,
    headers?: object,
  ): void {
    const { refusal, error } = applicationRefusal(status, message, headers);
    reply.refuse(refusal);
    if (error !== null) this.report(error);
  }

  /** The application's own code failed: that client gets a 500, everybody else goes on. */
  private failHandshake(reply: HandshakeReply, error: unknown): void {
    reply.refuse(createRefusal(500));
    this.report(error instanceof Error ? error : new Error(String(error)));
  }

  private report(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else process.emitWarning(error);
  }

  // ---- the HTTP server

  private listen(callback: (() => void) | undefined): void {
    const { port, host, backlog } = this.options;
    const server = createServer((_request, response) => {
      const body = 'Upgrade Required';
      response.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' });
      response.end(body);
    });
    this.attach(server);
    server.listen(
      { port: port ?? 0, host: host ?? undefined, backlog: backlog ?? undefined },
      callback,
    );
  }

  private attach(server: HttpServer | HttpsServer): void {
    const listeners = {
      listening: () => this.emit('listening'),
      error: (error: Error) => this.emit('error', error),
      upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.handleUpgrade(request, socket, head, (webSocket) =>
          this.emit('connection', webSocket, request),
        ),
    };
    this._server = server;
    for (const [event, listener] of Object.entries(listeners)) server.on(event, listener);
    this.detach = () => {
      for (const [event, listener] of Object.entries(listeners)) server.off(event, listener);
    };
  }
}

/** A call that can never be right; it is the caller's to see, not the client's. */
class MisuseError extends Error {}

function emitClose(server: WebSocketServer): void {
  server._state = ServerState.CLOSED;
  server.emit('close');
}

function destroyThis(this: Duplex): void {
  this.destroy();
}

function verifyInfo(request: IncomingMessage): VerifyClientInfo {
  const socket: Duplex & { authorized?: boolean; encrypted?: boolean } = request.socket;
  return {
    origin: requestOrigin(request),
    secure: Boolean(socket.authorized || socket.encrypted),
    req: request,
  };
}

function parseLine(line: string): Header {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = line.slice(colon + 1).trim();
  if (!isToken(name) || !isFieldValue(value)) {
    throw new TypeError(`A "headers" listener added ${JSON.stringify(line)}, which is no header`);
  }
  return [name, value];
}

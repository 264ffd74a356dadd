import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createRefusal } from '../handshake/refusal';
import { headerValue } from '../handshake/request';
import { listIncludes } from '../handshake/tokens';
import { guard } from '../io/guard';
import { CloseCode } from '../protocol/close';
import { describe } from '../protocol/limits';
import { State } from '../protocol/state';
import { ResponseReply } from '../reply';
import type { WebSocket } from '../websocket';
import { claimLastResponse } from './response';

export type AnyServer = HttpServer | HttpsServer;

/**
 * Whether a gateway has a WebSocket route for a request, as far as can be told before the framework has routed it:
 * `'here'` and `'elsewhere'` are certain, `'maybe'` is settled by running the framework's stack.
 */
export type RouteKnowledge = 'here' | 'maybe' | 'elsewhere';

/** What a gate asks of the gateways behind it. */
export interface GatedGateway {
  readonly handshakeTimeout: number;
  routes(request: IncomingMessage): RouteKnowledge;
  /**
   * Runs the framework's stack on a request.
   *
   * @param elsewhere called instead of an answer when no route of this framework is concerned; `undefined` when the
   * framework has to answer in any case
   */
  handle(
    gate: ServerGate,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    elsewhere: (() => void) | undefined,
  ): void;
}

const gates = new WeakMap<AnyServer, ServerGate>();

/**
 * Lets the gateway see the server's upgrade requests; once for each pair.
 *
 * @throws TypeError for anything but a server
 */
export function attachGateway(server: AnyServer, gateway: GatedGateway): void {
  if (!(server instanceof NetServer)) {
    throw new TypeError(
      `The server must be one of node:http or node:https, got ${describe(server)}`,
    );
  }
  let gate = gates.get(server);
  if (gate === undefined) {
    gate = new ServerGate(server);
    gates.set(server, gate);
  }
  gate.add(gateway);
}

/** Has the gateway see no more of the server's upgrade requests. */
export function detachGateway(server: AnyServer, gateway: GatedGateway): void {
  gates.get(server)?.remove(gateway);
}

/**
 * The one place where a server's upgrade requests arrive.
 *
 * Emitters call every listener, and a bare `ws` server answers 400 to paths that are not its own while socket.io cuts
 * whatever takes longer than a second. So the gate takes the event before it is emitted, keeps what belongs to a route
 * of its gateways, and emits the rest to the other listeners, which see just what they would see without us.
 */
export class ServerGate {
  /** Whether the server has been told to close. */
  closing = false;

  private readonly server: AnyServer;
  private readonly emitToListeners: (...args: unknown[]) => boolean;
  private readonly gateways: GatedGateway[] = [];
  /** The longest time that a gateway gives to a handshake, in milliseconds. */
  private patience = 0;
  private readonly webSockets = new Set<WebSocket>();

  constructor(server: AnyServer) {
    this.server = server;
    const { emit, close } = server;
    // The instance's methods are typed by their overloads, which a pass-through cannot name.
    this.emitToListeners = emit.bind(server) as (...args: unknown[]) => boolean;
    server.on('listening', () => {
      this.closing = false;
    });
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event !== 'upgrade' || this.gateways.length === 0) {
        return this.emitToListeners(event, ...args);
      }
      this.upgrade(...(args as [IncomingMessage, Duplex, Buffer]));
      return true;
    };
    server.close = (callback) => {
      this.drain();
      return close.call(server, callback && ((error) => this.whenGone(() => callback(error))));
    };
    this.leaveForeignUpgrades();
  }

  add(gateway: GatedGateway): void {
    if (this.gateways.includes(gateway)) return;
    // Node hands over upgrades only where somebody listens.
    if (this.gateways.length === 0) this.server.on('upgrade', listen);
    this.gateways.push(gateway);
    this.patience = Math.max(this.patience, gateway.handshakeTimeout);
  }

  /** Without a gateway, the server is as it was. */
  remove(gateway: GatedGateway): void {
    const index = this.gateways.indexOf(gateway);
    if (index === -1) return;
    this.gateways.splice(index, 1);
    if (this.gateways.length === 0) this.server.off('upgrade', listen);
  }

  /** Counts a WebSocket among those that the server's closing ends; its socket is its own from now on. */
  track(webSocket: WebSocket): void {
    this.webSockets.add(webSocket);
    webSocket.once('close', () => this.webSockets.delete(webSocket));
    if (this.closing) goAway(webSocket);
  }

  private drain(): void {
    this.closing = true;
    for (const webSocket of this.webSockets) goAway(webSocket);
  }

  /**
   * Node calls back when the sockets have gone, a moment before they tell: what the application does then, such as
   * closing its database, must come behind the `'close'` of its WebSockets.
   */
  private whenGone(callback: () => void): void {
    const sockets = [...this.webSockets].flatMap(({ readyState, _socket: socket }) =>
      readyState === State.CLOSED || socket === null ? [] : [socket],
    );
    let left = sockets.length;
    if (left === 0) callback();
    for (const socket of sockets) {
      socket.once('close', () => {
        left -= 1;
        if (left === 0) callback();
      });
    }
  }

  private get othersListen(): boolean {
    return this.server.listeners('upgrade').some((listener) => listener !== listen);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before anything else: a reset while the application decides must not be an unheard 'error'.
    guard(socket);
    if (!isWebSocketUpgrade(request)) {
      this.foreign(request, socket, head);
      return;
    }
    const alone = this.gateways.length === 1 && !this.othersListen;
    const here = alone
      ? this.gateways[0]
      : this.gateways.find((gateway) => gateway.routes(request) === 'here');
    if (here !== undefined) here.handle(this, request, socket, head, undefined);
    else this.offer(request, socket, head);
  }

  /** Asks the gateways that may have a route, one after the other, before the request is anybody else's. */
  private offer(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { othersListen } = this;
    const maybe = this.gateways.filter((gateway) => gateway.routes(request) === 'maybe');
    // Somebody has to answer.
    if (maybe.length === 0 && !othersListen) maybe.push(this.gateways[0]);
    const tryNext = (index: number): void => {
      const last = index === maybe.length - 1 && !othersListen;
      if (index === maybe.length) this.passOn(request, socket, head);
      else
        maybe[index].handle(
          this,
          request,
          socket,
          head,
          last ? undefined : () => tryNext(index + 1),
        );
    };
    tryNext(0);
  }

  /** Leaves the request to the other listeners; if none of them takes it, it is not left hanging for ever. */
  private passOn(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const written = bytesWritten(socket);
    const timer = setTimeout(() => {
      if (bytesWritten(socket) > written || socket.listenerCount('data') > 0) return;
      const refusal = createRefusal(404);
      claimLastResponse(request, socket, (response) => new ResponseReply(response).refuse(refusal));
    }, this.patience);
    timer.unref();
    socket.once('close', () => clearTimeout(timer));
    this.emitToListeners('upgrade', request, socket, head);
  }

  /** Upgrades to other protocols, such as h2c, are an ordinary request to a server that does not know them (RFC 9110 7.8). */
  private foreign(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.othersListen) {
      this.passOn(request, socket, head);
      return;
    }
    claimLastResponse(request, socket, (response) => {
      if (head.length === 0 && !hasBody(request)) {
        this.emitToListeners('request', request, response);
        return;
      }
      // Node's parser has let go of the socket: nobody can read the body any more.
      const message = 'A request with a body cannot be combined with an upgrade';
      new ResponseReply(response).refuse(createRefusal(400, message, 'RFC 9110 7.8'));
    });
  }

  /** Where Node asks (from 24.9 on), it never parses foreign upgrades as upgrades, bodies and all. */
  private leaveForeignUpgrades(): void {
    const server: AnyServer & {
      shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
    } = this.server;
    const { shouldUpgradeCallback } = server;
    if (typeof shouldUpgradeCallback !== 'function') return;
    server.shouldUpgradeCallback = (request) =>
      shouldUpgradeCallback.call(server, request) &&
      (this.gateways.length === 0 || this.othersListen || isWebSocketUpgrade(request));
  }
}

/** Tells a client that the server goes down (RFC 6455 7.4.1). Messages wait for no listener any more. */
function goAway(webSocket: WebSocket): void {
  webSocket.close(CloseCode.GOING_AWAY);
  webSocket.releaseInbox();
}

/** RFC 6455 4.2.1 (3): an `Upgrade` header that contains `websocket`, in any case. */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return listIncludes(headerValue(request, 'upgrade') ?? '', 'websocket');
}

function hasBody(request: IncomingMessage): boolean {
  return (
    headerValue(request, 'transfer-encoding') !== undefined ||
    Number(headerValue(request, 'content-length') ?? 0) !== 0
  );
}

function bytesWritten(socket: Duplex & { bytesWritten?: number }): number {
  return socket.bytesWritten ?? 0;
}

function listen(): void {
  // Only there to be counted: the gate takes the event before it is emitted.
}

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';

/** Where a server of our own listens, as Node's `listen()` takes it. */
export interface HostAddress {
  readonly port?: number | null | undefined;
  readonly host?: string | null | undefined;
  readonly backlog?: number | null | undefined;
}

/** What an HTTP server tells its WebSocket server. */
export interface HostListeners {
  readonly listening: () => void;
  readonly error: (error: Error) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The HTTP server whose handshakes a WebSocket server takes: one that it was given, or one of its own. */
export class HttpHost {
  readonly server: HttpServer | HttpsServer;
  private readonly own: boolean;
  private readonly listeners: HostListeners;
  /** Sockets of a server of our own that have got an answer other than 101 and are not closed yet. */
  private readonly turnedAway = new Set<Duplex>();

  /** @param server the one given; by default one of its own, which does not {@link listen} yet */
  constructor(listeners: HostListeners, server?: HttpServer | HttpsServer) {
    this.own = server === undefined;
    this.server = server ?? createServer(answerUpgradeRequired);
    this.listeners = listeners;
    for (const [event, listener] of Object.entries(listeners)) this.server.on(event, listener);
  }

  listen({ port, host, backlog }: HostAddress, callback: (() => void) | undefined): void {
    this.server.listen(
      { port: port ?? undefined, host: host ?? undefined, backlog: backlog ?? undefined },
      callback,
    );
  }

  /** Takes no more handshakes of the server's. */
  detach(): void {
    const { server, listeners } = this;
    for (const [event, listener] of Object.entries(listeners)) server.off(event, listener);
  }

  /** Closes a server of our own. @returns false for one that was given, which is left alone */
  close(closed: () => void): boolean {
    if (this.own) this.server.close(closed);
    return this.own;
  }

  /** A handshake was answered otherwise; its socket lingers behind the answer, and a server of our own waits for it. */
  turnAway(socket: Duplex): void {
    if (!this.own || socket.destroyed) return;
    this.turnedAway.add(socket);
    socket.once('close', () => this.turnedAway.delete(socket));
  }

  /** Ends what is left of the connections of a server of our own. */
  cut(): void {
    for (const socket of this.turnedAway) socket.destroy();
    if (this.own) this.server.closeAllConnections();
  }
}

/** RFC 9110 15.5.22 and 7.8: a 426 names the protocol in `Upgrade`, and `Upgrade` in `Connection`. */
function answerUpgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  const body = 'Upgrade Required';
  response.writeHead(426, {
    'Content-Length': body.length,
    'Content-Type': 'text/plain',
    Upgrade: 'websocket',
    Connection: response.shouldKeepAlive ? 'Upgrade' : 'close, Upgrade',
  });
  response.end(body);
}

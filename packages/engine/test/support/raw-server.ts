import { createHash } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';

/** A request as it came over the wire, and the socket to answer it on. */
export class RawRequest {
  readonly line: string;
  /** The header lines as they were sent, in order. */
  readonly lines: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly socket: Socket;

  constructor(head: string, socket: Socket) {
    const [line, ...lines] = head.trimEnd().split('\r\n');
    this.line = line;
    this.lines = lines;
    this.headers = new Map(
      lines.map((text): [string, string] => {
        const colon = text.indexOf(':');
        return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
      }),
    );
    this.socket = socket;
  }

  /** The value that answers this request's key. */
  get accept(): string {
    return createHash('sha1')
      .update(`${this.headers.get('sec-websocket-key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
  }

  /** Writes a response head. */
  respond(status: string, ...headers: string[]): void {
    this.socket.write(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`);
  }

  /** Writes a whole response without a body, and ends. */
  refuse(status: string, ...headers: string[]): void {
    this.respond(status, ...headers, 'Content-Length: 0', 'Connection: close');
    this.socket.end();
  }

  /** Writes the 101 that this handshake deserves. */
  upgrade(...headers: string[]): void {
    this.respond(
      '101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${this.accept}`,
      ...headers,
    );
  }
}

export type Answer = (request: RawRequest, index: number) => void;

/** A server that knows nothing of WebSocket: it shows what was asked and answers what it is told to. */
export class RawServer {
  readonly requests: RawRequest[] = [];
  readonly sockets: Socket[] = [];
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /**
   * Listens on any free port, or on `where`.
   *
   * @param server makes the server of the sockets; a TLS server takes its place here
   */
  static async listen(
    answer: Answer,
    make: (onSocket: (socket: Socket) => void) => Server = createServer,
    where: { path: string } | { port: number; host: string } = { port: 0, host: '127.0.0.1' },
  ): Promise<RawServer> {
    const server = make((socket) => {
      raw.sockets.push(socket);
      let text = '';
      // How a client goes is its own affair.
      socket.on('error', () => undefined);
      const onData = (chunk: Buffer): void => {
        text += chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.off('data', onData);
        const request = new RawRequest(text.slice(0, end), socket);
        answer(request, raw.requests.push(request) - 1);
      };
      socket.on('data', onData);
    });
    const raw = new RawServer(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, resolve);
    });
    return raw;
  }

  get port(): number {
    // Only asked of servers that listen on a port.
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** A little proxy on loopback, which leads every name to this machine. */
export class LoopbackProxy {
  /** What it was asked for, as `host:port`. */
  readonly asked: string[] = [];
  readonly sockets: Socket[] = [];
  private readonly server: Server;

  private constructor(handle: (socket: Socket, proxy: LoopbackProxy) => void) {
    this.server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on('error', () => undefined);
      handle(socket, this);
    });
  }

  /** HTTP with `CONNECT` (RFC 9110 9.3.6). */
  static http(): Promise<LoopbackProxy> {
    return new LoopbackProxy((socket, proxy) => {
      let text = '';
      const onData = (chunk: Buffer): void => {
        text += chunk.toString('latin1');
        const end = text.indexOf('\r\n\r\n');
        if (end === -1) return;
        socket.off('data', onData);
        const [method, target] = text.split(' ');
        if (method !== 'CONNECT') {
          proxy.asked.push(`${method} ${target}`);
          socket.end('HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n');
          return;
        }
        proxy.tunnel(socket, target, 'HTTP/1.1 200 Connection established\r\n\r\n');
      };
      socket.on('data', onData);
    }).listen();
  }

  /** SOCKS version 5 without authentication, for names and IPv4 addresses (RFC 1928). */
  static socks(): Promise<LoopbackProxy> {
    return new LoopbackProxy((socket, proxy) => {
      let bytes = Buffer.alloc(0);
      let greeted = false;
      const onData = (chunk: Buffer): void => {
        bytes = Buffer.concat([bytes, chunk]);
        if (!greeted && bytes.length >= 2 && bytes.length >= 2 + bytes[1]) {
          bytes = bytes.subarray(2 + bytes[1]);
          greeted = true;
          socket.write(Buffer.from([5, 0]));
        }
        const target = greeted ? socksTarget(bytes) : undefined;
        if (target === undefined) return;
        socket.off('data', onData);
        proxy.tunnel(socket, target, Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
      };
      socket.on('data', onData);
    }).listen();
  }

  get port(): number {
    // It listens on a port.
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  private tunnel(socket: Socket, target: string, answer: string | Buffer): void {
    this.asked.push(target);
    const port = Number(target.slice(target.lastIndexOf(':') + 1));
    const far = connect(port, '127.0.0.1', () => {
      socket.write(answer);
      socket.pipe(far).pipe(socket);
    });
    this.sockets.push(far);
    far.on('error', () => socket.destroy());
  }
}

/** `host:port` out of a SOCKS request, when it is there. */
function socksTarget(bytes: Buffer): string | undefined {
  if (bytes.length < 5) return undefined;
  const byName = bytes[3] === 3;
  const end = byName ? 5 + bytes[4] : 8;
  if (bytes.length < end + 2) return undefined;
  const host = byName ? bytes.toString('latin1', 5, end) : bytes.subarray(4, 8).join('.');
  return `${host}:${bytes.readUInt16BE(end)}`;
}

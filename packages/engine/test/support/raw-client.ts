import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** A frame as it came over the wire. Servers mask none, so a masked one is shown with its key and payload as they are. */
export interface WireFrame {
  readonly first: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A handshake that every server accepts; `null` leaves a header out. */
export function request(headers: Record<string, string | null> = {}, line = 'GET / HTTP/1.1') {
  const all: Record<string, string | null> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).filter((entry) => entry[1] !== null);
  return `${line}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A client that knows nothing of WebSocket: it writes bytes and takes apart what comes back. */
export class RawClient {
  readonly socket: Socket;
  /** Settles when the connection is gone, whatever ended it. */
  readonly closed: Promise<void>;
  private received = Buffer.alloc(0);
  private over = false;
  private waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    const end = (): void => {
      this.over = true;
      this.wake();
    };
    socket.on('end', end);
    socket.on('close', end);
    // A reset is an end like any other; what came before it is what a test looks at.
    socket.on('error', end);
  }

  static connect(port: number): Promise<RawClient> {
    return RawClient.over(connect({ port, host: '127.0.0.1' }));
  }

  /** A client on a socket that is about to connect; `ready` is the event that tells when it has. */
  static async over(socket: Socket, ready = 'connect'): Promise<RawClient> {
    await new Promise<void>((resolve, reject) => {
      socket.once(ready, resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  /** Connects, sends a handshake and takes the 101 that it expects. */
  static async open(port: number, headers?: Record<string, string>): Promise<RawClient> {
    const client = await RawClient.connect(port);
    client.write(request(headers));
    const head = await client.head();
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`The handshake was refused: ${head}`);
    return client;
  }

  write(...parts: (string | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  }

  end(): void {
    this.socket.end();
  }

  /** Ends the connection with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** The head of a response, with the empty line that ends it. */
  async head(): Promise<string> {
    let end = -1;
    await this.until(() => {
      end = this.received.indexOf('\r\n\r\n');
      return end >= 0;
    });
    return this.take(end + 4).toString('latin1');
  }

  /** The next so many bytes. */
  async bytes(length: number): Promise<Buffer> {
    await this.until(() => this.received.length >= length);
    return this.take(length);
  }

  /** Everything that comes until the server ends its side. */
  async rest(): Promise<Buffer> {
    await this.until(() => this.over);
    return this.take(this.received.length);
  }

  /** The next frame, or `undefined` where the connection ends before one. */
  async frame(): Promise<WireFrame | undefined> {
    let found: { frame: WireFrame; size: number } | undefined;
    await this.until(() => {
      found = readFrame(this.received);
      return found !== undefined || this.over;
    });
    if (found === undefined) {
      if (this.received.length > 0)
        throw new Error(`Half a frame: ${this.received.toString('hex')}`);
      return undefined;
    }
    this.take(found.size);
    return found.frame;
  }

  /** All frames until the server ends its side. */
  async frames(): Promise<WireFrame[]> {
    const frames: WireFrame[] = [];
    for (;;) {
      const frame = await this.frame();
      if (frame === undefined) return frames;
      frames.push(frame);
    }
  }

  private take(length: number): Buffer {
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resume of waiting) resume();
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.over)
        throw new Error(
          `The connection ended behind ${JSON.stringify(this.received.toString('latin1'))}`,
        );
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }
}

function readFrame(bytes: Buffer): { frame: WireFrame; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const masked = (bytes[1] & 128) !== 0;
  let length = bytes[1] & 127;
  let at = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    at = 10;
  }
  if (masked) at += 4;
  if (bytes.length < at + length) return undefined;
  const payload = Buffer.from(bytes.subarray(at, at + length));
  return { frame: { first: bytes[0], masked, payload }, size: at + length };
}

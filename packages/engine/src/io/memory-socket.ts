import { Duplex } from 'node:stream';
// Not the global one, in whose place tests put another: bytes move whatever becomes of timers.
import { setImmediate } from 'node:timers';

/** Where a {@link MemorySocket} is, in the words of `net.Socket`. */
export interface Endpoints {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** A client's port and the server's, for those who read them; nobody listens there. */
const CLIENT_PORT = 49_152;
const SERVER_PORT = 80;

/**
 * One end of a connection within the process. To frameworks and `node:http` it passes for a `net.Socket`: bytes come in
 * turns of the event loop of their own, as copies, and a writer waits for its reader.
 */
export class MemorySocket extends Duplex implements Endpoints {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localFamily: string;
  readonly remoteFamily: string;
  readonly encrypted = false;
  readonly connecting = false;
  readonly pending = false;
  bytesRead = 0;
  bytesWritten = 0;
  /** Milliseconds of silence after which `'timeout'` comes; 0 for never. */
  timeout = 0;

  private peer: MemorySocket | undefined = undefined;
  /** Bytes on their way to the peer. */
  private inTransit = 0;
  /** Tells the peer that what it wrote has been taken. */
  private taken: (() => void) | undefined = undefined;
  /** Whether the peer will send no more. */
  private ended = false;
  private idleTimer: NodeJS.Timeout | undefined = undefined;

  /** @param allowHalfOpen whether it goes on writing when the peer has ended */
  constructor(endpoints: Endpoints, allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.localAddress = endpoints.localAddress;
    this.localPort = endpoints.localPort;
    this.remoteAddress = endpoints.remoteAddress;
    this.remotePort = endpoints.remotePort;
    this.localFamily = familyOf(endpoints.localAddress);
    this.remoteFamily = familyOf(endpoints.remoteAddress);
  }

  /** @internal */
  connect(peer: MemorySocket): void {
    this.peer = peer;
  }

  // ---- what callers of a `net.Socket` call

  address(): { address: string; family: string; port: number } {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  setTimeout(milliseconds: number, callback?: () => void): this {
    clearTimeout(this.idleTimer);
    this.idleTimer = undefined;
    this.timeout = milliseconds;
    if (callback !== undefined && milliseconds === 0) this.off('timeout', callback);
    else if (callback !== undefined) this.once('timeout', callback);
    if (milliseconds > 0 && !this.destroyed) {
      this.idleTimer = setTimeout(() => this.emit('timeout'), milliseconds);
      this.idleTimer.unref();
    }
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  // ---- the stream's calls

  override _read(): void {
    const { taken } = this;
    this.taken = undefined;
    taken?.();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.bytesWritten += chunk.length;
    this.idleTimer?.refresh();
    // The reader may change what it reads, and the writer what it has written.
    const copy = Buffer.from(chunk);
    const { peer } = this;
    const fits = peer?.hasRoomFor(this.inTransit + chunk.length) ?? false;
    this.inTransit += chunk.length;
    setImmediate(() => {
      this.inTransit -= copy.length;
      if (peer !== undefined && !peer.destroyed) peer.receive(copy, fits ? undefined : done);
      else if (!fits) done(brokenPipe());
    });
    // As a kernel takes what fits into its buffers: it arrives whatever becomes of this end.
    if (fits) done();
  }

  override _final(done: () => void): void {
    setImmediate(() => this.peer?.receiveEnd());
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.idleTimer);
    const { peer } = this;
    setImmediate(() => peer?.receiveEnd());
    // Whoever still writes to this end is told at once that nobody will read it.
    this._read();
    done(error);
  }

  private hasRoomFor(bytes: number): boolean {
    return !this.destroyed && this.readableLength + bytes <= this.readableHighWaterMark;
  }

  /** @param taken told when there is room again; `undefined` where there was */
  private receive(chunk: Buffer, taken: (() => void) | undefined): void {
    this.bytesRead += chunk.length;
    this.idleTimer?.refresh();
    this.taken = taken;
    // An empty chunk is never asked for.
    if (chunk.length === 0) this._read();
    else this.push(chunk);
  }

  private receiveEnd(): void {
    if (this.destroyed || this.ended) return;
    this.ended = true;
    this.push(null);
  }
}

/**
 * Both ends of a connection within the process.
 *
 * @param remoteAddress the client's address, as the server sees it
 */
export function memorySocketPair(
  remoteAddress = '127.0.0.1',
): [client: MemorySocket, server: MemorySocket] {
  const at = { address: remoteAddress, port: CLIENT_PORT };
  const to = { address: '127.0.0.1', port: SERVER_PORT };
  const client = new MemorySocket(endpoints(at, to), false);
  const server = new MemorySocket(endpoints(to, at), true);
  client.connect(server);
  server.connect(client);
  return [client, server];
}

interface Place {
  readonly address: string;
  readonly port: number;
}

function endpoints(local: Place, remote: Place): Endpoints {
  return {
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** As a write to a socket whose peer is gone. */
function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
}

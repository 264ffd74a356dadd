/** Ways from a peer of bytes to the engine: sockets in memory, TCP, TLS. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server as HttpServer, IncomingMessage, RequestListener } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as NetServer, Socket } from 'node:net';
import { createServer as createNetServer, connect as netConnect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import type { ClientOptions } from '../../../src/client-options';
import { memorySocketPair } from '../../../src/io/memory-socket';
import { WebSocket } from '../../../src/websocket';

export type LinkName = 'memory' | 'tcp' | 'tls';

export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Connects peers of bytes to servers and clients of ours. */
export interface Link {
  readonly name: LinkName;
  /** Whether a chunk is read as it was written, and nothing takes time but what is computed. */
  readonly exact: boolean;
  /** A connection to the HTTP server, and what becomes of its upgrade. */
  connect(onUpgrade: OnUpgrade): Promise<Duplex>;
  /** A client of ours, and the server's end of its connection. */
  accept(protocols: string[], options: ClientOptions): Promise<[WebSocket, Duplex]>;
  /** An HTTP server of its own, for one case. */
  site(app: RequestListener, prepare: (http: HttpServer) => void): Promise<Site>;
  close(): Promise<void>;
}

/** An HTTP server, and connections to it. */
export interface Site {
  connect(): Promise<Duplex>;
  close(): Promise<void>;
}

const pem = (name: string): Buffer =>
  readFileSync(join(__dirname, '..', '..', 'fixtures', `${name}.pem`));

/** Sends each upgrade of an HTTP server to whoever waits for it. */
function hub(http: HttpServer): { waiting: OnUpgrade[] } {
  const waiting: OnUpgrade[] = [];
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The first to connect is the first to ask: cases run one after the other.
    const take = waiting.shift();
    if (take === undefined) socket.destroy();
    else take(request, socket, head);
  });
  return { waiting };
}

/** Both ends are in this process: each write is one chunk, in a turn of its own. */
export function memoryLink(): Link {
  const http = createHttpServer();
  const { waiting } = hub(http);
  return {
    name: 'memory',
    exact: true,
    connect: async (onUpgrade) => {
      const [client, server] = memorySocketPair();
      waiting.splice(0, waiting.length, onUpgrade);
      http.emit('connection', server);
      return client;
    },
    accept: async (protocols, options) => {
      const [client, server] = memorySocketPair();
      const webSocket = new WebSocket('ws://localhost/', protocols, {
        ...options,
        allowSimultaneousHandshakes: true,
        createConnection: () => client,
      });
      return [webSocket, server];
    },
    site: async (app, prepare) => {
      const own = createHttpServer(app);
      prepare(own);
      return {
        connect: async () => {
          const [client, server] = memorySocketPair();
          own.emit('connection', server);
          return client;
        },
        close: async () => undefined,
      };
    },
    close: async () => undefined,
  };
}

async function listen(server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}

const IDENTITY = { cert: pem('server.cert'), key: pem('server.key') };
const CA = pem('authority.cert');

/** Connects to a port of this machine. */
async function dial(name: 'tcp' | 'tls', port: number): Promise<Duplex> {
  const host = '127.0.0.1';
  const secure = { port, host, ca: CA, servername: 'localhost' };
  const socket = name === 'tls' ? tlsConnect(secure) : netConnect({ port, host });
  await once(socket, name === 'tls' ? 'secureConnect' : 'connect');
  socket.setNoDelay(true);
  return socket;
}

/** Real sockets on the loopback interface, with TLS or without. */
export async function socketLink(name: 'tcp' | 'tls'): Promise<Link> {
  const http = name === 'tls' ? createHttpsServer(IDENTITY) : createHttpServer();
  const { waiting } = hub(http);
  const accepted: ((socket: Socket) => void)[] = [];
  const onSocket = (socket: Socket): void => {
    socket.setNoDelay(true);
    accepted.shift()?.(socket);
  };
  const raw = name === 'tls' ? createTlsServer(IDENTITY, onSocket) : createNetServer(onSocket);
  const [httpPort, rawPort] = [await listen(http), await listen(raw)];
  return {
    name,
    exact: false,
    connect: async (onUpgrade) => {
      waiting.splice(0, waiting.length, onUpgrade);
      return dial(name, httpPort);
    },
    accept: async (protocols, options) => {
      const socket = new Promise<Socket>((resolve) => {
        accepted.splice(0, accepted.length, resolve);
      });
      const url = name === 'tls' ? `wss://localhost:${rawPort}` : `ws://127.0.0.1:${rawPort}`;
      const webSocket = new WebSocket(url, protocols, { ...options, family: 4, ca: CA });
      return [webSocket, await socket];
    },
    site: async (app, prepare) => {
      const own = name === 'tls' ? createHttpsServer(IDENTITY, app) : createHttpServer(app);
      prepare(own);
      const port = await listen(own);
      return {
        connect: () => dial(name, port),
        close: async () => {
          own.closeAllConnections();
          own.close();
        },
      };
    },
    close: async () => {
      http.closeAllConnections();
      http.close();
      await new Promise((resolve) => raw.close(resolve));
    },
  };
}

/** Runs the handshakes of the table over a link. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from '../../../src/server';
import { Gateway } from '../../../src/upgrade/gateway';
import { accepting } from '../../support/site';
import type {
  ClientHandshake,
  ClientOutcome,
  ServerHandshake,
  ServerKind,
} from '../handshake-case';
import { ACCEPTANCE } from '../handshake-case';
import type { Chunking } from './chunks';
import { writeChunks } from './chunks';
import type { Link } from './links';
import { settled } from './wait';
import { WireReader } from './wire';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The `Sec-WebSocket-Accept` that answers a key. */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** The `Sec-WebSocket-Accept` that answers a request. */
export function acceptOf(request: string): string {
  return acceptFor(/^Sec-WebSocket-Key: *(\S+)/im.exec(request)?.[1] ?? '');
}

// ---- servers

/** What came of a request. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | null>;
  /** Whether TCP was ended, which every refusal must do. */
  readonly ended: boolean;
}

function serve(kind: ServerKind, http: Server, { options }: ServerHandshake): void {
  if (kind === 'server') {
    const server = new WebSocketServer({ ...options, server: http, clientTracking: false });
    // What the application did wrong is the case's own.
    server.on('error', () => undefined);
    return;
  }
  new Gateway({ dispatch: app, routes: () => 'here' }).attach(http);
}

/** Without an upgrade there is nothing to see, as where a `WebSocketServer` has the port to itself. */
function app(request: IncomingMessage, response: ServerResponse): void {
  const upgrades = 'upgrade' in request.headers && 'connection' in request.headers;
  if (!upgrades || !/\bupgrade\b/i.test(String(request.headers.connection))) {
    response.writeHead(426, { Connection: 'close', 'Content-Length': 0 }).end();
    return;
  }
  accepting(() => undefined)(request, response);
}

export async function askServer(
  link: Link,
  kind: ServerKind,
  handshake: ServerHandshake,
  chunking: Chunking,
): Promise<Answer> {
  const site = await link.site(app, (http) => serve(kind, http, handshake));
  const peer = await site.connect();
  const wire = new WireReader('server', peer);
  const head = wire.head();
  writeChunks(peer, Buffer.from(handshake.request, 'latin1'), chunking, handshake.id);
  const answer = readHead(await head);
  wire.ignoreRest();
  const ended = (): boolean => wire.log.length > 0;
  if (answer.status !== 101) await settled(ended);
  const result = { ...answer, ended: ended() };
  peer.destroy();
  await site.close();
  return result;
}

function readHead(head: string): Omit<Answer, 'ended'> {
  const [line, ...lines] = head.trimEnd().split('\r\n');
  const fields = lines.map((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
  });
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status: Number(line.split(' ')[1]), headers };
}

// ---- clients

/** What became of a client. */
export interface ClientResult {
  readonly outcome: ClientOutcome;
  /** What of {@link ClientHandshake.asks} the request does not say. */
  readonly missing: readonly string[];
  /** How a client that fails ends: with TCP, and for the application. */
  readonly end: readonly string[];
}

export async function askClient(
  link: Link,
  { id, protocols = [], options, asks = [], answer = ACCEPTANCE }: ClientHandshake,
  chunking: Chunking,
): Promise<ClientResult> {
  const [webSocket, peer] = await link.accept([...protocols], {
    perMessageDeflate: false,
    ...options,
  });
  const outcome = new Promise<ClientOutcome>((resolve) => {
    webSocket.on('open', () => {
      const { protocol, extensions } = webSocket;
      resolve({ protocol, extensions });
    });
    // What else Node's parser says differs from one release to the next.
    webSocket.on('error', ({ message }: Error) => {
      resolve({ error: message.startsWith('Parse Error') ? 'Parse Error' : message });
    });
  });
  const closed: string[] = [];
  webSocket.on('close', (code: number) => closed.push(`close ${code}`));
  const wire = new WireReader('client', peer);
  const request = await wire.head();
  const accept = acceptOf(request);
  const text = answer
    .join('\r\n')
    .replaceAll('UPPER', accept.toUpperCase())
    .replaceAll(/: ACCEPT/g, `: ${accept}`);
  writeChunks(peer, Buffer.from(`${text}\r\n\r\n`), chunking, id);
  const result = await outcome;
  if ('error' in result) await settled(() => peerGone(peer, wire) && closed.length > 0);
  const end = 'error' in result && peerGone(peer, wire) ? closed : [];
  const missing = asks.filter((pattern) => !pattern.test(request)).map(String);
  webSocket.terminate();
  peer.destroy();
  return { outcome: result, missing, end };
}

const peerGone = (peer: Duplex, wire: WireReader): boolean => peer.destroyed || wire.log.length > 0;

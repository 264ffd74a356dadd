import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import type { PerMessageDeflateOptions } from '../../src/deflate/options';
import { WebSocketServer } from '../../src/server';
import { WebSocket } from '../../src/websocket';
import { portOf } from '../support/libraries';
import { afterTest, strike } from '../support/stage';
import type { Implementation, Peer, PeerOptions } from './peers/peer';

const fixture = (name: string): Buffer => readFileSync(join(__dirname, '../fixtures', name));

/** The authority that the certificate of every test server is signed by. */
export const authority = fixture('authority.cert.pem');
const certificate = { cert: fixture('server.cert.pem'), key: fixture('server.key.pem') };

/** Which end is ours. */
export type Role = 'server' | 'client';

export interface MeetingOptions extends Partial<Omit<PeerOptions, 'deflate'>> {
  readonly perMessageDeflate: boolean | PerMessageDeflateOptions;
  readonly maxPayload?: number;
  /** Sees our end before anything can have come. */
  readonly prepare?: (ours: WebSocket) => void;
}

export interface Meeting {
  readonly ours: WebSocket;
  readonly peer: Peer;
}

/** Starts an HTTP server on any free port, with TLS or without; it is gone after the test. */
export async function startHttp(secure: boolean): Promise<{ http: Server; port: number }> {
  const http = secure ? createSecureServer(certificate) : createServer();
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  afterTest(() => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  return { http, port: portOf(http) };
}

/** Connects us with another implementation. */
export function meet(
  implementation: Implementation,
  role: Role,
  options: MeetingOptions,
): Promise<Meeting> {
  const theirs: PeerOptions = {
    deflate: Boolean(options.perMessageDeflate) && implementation.deflate !== 'no',
    protocols: options.protocols ?? [],
    secure: options.secure ?? false,
  };
  const meeting = role === 'server' ? asServer : asClient;
  return meeting(implementation, theirs, options);
}

async function asServer(
  { name, connect }: Implementation,
  theirs: PeerOptions,
  { perMessageDeflate, maxPayload, prepare }: MeetingOptions,
): Promise<Meeting> {
  if (connect === undefined) throw new Error(`${name} has no client`);
  const { http, port } = await startHttp(theirs.secure);
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate,
    maxPayload,
    // The last one, so that an implementation that takes the first one offered is not right by chance.
    handleProtocols: (offered) => [...offered].pop(),
  });
  afterTest(() => strike(server));
  const connection = new Promise<WebSocket>((resolve) => {
    server.once('connection', (webSocket: WebSocket) => {
      prepare?.(webSocket);
      resolve(webSocket);
    });
  });
  const url = `${theirs.secure ? 'wss' : 'ws'}://127.0.0.1:${port}/`;
  const [ours, peer] = await Promise.all([connection, connect(url, theirs)]);
  return { ours, peer };
}

async function asClient(
  { name, listen }: Implementation,
  theirs: PeerOptions,
  { perMessageDeflate, maxPayload, prepare }: MeetingOptions,
): Promise<Meeting> {
  if (listen === undefined) throw new Error(`${name} has no server`);
  // A server takes the last of the subprotocols, as ours does.
  const server = await listen({ ...theirs, protocols: theirs.protocols.slice(-1) });
  const url = `${theirs.secure ? 'wss' : 'ws'}://127.0.0.1:${server.port}/`;
  const ours = new WebSocket(url, [...theirs.protocols], {
    perMessageDeflate,
    maxPayload,
    ca: authority,
  });
  afterTest(() => ours.terminate());
  prepare?.(ours);
  const [peer] = await Promise.all([server.peer, once(ours, 'open')]);
  return { ours, peer };
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a server listens on: TCP at 127.0.0.1, the same with TLS, or a Unix socket. */
export type Transport = 'http' | 'https' | 'unix';

/** Where a server listens. */
export interface Address {
  readonly transport: Transport;
  /** Of TCP; 0 where there is none. */
  readonly port: number;
  /** Of a Unix socket. */
  readonly socketPath?: string;
}

const fixtures = resolve(__dirname, '../../engine/test/fixtures');

/** Key and certificate of a server; clients have no reason to trust it. */
export const tls = {
  key: readFileSync(join(fixtures, 'server.key.pem')),
  cert: readFileSync(join(fixtures, 'server.cert.pem')),
};

/** Arguments of `server.listen()` and its like, on anything that is free. */
export function listenArguments(
  transport: Transport,
): { path: string } | { port: number; host: string } {
  if (transport !== 'unix') return { port: 0, host: '127.0.0.1' };
  return { path: join(tmpdir(), `upwire-${randomUUID()}.sock`) };
}

/** Listens on anything that is free. */
export async function listen(server: Server, transport: Transport): Promise<Address> {
  server.listen(listenArguments(transport));
  await once(server, 'listening');
  return addressOf(server, transport);
}

/** Where a server listens already. */
export function addressOf(server: Server, transport: Transport): Address {
  const address = server.address();
  if (address === null) throw new Error('The server does not listen');
  if (typeof address === 'string') return { transport, port: 0, socketPath: address };
  return { transport, port: address.port };
}

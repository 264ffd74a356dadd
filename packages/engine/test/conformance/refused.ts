/** Handshakes that a server refuses, in rows. */
import type { ServerHandshake } from './handshake-case';

export const ACCEPTED = { server: 101, gateway: 101 } as const;
export const BAD = { server: 400, gateway: 400 } as const;

export type Row = readonly [id: string, title: string, request: string];

export function refused(
  name: string,
  clauses: string[],
  status: ServerHandshake['status'],
  rows: readonly Row[],
  headers?: ServerHandshake['headers'],
): ServerHandshake[] {
  return rows.map(([id, title, request]) => ({
    id: `server-${name}-${id}`,
    clauses: [...clauses, '4.2.1 description', '10.7 http status'],
    title,
    request,
    status,
    ...(headers === undefined ? {} : { headers }),
  }));
}

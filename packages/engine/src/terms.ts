import type { IncomingMessage } from 'node:http';
import { createCompression } from './deflate/codec';
import type { Agreement } from './deflate/negotiate';
import type { ResolvedDeflateOptions } from './deflate/options';
import type { HandshakePolicy } from './handshake/accept';
import type { SubprotocolChoice } from './handshake/subprotocols';
import type { MessageCompression } from './protocol/compression';
import type { ResolvedLimits } from './protocol/limits';
import type { CheckedServerOptions } from './server-options';
import type { WebSocket } from './websocket';

/** What a handshake agrees to: a server's own terms, or those of one route of a gateway. */
export interface HandshakeTerms {
  /** What the request has to meet that nobody has looked at before. */
  readonly policy: HandshakePolicy;
  /** Options of the WebSocket to be made. */
  readonly options: CheckedServerOptions;
  /** `perMessageDeflate`, checked; `undefined` where it is off. */
  readonly deflate: ResolvedDeflateOptions | undefined;
  readonly subprotocols: SubprotocolTerms;
  /** The WebSocket, where there is one already. @defaultValue a new one */
  readonly webSocket?: WebSocket | undefined;
}

/** How a subprotocol is picked. */
export interface SubprotocolTerms {
  /** `null` for the first that the client offers. */
  readonly choice: SubprotocolChoice<IncomingMessage> | null;
  /** The option that says so. */
  readonly option: 'handleProtocols' | 'subprotocols';
}

/**
 * The compression of one connection, as it was agreed on.
 *
 * @param limits those of the connection: they hold for what is inflated as well
 */
export function compressionOf(
  agreement: Agreement | null,
  { deflate }: HandshakeTerms,
  limits: ResolvedLimits,
): MessageCompression | undefined {
  if (agreement === null || deflate === undefined) return undefined;
  return createCompression(agreement, 'server', deflate, limits);
}

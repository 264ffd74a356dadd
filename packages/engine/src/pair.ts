import type { ClientOptions } from './client-options';
import { createCompression } from './deflate/codec';
import { formatAgreement, offerAsClient } from './deflate/extension';
import { acceptOffers, EXTENSION_NAME } from './deflate/negotiate';
import { objectOption } from './deflate/options';
import { checkSubprotocols } from './handshake/client';
import { parseExtensions } from './handshake/extensions';
import { maskingKeySource } from './io/masking-key';
import { memorySocketPair } from './io/memory-socket';
import type { WebSocketOptions } from './options';
import { resolveOptions } from './options';
import type { MessageCompression } from './protocol/compression';
import { WebSocketServer } from './server';
import type { ServerOptions } from './server-options';
import { WebSocket } from './websocket';

/** Options of {@link createPair}. `undefined` is always the default. */
export interface PairOptions {
  /** Of the server's end: as a `WebSocketServer` hands them to its WebSockets. */
  server?: (WebSocketOptions & Pick<ServerOptions, 'broker' | 'perMessageDeflate'>) | undefined;
  /** Of the client's end. */
  client?: (WebSocketOptions & Pick<ClientOptions, 'perMessageDeflate'>) | undefined;
  /** The subprotocol that the two have agreed on. @defaultValue none */
  protocol?: string | undefined;
}

/** Two ends of one connection. */
export interface WebSocketPair {
  readonly server: WebSocket;
  readonly client: WebSocket;
}

const EMPTY = Buffer.alloc(0);

/**
 * Two WebSockets that are connected in memory, for tests: no port, no handshake, and both are OPEN already, so that
 * neither will emit `'open'`. Frames, masking, compression, limits, time-outs and back-pressure are what they are over TCP,
 * and what is sent arrives in a later turn of the event loop. Neither end has a `url`.
 *
 * The server's end has topics; ends of several pairs share them by sharing a `broker`. As with a real handshake, messages are
 * compressed where the server's end has `perMessageDeflate` and the client's end does not decline it.
 *
 * @throws TypeError or RangeError that names the option and the value
 * @throws SyntaxError for a subprotocol that is none
 * @throws Error where one end answers the other's offer of compression with what that cannot accept
 */
export function createPair(options: PairOptions = {}): WebSocketPair {
  const { protocol, server: forServer = {}, client: forClient = {} } = options;
  objectOption('server', forServer);
  objectOption('client', forClient);
  if (protocol !== undefined) checkSubprotocols([protocol]);
  const owner = new WebSocketServer({ ...forServer, noServer: true, clientTracking: false });
  const compression = negotiate(owner, forClient);
  const server = new WebSocket(null, undefined, owner.checkedOptions);
  const client = new WebSocket(null, undefined, forClient);
  const [theirs, ours] = memorySocketPair();
  server.setSocket(ours, EMPTY, { protocol, compression: compression?.server });
  client.setSocket(theirs, EMPTY, {
    protocol,
    compression: compression?.client,
    role: 'client',
    maskingKey: maskingKeySource(),
  });
  return { server, client };
}

/** What the two ends agree on, each for itself. */
function negotiate(
  owner: WebSocketServer,
  { perMessageDeflate, ...options }: NonNullable<PairOptions['client']>,
): { server: MessageCompression | undefined; client: MessageCompression } | undefined {
  const extension = offerAsClient(perMessageDeflate, resolveOptions(options).limits);
  if (extension.offer === undefined || owner.deflate === undefined) return undefined;
  const agreement = acceptOffers(parametersIn(extension.offer), owner.deflate);
  if (agreement === null) return undefined;
  return {
    client: extension.accept(parametersIn(formatAgreement(agreement))),
    server: createCompression(agreement, 'server', owner.deflate, owner.checkedOptions),
  };
}

/** The parameters in a value of `Sec-WebSocket-Extensions`. */
function parametersIn(header: string) {
  return parseExtensions(header)[EXTENSION_NAME];
}

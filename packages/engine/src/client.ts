import { randomBytes } from 'node:crypto';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { RequestOptions } from 'node:https';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Address } from './address';
import { DEFAULT_PORT, isSameRemote, parseAddress, resolveRedirect } from './address';
import type { CheckedClientOptions, ClientOptions } from './client-options';
import { checkClientOptions } from './client-options';
import type { ExtensionOffer, HandshakeOffer } from './handshake/client';
import { checkResponse, checkSubprotocols, requestHeaders } from './handshake/client';
import { HandshakeError, HandshakeErrorCode } from './handshake/error';
import {
  agentInTurn,
  connectInTurn,
  connectPlain,
  connectSecure,
  environmentProxyAgent,
} from './io/connect';
import type { Turn } from './io/handshake-queue';
import { HandshakeQueue } from './io/handshake-queue';
import { maskingKeySource } from './io/masking-key';
import type { MessageCompression } from './protocol/compression';
import type { Role } from './protocol/connection';
import type { Tally } from './tally';
import type { WebSocket } from './websocket';

/** The handshakes of this process. */
const queue = new HandshakeQueue();

/** Headers that say who somebody is: for the remote they were given for, and nobody else. */
const CREDENTIALS: readonly string[] = ['authorization', 'cookie', 'proxy-authorization'];

/** What a WebSocket does not need at all, or may do without, on the server's side. */
export interface SocketSettings {
  /** The subprotocol agreed on. */
  readonly protocol?: string | undefined;
  /** @internal Where it is counted, of a server's. */
  readonly tally?: Tally | undefined;
  /** @internal The request of its handshake, of a server's. */
  readonly request?: IncomingMessage | undefined;
  /** @internal */
  readonly role?: Role | undefined;
  /** @internal Of a client alone. */
  readonly maskingKey?: (() => number) | undefined;
  /** @internal permessage-deflate, where it was agreed on. */
  readonly compression?: MessageCompression | undefined;
}

/**
 * Starts the handshake of a WebSocket, which then is given its socket or told why it gets none.
 *
 * @param extension what is offered and how the answer is taken
 * @throws SyntaxError for an address or subprotocols that are none, TypeError or RangeError that names an option, and
 *   what Node throws for a request that cannot be
 */
export function connect(
  webSocket: WebSocket,
  address: string | URL,
  protocols: string | string[] | undefined,
  options: ClientOptions,
  extension: ExtensionOffer<MessageCompression>,
): ClientHandshake {
  const checked = checkClientOptions(options);
  const target = parseAddress(address);
  const names = protocols === undefined ? (options.protocols ?? []) : protocols;
  const subprotocols = checkSubprotocols(Array.isArray(names) ? names : [names]);
  const handshake = new ClientHandshake(webSocket, target, subprotocols, checked, extension);
  handshake.start();
  return handshake;
}

/** The life of a client up to OPEN: one request, and one more for each redirect. */
export class ClientHandshake {
  private readonly webSocket: WebSocket;
  private readonly options: CheckedClientOptions;
  private readonly subprotocols: ReadonlySet<string>;
  private readonly extension: ExtensionOffer<MessageCompression>;
  private readonly origin: Address;
  private address: Address;
  private headers: OutgoingHttpHeaders;
  private auth: string | undefined;
  private redirects = 0;
  private request: ClientRequest | undefined = undefined;
  private turn: Turn | undefined = undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  private over = false;
  private readonly onAbort = (): void => this.fail(abortError(this.options.signal?.reason));

  constructor(
    webSocket: WebSocket,
    address: Address,
    subprotocols: ReadonlySet<string>,
    options: CheckedClientOptions,
    extension: ExtensionOffer<MessageCompression>,
  ) {
    this.webSocket = webSocket;
    this.options = options;
    this.subprotocols = subprotocols;
    this.extension = extension;
    this.origin = address;
    this.address = address;
    this.headers = { ...options.headers };
    this.auth = address.auth ?? options.request.auth ?? undefined;
  }

  /** Makes the first request. @throws what Node throws for a request that cannot be */
  start(): void {
    const { signal } = this.options;
    if (signal?.aborted) {
      this.webSocket.setUrl(this.address.href);
      this.onAbort();
      return;
    }
    signal?.addEventListener('abort', this.onAbort, { once: true });
    try {
      this.send();
    } catch (error) {
      this.finish();
      this.dropRequest();
      throw error;
    }
  }

  /** `close()` or `terminate()` before the connection was open. */
  abort(): void {
    const text = 'WebSocket was closed before the connection was established';
    this.fail(new HandshakeError(text, HandshakeErrorCode.ABORTED));
  }

  // ---- the request

  private send(): void {
    const { address, webSocket, options } = this;
    const offer: HandshakeOffer<MessageCompression> = {
      // RFC 6455 4.1 (7): a nonce of 16 bytes, drawn anew for each connection.
      key: randomBytes(16).toString('base64'),
      version: options.protocolVersion,
      subprotocols: this.subprotocols,
      extension: this.extension,
      origin: options.origin,
    };
    webSocket.setUrl(address.href);
    this.turn = queue.join(remoteOf(address, options), () => this.startTimer());
    const request = this.createRequest(offer, this.turn);
    this.request = request;
    // Else Node drops what is behind the first 2000, the handshake's own among it; `maxHeaderSize` bounds them all.
    request.maxHeadersCount = 0;
    request.on('error', (error) => {
      if (request === this.request) this.fail(error);
    });
    request.on('response', (response) => {
      if (request === this.request) this.answered(request, response);
    });
    request.on('upgrade', (response, socket, head) => {
      if (request === this.request) this.upgraded(offer, response, socket, head);
      else socket.destroy();
    });
    if (this.redirects > 0) webSocket.announce('redirect', address.href, request);
    if (!this.over) options.finishRequest(request, webSocket);
  }

  private createRequest(offer: HandshakeOffer<MessageCompression>, turn: Turn): ClientRequest {
    const { address, options } = this;
    const open = options.createConnection ?? (address.secure ? connectSecure : connectPlain);
    const request: RequestOptions = {
      ...options.request,
      agent: this.agent(turn),
      auth: this.auth,
      createConnection: connectInTurn(open, turn),
      defaultPort: options.request.defaultPort || DEFAULT_PORT[address.secure ? 'secure' : 'plain'],
      headers: { ...this.headers, ...Object.fromEntries(requestHeaders(offer)) },
      host: address.host,
      path: address.path,
      port: address.port,
      socketPath: address.socketPath,
    };
    return (address.secure ? httpsRequest : httpRequest)(request);
  }

  /** The agent that connects; `undefined` where `createConnection` does. */
  private agent(turn: Turn): RequestOptions['agent'] {
    const { address, options } = this;
    const { agent } = options.request;
    // As `ws` has it: `false` is a connection of its own, and so is what there is without an agent.
    if (agent === false) return undefined;
    // What is no agent is Node's to refuse.
    if (agent === true) return agent;
    const own = options.createConnection !== undefined || address.socketPath !== undefined;
    const chosen = agent ?? (own ? undefined : environmentProxyAgent(address.secure));
    return chosen && agentInTurn(chosen, turn);
  }

  private startTimer(): void {
    const { handshakeTimeout } = this.options;
    if (handshakeTimeout === 0) return;
    this.timer = setTimeout(() => {
      const text = 'Opening handshake has timed out';
      this.fail(new HandshakeError(text, HandshakeErrorCode.TIMEOUT));
    }, handshakeTimeout);
  }

  // ---- the answer

  /** RFC 6455 4.1 (1): any status but 101 is handled as HTTP has it. */
  private answered(request: ClientRequest, response: IncomingMessage): void {
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (this.options.followRedirects && status >= 300 && status < 400 && location) {
      this.follow(location);
    } else if (this.webSocket.listenerCount('unexpected-response') > 0) {
      // Request and response are the listener's now, and so is the time it takes.
      this.leaveQueue();
      this.webSocket.announce('unexpected-response', request, response);
    } else {
      const text = `Unexpected server response: ${status}`;
      this.fail(new HandshakeError(text, HandshakeErrorCode.RESPONSE, { statusCode: status }));
    }
  }

  private follow(location: string): void {
    this.redirects += 1;
    if (this.redirects > this.options.maxRedirects) {
      const text = 'Maximum redirects exceeded';
      this.fail(new HandshakeError(text, HandshakeErrorCode.REDIRECTS));
      return;
    }
    this.dropRequest();
    try {
      const next = resolveRedirect(location, this.address);
      this.keepCredentials(next);
      this.address = next;
      this.send();
    } catch (error) {
      // The peer chose this address: what is wrong with it must not be thrown at anybody.
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Decides who we are to the remote of a redirect. With a `'redirect'` listener that is for the listener to say. */
  private keepCredentials(next: Address): void {
    const same = isSameRemote(this.origin, next);
    const trusted = same && (next.secure || !this.origin.secure);
    if (trusted || this.webSocket.listenerCount('redirect') > 0) {
      this.auth ??= next.auth;
      return;
    }
    const dropped = same ? CREDENTIALS : [...CREDENTIALS, 'host'];
    this.headers = Object.fromEntries(
      Object.entries(this.headers).filter(([name]) => !dropped.includes(name.toLowerCase())),
    );
    this.auth = undefined;
  }

  private upgraded(
    offer: HandshakeOffer<MessageCompression>,
    response: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const { webSocket } = this;
    webSocket.announce('upgrade', response);
    if (this.over) {
      socket.destroy();
      return;
    }
    try {
      const { subprotocol, extension } = checkResponse(response, offer);
      this.finish();
      webSocket.setSocket(socket, head, {
        protocol: subprotocol,
        role: 'client',
        maskingKey: maskingKeySource(this.options.generateMask),
        compression: extension,
      });
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error;
      socket.destroy();
      this.fail(error);
    }
  }

  // ---- the end

  private fail(error: Error): void {
    if (this.over) return;
    this.finish();
    this.dropRequest();
    this.webSocket.failOpening(error);
  }

  /** The handshake is over: nothing of it may hold anything up or come later. */
  private finish(): void {
    this.over = true;
    this.options.signal?.removeEventListener('abort', this.onAbort);
    this.leaveQueue();
  }

  private leaveQueue(): void {
    clearTimeout(this.timer);
    this.turn?.leave();
  }

  private dropRequest(): void {
    const { request } = this;
    this.request = undefined;
    this.leaveQueue();
    request?.destroy();
  }
}

/** Whom a handshake is with, for the queue; local sockets have no host and port to be asked too often. */
function remoteOf(
  { host, port, socketPath }: Address,
  options: CheckedClientOptions,
): string | undefined {
  if (socketPath !== undefined || options.allowSimultaneousHandshakes) return undefined;
  return `${host}:${port}`;
}

/** As Node's own, so that both are told from other errors in the same way. */
function abortError(cause: unknown): Error {
  return Object.assign(new Error('The operation was aborted', { cause }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });
}

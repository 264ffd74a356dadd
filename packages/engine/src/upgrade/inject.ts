import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { ClientOptions } from '../client-options';
import { HandshakeError, HandshakeErrorCode } from '../handshake/error';
import { isToken } from '../handshake/tokens';
import { memorySocketPair } from '../io/memory-socket';
import { describe } from '../protocol/limits';
import { State } from '../protocol/state';
import { WebSocket } from '../websocket';

/** How to inject a handshake. `undefined` is always the default. */
export interface InjectOptions extends Pick<ClientOptions, 'origin'> {
  /** Headers of the request, such as `cookie` and `authorization`; those of the handshake itself cannot be changed. */
  headers?: OutgoingHttpHeaders | undefined;
  /** Subprotocols to ask for, the one liked best first. */
  subprotocols?: string | string[] | undefined;
  /**
   * Offer to compress messages.
   * @defaultValue false
   */
  perMessageDeflate?: ClientOptions['perMessageDeflate'];
  /**
   * The method of the request, to see another than GET refused.
   * @defaultValue 'GET'
   */
  method?: string | undefined;
  /**
   * The client's address, as the application sees it.
   * @defaultValue '127.0.0.1'
   */
  remoteAddress?: string | undefined;
  /** Given the WebSocket before its handshake begins. */
  onInit?: ((webSocket: WebSocket) => void) | undefined;
  /** Given the WebSocket when it is open, before any message is told. */
  onOpen?: ((webSocket: WebSocket) => void) | undefined;
}

/** An injected handshake was answered with anything but 101. */
export class InjectionRefused extends HandshakeError {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    const text = `Unexpected server response: ${status}`;
    super(text, HandshakeErrorCode.RESPONSE, { statusCode: status });
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/**
 * Opens a WebSocket within the process: a real handshake, and a connection in memory.
 *
 * What comes before a `'message'` listener is there waits for it.
 *
 * @param serve takes the server's end of the connection
 * @param path path and query
 * @returns the client's WebSocket, open; rejects with {@link InjectionRefused} where it was refused, and with the
 * connection's error where it got no answer
 * @throws TypeError for a path that does not begin with a slash, and what a client throws for wrong options
 */
export async function inject(
  serve: (socket: Duplex) => void,
  path: string,
  options: InjectOptions = {},
): Promise<WebSocket> {
  checkPath(path);
  checkMethod(options.method);
  const { headers, subprotocols, origin, perMessageDeflate = false, onInit } = options;
  const [client, server] = memorySocketPair(options.remoteAddress);
  const webSocket = new WebSocket(`ws://localhost${path}`, subprotocols, {
    allowSimultaneousHandshakes: true,
    createConnection: () => client,
    finishRequest: (request) => finish(request, options.method),
    headers,
    holdMessages: true,
    origin,
    perMessageDeflate,
  });
  const opened = opening(webSocket, options.onOpen);
  try {
    onInit?.(webSocket);
    serve(server);
  } catch (error) {
    webSocket.terminate();
    await opened.catch(() => undefined);
    throw error;
  }
  return opened;
}

function checkPath(path: unknown): void {
  if (typeof path === 'string' && path.startsWith('/')) return;
  throw new TypeError(`The path must be a string that begins with a slash, got ${describe(path)}`);
}

function checkMethod(method: unknown): void {
  if (method === undefined || (typeof method === 'string' && isToken(method))) return;
  throw new TypeError(`The "method" option must be the name of a method, got ${describe(method)}`);
}

/** Sends the request, whose head has not been written yet. */
function finish(request: ClientRequest, method = 'GET'): void {
  request.method = method;
  request.end();
}

/** Settles when the WebSocket is open or never will be. */
function opening(webSocket: WebSocket, onOpen: InjectOptions['onOpen']): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    webSocket.on('error', reject);
    webSocket.once('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      refusalOf(response).then((error) => {
        if (webSocket.readyState === State.CONNECTING) webSocket.failOpening(error);
      });
    });
    webSocket.once('open', () => {
      webSocket.off('error', reject);
      try {
        onOpen?.(webSocket);
        resolve(webSocket);
      } catch (error) {
        webSocket.terminate();
        reject(error);
      }
    });
  });
}

/** What was answered, as an error. */
async function refusalOf(response: IncomingMessage): Promise<Error> {
  const { statusCode = 0, headers } = response;
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk);
  } catch (error) {
    // Streams fail with errors, if perhaps with those of another realm.
    return error as Error;
  }
  return new InjectionRefused(statusCode, headers, Buffer.concat(chunks).toString());
}

import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { checkSubprotocolChoice } from './handshake/subprotocols';
import type { WebSocketBehavior, WebSocketOptions } from './options';
import { booleanOption, shareOptions } from './options';
import { describe, integerOption } from './protocol/limits';
import { WebSocket } from './websocket';

/** What `verifyClient` is told. */
export interface VerifyClientInfo {
  /** The `Origin` header, or `Sec-WebSocket-Origin` of protocol version 8. */
  origin: string | undefined;
  /** Whether the client's connection is encrypted. */
  secure: boolean;
  req: IncomingMessage;
}

/** The answer of an asynchronous `verifyClient`. */
export type VerifyClientCallback = (
  accepted: boolean,
  /** Status code of the refusal. @defaultValue 401 */
  status?: number,
  /** Body of the refusal. @defaultValue the status code's reason phrase */
  message?: string,
  headers?: Record<string, string | number | readonly string[]>,
) => void;

/** Options of a {@link WebSocketServer}. `undefined` is always the default. */
export interface ServerOptions extends WebSocketOptions {
  /** Length of the queue of pending connections, with `port`. */
  backlog?: number | null | undefined;
  /** Keep the set `clients`. @defaultValue true */
  clientTracking?: boolean | undefined;
  /** Picks one of the offered subprotocols. @defaultValue the first one offered */
  handleProtocols?:
    | ((protocols: Set<string>, request: IncomingMessage) => string | false | null | undefined)
    | null
    | undefined;
  /** Host to listen on, with `port`. */
  host?: string | null | undefined;
  /** Use {@link WebSocketServer.handleUpgrade} only. */
  noServer?: boolean | undefined;
  /** Take only requests whose path is exactly this one. */
  path?: string | null | undefined;
  /** Listen on this port with an HTTP server of our own; 0 for any free one. */
  port?: number | null | undefined;
  /** Use this HTTP(S) server. */
  server?: HttpServer | HttpsServer | null | undefined;
  /** Decides on each handshake: returns, or with two parameters calls back. Cookies and origin are its to check. */
  verifyClient?:
    | ((info: VerifyClientInfo) => boolean)
    | ((info: VerifyClientInfo, callback: VerifyClientCallback) => void)
    | null
    | undefined;
  /** The class to make of each connection. @defaultValue `WebSocket` */
  WebSocket?: typeof WebSocket | undefined;
}

/** The options as a server uses them. */
export interface CheckedServerOptions extends ServerOptions {
  readonly clientTracking: boolean;
  readonly WebSocket: typeof WebSocket;
}

/**
 * Checks what a server is given and fills in the defaults.
 *
 * @throws TypeError or RangeError that names the option and the value
 */
export function checkServerOptions(
  options: ServerOptions,
  behavior: Partial<WebSocketBehavior> = {},
): CheckedServerOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`The options must be an object, got ${describe(options)}`);
  }
  const { port, server, noServer, path, verifyClient, handleProtocols } = options;
  const modes = [port !== undefined && port !== null, Boolean(server), Boolean(noServer)];
  if (modes.filter(Boolean).length !== 1) {
    throw new TypeError(
      'One and only one of the "port", "server", or "noServer" options must be specified',
    );
  }
  if (port !== null) integerOption('port', port, 0, { min: 0, max: 65535, unit: '' });
  if (path !== undefined && path !== null && typeof path !== 'string') {
    throw new TypeError(`The "path" option must be a string, got ${describe(path)}`);
  }
  if (verifyClient && typeof verifyClient !== 'function') {
    throw new TypeError(
      `The "verifyClient" option must be a function, got ${describe(verifyClient)}`,
    );
  }
  if (handleProtocols) checkSubprotocolChoice(handleProtocols, 'handleProtocols');
  const checked: CheckedServerOptions = {
    ...options,
    clientTracking: booleanOption('clientTracking', options.clientTracking, true),
    WebSocket: options.WebSocket ?? WebSocket,
  };
  shareOptions(checked, behavior);
  return checked;
}

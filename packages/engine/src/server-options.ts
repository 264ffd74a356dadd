import type { Server as HttpServer, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { DeflateTuning, PerMessageDeflateOptions } from './deflate/options';
import type { Untyped } from './events';
import type { UpgradeDecision } from './handshake/decision';
import { checkSubprotocolChoice } from './handshake/subprotocols';
import type { WebSocketBehavior, WebSocketOptions } from './options';
import { booleanOption, resolveOptions, shareOptions } from './options';
import type { ResolvedLimits } from './protocol/limits';
import { describe, integerOption } from './protocol/limits';
import type { Broker } from './topics/broker';
import { MemoryBroker } from './topics/memory-broker';
import { WebSocket } from './websocket';

/** What `verifyClient` is told. */
export interface VerifyClientInfo<Request extends IncomingMessage = IncomingMessage> {
  /**
   * The `Origin` header, or `Sec-WebSocket-Origin` of protocol version 8. Of a client that sends none, as programs do, it
   * is `undefined`, whatever the type of `@types/ws` says.
   */
  origin: string;
  /** Whether the client's connection is encrypted. */
  secure: boolean;
  req: Request;
}

/** Takes the answer of an asynchronous `verifyClient`. */
export type VerifyClientCallback = (
  accepted: boolean,
  /** Status code of the refusal. @defaultValue 401 */
  status?: number,
  /** Body of the refusal. @defaultValue the status code's reason phrase */
  message?: string,
  headers?: OutgoingHttpHeaders,
) => void;

/** A `verifyClient` that returns its answer, or a promise of it. */
export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
) => boolean | PromiseLike<boolean>;

/** A `verifyClient` that calls back with its answer. */
export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
  callback: VerifyClientCallback,
) => void | PromiseLike<void>;

/** Either of the two; which of them it is, the number of its parameters says. */
type VerifyClient<Request extends IncomingMessage> = (
  info: VerifyClientInfo<Request>,
  callback: VerifyClientCallback,
) => boolean | void | PromiseLike<boolean> | PromiseLike<void>;

/**
 * Options of a {@link WebSocketServer}. `undefined` is always the default.
 *
 * @typeParam Class the class that is made of each connection
 * @typeParam Message the class of the requests, where the HTTP server has one of its own
 * @typeParam Decision what `onUpgrade` comes to
 */
export interface ServerOptions<
  Class extends typeof WebSocket = typeof WebSocket,
  Message extends typeof IncomingMessage = typeof IncomingMessage,
  Decision extends UpgradeDecision = UpgradeDecision,
> extends WebSocketOptions {
  /**
   * Where the topics of its WebSockets are; give several servers one broker, and they share their topics.
   * @defaultValue a `MemoryBroker` of its own
   */
  broker?: Broker | undefined;
  /** Length of the queue of pending connections, with `port`. */
  backlog?: number | null | undefined;
  /** Keep the set `clients`. @defaultValue true */
  clientTracking?: boolean | undefined;
  /** Picks one of the offered subprotocols. @defaultValue the first one offered */
  handleProtocols?:
    | ((
        protocols: Set<string>,
        request: InstanceType<Message>,
      ) => string | false | null | undefined)
    | null
    | undefined;
  /**
   * Time for `verifyClient` and `onUpgrade` to decide, in milliseconds; then the client gets a 503. 0 for no limit, as `ws`
   * has it: a decision that never comes holds a socket for ever.
   * @defaultValue 30000
   */
  handshakeTimeout?: number | undefined;
  /** Host to listen on, with `port`. */
  host?: string | null | undefined;
  /** Use {@link WebSocketServer.handleUpgrade} only. */
  noServer?: boolean | undefined;
  /**
   * Decides on each handshake, behind `verifyClient`: accepts it, with data for the WebSocket, headers of the 101, a
   * subprotocol and options of that one connection, or refuses it with a response. What it throws or rejects with, and
   * what is no decision, is a 500 and is told by `error`. Cookies and origin are its to check.
   */
  onUpgrade?:
    | ((
        request: InstanceType<Message>,
      ) => Decision | PromiseLike<Decision> | void | PromiseLike<void>)
    | null
    | undefined;
  /** Take only requests whose path is exactly this one. */
  path?: string | null | undefined;
  /**
   * Agree to compress messages (RFC 7692) where the client offers it.
   * @defaultValue false
   */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** Listen on this port with an HTTP server of our own; 0 for any free one. */
  port?: number | `${number}` | null | undefined;
  /** Use this HTTP(S) server. */
  server?: HttpServer<Message> | HttpsServer<Message> | null | undefined;
  /**
   * Decides on each handshake: returns, resolves, or with two parameters calls back. Cookies and origin are its to
   * check.
   */
  verifyClient?: VerifyClient<InstanceType<Message>> | null | undefined;
  /** The class to make of each connection. @defaultValue `WebSocket` */
  WebSocket?: Class | undefined;
}

type Shown<Options, Without> = { [Name in keyof Options]: Exclude<Options[Name], Without> };

interface DeflateOptionsShown
  extends Omit<Shown<PerMessageDeflateOptions, boolean>, 'zlibDeflateOptions'> {
  zlibDeflateOptions?: DeflateTuning | undefined;
}

/**
 * The options that a server shows: checked, and with every default filled in. What has no default is `null`, and some may
 * be what `@types/ws` does not know of; their type is what it knows, so that our servers are taken where those are.
 */
export interface ServerOptionsShown<Message extends typeof IncomingMessage = typeof IncomingMessage>
  extends Omit<
    Shown<ServerOptions, `${number}` | null>,
    'handleProtocols' | 'perMessageDeflate' | 'server' | 'verifyClient' | 'WebSocket'
  > {
  handleProtocols?:
    | ((protocols: Set<string>, request: InstanceType<Message>) => string | false)
    | undefined;
  perMessageDeflate?: boolean | DeflateOptionsShown | undefined;
  server?: HttpServer<Message> | HttpsServer<Message> | undefined;
  verifyClient?: VerifyClientCallbackAsync<InstanceType<Message>> | undefined;
  /** The class of the connections. */
  WebSocket?: Untyped;
}

/** The options as a server uses them: checked, and with every default filled in. */
export interface CheckedServerOptions
  extends Omit<ServerOptions, keyof ResolvedLimits>,
    ResolvedLimits {
  readonly allowSynchronousEvents: boolean;
  readonly autoPong: boolean;
  readonly broker: Broker;
  readonly clientTracking: boolean;
  readonly handshakeTimeout: number;
  readonly port: number | null;
  readonly skipUTF8Validation: boolean;
  readonly WebSocket: typeof WebSocket;
}

/** The default of {@link ServerOptions.handshakeTimeout}, in milliseconds. */
const HANDSHAKE_TIMEOUT = 30_000;

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
  checkMode(options);
  const { limits, ...switches } = resolveOptions(options);
  const checked: CheckedServerOptions = {
    ...options,
    ...limits,
    ...switches,
    backlog: backlogOption(options.backlog),
    broker: brokerOption(options.broker),
    clientTracking: booleanOption('clientTracking', options.clientTracking, true),
    handleProtocols: options.handleProtocols || null,
    handshakeTimeout: integerOption(
      'handshakeTimeout',
      options.handshakeTimeout,
      HANDSHAKE_TIMEOUT,
      { min: 0, max: 2 ** 31 - 1, unit: 'milliseconds' },
    ),
    host: textOption('host', options.host),
    noServer: Boolean(options.noServer),
    onUpgrade: options.onUpgrade || null,
    path: textOption('path', options.path),
    perMessageDeflate: options.perMessageDeflate ?? false,
    port: portOption(options.port),
    server: options.server || null,
    verifyClient: options.verifyClient || null,
    WebSocket: options.WebSocket ?? WebSocket,
  };
  if (checked.handleProtocols) checkSubprotocolChoice(checked.handleProtocols, 'handleProtocols');
  checkFunction('onUpgrade', checked.onUpgrade);
  checkFunction('verifyClient', checked.verifyClient);
  checkFunction('WebSocket', checked.WebSocket);
  if (checked.server && typeof checked.server.on !== 'function') {
    throw new TypeError(`The "server" option must be a server, got ${describe(checked.server)}`);
  }
  shareOptions(checked, { ...behavior, broker: checked.broker });
  return checked;
}

function checkMode({ port, server, noServer }: ServerOptions): void {
  const modes = [port !== undefined && port !== null, Boolean(server), Boolean(noServer)];
  if (modes.filter(Boolean).length !== 1) {
    throw new TypeError(
      'One and only one of the "port", "server", or "noServer" options must be specified',
    );
  }
}

/** The port as a number. As in Node, it may come as a string: it often comes from the environment. */
function portOption(port: unknown): number | null {
  if (port === undefined || port === null) return null;
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  return integerOption('port', number, 0, { min: 0, max: 65_535, unit: '(a TCP port)' });
}

function backlogOption(backlog: unknown): number | null {
  if (backlog === undefined || backlog === null) return null;
  return integerOption('backlog', backlog, 0, { min: 0, max: 2 ** 31 - 1, unit: 'connections' });
}

function brokerOption(broker: unknown): Broker {
  if (broker === undefined || broker === null) return new MemoryBroker();
  const methods = ['subscribe', 'unsubscribe', 'publish', 'subscribers'];
  if (methods.some((name) => typeof Reflect.get(Object(broker), name) !== 'function')) {
    throw new TypeError(
      `The "broker" option must have the methods ${methods.join(', ')}, got ${describe(broker)}`,
    );
  }
  // What its methods take and return cannot be seen before they are called.
  return broker as Broker;
}

function textOption(name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') {
    throw new TypeError(`The "${name}" option must be a string, got ${describe(value)}`);
  }
  return value;
}

function checkFunction(name: string, value: unknown): void {
  if (value !== null && typeof value !== 'function') {
    throw new TypeError(`The "${name}" option must be a function, got ${describe(value)}`);
  }
}

/** The data of a decision that accepts. */
type DataOf<Decision> = Decision extends { status: number } | false
  ? never
  : Decision extends { data: infer Data }
    ? Data
    : Decision extends { data?: infer Data }
      ? Data | undefined
      : undefined;

/** What a WebSocket has been given by `onUpgrade`, as far as its type tells. */
export type GivenBy<Decision> =
  unknown extends DataOf<Decision> ? unknown : { data: DataOf<Decision> };

/** A WebSocket of a class, with what `onUpgrade` has given it. */
export type ConnectionOf<Class extends typeof WebSocket, Given> = InstanceType<Class> & Given;

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type {
  GatewayOptions,
  InjectOptions,
  RouteOptions,
  WebSocket,
  WebSocketServer,
} from '@upwire/engine/internal';
import type { Address, Transport } from './address';
import type { SlowStore } from './store';

/**
 * A framework with its adapter, as the contract drives it. What frameworks do differently is told by properties of the
 * harness; the contract itself knows no framework.
 *
 * A harness lives in a module of its own that runs no test and uses none of jest's globals, because programs that the
 * contract starts load it as well.
 */
export interface Harness<App extends Application = Application> {
  /** The framework with its major version, such as `Express 5`. */
  readonly name: string;
  /** The file that has this harness in its exported array `harnesses`: `__filename`. */
  readonly file: string;
  readonly facts: Facts;
  /**
   * Makes an application with the adapter, sets it up and listens. Settled when it listens; a set-up that is wrong
   * rejects.
   */
  open(setUp: (app: App) => void, options: SiteOptions): Promise<Site>;
  /**
   * More ways of this framework to put a guard in front of the route `/admin/x`, by name. The contract brings those of
   * a group and of the route itself.
   */
  readonly wirings: Readonly<
    Record<string, (app: App, guard: Middleware, handle: Handler) => void>
  >;
}

/** What the contract cannot know of a framework. */
export interface Facts {
  /** The kinds of session there are. */
  readonly sessions: readonly SessionKind[];
  /** The kinds of {@link Scope.group}, such as a router and a mounted application. */
  readonly groups: readonly string[];
  /** A path that takes everything below a prefix such as `/any`, in the framework's syntax: `/any/*rest`. */
  wildcard(prefix: string): string;
  /** What the framework answers where there is no route, as far as it is the same every time. */
  notFound(method: string, path: string): RegExp;
  /** What the framework answers where middleware throws an error with this `status` (and `statusCode`) and message. */
  errorPage(status: number, message: string): RegExp;
  /**
   * Whether the adapter knows its routes without running anything. Where it does not, a catch-all of the application
   * answers what another listener on the server is there for.
   */
  readonly knowsRoutes: boolean;
  /** Whether a request target that is a whole URL, such as `http://localhost/chat`, comes to the route of its path. */
  readonly takesAbsoluteForm: boolean;
}

export interface SessionKind {
  /** The package that makes the sessions. */
  readonly name: string;
  /** Whether they are kept in a store; the others are in the cookie itself. */
  readonly stored: boolean;
}

/** How a {@link Site} is to be. */
export interface SiteOptions {
  /** @defaultValue `http`, on 127.0.0.1 */
  readonly transport?: Transport;
  /** Options of the adapter, for all routes. */
  readonly upwire?: Omit<GatewayOptions, 'onError' | 'onInvalidMessage'>;
  /** The adapter's option `onError`. @defaultValue none, so that the framework's own error handling is told */
  readonly onError?: (error: unknown, webSocket: WebSocket) => void;
  /** The `name` of one of {@link Facts.sessions}, in front of all that the set-up adds. @defaultValue none */
  readonly session?: string;
  /** Where sessions are kept. To be given to the session package, in the shape it asks for. */
  readonly store?: SlowStore;
  /**
   * Whether there is an access log. Packages for that may listen to the errors of sockets, and so hide that nobody else
   * does. @defaultValue true
   */
  readonly accessLog?: boolean;
  /** Whether the framework believes the headers of a proxy in front. @defaultValue its own default: it does not */
  readonly trustProxy?: boolean;
  /** Lets others listen on the server before the adapter does. */
  readonly before?: (server: Server) => void;
  /** Lets others listen on the server behind the adapter. */
  readonly after?: (server: Server) => void;
}

export type Server = HttpServer | HttpsServer;

/** An application that listens. */
export interface Site {
  readonly address: Address;
  readonly server: Server;
  /** The adapter's server of all WebSockets. */
  readonly webSockets: WebSocketServer;
  /**
   * What the framework's usual access log (morgan, Fastify's own, a middleware of Koa) has written when responses were
   * over, one line a request: `GET /chat?room=1 101`.
   */
  readonly log: readonly string[];
  /**
   * What the framework's own error handling has been told: error middleware of Express, the error log of Fastify, the
   * `'error'` event of Koa. Nothing of it goes to the console.
   */
  readonly errors: readonly unknown[];
  /** Opens a WebSocket within the process, by the adapter's `injectWS()`. */
  inject(path: string, options?: InjectOptions): Promise<WebSocket>;
  /** Closes the application as its users do: `server.close()`, `fastify.close()`. Settled when all is over. */
  close(): Promise<void>;
}

/** A place where middleware and routes are added. */
export interface Scope {
  /** Adds middleware that runs for all requests of the scope, in the order of the calls. Called before routes are added. */
  use(middleware: Middleware): void;
  /** Adds a WebSocket route. Paths have `:name` for parameters. */
  ws(path: string, handler: Handler, route?: WebSocketRoute): void;
  /** Adds an ordinary route, whose handler answers. */
  page(method: 'GET' | 'POST', path: string, handler: Middleware): void;
  /**
   * Adds a router, a plugin with a prefix or a mounted application.
   *
   * @param setUp may be called at once or when the application starts
   * @param kind one of {@link Facts.groups}. @defaultValue the first
   */
  group(prefix: string, setUp: (scope: Scope) => void, kind?: string): void;
}

/** The outermost scope. */
export interface Application extends Scope {
  /** Adds what answers everything that no route has taken: a catch-all, a page for 404. Called last. */
  otherwise(handler: Middleware): void;
}

export interface WebSocketRoute {
  /** Middleware of this route alone, run before the 101. */
  readonly guards?: readonly Middleware[];
  /** Options that go before those of the {@link SiteOptions}. */
  readonly options?: RouteOptions;
}

/**
 * Middleware, and what answers an ordinary route. When it returns, or its promise settles, and it has not answered, the
 * request goes on to what comes behind it. What it throws is an error of the application, given to the framework as
 * middleware there does.
 */
export type Middleware = (context: Context) => unknown;

/** What a WebSocket route runs when the handshake is over. The context is that of its middleware. */
export type Handler = (webSocket: WebSocket, context: Context) => unknown;

/** A request and its response, as middleware of the framework has them. */
export interface Context {
  /** The request target as the client has sent it, told by the framework: `originalUrl`. */
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  /** A header of the request. */
  header(name: string): string | undefined;
  /** Sets a header of the response, the framework's way. */
  set(name: string, value: string | string[]): void;
  /** Answers the framework's way; an object goes out as JSON. */
  answer(status: number, body?: string | object, headers?: Readonly<Record<string, string>>): void;
  /** The session. @throws where the site has none */
  readonly session: Session;
  /** What middleware leaves for what comes behind it, on whatever the framework has for that (`res.locals`, `ctx.state`). */
  readonly state: Record<string, unknown>;
  /** Node's request. */
  readonly request: IncomingMessage;
  /** Node's response. */
  readonly response: ServerResponse;
}

export interface Session {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
}

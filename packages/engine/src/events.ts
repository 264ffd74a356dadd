import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Data, RawData } from './payload';
import type { WebSocket } from './websocket';

/**
 * What only the application can type: what an event of its own carries, an error of whatever kind. It is what
 * `JSON.parse` returns, as in `@types/ws` and in Node's own types of emitters.
 */
export type Untyped = ReturnType<typeof JSON.parse>;

/** The events of a WebSocket, each with what its listeners are given. */
export interface WebSocketEvents {
  /** The connection is open. */
  open: [];
  /** A message: text in a Buffer, binary in the form that `binaryType` says. */
  message: [data: RawData, isBinary: boolean];
  /** A ping, which has been answered. */
  ping: [data: Buffer];
  pong: [data: Buffer];
  /** The peer broke the protocol, or a client got no connection; `close` follows. */
  error: [error: Error];
  /** The end of the connection: always the last event, and once. */
  close: [code: number, reason: Buffer];
  /** After `send()` has returned `false`: the peer has taken most of what waited. */
  drain: [];
  /** Of a client: the 101 has come. */
  upgrade: [response: IncomingMessage];
  /** Of a client: a redirect is about to be followed. */
  redirect: [url: string, request: ClientRequest];
  /** Of a client: another answer than 101 has come; request and response are the listener's. */
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}

/** The events of a WebSocket that gives text as strings, as those of the adapters do. */
export interface TextWebSocketEvents extends Omit<WebSocketEvents, 'message'> {
  /**
   * A message: text as a string, binary as a Buffer. Who sets `binaryType` says in the listener what it is given, as in
   * `(data: string | ArrayBuffer) => …`.
   */
  message: [data: string | Buffer, isBinary: boolean];
}

/** The events of a WebSocket whose messages a schema has parsed. */
export interface MessageWebSocketEvents<Message> extends Omit<WebSocketEvents, 'message'> {
  message: [data: Message, isBinary: false];
}

/** The events of a server, each with what its listeners are given. */
export interface WebSocketServerEvents<Connection, Request> {
  /** A handshake was accepted. With `noServer` it is the application that emits this. */
  connection: [webSocket: Connection, request: Request];
  /** The lines of a 101 before they leave, to be changed in place; the first is the status line. */
  headers: [lines: string[], request: Request];
  /** A request is no handshake; who listens has to answer it. */
  wsClientError: [error: Error, socket: Duplex, request: Request];
  listening: [];
  close: [];
  /** An error of the HTTP server, or what an option function of the application's threw. */
  error: [error: Error];
}

type EventMap<Events> = { [Name in keyof Events]: unknown[] };

/** An emitter that knows its own events by name, and takes any other as every emitter does. */
export interface TypedEmitter<Events extends EventMap<Events>> extends EventEmitter {
  on<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  on(event: string | symbol, listener: (this: this, ...values: Untyped[]) => void): this;
  once<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  once(event: string | symbol, listener: (this: this, ...values: Untyped[]) => void): this;
  off<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  off(event: string | symbol, listener: (this: this, ...values: Untyped[]) => void): this;
  addListener<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  addListener(event: string | symbol, listener: (this: this, ...values: Untyped[]) => void): this;
  removeListener<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  removeListener(
    event: string | symbol,
    listener: (this: this, ...values: Untyped[]) => void,
  ): this;
  prependListener<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  prependListener(
    event: string | symbol,
    listener: (this: this, ...values: Untyped[]) => void,
  ): this;
  prependOnceListener<Name extends keyof Events>(
    event: Name,
    listener: (this: this, ...values: Events[Name]) => void,
  ): this;
  prependOnceListener(
    event: string | symbol,
    listener: (this: this, ...values: Untyped[]) => void,
  ): this;
  emit<Name extends keyof Events>(event: Name, ...values: Events[Name]): boolean;
  emit(event: string | symbol, ...values: Untyped[]): boolean;
}

type EmitterOptions = ConstructorParameters<typeof EventEmitter>[0];

/** What the class itself has: `once`, `on`, `defaultMaxListeners`, … */
type EmitterStatics = Omit<typeof EventEmitter, 'prototype'>;

/** Node's emitter, which knows its events by its type alone. */
export const TypedEmitter = EventEmitter as unknown as EmitterStatics &
  (new <Events extends EventMap<Events>>(
    options?: EmitterOptions,
  ) => TypedEmitter<Events>);

/** What listeners in the manner of a browser are given, as `@types/ws` has it; really it is an `Event`. */
export interface WebSocketEvent {
  readonly type: string;
  readonly target: WebSocket;
}

export interface MessageEvent extends WebSocketEvent {
  /** Text as a string, binary in the form that `binaryType` says. */
  readonly data: Data;
}

export interface CloseEvent extends WebSocketEvent {
  readonly code: number;
  readonly reason: string;
  /** Whether both sides have sent their close frame. */
  readonly wasClean: boolean;
}

export interface ErrorEvent extends WebSocketEvent {
  /** An `Error`. */
  readonly error: Untyped;
  readonly message: string;
}

/** The events that have an `on…` attribute and `addEventListener`. */
export interface WebSocketEventMap {
  open: WebSocketEvent;
  message: MessageEvent;
  close: CloseEvent;
  error: ErrorEvent;
}

type Attribute = ((event: Untyped) => void) | null;

/**
 * The listeners that a browser's WebSocket has as properties; `null` where there is none. By their types they are set
 * with a function that knows its event, and read as one that takes any: so our WebSockets are taken where those of
 * `@types/ws` are, whose events have another class as their `target`.
 */
export interface EventAttributes {
  get onopen(): Attribute;
  set onopen(listener: ((event: WebSocketEvent) => void) | null);
  get onmessage(): Attribute;
  set onmessage(listener: ((event: MessageEvent) => void) | null);
  get onclose(): Attribute;
  set onclose(listener: ((event: CloseEvent) => void) | null);
  get onerror(): Attribute;
  set onerror(listener: ((event: ErrorEvent) => void) | null);
}

/** Node's emitter, as the one that a WebSocket is; the attributes are there when the class is. */
export const WebSocketEmitter = EventEmitter as unknown as EmitterStatics &
  (new (
    options?: EmitterOptions,
  ) => TypedEmitter<WebSocketEvents> & EventAttributes);

declare const kMessage: unique symbol;

/** What the messages of a WebSocket are where they are iterated, by its type alone. */
interface Messages<Message> {
  readonly [kMessage]?: Message;
}

/** What iterating over a WebSocket gives. */
export type MessageIn<Socket> =
  Socket extends Messages<infer Message> ? (unknown extends Message ? Data : Message) : Data;

/** A WebSocket whose text comes as strings. */
export type TextWebSocket = TypedEmitter<TextWebSocketEvents> & WebSocket;

/** What makes them, by its type; the class is the same. */
export type TextWebSocketClass = typeof WebSocket & (new (...values: never[]) => TextWebSocket);

/** A WebSocket whose messages a schema has parsed. */
export type MessageWebSocket<Message> = TypedEmitter<MessageWebSocketEvents<Message>> &
  Messages<Message> &
  WebSocket;

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TextWebSocket } from '../events';
import { checkHandshake, GATEWAY_POLICY, SERVER_CLOSED } from '../handshake/accept';
import type { OwnAuthority } from '../handshake/origin';
import { checkOrigin } from '../handshake/origin';
import type { Refusal } from '../handshake/refusal';
import { createRefusal } from '../handshake/refusal';
import type { FrameworkAnswers } from '../reply';
import { ResponseReply, releaseSocket, setFields } from '../reply';
import { isThenable } from '../thenable';
import type { Place } from './connection-limit';
import { contain, warn } from './contain';
import type { EarlyTextWebSocket } from './early';
import { EarlyWebSocket } from './early';
import type { ServerGate } from './gate';
import type { RouteOptions } from './options';
import { endBehind } from './response';
import type { RouteSettings } from './settings';

/** What a route does with its WebSocket, and how its framework answers. */
export interface Route extends FrameworkAnswers {
  /** The route's own options, by {@link checkRouteOptions}: the same object for all its handshakes. */
  readonly options?: RouteOptions | undefined;
  /**
   * The request as the application knows it, which functions among its options are given.
   * @defaultValue Node's
   */
  readonly request?: object | undefined;
  /** The WebSocket that {@link Upgrade.giveEarly} has given, where it has. */
  readonly webSocket?: EarlyTextWebSocket | undefined;
  /** Where the request was sent, by the framework's own knowledge of proxies. Read only where there is an origin. */
  readonly authority: OwnAuthority;
  /**
   * The client's address, by the framework's own knowledge of proxies.
   * @defaultValue the other end of the socket
   */
  readonly clientAddress?: string | undefined;
  /** The application's handler. */
  readonly handle: (webSocket: TextWebSocket) => unknown;
  /**
   * The framework's own error handling. Before the 101 it answers; after it, for applications that have no `onError`,
   * it is only told.
   *
   * @param webSocket whose handler has failed; `undefined` before the 101
   */
  readonly onError: (error: unknown, webSocket?: TextWebSocket) => void;
}

/** What a handshake needs of its gateway. */
export interface UpgradeOwner {
  readonly handshakeTimeout: number;
  /** Whether it takes no more WebSockets. */
  readonly closing: boolean;
  /** What holds for a route. */
  settingsOf(options: RouteOptions | undefined): RouteSettings;
  /** Runs the framework's own stack on a request. */
  dispatch(request: IncomingMessage, response: ServerResponse): unknown;
  /** Counts a handshake that has got another answer, whoever gave it; `refusal` where it was ours. */
  refused(request: IncomingMessage, status: number, refusal: Refusal | undefined): void;
  /** Sends the 101, makes the WebSocket and runs the handler. */
  open(upgrade: Upgrade, head: Buffer, route: Route): void;
}

const NOTHING = Buffer.alloc(0);

/** A handshake, as adapters deal with it. */
export type Handshake = Pick<
  Upgrade,
  'accept' | 'giveEarly' | 'keepsHeaders' | 'reach' | 'unrouted'
>;

/** One that has its answer. It keeps nothing alive, however long the application keeps the request. */
const OVER: Handshake = {
  accept: () => undefined,
  giveEarly: () => {
    const webSocket = new EarlyWebSocket({}) as EarlyTextWebSocket;
    webSocket.abandon();
    return webSocket;
  },
  keepsHeaders: () => undefined,
  reach: () => undefined,
  unrouted: () => false,
};

/** One handshake on its way through the framework. It is answered once, by whoever is first. */
export class Upgrade {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly gate: ServerGate;
  private readonly owner: UpgradeOwner;
  /** The gateway that has decided, or else the first that was asked. */
  private decider: UpgradeOwner;
  private head: Buffer;
  private elsewhere: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined = undefined;
  /** How long the application may take, in milliseconds from {@link arrivedAt}. */
  private timeout: number;
  private readonly arrivedAt = performance.now();
  private keptHeaders: (() => Readonly<Record<string, unknown>>) | undefined = undefined;
  /** Its place among the connections that are counted, until it is a WebSocket's. */
  private place: Place | undefined = undefined;
  /** Whether a route wants it. */
  private accepted = false;
  /** Whether the answer is ours, and given; it may still wait in what middleware has put around the response. */
  private answered = false;
  /** Our answer, where it is not the 101. */
  private refusal: Refusal | undefined = undefined;

  constructor(
    owner: UpgradeOwner,
    gate: ServerGate,
    request: IncomingMessage,
    response: ServerResponse,
    head: Buffer,
    elsewhere: (() => void) | undefined,
  ) {
    this.owner = owner;
    this.decider = owner;
    this.gate = gate;
    this.request = request;
    this.response = response;
    this.head = head;
    this.elsewhere = elsewhere;
    this.timeout = owner.handshakeTimeout;
  }

  /** @internal Validates the handshake and lets the framework answer it. */
  start(): void {
    const { owner, gate, request, response } = this;
    response.once('finish', () => this.finished());
    response.once('close', () => {
      this.end();
      this.place?.leave();
    });
    this.startTimer(this.timeout);
    // It may be somebody else's, who goes on.
    if (owner.closing && this.unrouted()) return;
    const closing = gate.closing || owner.closing;
    const refusal = closing ? SERVER_CLOSED : checkHandshake(request, GATEWAY_POLICY);
    if (refusal !== null) {
      this.refuse(refusal);
      return;
    }
    contain(
      () => owner.dispatch(request, response),
      (error) => {
        this.refuse(createRefusal(500));
        warn(error);
      },
    );
  }

  /**
   * Tells that the framework has come to a route, before the route's own middleware has run: from now on the handshake
   * has the time that the route gives it. {@link accept} tells it as well.
   *
   * @param owner the gateway of the route, where the application has several
   */
  reach(options: RouteOptions | undefined, owner: UpgradeOwner = this.owner): void {
    const { handshakeTimeout } = owner.settingsOf(options);
    if (handshakeTimeout === this.timeout || this.accepted || this.isAnswered) return;
    this.timeout = handshakeTimeout;
    clearTimeout(this.timer);
    const left = handshakeTimeout - (performance.now() - this.arrivedAt);
    if (left > 0) this.startTimer(left);
    else this.expire();
  }

  /**
   * Tells where the framework keeps headers of the response, if not in the response: for an answer in place of the
   * application, which may be still at work.
   */
  keepsHeaders(headers: () => Readonly<Record<string, unknown>>): void {
    this.keptHeaders = headers;
  }

  /**
   * Makes the WebSocket before the handshake is over, for {@link Route.webSocket}. Where it is not accepted in the end,
   * the WebSocket is told so.
   */
  giveEarly(options: RouteOptions | undefined): EarlyTextWebSocket {
    const { terms } = this.owner.settingsOf(options);
    // By these options it gives text as strings.
    const webSocket = new EarlyWebSocket(terms.options) as EarlyTextWebSocket;
    if (this.response.destroyed) webSocket.abandon();
    else this.response.once('close', () => webSocket.abandon());
    return webSocket;
  }

  /**
   * Accepts the handshake: the application has let the request through to a route of WebSockets. Does nothing where
   * the handshake has been accepted or answered before.
   *
   * @param owner the gateway of the route, where the application has several
   */
  accept(route: Route, owner: UpgradeOwner = this.owner): void {
    this.reach(route.options, owner);
    if (this.accepted || this.isAnswered) return;
    this.accepted = true;
    this.decider = owner;
    const { origins } = owner.settingsOf(route.options);
    const known = knownRequest(route, this.request);
    const proceed = (refusal: Refusal | null): void => {
      // A decision may take its time.
      if (!this.isAnswered) this.decide(route, owner, refusal);
    };
    try {
      const decision = checkOrigin(this.request, origins, route.authority, known);
      if (isThenable(decision)) decision.then(proceed).then(undefined, route.onError);
      else proceed(decision);
    } catch (error) {
      route.onError(error);
    }
  }

  /**
   * Tells that the framework has no route for the request.
   *
   * @returns true when somebody else will answer it, false when the framework has to
   */
  unrouted(): boolean {
    const { elsewhere } = this;
    if (elsewhere === undefined || this.accepted || this.isAnswered) return false;
    clearTimeout(this.timer);
    this.leave(undefined);
    if (releaseSocket(this.response) === null) return false;
    elsewhere();
    return true;
  }

  private get isAnswered(): boolean {
    return this.answered || this.response.headersSent || this.response.destroyed;
  }

  private decide(route: Route, owner: UpgradeOwner, refusal: Refusal | null): void {
    if (refusal !== null || this.gate.closing || owner.closing) {
      this.refuse(refusal ?? SERVER_CLOSED, route);
      return;
    }
    const place = this.takePlace(route, owner);
    if (place !== undefined && 'status' in place) {
      this.refuse(place, route);
      return;
    }
    this.place = place;
    this.answered = true;
    const { head } = this;
    // The request may live as long as the WebSocket; what it has read must not.
    this.head = NOTHING;
    this.elsewhere = undefined;
    owner.open(this, head, route);
  }

  private takePlace(route: Route, owner: UpgradeOwner): Place | Refusal | undefined {
    const { limit } = owner.settingsOf(route.options);
    // Asked for where it counts, and nowhere else: it is a call to the kernel.
    if (limit === undefined) return undefined;
    const address = route.clientAddress ?? this.request.socket.remoteAddress;
    return limit.take(knownRequest(route, this.request), address);
  }

  /** Hands the place over to the WebSocket, which gives it back. */
  handOver(): Place | undefined {
    const { place } = this;
    this.place = undefined;
    return place;
  }

  /** Answers in place of the application. */
  private refuse(refusal: Refusal, route?: Route): void {
    const { response, keptHeaders } = this;
    this.answered = true;
    this.refusal = refusal;
    if (route?.refuse === undefined && !response.headersSent) {
      // There may be some that cannot be sent; that is for the application to hear, not for this client.
      contain(() => setFields(response, keptHeaders?.()), warn);
    }
    new ResponseReply(response, route).refuse(refusal);
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.leave(OVER);
  }

  /** Is no longer what the request is. */
  private leave(next: Handshake | undefined): void {
    const request: MaybeHandshake = this.request;
    // Where it was left to others, they may have begun another one.
    if (request[kHandshake] === this) request[kHandshake] = next;
  }

  private finished(): void {
    this.end();
    const { request, response, refusal } = this;
    const { statusCode } = response;
    if (statusCode !== 101) this.decider.refused(request, statusCode, refusal);
    // The socket of the 101 is taken by whoever has sent it.
    if (!this.accepted || statusCode !== 101) endBehind(response);
  }

  private startTimer(milliseconds: number): void {
    this.timer = setTimeout(() => this.expire(), milliseconds);
    this.timer.unref();
  }

  private expire(): void {
    const { response } = this;
    if (response.headersSent) {
      this.endWhenIdle(response.socket);
    } else if (this.answered) {
      // Our answer hangs in what middleware has put around the response, such as a session store that is down.
      response.destroy();
    } else {
      this.startTimer(this.timeout);
      this.refuse(createRefusal(503, 'The handshake took too long'));
    }
  }

  /** A long answer may take longer than a handshake, but not without a byte moving. */
  private endWhenIdle(socket: (Duplex & { setTimeout?: SetTimeout }) | null): void {
    socket?.setTimeout?.(this.timeout, () => socket.destroy());
  }
}

type SetTimeout = (milliseconds: number, callback: () => void) => unknown;

const kHandshake = Symbol('upwire.handshake');

/** A request that may be a handshake. Weak collections cost the garbage collector more (ADR 27). */
type MaybeHandshake = IncomingMessage & { [kHandshake]?: Handshake | undefined };

/** Starts a handshake, which {@link upgradeOf} finds from now on. */
export function startUpgrade(upgrade: Upgrade): void {
  const request: MaybeHandshake = upgrade.request;
  request[kHandshake] = upgrade;
  upgrade.start();
}

/** The handshake that a request is; `undefined` for an ordinary request. */
export function upgradeOf(request: MaybeHandshake): Handshake | undefined {
  return request[kHandshake];
}

/** The request as the application knows it. */
export function knownRequest({ request }: Route, plain: IncomingMessage): IncomingMessage {
  // Which one it is, is between the adapter and the types of its options; the engine hands it on as it is.
  return (request ?? plain) as IncomingMessage;
}

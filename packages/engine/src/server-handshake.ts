import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { agreeAsServer, formatAgreement } from './deflate/extension';
import type { Agreement } from './deflate/negotiate';
import {
  acceptance,
  checkHandshake,
  NOT_HANDLED,
  offeredSubprotocols,
  SERVER_CLOSED,
} from './handshake/accept';
import type { Acceptance } from './handshake/decision';
import { ACCEPTED, isRefusal, readDecision } from './handshake/decision';
import { requestOrigin } from './handshake/origin';
import type { Header, Refusal } from './handshake/refusal';
import { applicationRefusal, createRefusal } from './handshake/refusal';
import { show } from './handshake/show';
import { selectSubprotocol } from './handshake/subprotocols';
import { isFieldValue, isToken } from './handshake/tokens';
import type { HandshakeReply } from './reply';
import { rethrow } from './rethrow';
import type { UpgradeCallback, WebSocketServer } from './server';
import type { VerifyClientCallback, VerifyClientInfo } from './server-options';
import type { HandshakeTerms } from './terms';
import { compressionOf } from './terms';
import { isThenable } from './thenable';
import type { WebSocket } from './websocket';

/** On sockets that have become WebSockets. Weak collections cost the garbage collector more (ADR 27). */
const kUpgraded = Symbol('upwire.upgraded');

type MaybeUpgraded = Duplex & { [kUpgraded]?: true };

/** The answer to a client about whom the application did not decide in time. */
const TOO_LATE = createRefusal(503, 'The handshake took too long');

/** A call that can never be right: it is the caller's to see, not the client's. */
class MisuseError extends Error {}

/** What the application's own code gave; `undefined` where it failed, which has been answered and reported. */
type Answer<Value> = { readonly value: Value } | undefined;

/**
 * One opening handshake of a server, in the order of `ws`: request, path, subprotocols, extensions, `verifyClient`, then
 * `onUpgrade`, state of the server, `handleProtocols`, `headers` listeners. Whatever of the application's fails on the
 * way costs that client a 500 and is reported to the server; nothing is written to a socket that is a WebSocket already.
 */
export class ServerHandshake {
  private readonly server: WebSocketServer;
  private readonly request: IncomingMessage;
  private readonly reply: HandshakeReply;
  private readonly head: Buffer;
  private readonly callback: UpgradeCallback;
  private readonly terms: HandshakeTerms;
  private offered: ReadonlySet<string> = new Set();
  /** The permessage-deflate that both sides can do. */
  private agreement: Agreement | null = null;
  /** Whether `verifyClient` has answered. */
  private verified = false;
  /** Whether it is too late for any decision. */
  private over = false;
  /** Whether the client has its answer. */
  private answered = false;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(
    server: WebSocketServer,
    request: IncomingMessage,
    reply: HandshakeReply,
    head: Buffer,
    callback: UpgradeCallback,
    terms: HandshakeTerms,
  ) {
    this.server = server;
    this.request = request;
    this.reply = reply;
    this.head = head;
    this.callback = callback;
    this.terms = terms;
  }

  start(): void {
    const { request, server, terms } = this;
    const fault = checkHandshake(request, terms.policy);
    if (fault !== null) {
      this.refuseRequest(fault);
      return;
    }
    const handled = this.ask(() => server.shouldHandle(request));
    if (handled === undefined) return;
    this.wait(handled.value, (taken) => {
      if (taken) this.negotiate();
      else this.refuse(NOT_HANDLED);
    });
  }

  private negotiate(): void {
    const { request, terms } = this;
    const offered = offeredSubprotocols(request);
    if (!(offered instanceof Set)) {
      this.refuseRequest(offered);
      return;
    }
    this.offered = offered;
    const agreement = agreeAsServer(request, terms.deflate);
    if (agreement !== null && 'status' in agreement) {
      this.refuseRequest(agreement);
      return;
    }
    this.agreement = agreement;
    this.verify();
  }

  // ---- decisions

  private verify(): void {
    const { verifyClient } = this.terms.options;
    if (!verifyClient) {
      this.consult();
      return;
    }
    if (this.isClosed()) return;
    const info = verifyInfo(this.request);
    // `ws` tells the two forms apart by the number of parameters.
    const calls = verifyClient.length === 2;
    const callback: VerifyClientCallback = (accepted, ...refusal) =>
      this.onVerified(accepted, refusal);
    // The other form has no second argument, whatever its parameters would make of one.
    const given = calls ? [info, callback] : [info];
    const answer = this.ask((): unknown => Reflect.apply(verifyClient, undefined, given));
    if (answer === undefined) return;
    if (!calls) {
      this.wait(answer.value, (accepted) => this.onVerified(accepted, []));
      return;
    }
    // An asynchronous function may fail before it calls back, or behind that.
    this.wait(answer.value, () => undefined);
    if (!this.verified) this.beginWaiting();
  }

  private onVerified(accepted: unknown, refusal: unknown[]): void {
    if (this.verified) {
      const error = new Error('The option "verifyClient" has answered one handshake twice');
      this.server.report(error, this.request);
    }
    if (this.verified || this.over) return;
    this.verified = true;
    if (accepted) this.consult();
    else this.refuseAs(refusal);
  }

  /** `onUpgrade` decides, or nobody has anything to say any more. */
  private consult(): void {
    const { onUpgrade } = this.terms.options;
    if (!onUpgrade) {
      this.complete(ACCEPTED);
      return;
    }
    if (this.isClosed()) return;
    const answer = this.ask((): unknown => onUpgrade(this.request));
    if (answer === undefined) return;
    this.wait(answer.value, (value) => {
      const decision = this.ask(() => readDecision(value, this.offered));
      if (decision !== undefined) this.wait(decision.value, (it) => this.decide(it));
    });
  }

  private decide(decision: Acceptance | Refusal): void {
    if (isRefusal(decision)) this.refuse(decision);
    else this.complete(decision);
  }

  /** Goes on with an answer of the application's: at once, or when it has come, unless it is too late by then. */
  private wait<Value>(answer: Value | PromiseLike<Value>, proceed: (value: Value) => void): void {
    if (!isThenable(answer)) {
      proceed(answer);
      return;
    }
    this.beginWaiting();
    const settled = (value: Value): void => {
      if (!this.over) proceed(value);
    };
    answer.then(settled, (error) => this.fail(error)).then(undefined, rethrow);
  }

  /** A server that closes takes nobody, and asks nobody either. */
  private isClosed(): boolean {
    if (this.server.running) return false;
    this.refuse(SERVER_CLOSED);
    return true;
  }

  /** There is one time for all decisions together. */
  private beginWaiting(): void {
    if (this.over) return;
    this.server.undecided.add(this);
    const { handshakeTimeout } = this.terms.options;
    if (handshakeTimeout === 0 || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.refuse(TOO_LATE), handshakeTimeout);
    this.timer.unref();
  }

  /** Nothing that the application decides from now on counts. */
  private end(): void {
    this.over = true;
    this.server.undecided.delete(this);
    clearTimeout(this.timer);
  }

  /** The server closes: it is answered without a decision. */
  turnAway(): void {
    this.refuse(SERVER_CLOSED);
  }

  // ---- answers

  private complete(decision: Acceptance): void {
    this.end();
    const { server, reply, request, head } = this;
    const socket: MaybeUpgraded | null = reply.socket;
    if (!socket?.readable || !socket.writable) {
      socket?.destroy();
      return;
    }
    if (socket[kUpgraded]) {
      throw new MisuseError(
        'server.handleUpgrade() was called more than once with the same socket, possibly due to a misconfiguration',
      );
    }
    if (this.isClosed()) return;
    const accepted = this.ask(() => this.accept(decision));
    if (accepted === undefined) return;
    const { headers, protocol, webSocket } = accepted.value;
    socket[kUpgraded] = true;
    this.answered = true;
    reply.accept(headers, (taken) => {
      const compression = compressionOf(this.agreement, this.terms, webSocket.limits);
      const { tally } = server;
      webSocket.setSocket(taken, head, { protocol, compression, tally, request });
      server.track(webSocket);
      try {
        this.callback(webSocket, request);
      } catch (error) {
        rethrow(error);
      }
    });
  }

  /** Asks the application for everything that a 101 says, and makes the WebSocket. */
  private accept(decision: Acceptance): {
    headers: readonly Header[];
    protocol: string;
    webSocket: WebSocket;
  } {
    const { request } = this;
    const { options, subprotocols, webSocket: early } = this.terms;
    const { choice, option } = subprotocols;
    const protocol = decision.protocol ?? selectSubprotocol(this.offered, choice, request, option);
    const extensions = this.agreement === null ? '' : formatAgreement(this.agreement);
    const agreed = acceptance(request, { subprotocol: protocol, extensions });
    const headers = this.withOwnHeaders([...agreed, ...decision.headers]);
    const webSocket = early ?? new options.WebSocket(null, undefined, options);
    if (decision.options !== undefined) webSocket.configure(decision.options);
    if (decision.data !== undefined) webSocket.data = decision.data;
    return { headers, protocol: protocol || '', webSocket };
  }

  /** Lets `headers` listeners change the lines of the 101, and checks what they have made of them. */
  private withOwnHeaders(headers: Header[]): readonly Header[] {
    const { server, request } = this;
    if (server.listenerCount('headers') === 0) return headers;
    const lines: unknown[] = headers.map(([name, value]) => `${name}: ${value}`);
    const all = ['HTTP/1.1 101 Switching Protocols', ...lines];
    server.emit('headers', all, request);
    // The status line is there to be read.
    return all.slice(1).map(parseLine);
  }

  /** The request is wrong. */
  private refuseRequest(refusal: Refusal): void {
    const { server, reply } = this;
    if (server.listenerCount('wsClientError') === 0) {
      this.refuse(refusal);
      return;
    }
    this.end();
    this.answered = true;
    if (reply.socket !== null) server.turnAway(reply.socket);
    server.refused(this.request, undefined, refusal);
    server.emit('wsClientError', new Error(refusal.message), reply.socket, this.request);
  }

  /** `verifyClient` said no. */
  private refuseAs([status, message, headers]: unknown[]): void {
    const { refusal, error } = applicationRefusal(status, message, headers);
    this.refuse(refusal);
    if (error !== null) this.server.report(error, this.request);
  }

  /** The application's own code has failed; the client is told, unless it has its answer. */
  private fail(error: unknown): void {
    this.end();
    if (!this.answered) this.refuse(createRefusal(500));
    this.server.report(error, this.request);
  }

  private refuse(refusal: Refusal): void {
    const { reply } = this;
    this.end();
    this.answered = true;
    // Another server has taken it: nothing but frames may be written to it now.
    const socket: MaybeUpgraded | null = reply.socket;
    if (socket?.[kUpgraded]) return;
    this.server.refused(this.request, refusal.status, refusal);
    reply.refuse(refusal);
    if (socket !== null) this.server.turnAway(socket);
  }

  /** Runs the application's own code. */
  private ask<Value>(question: () => Value): Answer<Value> {
    try {
      return { value: question() };
    } catch (error) {
      if (error instanceof MisuseError) throw error;
      this.fail(error);
      return undefined;
    }
  }
}

function verifyInfo(request: IncomingMessage): VerifyClientInfo {
  const socket: Duplex & { authorized?: boolean; encrypted?: boolean } = request.socket;
  return {
    // `@types/ws` does not know of requests without an origin, and the option's functions are typed by it.
    origin: requestOrigin(request) as string,
    secure: Boolean(socket.authorized || socket.encrypted),
    req: request,
  };
}

function parseLine(line: unknown): Header {
  const colon = typeof line === 'string' ? line.indexOf(':') : -1;
  if (typeof line === 'string' && colon > 0) {
    const header: Header = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (isToken(header[0]) && isFieldValue(header[1])) return header;
  }
  throw new TypeError(`A "headers" listener left ${show(line)}, which is no header line`);
}

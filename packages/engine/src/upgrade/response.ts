import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { endLingering } from '../io/linger';
import { releaseSocket } from '../reply';

/** What Node keeps on a socket whose response is not finished. */
type ServedSocket = Duplex & { _httpMessage?: ServerResponse | null };

/**
 * Makes the response of an upgrade request on its socket, as Node does of any other request.
 *
 * Responses leave in the order of the requests (RFC 9112 9.3.2): behind a pipelined request that is still being
 * answered, the upgrade waits for its turn.
 *
 * @param ready given the response; never called when the connection ends before its turn
 * @param prototype what the response inherits from, where a framework has one of its own
 */
export function claimResponse(
  request: IncomingMessage,
  socket: Duplex,
  ready: (response: ServerResponse) => void,
  prototype: ServerResponse = ServerResponse.prototype,
): void {
  if (socket.destroyed) return;
  // Node's own listener, which resumes a response larger than the socket takes at once, is gone since the upgrade.
  socket.on('drain', tellOfDrain);
  whenServed(socket, () => ready(respond(request, socket, prototype)));
}

/** Claims a response that the connection ends behind. */
export function claimLastResponse(
  request: IncomingMessage,
  socket: Duplex,
  ready: (response: ServerResponse) => void,
): void {
  claimResponse(request, socket, (response) => {
    response.once('finish', () => endBehind(response));
    ready(response);
  });
}

/** Ends the connection behind a response that has finished and was not the 101. */
export function endBehind(response: ServerResponse): void {
  const socket = releaseSocket(response);
  if (socket !== null) endLingering(socket);
}

/**
 * Waits until what was asked before on this socket has been answered, for whoever writes an answer of its own there.
 *
 * @param ready never called when the connection ends before
 */
export function inTurn(socket: ServedSocket, ready: () => void): void {
  if (!socket._httpMessage) {
    ready();
    return;
  }
  socket.on('drain', tellOfDrain);
  whenServed(socket, () => {
    socket.off('drain', tellOfDrain);
    ready();
  });
}

function whenServed(socket: ServedSocket, ready: () => void): void {
  const earlier = socket._httpMessage;
  if (!earlier) {
    ready();
    return;
  }
  // Node moves the socket on to the next response in its own 'finish' listener, which was there first.
  earlier.once('finish', () => {
    if (socket.writable) whenServed(socket, ready);
  });
}

/** One for all: a getter for each would make each response an object of a kind of its own, and slow. */
const NEEDS_DRAIN: PropertyDescriptor & ThisType<ServerResponse> = {
  get() {
    return this.socket?.writableNeedDrain === true && !this.writableEnded;
  },
  configurable: true,
};

function respond(
  request: IncomingMessage,
  socket: Duplex,
  prototype: ServerResponse,
): ServerResponse {
  const Response = constructorFor(prototype);
  const response = new Response(request);
  // Whatever the answer is, the socket serves no further request: a refusal says `Connection: close`.
  response.shouldKeepAlive = false;
  // Node's servers speak over a `net.Socket` or what passes for one.
  response.assignSocket(socket as Socket);
  // Node keeps a note of its own, which only the listener that is gone would take back.
  Object.defineProperty(response, 'writableNeedDrain', NEEDS_DRAIN);
  response.once('close', () => {
    socket.off('drain', tellOfDrain);
    // As for any request whose client goes away, whoever still reads the request is told.
    if (socket.destroyed) request.destroy();
  });
  return response;
}

type ResponseConstructor = new (request: IncomingMessage) => ServerResponse;

/** By the prototypes that their responses have. */
const constructors = new WeakMap<ServerResponse, ResponseConstructor>([
  [ServerResponse.prototype, ServerResponse],
]);

/**
 * Makes responses that have a framework's prototype from the start. Where they are given it later, V8 makes each of them
 * an object of a kind of its own, and everything that touches it slow (ADR 27).
 */
function constructorFor(prototype: ServerResponse): ResponseConstructor {
  let known = constructors.get(prototype);
  if (known === undefined) {
    // Node's constructors are functions that can be applied, and have to stay so for all that inherits in this way.
    const construct = function FrameworkResponse(this: ServerResponse, request: IncomingMessage) {
      Reflect.apply(ServerResponse, this, [request]);
    };
    construct.prototype = prototype;
    // V8 leaves room for the properties that the constructors before it set; for want of it, responses become hash tables.
    Object.setPrototypeOf(construct, ServerResponse);
    known = construct as unknown as ResponseConstructor;
    constructors.set(prototype, known);
  }
  return known;
}

function tellOfDrain(this: ServedSocket): void {
  const response = this._httpMessage;
  if (response && !response.writableEnded) response.emit('drain');
}

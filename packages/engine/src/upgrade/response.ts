import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What Node keeps on a socket whose response is not finished. */
type ServedSocket = Duplex & { _httpMessage?: ServerResponse | null };

/**
 * Makes the response of an upgrade request on its socket, as Node does of any other request.
 *
 * Responses leave in the order of the requests (RFC 9112 9.3.2): behind a pipelined request that is still being
 * answered, the upgrade waits for its turn.
 *
 * @param ready given the response; never called when the connection ends before its turn
 */
export function claimResponse(
  request: IncomingMessage,
  socket: Duplex,
  ready: (response: ServerResponse) => void,
): void {
  const earlier = (socket as ServedSocket)._httpMessage;
  if (earlier) {
    // Node moves the socket on to the next response in its own 'finish' listener, which was there first.
    earlier.once('finish', () => {
      if (socket.writable) claimResponse(request, socket, ready);
    });
    return;
  }
  if (socket.destroyed) return;
  const response = new ServerResponse(request);
  // Whatever the answer is, the socket serves no further request: a refusal says `Connection: close`.
  response.shouldKeepAlive = false;
  // Node's servers speak over a `net.Socket` or what passes for one.
  response.assignSocket(socket as Socket);
  tellOfDrain(response, socket);
  tellOfEnd(request, response, socket);
  ready(response);
}

/** Node's own listener, which resumes a response larger than the socket takes at once, is gone since the upgrade. */
function tellOfDrain(response: ServerResponse, socket: Duplex): void {
  const onDrain = (): void => {
    response.emit('drain');
  };
  const stop = (): void => {
    socket.off('drain', onDrain);
  };
  socket.on('drain', onDrain);
  response.once('finish', stop);
  response.once('close', stop);
}

/** As for any request whose client goes away, whoever still reads the request is told. */
function tellOfEnd(request: IncomingMessage, response: ServerResponse, socket: Duplex): void {
  const onClose = (): void => {
    request.destroy();
  };
  socket.once('close', onClose);
  response.once('finish', () => socket.off('close', onClose));
}

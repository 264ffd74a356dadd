import type { WebSocketServer } from './server';

/** What a server, its handshakes and its WebSockets count; one object for all of them. */
export class Tally {
  /** Whose it is. */
  readonly server: WebSocketServer | undefined;
  opened = 0;
  closed = 0;
  refused = 0;
  errors = 0;
  messagesReceived = 0;
  messagesSent = 0;
  bytesReceived = 0;
  bytesSent = 0;

  constructor(server?: WebSocketServer) {
    this.server = server;
  }
}

/** Of connections that belong to no server. Nobody reads it; it is there so that nothing has to be asked while counting. */
export const UNREAD = new Tally();

/** What a server has had to do with since it was made. */
export interface ServerStats {
  /** WebSockets that are open now, or closing; also with `clientTracking: false`. */
  readonly open: number;
  /** Handshakes that were accepted. */
  readonly opened: number;
  /** WebSockets that have ended. */
  readonly closed: number;
  /** Handshakes that got another answer, whoever gave it. */
  readonly refused: number;
  /** Faults of clients, and failures of the application's own functions and listeners. */
  readonly errors: number;
  /** Whole messages: no pings, pongs or close frames. */
  readonly messages: { readonly received: number; readonly sent: number };
  /**
   * Bytes on the wire behind the handshakes: frames with their headers, compressed where they are, and before TLS. Sent are
   * those that the socket has been given.
   */
  readonly bytes: { readonly received: number; readonly sent: number };
}

export function statsOf(tally: Tally): ServerStats {
  const { opened, closed, refused, errors } = tally;
  return {
    open: opened - closed,
    opened,
    closed,
    refused,
    errors,
    messages: { received: tally.messagesReceived, sent: tally.messagesSent },
    bytes: { received: tally.bytesReceived, sent: tally.bytesSent },
  };
}

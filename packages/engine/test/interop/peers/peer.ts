/** How a connection ended, as one of its ends tells. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * The other implementation's end of a connection. It sends back every message as it came: text as text, binary as
 * binary.
 */
export interface Peer {
  /** The subprotocol, by what the other implementation says. */
  readonly protocol: string;
  /** Sends one text message in these fragments. */
  sendParts?(parts: readonly string[]): unknown;
  /** Sends a ping, and settles with what the pong carries. */
  ping?(payload: string): Promise<string>;
  close(code?: number, reason?: string): unknown;
  readonly closed: Promise<Closing>;
}

export interface PeerOptions {
  /** Offer permessage-deflate, or take it. */
  readonly deflate: boolean;
  /** The subprotocols to offer, or the only one to take. */
  readonly protocols: readonly string[];
  /** Talk TLS. */
  readonly secure: boolean;
}

/** A server of the other implementation. */
export interface PeerServer {
  readonly port: number;
  /** The first connection. */
  readonly peer: Promise<Peer>;
}

/** Another implementation of the protocol, and in what it differs from the rest. */
export interface Implementation {
  readonly name: string;
  /** Connects its client; whatever it opens is gone after the test. */
  connect?(url: string, options: PeerOptions): Promise<Peer>;
  /** Starts its server on a free port of 127.0.0.1; whatever it opens is gone after the test. */
  listen?(options: PeerOptions): Promise<PeerServer>;
  /** Whether it knows permessage-deflate: `receives` for one that never compresses what it sends. */
  readonly deflate: 'no' | 'receives' | 'yes';
  readonly sendsParts: boolean;
  readonly pings: boolean;
  /** The codes that its API lets it close with; `undefined` among them where it can leave out the code. */
  readonly closes: readonly (number | undefined)[];
  /** What its application is told where we close. */
  told(closing: Closing): Closing;
  /** What its close frame says when it answers ours. */
  answer(closing: Closing): Closing;
  /** What its application is told where it closes, and we answer. */
  heard(closing: Closing): Closing;
}

/** RFC 6455 7.1.5: a close frame without a code is told as this. */
export const NO_CODE: Closing = { code: 1005, reason: '' };

/** RFC 6455 7.1.5: there was no close frame. */
export const ABRUPT: Closing = { code: 1006, reason: '' };

export function same(closing: Closing): Closing {
  return closing;
}

/** The code alone. */
export function withoutReason({ code }: Closing): Closing {
  return { code, reason: '' };
}

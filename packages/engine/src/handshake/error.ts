/** Why an opening handshake came to nothing, as the `code` of its error. Errors of the network keep Node's own. */
export const HandshakeErrorCode = {
  /** The 101 breaks a rule; `clause` names it. */
  INVALID: 'WS_ERR_INVALID_HANDSHAKE',
  /** Any other answer; `statusCode` has it. */
  RESPONSE: 'WS_ERR_UNEXPECTED_RESPONSE',
  TIMEOUT: 'WS_ERR_HANDSHAKE_TIMEOUT',
  REDIRECTS: 'WS_ERR_TOO_MANY_REDIRECTS',
  /** `close()` or `terminate()` came first. */
  ABORTED: 'WS_ERR_CLOSED_BEFORE_OPEN',
} as const;

export type HandshakeErrorCode = (typeof HandshakeErrorCode)[keyof typeof HandshakeErrorCode];

interface HandshakeErrorOptions extends ErrorOptions {
  readonly clause?: string;
  readonly statusCode?: number;
}

/** An opening handshake came to nothing; the texts are those of `ws`. */
export class HandshakeError extends Error {
  readonly code: HandshakeErrorCode;
  /** The clause that the server broke. */
  readonly clause: string | undefined;
  /** What the server answered instead of 101. */
  readonly statusCode: number | undefined;

  constructor(message: string, code: HandshakeErrorCode, options: HandshakeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.clause = options.clause;
    this.statusCode = options.statusCode;
  }
}

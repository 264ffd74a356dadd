/**
 * permessage-deflate as a connection sees it. Each call ends by `done`, at once or later; no second deflate (inflate)
 * starts before the first is done.
 */
export interface MessageCompression {
  /** Whether an outgoing message (its first fragment) of this many bytes is worth compressing. */
  compresses(length: number): boolean;

  /** Connections with the same key get the same bytes from {@link deflateAlone}. */
  readonly key: string;

  /** Whether an outgoing message of this many bytes that refers to none before it is worth compressing. */
  compressesAlone(length: number): boolean;

  /**
   * Compresses a whole message so that it refers to nothing before it, for any connection with the same {@link key}. It
   * takes no turn among the calls of {@link deflate}. The payload must not change until it is done.
   *
   * @throws Error, or rejects, where it cannot be compressed
   */
  deflateAlone(payload: Uint8Array): Buffer | Promise<Buffer>;

  /**
   * Compresses a message, or a fragment of it; the last one has no trailing 00 00 FF FF (RFC 7692 7.2.1).
   * The payload must not change before `done`; the bytes handed over belong to the caller.
   */
  deflate(
    payload: Uint8Array,
    fin: boolean,
    done: (error: Error | null, bytes?: Uint8Array) => void,
  ): void;

  /**
   * Inflates a whole message. A peer's fault (bad data 1007, limit 1009) is a `ProtocolError`.
   * The payload must not change before `done`; the bytes handed over belong to the caller.
   */
  inflate(payload: Buffer, done: (error: Error | null, bytes?: Buffer) => void): void;

  /**
   * A frame compressed elsewhere (a prepared message) was sent, or one compressed here was not: our compressor's
   * window no longer matches the peer's.
   */
  sentElsewhere(): void;

  /** The connection is over: gives back contexts and handles; a pending `done` is still called, with an error. */
  close(): void;
}

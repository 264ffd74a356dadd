import { Writable } from 'node:stream';
import { EXTENSION_NAME } from '../deflate/negotiate';
import { booleanOption } from '../options';
import type { BinaryType } from '../payload';
import { BINARY_TYPES, toBinary, toBuffer } from '../payload';
import type { PerMessageDeflate } from '../per-message-deflate';
import type { MessageCompression } from '../protocol/compression';
import { Connection } from '../protocol/connection';
import type { ProtocolError } from '../protocol/errors';
import { describe, resolveLimits } from '../protocol/limits';
import type { FrameWriter } from '../protocol/sender';

/** Options of a {@link Receiver}. `undefined` is always the default. */
export interface ReceiverOptions {
  /** Emit any number of events in one turn of the event loop. @defaultValue true */
  allowSynchronousEvents?: boolean | undefined;
  /** The form of binary messages. @defaultValue `'nodebuffer'` */
  binaryType?: BinaryType | undefined;
  /** An accepted {@link PerMessageDeflate} under its name, where messages may be compressed. */
  extensions?: Readonly<Record<string, PerMessageDeflate>> | undefined;
  /** Read what a client sends. @defaultValue false */
  isServer?: boolean | undefined;
  /** Socket reads that make up one unfinished frame; 0 is no limit. @defaultValue 0 */
  maxBufferedChunks?: number | undefined;
  /** Frames in one message; 0 is no limit. @defaultValue 0 */
  maxFragments?: number | undefined;
  /** Bytes of one message; 0 is no limit. @defaultValue 0 */
  maxPayload?: number | undefined;
  /** Emit text and close reasons without checking that they are UTF-8. @defaultValue false */
  skipUTF8Validation?: boolean | undefined;
}

/** A receiver says nothing to the peer. */
const SILENCE: FrameWriter = {
  blocked: false,
  write: () => undefined,
  writeFramed: () => undefined,
  writeShared: () => undefined,
  end: () => undefined,
  destroy: () => undefined,
};

/**
 * The receiving half of a connection apart from any socket, with the interface that `ws` has: bytes are written to it, and
 * it emits `message(data, isBinary)`, `ping(data)`, `pong(data)` and `conclude(code, reason)`, after which it finishes.
 * A peer's fault is its `error`, whose `closeCode` is what the peer should be told.
 *
 * The chunks that are written are unmasked in place.
 */
export class Receiver extends Writable {
  private readonly connection: Connection;
  private readonly binaryType: BinaryType;
  private readonly synchronous: boolean;
  /** Whether an event waits for the next turn of the event loop. */
  private deferred = false;
  private failure: Error | null = null;
  /** The callback of the write whose chunk is not parsed to its end yet. */
  private written: ((error?: Error | null) => void) | undefined = undefined;

  /** @throws TypeError or RangeError that names the option and the value */
  constructor(options: ReceiverOptions = {}) {
    super();
    const { binaryType = 'nodebuffer', extensions } = options;
    if (!BINARY_TYPES.includes(binaryType)) {
      throw new TypeError(
        `The "binaryType" option must be one of ${BINARY_TYPES.join(', ')}, got ${describe(binaryType)}`,
      );
    }
    this.binaryType = binaryType;
    this.synchronous = booleanOption(
      'allowSynchronousEvents',
      options.allowSynchronousEvents,
      true,
    );
    const deflate = extensions?.[EXTENSION_NAME];
    this.connection = new Connection(
      {
        role: booleanOption('isServer', options.isServer, false) ? 'server' : 'client',
        limits: resolveLimits(options, { maxPayload: 0 }),
        autoPong: false,
        skipUTF8Validation: booleanOption('skipUTF8Validation', options.skipUTF8Validation, false),
        compression: deflate === undefined ? undefined : this.inflater(deflate),
      },
      SILENCE,
      this,
    );
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    callback: (error?: Error | null) => void,
  ): void {
    this.written = callback;
    this.connection.receive(chunk);
    this.settle();
  }

  // ---- the connection's calls

  /** @internal */
  onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void {
    const buffer = toBuffer(bytes, start, end);
    this.tell('message', binary ? toBinary(buffer, this.binaryType) : buffer, binary);
  }

  /** @internal */
  onPing(payload: Buffer): void {
    this.tell('ping', payload);
  }

  /** @internal */
  onPong(payload: Buffer): void {
    this.tell('pong', payload);
  }

  /** @internal */
  onFault(error: ProtocolError): void {
    this.failure = error;
  }

  /** @internal */
  onUnsendable(): void {
    // A receiver sends nothing.
  }

  /** @internal */
  onState(): void {
    if (!this.connection.closeReceived || this.writableEnded) return;
    this.emit('conclude', this.connection.closeCode, this.connection.closeReason);
    this.end();
  }

  /** @internal */
  onReadable(): void {
    this.settle();
  }

  // ---- events

  private tell(event: string, ...values: unknown[]): void {
    if (this.synchronous) {
      this.emit(event, ...values);
      return;
    }
    this.deferred = true;
    this.connection.suspend();
    setImmediate(() => {
      this.deferred = false;
      if (this.destroyed) return;
      this.emit(event, ...values);
      this.connection.resume();
      this.settle();
    });
  }

  /** Ends the write when its whole chunk has been parsed. */
  private settle(): void {
    const { written, failure } = this;
    if (written === undefined || this.deferred || this.connection.isInflating) return;
    this.written = undefined;
    written(failure);
  }

  private inflater(deflate: PerMessageDeflate): MessageCompression {
    // A receiver sends no message: of all this, only `inflate` is ever called.
    return {
      key: '',
      compresses: () => false,
      compressesAlone: () => false,
      deflate: () => undefined,
      deflateAlone: (payload) => Buffer.from(payload),
      inflate: (payload, done) =>
        deflate.decompress(payload, true, (error, bytes) => {
          // It is the extension's owner who ends it.
          if (error !== null) this.failure = error;
          done(error, bytes);
          this.settle();
        }),
      sentElsewhere: () => undefined,
      close: () => undefined,
    };
  }
}

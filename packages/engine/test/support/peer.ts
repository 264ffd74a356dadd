import type { ConnectionHandler, ConnectionOptions } from '../../src/protocol/connection';
import { Connection } from '../../src/protocol/connection';
import type { ProtocolError } from '../../src/protocol/errors';
import type { LimitOptions } from '../../src/protocol/limits';
import { resolveLimits } from '../../src/protocol/limits';
import type { FrameWriter, WriteCallback } from '../../src/protocol/sender';
import type { State } from '../../src/protocol/state';
import { toHex } from './bytes';
import { frame } from './frames';

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/** The masking key of every frame that a client's connection sends in these tests. */
export const OUR_KEY = 0x01020304;

export interface RecordedOptions extends Partial<Omit<ConnectionOptions, 'limits'>> {
  readonly limits?: LimitOptions;
}

/**
 * A connection whose every call out is written down, in order:
 *
 *     text Hello · binary 0102 · ping 68 · pong 68 · fault <close code> <code> <class> <message> · CLOSING · CLOSED
 *     sent <the frame's bytes> · end · destroy
 */
export class RecordedConnection implements FrameWriter, ConnectionHandler {
  readonly log: string[] = [];
  readonly connection: Connection;
  /** Frames sent, as bytes. */
  readonly sent: Buffer[] = [];
  /** Callbacks of the frames sent, for the test to call. */
  readonly callbacks: (WriteCallback | undefined)[] = [];
  blocked = false;
  /** How often the connection has said that reading may go on. */
  readable = 0;
  /** What the application does on each message, before the next bytes are looked at. */
  onEachMessage: (() => void) | undefined = undefined;
  /** Whether the last message lay in the chunk that was read. */
  lastMessage: Buffer | undefined = undefined;

  constructor(options: RecordedOptions = {}) {
    this.connection = new Connection(
      {
        role: 'server',
        autoPong: true,
        skipUTF8Validation: false,
        maskingKey: () => OUR_KEY,
        ...options,
        limits: resolveLimits(options.limits ?? {}),
      },
      this,
      this,
    );
  }

  /** Receives copies of the chunks, for the connection unmasks them in place. @returns the log */
  receive(...chunks: Buffer[]): string[] {
    for (const chunk of chunks) this.connection.receive(Buffer.from(chunk));
    return this.log;
  }

  // ---- the transport's side

  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void {
    const bytes = frame({
      opcode: first & 0xf,
      rsv: (first >> 4) & 7,
      fin: first > 0x7f,
      payload,
      key,
    });
    this.log.push(`sent ${toHex(bytes)}`);
    this.sent.push(bytes);
    this.callbacks.push(callback);
  }

  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    const bytes = Buffer.concat(frames);
    this.log.push(`sent ${toHex(bytes)}`);
    this.sent.push(bytes);
    this.callbacks.push(callback);
  }

  writeShared(frame: Buffer, callback?: WriteCallback): void {
    this.writeFramed([frame], callback);
  }

  end(): void {
    this.log.push('end');
  }

  destroy(): void {
    this.log.push('destroy');
  }

  // ---- the application's side

  onMessage(bytes: Buffer, start: number, end: number, binary: boolean): void {
    this.lastMessage = bytes.subarray(start, end);
    this.log.push(
      binary
        ? `binary ${toHex(bytes.subarray(start, end))}`
        : `text ${bytes.toString('utf8', start, end)}`,
    );
    this.onEachMessage?.();
  }

  onPing(payload: Buffer): void {
    this.log.push(`ping ${toHex(payload)}`);
  }

  onPong(payload: Buffer): void {
    this.log.push(`pong ${toHex(payload)}`);
  }

  onFault(error: ProtocolError): void {
    const { closeCode, code, message } = error;
    this.log.push(`fault ${closeCode} ${code} ${error.constructor.name} ${message}`);
  }

  onUnsendable(error: Error): void {
    this.log.push(`unsendable ${error.message}`);
  }

  onReadable(): void {
    this.readable++;
  }

  onState(state: State): void {
    this.log.push(STATES[state]);
  }
}

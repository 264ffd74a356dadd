import type { FrameWriter, WriteCallback } from '../../src/protocol/sender';

/** Writes down each frame as its first byte and payload. */
export class LoggingWriter implements FrameWriter {
  readonly log: string[] = [];
  readonly keys: (number | undefined)[] = [];
  readonly callbacks: (WriteCallback | undefined)[] = [];
  readonly blocked = false;

  write(
    first: number,
    payload: Uint8Array | string,
    key: number | undefined,
    callback?: WriteCallback,
  ): void {
    this.log.push(`${first.toString(16).padStart(2, '0')} ${Buffer.from(payload)}`);
    this.keys.push(key);
    this.callbacks.push(callback);
  }

  writeFramed(frames: readonly Uint8Array[], callback?: WriteCallback): void {
    this.log.push(`framed ${Buffer.concat(frames).toString('hex')}`);
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
}

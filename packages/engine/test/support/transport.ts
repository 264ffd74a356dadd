import type { Transport } from '../../src/io/outbox';

/** A stream that writes down what it is told and confirms, blocks and closes when the test says so. */
export class RecordingTransport implements Transport {
  /** Calls in order, the bytes of a write left out. */
  readonly calls: string[] = [];
  /** The very buffers that were written. */
  readonly chunks: Uint8Array[] = [];
  writableNeedDrain = false;
  writableLength = 0;
  errored: Error | null = null;
  private readonly waiting: (((error?: Error | null) => void) | undefined)[] = [];

  /** Everything written so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  write(chunk: Uint8Array, callback?: (error?: Error | null) => void): boolean {
    this.calls.push('write');
    this.chunks.push(chunk);
    this.waiting.push(callback);
    return !this.writableNeedDrain;
  }

  cork(): void {
    this.calls.push('cork');
  }

  uncork(): void {
    this.calls.push('uncork');
  }

  end(): void {
    this.calls.push('end');
  }

  destroy(): void {
    this.calls.push('destroy');
  }

  /** Reports every write so far as done, or as failed. */
  confirm(error: Error | null = null): void {
    for (const callback of this.waiting.splice(0)) callback?.(error);
  }
}

import type { MessageCompression } from '../../src/protocol/compression';

type Done<Bytes> = (error: Error | null, bytes?: Bytes) => void;

/**
 * A compression that only reverses the bytes, so that a test can read them, and is done when the test says so: at once
 * by default, or with {@link finish}.
 */
export class FakeCompression implements MessageCompression {
  /** Calls in order. */
  readonly calls: string[] = [];
  /** Whether calls wait for {@link finish}. */
  slow = false;
  /** The error that the next inflate or deflate ends with. */
  error: Error | null = null;
  /** Messages below this many bytes are not worth it. */
  threshold = 0;
  private readonly waiting: (() => void)[] = [];

  compresses(length: number): boolean {
    this.calls.push(`compresses ${length}`);
    return length >= this.threshold;
  }

  readonly key: string;

  constructor(key = 'fake') {
    this.key = key;
  }

  compressesAlone(length: number): boolean {
    return length >= this.threshold;
  }

  deflateAlone(payload: Uint8Array): Buffer | Promise<Buffer> {
    this.calls.push(`deflateAlone ${Buffer.from(payload)}`);
    if (!this.slow && this.error !== null) throw this.error;
    if (!this.slow) return Buffer.from(payload).reverse();
    return new Promise((resolve, reject) => {
      this.run(payload, (error, bytes) => (bytes === undefined ? reject(error) : resolve(bytes)));
    });
  }

  deflate(payload: Uint8Array, fin: boolean, done: Done<Uint8Array>): void {
    this.calls.push(`deflate ${Buffer.from(payload)}${fin ? '' : '…'}`);
    this.run(payload, done);
  }

  inflate(payload: Buffer, done: Done<Buffer>): void {
    this.calls.push(`inflate ${payload}`);
    this.run(payload, done);
  }

  sentElsewhere(): void {
    this.calls.push('sentElsewhere');
  }

  close(): void {
    this.calls.push('close');
    this.error = new Error('closed');
    for (const finish of this.waiting.splice(0)) finish();
  }

  /** Ends the oldest call that waits. */
  finish(): void {
    this.waiting.shift()?.();
  }

  private run(payload: Uint8Array, done: Done<Buffer>): void {
    const reversed = Buffer.from(payload).reverse();
    const end = () => (this.error === null ? done(null, reversed) : done(this.error));
    if (this.slow) this.waiting.push(end);
    else end();
  }
}

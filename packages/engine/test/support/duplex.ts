import { Duplex } from 'node:stream';

class End extends Duplex {
  other: End | undefined = undefined;

  override _read(): void {
    // What the other end writes is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other?.push(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this;
    if (other !== undefined && !other.destroyed) process.nextTick(() => other.destroy());
    done(error);
  }
}

/** Two streams in memory: what is written to the one is read from the other. They are no sockets. */
export function duplexPair(): [Duplex, Duplex] {
  const [one, other] = [new End(), new End()];
  one.other = other;
  other.other = one;
  return [one, other];
}

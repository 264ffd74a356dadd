/** Random numbers that are the same for the same seed (Marsaglia's xorshift with 32 bits, started from a mixed seed). */
export class Random {
  private state: number;

  constructor(seed: number, number = 0) {
    let mixed = (seed ^ Math.imul(number + 1, 0x9e3779b1)) | 0;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    this.state = mixed ^ (mixed >>> 16) || 1;
  }

  /** An integer from 0 on, below `end`. */
  below(end: number): number {
    let { state } = this;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.state = state;
    return (state >>> 0) % end;
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.below(0x10000) >>> 8;
  }
}

/**
 * An input as the choices that make it: whatever a target wants to know, it asks these bytes. So any bytes are an input,
 * those that are changed a little are an input much like it, and fewer of them are a smaller one. Behind the end all is 0,
 * which is to be the plainest choice.
 */
export class Choices {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Whether anything is left to choose from. */
  get more(): boolean {
    return this.at < this.bytes.length;
  }

  byte(): number {
    return this.at < this.bytes.length ? this.bytes[this.at++] : 0;
  }

  /** An integer from 0 on, below `end`. */
  below(end: number): number {
    if (end <= 0x100) return this.byte() % end;
    if (end <= 0x10000) return ((this.byte() << 8) | this.byte()) % end;
    return (
      (((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0) % end
    );
  }

  /** Mostly no. */
  oneIn(count: number): boolean {
    return this.byte() % count === count - 1;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)];
  }

  /** A view of the next so many bytes, or of what is left of them. */
  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, this.at + length);
    this.at += taken.length;
    return taken;
  }
}

const FIRST_CAPACITY = 256;

/**
 * The last bytes of a stream, as many as a window holds: what the peer's next message may refer to (RFC 7692 7.2.2).
 * Memory grows with what has come, up to the window.
 */
export class History {
  private readonly size: number;
  /** A ring once it has grown to the window; before, it is filled from the start. */
  private ring = Buffer.alloc(0);
  private next = 0;
  private used = 0;

  /** @param size bytes of the window */
  constructor(size: number) {
    this.size = size;
  }

  /** Bytes kept. */
  get length(): number {
    return this.used;
  }

  append(bytes: Uint8Array): void {
    if (bytes.length > this.size) {
      this.append(bytes.subarray(bytes.length - this.size));
      return;
    }
    if (this.used + bytes.length > this.ring.length) this.grow(this.used + bytes.length);
    const room = Math.min(bytes.length, this.ring.length - this.next);
    this.ring.set(room === bytes.length ? bytes : bytes.subarray(0, room), this.next);
    if (room < bytes.length) this.ring.set(bytes.subarray(room), 0);
    this.next = room < bytes.length ? bytes.length - room : this.next + room;
    this.used = Math.min(this.used + bytes.length, this.ring.length);
  }

  /** A copy of what is kept, the oldest byte first. */
  bytes(): Buffer {
    if (this.used < this.size) return Buffer.from(this.ring.subarray(0, this.used));
    return Buffer.concat([this.ring.subarray(this.next), this.ring.subarray(0, this.next)]);
  }

  clear(): void {
    this.next = 0;
    this.used = 0;
  }

  private grow(needed: number): void {
    if (this.ring.length === this.size) return;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.size, Math.max(needed, 2 * this.ring.length, FIRST_CAPACITY)),
    );
    this.ring.copy(larger, 0, 0, this.used);
    this.ring = larger;
  }
}

/** The last `size` bytes of a window and of what came after it. */
export function slide(window: Uint8Array, pieces: readonly Uint8Array[], size: number): Buffer {
  const history = new History(size);
  history.append(window);
  for (const piece of pieces) history.append(piece);
  return history.bytes();
}

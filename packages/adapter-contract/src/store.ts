/** A store of sessions that takes its time, as one over a network does, and writes down what it is given to keep. */
export class SlowStore {
  /** The sessions in the order in which they were kept, one that was kept twice twice. */
  readonly saved: unknown[] = [];
  private readonly sessions = new Map<string, string>();
  private readonly delay: number;

  /** @param delay of every call, in milliseconds */
  constructor(delay = 30) {
    this.delay = delay;
  }

  /** How many different sessions there are. */
  get size(): number {
    return this.sessions.size;
  }

  async get(id: string): Promise<unknown> {
    await this.wait();
    const session = this.sessions.get(id);
    return session === undefined ? undefined : JSON.parse(session);
  }

  async set(id: string, session: unknown): Promise<void> {
    await this.wait();
    const text = JSON.stringify(session);
    this.saved.push(JSON.parse(text));
    this.sessions.set(id, text);
  }

  async destroy(id: string): Promise<void> {
    await this.wait();
    this.sessions.delete(id);
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.delay));
  }
}

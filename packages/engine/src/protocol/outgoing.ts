/** Something that must leave in its turn and may not be ready yet. */
export interface OutgoingJob {
  /** Payload bytes that wait in it. */
  readonly bytes: number;
  /** Begins; `done` is called when the next one may begin, at once or later. */
  run(done: () => void): void;
  /** Its turn will never come. */
  abandon(error: Error): void;
}

/**
 * Keeps frames in the order in which they were sent while one of them is still being compressed or read. Connections
 * that do neither have none.
 */
export class OutgoingQueue {
  /** Payload bytes in the queue, the running job's included. */
  bytes = 0;
  private readonly jobs: OutgoingJob[] = [];
  private running = false;

  /** Whether a frame may leave without queueing. */
  get idle(): boolean {
    return !this.running && this.jobs.length === 0;
  }

  push(job: OutgoingJob): void {
    this.bytes += job.bytes;
    this.jobs.push(job);
    if (!this.running) this.next();
  }

  /** Empties the queue; the running job ends by itself. */
  abandon(error: Error): void {
    for (const job of this.jobs.splice(0)) {
      this.bytes -= job.bytes;
      job.abandon(error);
    }
  }

  private next(): void {
    for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) {
      if (!this.finishesAtOnce(job)) return;
    }
  }

  private finishesAtOnce(job: OutgoingJob): boolean {
    let finished = false;
    let waiting = false;
    this.running = true;
    job.run(() => {
      finished = true;
      this.running = false;
      this.bytes -= job.bytes;
      if (waiting) this.next();
    });
    waiting = true;
    return finished;
  }
}

import { INBOX_TIMEOUT } from './inbox';
import type { MessageCheck, MessageIssue, Verdict } from './message-schema';
import { CloseCode } from './protocol/close';
import type { CheckedRateLimit } from './rate-limit';
import { TokenBucket } from './rate-limit';
import { isThenable } from './thenable';

/** What messages have to pass before they are told; shared by many connections. */
export interface IntakeSettings {
  readonly rateLimit?: CheckedRateLimit | undefined;
  /** Whether a message is what it has to be. */
  readonly check?: MessageCheck | undefined;
}

/** Whose messages they are. */
export interface IntakeOwner {
  /** Whether nothing is to be told for now. */
  waits(): boolean;
  /** Whether the application's own code has failed, so that no message is to be told any more. */
  hasFailed(): boolean;
  /** Tells a message that has passed. */
  tell(data: unknown, binary: boolean, bytes: number): void;
  /** Stops reading. */
  hold(): void;
  /** Goes on, by {@link Intake.proceed} and then by reading, unless something else is in the way. */
  resume(): void;
  close(code: number, reason: string): void;
  /** A message is wrong. @returns whether the application answers it, so that the connection goes on */
  invalid(issues: readonly MessageIssue[]): boolean;
  /** The application's own code has failed. */
  fail(error: unknown): void;
}

/** The longest that Node's timers can wait, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** How a message that is wrong closes the connection; a reason tells the client no more than it has to know. */
const TOO_MANY = 'Too many messages';
const NO_BINARY = 'Binary messages are not taken here';
const NOT_VALID = 'The message is not valid';

/**
 * Lets a connection's messages through that are not too many and are what they have to be, in their order. While one is
 * being checked, or the next has to wait for its time, reading stops; what the end of the connection brings all the same
 * waits here.
 */
export class Intake {
  private readonly settings: IntakeSettings;
  private readonly owner: IntakeOwner;
  private readonly bucket: TokenBucket | undefined;
  /** Whether a message is being checked. */
  private checking = false;
  /** What the check has come to, until it can be told. */
  private outcome: (() => void) | undefined = undefined;
  /** What has come behind the message that is being checked. */
  private readonly waiting: (() => void)[] = [];
  /** Runs until the next message may come, or until a check has had its time. */
  private timer: NodeJS.Timeout | undefined = undefined;
  /** Whether no further message passes. */
  private over = false;
  /** Whether the connection is over. */
  private ended = false;

  /** @param now a monotonic clock in milliseconds */
  constructor(
    settings: IntakeSettings,
    owner: IntakeOwner,
    now: () => number = () => performance.now(),
  ) {
    this.settings = settings;
    this.owner = owner;
    const { rateLimit } = settings;
    this.bucket = rateLimit && new TokenBucket(rateLimit, now);
  }

  /** Whether nothing more should be read. */
  get blocked(): boolean {
    return this.checking || this.timer !== undefined;
  }

  /** Whether what comes now has to wait, by {@link defer}. */
  get busy(): boolean {
    return this.checking || this.waiting.length > 0;
  }

  /** Does something behind the messages that have come before. */
  defer(then: () => void): void {
    this.waiting.push(then);
  }

  /** Takes a message that has been read. */
  receive(data: unknown, binary: boolean, bytes: number): void {
    if (this.busy) this.defer(() => this.take(data, binary, bytes));
    else this.take(data, binary, bytes);
  }

  /** Does what waits, as far as it can be done now. */
  proceed(): void {
    while (!this.owner.waits()) {
      const next = this.outcome ?? (this.checking ? undefined : this.waiting.shift());
      if (next === undefined) return;
      if (next === this.outcome) this.endCheck();
      next();
    }
  }

  /** The connection is over: what is being checked, or still will be, has a last while each. */
  end(): void {
    this.ended = true;
    this.stopTimer();
    if (this.checking) this.giveUpLater();
  }

  private take(data: unknown, binary: boolean, bytes: number): void {
    if (this.over || this.owner.hasFailed() || !this.isInTime()) return;
    const { check } = this.settings;
    if (check === undefined) this.owner.tell(data, binary, bytes);
    else if (typeof data === 'string') this.check(check, data, bytes);
    else this.refuse(CloseCode.UNSUPPORTED_DATA, NO_BINARY, [{ message: NO_BINARY }]);
  }

  // ---- not too many

  private isInTime(): boolean {
    const { bucket, settings } = this;
    if (bucket === undefined) return true;
    if (settings.rateLimit?.exceed === 'delay') {
      bucket.borrow();
      this.delay(bucket);
      return true;
    }
    if (bucket.take()) return true;
    if (settings.rateLimit?.exceed === 'close')
      this.closeWith(CloseCode.POLICY_VIOLATION, TOO_MANY);
    return false;
  }

  /** Reads no more until the bucket has a token for the next message. */
  private delay(bucket: TokenBucket): void {
    const { wait } = bucket;
    if (wait === 0 || this.timer !== undefined || this.ended) return;
    this.owner.hold();
    this.startTimer(Math.min(Math.ceil(wait), LONGEST_TIMEOUT), () => {
      // Timers may be early.
      this.delay(bucket);
      if (!this.blocked) this.owner.resume();
    });
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private startTimer(milliseconds: number, then: () => void): void {
    this.timer = setTimeout(() => {
      this.timer = undefined;
      then();
    }, milliseconds);
    this.timer.unref();
  }

  // ---- what they have to be

  private check(check: MessageCheck, text: string, bytes: number): void {
    let verdict: Verdict | PromiseLike<Verdict>;
    try {
      verdict = check(text);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (!isThenable(verdict)) {
      this.settle(verdict, bytes);
      return;
    }
    this.startCheck();
    Promise.resolve(verdict).then(
      (it) => this.checked(() => this.settle(it, bytes)),
      (error: unknown) => this.checked(() => this.fail(error)),
    );
  }

  private startCheck(): void {
    this.checking = true;
    this.owner.hold();
    if (this.ended) this.giveUpLater();
  }

  private giveUpLater(): void {
    this.startTimer(this.owner.hasFailed() ? 0 : INBOX_TIMEOUT, () => this.giveUp());
  }

  private endCheck(): void {
    this.checking = false;
    this.outcome = undefined;
    if (this.ended) this.stopTimer();
  }

  private checked(outcome: () => void): void {
    if (this.over) return;
    this.outcome = outcome;
    this.owner.resume();
  }

  private settle(verdict: Verdict, bytes: number): void {
    if (this.owner.hasFailed()) return;
    if ('issues' in verdict) this.refuse(CloseCode.INVALID_PAYLOAD, NOT_VALID, verdict.issues);
    else this.owner.tell(verdict.value, false, bytes);
  }

  private refuse(code: number, reason: string, issues: readonly MessageIssue[]): void {
    if (!this.owner.invalid(issues)) this.closeWith(code, reason);
  }

  private closeWith(code: number, reason: string): void {
    this.over = true;
    this.owner.close(code, reason);
  }

  private fail(error: unknown): void {
    this.over = true;
    // One failure is told, the first.
    if (!this.owner.hasFailed()) this.owner.fail(error);
  }

  /** What is being checked will never be told; what came behind it is no message. */
  private giveUp(): void {
    this.over = true;
    this.endCheck();
    this.owner.resume();
  }
}

import { isUtf8 } from 'node:buffer';

/** Below this many bytes our own loop beats the call into Node. */
const NATIVE_FROM = 24;

/** Whether `bytes[start..end)` is UTF-8 and whole, no sequence cut off at its end (RFC 3629, as RFC 6455 8.1 asks). */
export function isUtf8Range(bytes: Buffer, start: number, end: number): boolean {
  if (end - start >= NATIVE_FROM) {
    const whole = start === 0 && end === bytes.length;
    return isUtf8(whole ? bytes : bytes.subarray(start, end));
  }
  for (let at = start; at < end; at++) {
    if (bytes[at] > 0x7f) {
      validator.reset();
      return validator.push(bytes, at, end) && validator.complete;
    }
  }
  return true;
}

/**
 * Checks text that arrives in pieces and fails at the first byte that no valid text can have there, wherever
 * the pieces are cut.
 */
export class Utf8Validator {
  /** Continuation bytes the open sequence still lacks. */
  private missing = 0;
  /** Range of the next continuation byte: narrower than 80-BF right after E0, ED, F0 and F4 (RFC 3629 4). */
  private low = 0x80;
  private high = 0xbf;

  /** Whether the text so far could end here. */
  get complete(): boolean {
    return this.missing === 0;
  }

  /** Forgets the text so far. */
  reset(): void {
    this.missing = 0;
    this.low = 0x80;
    this.high = 0xbf;
  }

  /**
   * Takes the next piece.
   *
   * @returns false as soon as the text cannot be valid any more; the validator is of no use then until `reset()`
   */
  push(bytes: Buffer, start: number, end: number): boolean {
    let at = start;
    while (at < end && this.missing > 0) {
      if (!this.step(bytes[at])) return false;
      at++;
    }
    if (end - at >= NATIVE_FROM) {
      const tail = openSequence(bytes, at, end);
      if (!isUtf8(bytes.subarray(at, tail))) return false;
      at = tail;
    }
    for (; at < end; at++) {
      if (!this.step(bytes[at])) return false;
    }
    return true;
  }

  private step(byte: number): boolean {
    if (this.missing > 0) {
      if (byte < this.low || byte > this.high) return false;
      this.missing--;
      this.low = 0x80;
      this.high = 0xbf;
      return true;
    }
    if (byte < 0x80) return true;
    // C0 and C1 could only begin an overlong form; F5 and above lie beyond U+10FFFF.
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.missing = 1;
    } else if (byte < 0xf0) {
      this.missing = 2;
      if (byte === 0xe0) this.low = 0xa0;
      else if (byte === 0xed) this.high = 0x9f; // ED A0 begins the surrogates
    } else {
      this.missing = 3;
      if (byte === 0xf0) this.low = 0x90;
      else if (byte === 0xf4) this.high = 0x8f;
    }
    return true;
  }
}

const validator = new Utf8Validator();

/** Where the sequence that `bytes[start..end)` cuts off begins; `end` where none is cut off. */
function openSequence(bytes: Buffer, start: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= start; back++) {
    const byte = bytes[end - back];
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? end - back : end;
  }
  return end;
}

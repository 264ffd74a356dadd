import { AsyncResource } from 'node:async_hooks';
import { describe } from './protocol/limits';
import type { WriteCallback } from './protocol/sender';

/** Options of one `send()`. */
export interface SendOptions {
  /** Send a binary message. @defaultValue `true` unless the data is a string or a number */
  binary?: boolean | undefined;
  /** Compress the message, where compression was agreed on. @defaultValue `true` */
  compress?: boolean | undefined;
  /** Whether this is the last fragment of the message. @defaultValue `true` */
  fin?: boolean | undefined;
  /** Accepted for `ws`; whether frames are masked is not a choice (RFC 6455 5.1). */
  mask?: boolean | undefined;
}

/** Told when a frame has been handed to the kernel, or why it never will be. */
export type SendCallback = (error?: Error) => void;

/** The same by the types of `@types/ws`, which know nothing of success. */
export type ControlCallback = (error: Error) => void;

/**
 * Checks what stands in a callback's place; `null` is as good as none. It is called in the asynchronous context that it was
 * given in, for the frames of a tick leave together, whoever has sent them.
 */
export function toCallback(callback: unknown): WriteCallback | undefined {
  if (callback === undefined || callback === null) return undefined;
  if (typeof callback !== 'function') {
    throw new TypeError(`The callback must be a function, got ${describe(callback)}`);
  }
  const origin = new AsyncResource('upwire.send');
  // Whatever its parameters are, it is called with an error or nothing.
  return (error) => origin.runInAsyncScope(callback as WriteCallback, undefined, error);
}

/** The error of a message that `maxBufferedAmount` has no room for. */
export function overflowed(waiting: number, limit: number): Error {
  const message = `The message was not sent: ${waiting} bytes would wait, and maxBufferedAmount is ${limit}`;
  return Object.assign(new Error(message), { code: 'WS_ERR_BUFFER_OVERFLOW' });
}

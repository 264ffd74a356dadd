import { types } from 'node:util';
import type { ParameterizedContext } from 'koa';

/** Whom to tell of errors. It lives as long as the WebSocket, and keeps the context only for those who want to see it. */
export class Reporter {
  private readonly app: ParameterizedContext['app'];
  private readonly shown: ParameterizedContext | undefined;
  /** As long as there is an answer to give. */
  private answering: ParameterizedContext | undefined;

  constructor(context: ParameterizedContext) {
    const { app } = context;
    this.app = app;
    this.answering = context;
    const heard = app.listeners('error').some((listener) => listener !== app.onerror);
    this.shown = heard ? context : undefined;
  }

  opened(): void {
    this.answering = undefined;
  }

  readonly report = (error: unknown): void => {
    if (this.answering === undefined) this.app.emit('error', toError(error), this.shown);
    else this.answering.onerror(toError(error));
  };
}

/** Koa's own log takes nothing but errors. */
export function toError(error: unknown): Error {
  if (types.isNativeError(error) || error instanceof Error) return error;
  return new Error(`A WebSocket handler failed with ${String(error)}`, { cause: error });
}

import { upgradeOf } from '@upwire/engine/internal';
import type { Next, ParameterizedContext } from 'koa';
import { Handshake, handshakeOf } from './handshake';

/** The outermost middleware of handshakes, whose contexts have `ctx.ws()`. */
export function runHandshake(context: ParameterizedContext, next: Next): Promise<void> {
  return run(context, next, (handshake) => {
    context.ws = handshake.method();
  });
}

/** The same for applications whose middleware has `ctx.websocket` as if there were a connection already. */
export function runConnected(context: ParameterizedContext, next: Next): Promise<void> {
  return run(context, next, (handshake) => handshake.showWebSocket(true));
}

/** The same for applications whose own middleware says what the context has. */
export function runBare(context: ParameterizedContext, next: Next): Promise<void> {
  return run(context, next, () => undefined);
}

async function run(
  context: ParameterizedContext,
  next: Next,
  prepare: (handshake: Handshake) => void,
): Promise<void> {
  const { req } = context;
  const upgrade = upgradeOf(req);
  // An application in an application: the outer one answers.
  if (upgrade === undefined || handshakeOf(req) !== undefined) return next();
  const handshake = new Handshake(context, upgrade);
  prepare(handshake);
  return handshake.run(next);
}

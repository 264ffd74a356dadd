import type { ServerResponse } from 'node:http';
import { BODY_HEADERS } from '../reply';

const BODY = 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n';

/** Answers a plain request of a path that has nothing but a WebSocket route (RFC 9110 15.5.22). */
export function answerUpgradeRequired(response: ServerResponse): void {
  response.end(prepareUpgradeRequired(response));
}

/**
 * Sets status and headers of the answer to a plain request of a path that has nothing but a WebSocket route, for
 * frameworks that end their responses themselves.
 *
 * @returns the body
 */
export function prepareUpgradeRequired(response: ServerResponse): string {
  response.statusCode = 426;
  response.setHeader('Upgrade', 'websocket');
  // RFC 9110 7.8: `Upgrade` is an option of the connection; naming it hides from Node that the client asked to close.
  response.setHeader('Connection', response.shouldKeepAlive ? 'Upgrade' : 'close, Upgrade');
  for (const name of BODY_HEADERS) response.removeHeader(name);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(BODY));
  return BODY;
}

import type { ServerResponse } from 'node:http';
import { BODY_HEADERS } from '../reply';

/** The answer to a plain request of a path that has nothing but a WebSocket route (RFC 9110 15.5.22). */
export interface UpgradeRequired {
  readonly status: 426;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What to answer a plain request of a path that has nothing but a WebSocket route, as a value. */
export function upgradeRequired(response: ServerResponse): UpgradeRequired {
  return {
    status: 426,
    headers: {
      Upgrade: 'websocket',
      // RFC 9110 7.8: `Upgrade` is an option of the connection; naming it hides from Node that the client asked to close.
      Connection: response.shouldKeepAlive ? 'Upgrade' : 'close, Upgrade',
      'Content-Type': 'text/plain; charset=utf-8',
    },
    body: 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n',
  };
}

/** Answers a plain request of a path that has nothing but a WebSocket route. */
export function answerUpgradeRequired(response: ServerResponse): void {
  const { status, headers, body } = upgradeRequired(response);
  response.statusCode = status;
  for (const name of BODY_HEADERS) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

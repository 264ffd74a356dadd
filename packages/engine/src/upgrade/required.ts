import type { ServerResponse } from 'node:http';

/** Answers a plain request of a path that has nothing but a WebSocket route (RFC 9110 15.5.22). */
export function answerUpgradeRequired(response: ServerResponse): void {
  const body = 'This is a WebSocket endpoint: connect to it with a WebSocket client.\n';
  response.statusCode = 426;
  response.setHeader('Upgrade', 'websocket');
  response.setHeader('Connection', 'Upgrade');
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

import { serve } from '../control/serve.mjs';
import { timed } from '../control/timed.mjs';
import { isBinary, payload } from '../wire/payloads.mjs';

/**
 * The program of a client that is measured: each connection has `depth` messages on their way, and sends the next when
 * one is answered.
 *
 * @param {(url: string, take: (length: number) => void) => Promise<(message: string | Buffer) => void>} connect opens one
 *   connection; `take` is told of each message, and what it resolves with sends one
 */
export function serveEchoClient(connect) {
  let message;
  let depth;
  let senders = [];
  let total = 0;
  let sent = 0;
  let done = 0;
  let bytes = 0;
  let finish;

  const next = (send) => {
    if (sent === total) return;
    sent++;
    send(message);
  };

  async function connectOne(url) {
    const send = await connect(url, (length) => {
      bytes += length;
      if (++done === total) finish({ messages: total, bytes });
      else next(send);
    });
    return send;
  }

  serve({
    async open(spec) {
      depth = spec.depth;
      message = isBinary(spec.payload) ? payload(spec.payload) : payload(spec.payload).toString();
      const url = `ws://127.0.0.1:${spec.port}`;
      const all = Array.from({ length: spec.connections }, () => connectOne(url));
      senders = await Promise.all(all);
    },
    run: ({ messages }) =>
      timed(
        () =>
          new Promise((resolve) => {
            finish = resolve;
            total = messages;
            sent = 0;
            done = 0;
            bytes = 0;
            for (const send of senders) for (let count = 0; count < depth; count++) next(send);
          }),
      ),
  });
}

/** A client with the API of `ws`. */
export function emitterClient(WebSocket) {
  return (url, take) =>
    new Promise((resolve, reject) => {
      const ws = new WebSocket(url);
      ws.on('open', () => resolve((message) => ws.send(message)));
      ws.on('message', (data) => take(data.length));
      ws.on('error', reject);
    });
}

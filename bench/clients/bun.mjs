// Bun's own client, run by Bun.
import { serveEchoClient } from './echo-client.mjs';

serveEchoClient(
  (url, take) =>
    new Promise((resolve, reject) => {
      const ws = new globalThis.WebSocket(url);
      ws.binaryType = 'nodebuffer';
      ws.onopen = () => resolve((message) => ws.send(message));
      ws.onmessage = ({ data }) => take(data.length);
      ws.onerror = () => reject(new Error('The connection was refused'));
    }),
);

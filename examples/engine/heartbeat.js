// Finds a peer that is gone without a word. A healthy one answers the pings by itself and stays.
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('@upwire/engine');

async function main() {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    // In production: 30_000 and 10_000, or so. Any byte from the peer is a sign of life.
    heartbeat: { interval: 200, timeout: 200 },
  });
  await once(server, 'listening');
  server.on('connection', (webSocket, { url }) => {
    webSocket.on('close', (code) => console.log(`${url} has ended with ${code}`));
  });

  const address = `ws://127.0.0.1:${server.address().port}`;
  const healthy = new WebSocket(`${address}/healthy`);
  const silent = new WebSocket(`${address}/silent`);
  await Promise.all([once(healthy, 'open'), once(silent, 'open')]);
  // As if its network cable had been pulled: it reads nothing, and so answers nothing.
  silent.pause();

  while (server.clients.size > 1) await once(healthy, 'ping');
  console.log('/healthy is still there');
  silent.terminate();
  healthy.close(1000);
  server.close();
}

main();

/* Prints:
/silent has ended with 1006
/healthy is still there
/healthy has ended with 1000
*/

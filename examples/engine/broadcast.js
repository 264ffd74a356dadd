// One message to many: it is framed once, and compressed once, however many get it.
const { once } = require('node:events');
const { WebSocket, WebSocketServer, broadcast, prepare } = require('@upwire/engine');

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
  await once(server, 'listening');
  const clients = [];
  while (clients.length < 100) {
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    await once(client, 'open');
    clients.push(client);
  }

  const news = JSON.stringify({ headline: 'The same for everybody. '.repeat(100) });
  const heard = Promise.all(clients.map((client) => once(client, 'message')));
  console.log(`sent to ${broadcast(server.clients, news)}`);
  const messages = await heard;
  console.log(`${messages.filter(([text]) => String(text) === news).length} have all of it`);

  // What is sent again and again is best prepared once.
  const tick = prepare('tick');
  const [first, ...others] = server.clients;
  const ticks = Promise.all(clients.slice(1).map((client) => once(client, 'message')));
  console.log(`sent to ${broadcast(others, tick)}, then to all but one of ${server.clients.size}:`);
  console.log(`${broadcast(server.clients, tick, { except: first })}`);
  await ticks;

  for (const client of clients) client.close();
  server.close();
}

main();

/* Prints:
sent to 100
100 have all of it
sent to 99, then to all but one of 100:
99
*/

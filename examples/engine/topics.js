// Rooms: each message goes to everybody in its room but the one who sent it.
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('@upwire/engine');

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (webSocket, request) => {
    const room = request.url.slice(1);
    webSocket.subscribe(room);
    webSocket.on('message', (text) => webSocket.publish(room, String(text)));
    // A WebSocket that has closed has left its topics; what they were can still be asked.
    webSocket.on('close', () => {
      for (const topic of webSocket.topics) server.publish(topic, 'somebody left');
    });
  });

  const ada = await enter(server, 'red', 'Ada');
  const bob = await enter(server, 'red', 'Bob');
  const eve = await enter(server, 'blue', 'Eve');
  console.log(
    `${server.subscribers('red').size} in red, ${server.subscribers('blue').size} in blue`,
  );

  ada.send('hello, red');
  await once(bob, 'message');
  eve.close();
  ada.close();
  await once(bob, 'message');
  bob.close();
  server.close();
}

async function enter(server, room, name) {
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/${room}`);
  client.on('message', (text) => console.log(`${name} hears: ${text}`));
  await once(client, 'open');
  return client;
}

main();

/* Prints:
2 in red, 1 in blue
Bob hears: hello, red
Bob hears: somebody left
*/

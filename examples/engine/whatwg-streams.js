// A WebSocket as a pair of WHATWG streams: a compressed upload, through pipes that go as fast as the slowest of them.
const { once } = require('node:events');
const { WebSocket, WebSocketServer } = require('@upwire/engine');

const LINES = 20_000;

async function main() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const connection = once(server, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);

  // Waits for the handshake, sends each chunk as a message, and closes with 1000 behind the last.
  const sent = ReadableStream.from(log())
    .pipeThrough(new TextEncoderStream())
    .pipeThrough(new CompressionStream('gzip'))
    .pipeTo(client.streams.writable);

  const [webSocket] = await connection;
  const text = webSocket.streams.readable
    .pipeThrough(new DecompressionStream('gzip'))
    .pipeThrough(new TextDecoderStream());
  // Ends when the client has closed; an upload that is cut off is an error here.
  let received = '';
  for await (const part of text) received += part;
  await sent;

  const complete = received === [...log()].join('');
  console.log(`received ${received.length} characters, ${complete ? 'all' : 'not all'} of them`);
  console.log(await client.closed);
  server.close();
}

/** The lines of a log, made one by one as the network takes them. */
function* log() {
  for (let line = 1; line <= LINES; line++) yield `line ${line}: nothing unusual\n`;
}

main();

/* Prints:
received 548894 characters, all of them
{ code: 1000, reason: '', wasClean: true }
*/

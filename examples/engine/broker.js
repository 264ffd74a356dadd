// Topics across threads: a broker that passes on what is published in one thread to the servers of the others.
const { once } = require('node:events');
const { BroadcastChannel, Worker, isMainThread, parentPort } = require('node:worker_threads');
const { MemoryBroker, WebSocket, WebSocketServer, prepare } = require('@upwire/engine');

/** The same with Redis, NATS or process.send() in the place of the channel reaches other processes and machines. */
class ChannelBroker extends MemoryBroker {
  #channel = new BroadcastChannel('topics');

  constructor() {
    super();
    // A channel must not keep a thread alive that has nothing else to do.
    this.#channel.unref();
    this.#channel.onmessage = ({ data: { topic, bytes, binary } }) => {
      super.publish(topic, prepare(bytes, { binary }));
    };
  }

  publish(topic, message, except) {
    const bytes = Uint8Array.from(message.payload);
    this.#channel.postMessage({ topic, bytes, binary: message.isBinary });
    // The subscribers in this thread need not wait for the others.
    return super.publish(topic, message, except);
  }
}

async function serve() {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    broker: new ChannelBroker(),
  });
  server.on('connection', (webSocket) => {
    webSocket.subscribe('news');
    webSocket.on('message', (text) => webSocket.publish('news', String(text)));
  });
  await once(server, 'listening');
  return server;
}

async function main() {
  const server = await serve();
  const worker = new Worker(__filename);
  const [otherPort] = await once(worker, 'message');

  const here = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const there = new WebSocket(`ws://127.0.0.1:${otherPort}`);
  await Promise.all([once(here, 'open'), once(there, 'open')]);

  here.send('from this thread');
  console.log(`the other thread's client hears: ${(await once(there, 'message'))[0]}`);
  there.send('from the other thread');
  console.log(`this thread's client hears: ${(await once(here, 'message'))[0]}`);

  here.close();
  there.close();
  server.close();
  worker.postMessage('close');
}

if (isMainThread) {
  main();
} else {
  serve().then((server) => {
    parentPort.postMessage(server.address().port);
    parentPort.once('message', () => server.close());
  });
}

/* Prints:
the other thread's client hears: from this thread
this thread's client hears: from the other thread
*/

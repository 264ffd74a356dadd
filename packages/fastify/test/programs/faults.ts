/** An application whose handlers fail in every way there is. It ends when it is told to, and by nothing else. */
import Fastify from 'fastify';
import upwire from '../../src/index';

const log = { write: (line: string) => void process.stderr.write(line) };
const app = Fastify({ logger: { level: 'error', stream: log } });

const fail = (text: string) => {
  throw new Error(text);
};

async function start(): Promise<void> {
  await app.register(upwire);
  app.addHook('onRequest', async ({ url }) => {
    if (url === '/throws-before') fail('before the 101');
  });
  app.addHook('onSend', async ({ url }, { statusCode }) => {
    if (url === '/throws-in-onsend' && statusCode === 101) fail('in onSend');
  });
  const ws = { websocket: true } as const;
  app.get('/echo', ws, (webSocket) => {
    webSocket.on('message', (text) => webSocket.send(`got ${text}`));
  });
  app.get('/throws', ws, () => fail('throws'));
  app.get('/rejects', ws, async () => fail('rejects'));
  app.get('/listener', ws, (webSocket) => webSocket.on('message', () => fail('listener')));
  app.get('/async-listener', ws, (webSocket) =>
    webSocket.on('message', async () => fail('async listener')),
  );
  app.get('/late', ws, async (webSocket) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    webSocket.on('message', () => fail('late'));
  });
  app.get('/throws-before', ws, () => undefined);
  app.get('/throws-in-onsend', ws, () => undefined);
  app.get(
    '/hangs',
    {
      ...ws,
      onRequest: (_request, reply) => {
        console.log('hanging');
        reply.raw.once('close', () => console.log('gone'));
      },
    },
    () => undefined,
  );
  app.get(
    '/hangs-in-onsend',
    {
      ...ws,
      onSend: (_request, reply) => {
        console.log('hanging');
        reply.raw.once('close', () => console.log('gone'));
      },
    },
    () => undefined,
  );
  app.get(
    '/slow-store',
    {
      websocket: { handshakeTimeout: 50 },
      onRequest: (_request, reply) => void reply.code(401).send('no'),
      // As a session store that has been given a callback.
      onSend: (_request, _reply, _payload, done) => {
        setTimeout(() => {
          done();
          console.log('stored');
        }, 150);
      },
    },
    () => undefined,
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  const [address] = app.addresses();
  console.log(typeof address === 'object' ? address.port : address);
}

process.stdin.once('data', () => {
  process.stdin.destroy();
  app.close().then(() => console.log('closed'));
});
void start();

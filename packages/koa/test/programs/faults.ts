/** An application whose handlers fail in every way there is. It ends when it is told to, and by nothing else. */
import { once } from 'node:events';
import koa from 'koa';
import koa2 from 'koa2';
import upwire from '../../src/index';

// What this program uses of them is alike.
const Koa = process.argv[2] === 'koa2' ? (koa2 as unknown as typeof koa) : koa;
const { app } = upwire(new Koa());

const fail = (text: string) => {
  throw new Error(text);
};
const turn = () => new Promise(setImmediate);

app.use((context, next) => (context.path === '/throws-before' ? fail('before the 101') : next()));
app.ws('/echo', (webSocket) => webSocket.on('message', (text) => webSocket.send(`got ${text}`)));
app.ws('/throws', () => fail('throws'));
app.ws('/rejects', async () => fail('rejects'));
app.ws('/listener', (webSocket) => webSocket.on('message', () => fail('listener')));
app.ws('/async-listener', (webSocket) =>
  webSocket.on('message', async () => fail('async listener')),
);
app.ws('/late', async (webSocket) => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  webSocket.on('message', () => fail('late'));
});
app.use(async (context, next) => {
  if (context.path !== '/committed') return next();
  await context.ws?.();
  return fail('committed');
});
app.use(async (context, next) => {
  if (context.path !== '/awaits-later') return next();
  const opening = context.ws?.();
  for (let count = 0; count < 20; count++) await turn();
  try {
    await opening;
  } catch (error) {
    console.log(`refused: ${error instanceof Error ? error.message : error}`);
  }
});

/** Waits until the client has gone. */
async function hang(response: NodeJS.EventEmitter): Promise<void> {
  console.log('hanging');
  await once(response, 'close');
  console.log('gone');
}
app.ws(
  '/hangs',
  ({ res }) => hang(res),
  () => undefined,
);
app.ws(
  '/hangs-on-the-way-back',
  async ({ res }, next) => {
    await next();
    await hang(res);
  },
  () => undefined,
);
app.use(async (context) => {
  if (context.path !== '/hangs-before-ws') return;
  await hang(context.res);
  await context.ws?.();
});

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
process.stdin.once('data', () => {
  process.stdin.destroy();
  server.close();
});

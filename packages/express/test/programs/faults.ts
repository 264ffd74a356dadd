/** An application whose handlers fail in every way there is. It ends when it is told to, and by nothing else. */
import express from 'express';
import express4 from 'express4';
import upwire from '../../src/index';

// What this program uses of them is alike.
const create = process.argv[2] === 'express4' ? (express4 as unknown as typeof express) : express;
const { app } = upwire(create());

const fail = (text: string) => {
  throw new Error(text);
};

app.use('/throws-before', () => fail('before the 101'));
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
app.ws(
  '/hangs',
  (_request, response) => {
    console.log('hanging');
    response.once('close', () => console.log('gone'));
  },
  () => undefined,
);

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' ? address?.port : address);
});
process.stdin.once('data', () => {
  process.stdin.destroy();
  server.close();
});

import { once } from 'node:events';
import { TransformStream } from 'node:stream/web';
import { createPair, WebSocket } from '../src/index';
import { portOf } from './support/libraries';
import type { Names } from './support/snippets';
import { promised, runSnippet, snippetsOf } from './support/snippets';
import { startClient, startServer } from './support/stage';

// The snippets of the documentation, run as they stand there.

/** A server that greets, answers, and closes when it is told to. */
async function talkativeServer(): Promise<string> {
  const server = await startServer();
  server.on('connection', (webSocket: WebSocket) => {
    webSocket.send('welcome');
    webSocket.on('message', (data) => {
      if (String(data) === 'a question') webSocket.send('an answer');
    });
  });
  return `ws://127.0.0.1:${portOf(server)}`;
}

/** A peer that sends a word to a stream of upper case, and closes when it has come back. */
async function shouting(): Promise<{ names: Names; heard: Promise<unknown> }> {
  const { server, client } = createPair();
  const upperCase = new TransformStream<string, string>({
    transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),
  });
  client.send('hello');
  const heard = once(client, 'message').then(([data]) => {
    client.close(1000);
    return String(data);
  });
  return { names: { webSocket: server, upperCase }, heard };
}

test.each(snippetsOf('promises-and-streams.md'))('%s', async (code) => {
  const url = await talkativeServer();
  if (code.includes('upperCase')) {
    const { names, heard } = await shouting();
    expect(await runSnippet(code, names)).toEqual(promised(code));
    expect(await heard).toBe('HELLO');
    return;
  }
  const names: Names = { WebSocket, createPair, once, url };
  if (!/^const (?:webSocket|\{ server, client \}) =/.test(code)) {
    names.webSocket = await startClient(url, { holdMessages: true }).opened;
  }
  expect(promised(code)).not.toEqual([]);
  expect(await runSnippet(code, names)).toEqual(promised(code));
});

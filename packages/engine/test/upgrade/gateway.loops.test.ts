import { z } from 'zod';
import type { WebSocket } from '../../src/websocket';
import { CLOSE, TEXT } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import { accepting, cleanUp, deferred, enter, masked, openSite } from '../support/site';
import { turn } from '../support/stage';

// Handlers of routes that read their messages in a loop, or through a stream.

afterEach(cleanUp);

const text = (payload: string) => masked({ opcode: TEXT, payload });
const bye = masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) });

/** The next text, or the code of a close. */
async function told(client: RawClient): Promise<unknown> {
  const frame = await client.frame();
  if (frame === undefined) return undefined;
  return (frame.first & 15) === CLOSE ? frame.payload.readUInt16BE() : frame.payload.toString();
}

/** Reads and answers until the client leaves. */
async function echo(webSocket: WebSocket): Promise<void> {
  for await (const message of webSocket) webSocket.send(`got ${message}`);
}

test('a loop gets what came before it began, and ends when the client leaves', async () => {
  const left = deferred<unknown>();
  const { port } = await openSite(
    accepting(async (webSocket) => {
      for (let turns = 0; turns < 5; turns++) await turn();
      await echo(webSocket);
      left.resolve(await webSocket.closed);
    }),
  );
  const client = await enter(port);
  client.write(text('one'), text('two'));
  expect([await told(client), await told(client)]).toEqual(['got one', 'got two']);
  client.write(bye);
  expect(await told(client)).toBe(1000);
  expect(await left.promise).toEqual({ code: 1000, reason: '', wasClean: true });
});

test('an exception in a loop is the route’s error, and closes with 1011', async () => {
  const errors: unknown[] = [];
  const failure = new Error('mine');
  const { port } = await openSite(
    accepting(
      async (webSocket) => {
        for await (const message of webSocket) if (message === 'two') throw failure;
      },
      (error) => errors.push(error),
    ),
  );
  const client = await enter(port);
  client.write(text('one'), text('two'), text('three'));
  expect(await told(client)).toBe(1011);
  expect(errors).toEqual([failure]);
});

test('a fault of the peer is thrown in the loop, where the handler may catch it', async () => {
  const caught = deferred<unknown>();
  const { port } = await openSite(accepting((webSocket) => echo(webSocket).catch(caught.resolve)));
  const client = await enter(port);
  client.write(masked({ opcode: 3 }));
  expect(await told(client)).toBe(1002);
  expect(await caught.promise).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
});

test('a loop and a stream get what the schema of the route makes of messages', async () => {
  const got = deferred<unknown[]>();
  const { port } = await openSite(
    accepting(async (webSocket) => {
      const all: unknown[] = [];
      const reader = webSocket.streams.readable.getReader();
      for await (const message of webSocket) all.push(message, (await reader.read()).value);
      got.resolve(all);
    }),
    { message: z.object({ count: z.coerce.number() }) },
  );
  const client = await enter(port);
  client.write(text('{"count":"1"}'), text('{"count":2}'), text('{}'));
  expect(await told(client)).toBe(1007);
  client.end();
  const [one, two] = [{ count: 1 }, { count: 2 }];
  expect(await got.promise).toEqual([one, one, two, two]);
});

test('a loop ends when the server goes down', async () => {
  const ended = deferred<unknown>();
  const { port, server } = await openSite(
    accepting(async (webSocket) => {
      await echo(webSocket);
      ended.resolve(webSocket.readyState);
    }),
  );
  const client = await enter(port);
  client.write(text('one'));
  expect(await told(client)).toBe('got one');
  server.close();
  expect(await told(client)).toBe(1001);
  client.write(masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe9]) }));
  expect(await ended.promise).toBe(3);
});

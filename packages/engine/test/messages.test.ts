import { once } from 'node:events';
import type { Socket } from 'node:net';
import { messageCheck } from '../src/message-schema';
import type { MessageIterator } from '../src/messages';
import type { WebSocketBehavior } from '../src/options';
import type { BinaryType, Data } from '../src/payload';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { BINARY, CLOSE, frame, PING, TEXT } from './support/frames';
import { portOf } from './support/libraries';
import { until } from './support/sockets';
import type { Connected } from './support/stage';
import { connected, startClient, startRawServer, startServer, turn } from './support/stage';

const masked = (opcode: number, payload: string | Uint8Array = ''): Buffer =>
  frame({ opcode, payload, key: 0x5eed5eed });
const text = (payload: string): Buffer => masked(TEXT, payload);
const texts = (...payloads: string[]): Buffer => Buffer.concat(payloads.map(text));
const goodbye = masked(CLOSE, Buffer.from([0x03, 0xe8]));

const done = { done: true, value: undefined };
const some = (value: Data) => ({ done: false, value });

/** What an iteration has given, and the error it ended with. */
async function collect(messages: AsyncIterable<Data>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const message of messages) all.push(message);
  } catch (error) {
    all.push((error as { code?: unknown }).code ?? error);
  }
  return all;
}

/** Has messages parsed, at once or later. */
const parsing = (later?: () => Promise<unknown>): Partial<WebSocketBehavior> => ({
  textAsString: true,
  intake: {
    check: messageCheck((value: unknown) =>
      later === undefined ? value : later().then(() => value),
    ),
  },
});

const listeners = (socket: WebSocket): number[] =>
  ['message', 'error', 'close'].map((event) => socket.listenerCount(event));

/** Counts the messages that are told, and how often reading was stopped. */
class Watch {
  told = 0;
  private readonly transport: Socket;
  private readonly hold: jest.SpyInstance;

  constructor(socket: WebSocket) {
    socket.on('message', () => this.told++);
    this.transport = socket._socket as Socket;
    this.hold = jest.spyOn(socket, 'hold');
  }

  get holds(): number {
    return this.hold.mock.calls.length;
  }

  /** Waits until reading has been stopped behind the message `last`, and sees that it is. */
  async stopped(last: number): Promise<void> {
    await until(() => this.told >= last && this.transport.isPaused());
    for (let turns = 0; turns < 5; turns++) await turn();
    expect([this.told, this.transport.isPaused()]).toEqual([last, true]);
  }
}

describe('for await', () => {
  test('gives text as strings and binary as bytes, in order, and ends with the connection', async () => {
    const { socket, client } = await connected();
    const before = listeners(socket);
    const all = collect(socket);
    expect(listeners(socket)).toEqual(before.map((count) => count + 1));
    client.write(
      texts('one', '', 'drei ü'),
      masked(BINARY, Buffer.from([1, 2])),
      masked(PING, 'p'),
      masked(BINARY),
      goodbye,
    );
    expect(await all).toEqual(['one', '', 'drei ü', Buffer.from([1, 2]), Buffer.alloc(0)]);
    expect(listeners(socket)).toEqual(before);
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true });
  });

  test.each<[BinaryType, (bytes: Buffer) => unknown]>([
    ['nodebuffer', (bytes) => bytes],
    ['arraybuffer', (bytes) => new Uint8Array(bytes).buffer],
    ['fragments', (bytes) => [bytes]],
  ])('gives binary in the form of binaryType %s, and text as strings', async (type, form) => {
    const { socket, client } = await connected({}, (it) => {
      it.binaryType = type;
    });
    const all = collect(socket);
    client.write(masked(BINARY, 'bytes'), text('text'), goodbye);
    expect(await all).toEqual([form(Buffer.from('bytes')), 'text']);
  });

  test('gives a Blob', async () => {
    const { socket, client } = await connected();
    socket.binaryType = 'blob';
    const { value } = await next(socket[Symbol.asyncIterator](), () =>
      client.write(masked(BINARY, 'bytes')),
    );
    expect(value).toBeInstanceOf(Blob);
    expect(await (value as unknown as Blob).text()).toBe('bytes');
  });

  test('gives strings where the owner has text as strings anyway', async () => {
    const { socket, client } = await connected({}, undefined, { textAsString: true });
    const all = collect(socket);
    client.write(text('ü'), masked(BINARY, 'b'), goodbye);
    expect(await all).toEqual(['ü', Buffer.from('b')]);
  });

  test('gives what a schema has made of a text', async () => {
    const { socket, client } = await connected({}, undefined, parsing());
    const all = collect(socket);
    client.write(texts('{"a":1}', '"text"', '[2]', 'null'), goodbye);
    expect(await all).toEqual([{ a: 1 }, 'text', [2], null]);
  });

  test('an iteration that is made is listening already', async () => {
    const { socket, client } = await connected();
    const messages = socket[Symbol.asyncIterator]();
    client.write(texts('a', 'b'), goodbye);
    await socket.closed;
    expect(messages[Symbol.asyncIterator]()).toBe(messages);
    expect(await collect(messages)).toEqual(['a', 'b']);
    expect(await collect(messages)).toEqual([]);
  });

  test('one that is made when the connection has ended is at its end', async () => {
    const { socket, client } = await connected();
    client.write(text('missed'), goodbye);
    await socket.closed;
    const before = listeners(socket);
    expect(await collect(socket)).toEqual([]);
    expect(listeners(socket)).toEqual(before);
  });

  test('one that is made while the connection is closing gets what still comes', async () => {
    const { socket, client } = await connected();
    socket.close(1000);
    const all = collect(socket);
    expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xe8]));
    client.write(text('late'), goodbye);
    expect(await all).toEqual(['late']);
  });

  test('goes on when the WebSocket is closed in the loop', async () => {
    const { socket, client } = await connected();
    const all: Data[] = [];
    client.write(text('first'));
    for await (const message of socket) {
      all.push(message);
      if (message !== 'first') continue;
      socket.close(1000);
      await client.frame();
      client.write(text('second'), goodbye);
    }
    expect(all).toEqual(['first', 'second']);
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true });
  });

  test.each<[string, (pair: Connected) => void]>([
    ['a reset', ({ client }) => client.reset()],
    ['an end without a close frame', ({ client }) => client.end()],
    ['terminate()', ({ socket }) => socket.terminate()],
  ])('ends quietly with %s, behind what came before', async (_name, end) => {
    const pair = await connected();
    const messages = pair.socket[Symbol.asyncIterator]();
    const second = new Promise((resolve) => {
      pair.socket.on('message', (data) => String(data) === 'b' && resolve(data));
    });
    pair.client.write(texts('a', 'b'));
    await second;
    end(pair);
    expect(await pair.socket.closed).toMatchObject({ code: 1006, wasClean: false });
    expect(await collect(messages)).toEqual(['a', 'b']);
  });

  test('works with one message in a turn', async () => {
    const { socket, client } = await connected({ allowSynchronousEvents: false });
    const all = collect(socket);
    client.write(texts('a', 'b', 'c'), goodbye);
    expect(await all).toEqual(['a', 'b', 'c']);
  });
});

test('one that is made while the last message is still being checked gets it', async () => {
  let finish: () => void = () => undefined;
  const checked = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { socket, client } = await connected(
    {},
    undefined,
    parsing(() => checked),
  );
  client.write(text('"last"'));
  client.end();
  await until(() => socket.readyState === WebSocket.CLOSED);
  const { closed } = socket;
  const all = collect(socket);
  finish();
  expect(await all).toEqual(['last']);
  expect(await closed).toMatchObject({ code: 1006 });
});

describe('an error', () => {
  test('of the handshake is thrown', async () => {
    const server = await startRawServer((request) => request.refuse('404 Not Found'));
    const client = startClient(server.url);
    expect(await collect(client)).toEqual(['WS_ERR_UNEXPECTED_RESPONSE']);
    // One that is made later does not pretend that there was a connection.
    expect(await collect(client)).toEqual(['WS_ERR_UNEXPECTED_RESPONSE']);
    expect(listeners(client)).toEqual([0, 0, 0]);
  });

  test('of the handshake is heard', async () => {
    const result = await runChild(`
      try {
        for await (const message of new upwire('ws://127.0.0.1:1')) console.log(message);
      } catch (error) {
        console.log('caught', error.code);
      }
    `);
    expect(result).toEqual({ exit: 0, stdout: 'caught ECONNREFUSED\n', stderr: '' });
  });

  test('close() while CONNECTING is thrown', async () => {
    const client = startClient((await startRawServer(() => undefined)).url);
    const all = collect(client);
    client.close();
    expect(await all).toEqual(['WS_ERR_CLOSED_BEFORE_OPEN']);
  });

  test('of the protocol is thrown behind the messages before it, once, and is heard', async () => {
    const unheard: unknown[] = [];
    const { socket, client } = await connected({}, undefined, {
      hooks: { onUnheardError: (error) => unheard.push(error) },
    });
    const before = listeners(socket);
    const messages = socket[Symbol.asyncIterator]();
    client.write(texts('a', 'b'), masked(3), text('not looked at'));
    client.end();
    await socket.closed;
    expect(await collect(messages)).toEqual(['a', 'b', 'WS_ERR_INVALID_OPCODE']);
    expect(await messages.next()).toEqual(done);
    expect(unheard).toEqual([]);
    expect(listeners(socket)).toEqual(before);
    expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xea]));
  });

  test('of a message that is too long is thrown', async () => {
    const { socket, client } = await connected({ maxPayload: 4 });
    const all = collect(socket);
    client.write(texts('four', 'fives'));
    expect(await all).toEqual(['four', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
  });
});

/** Asks, lets come what is asked for, and gives the answer. */
function next(messages: MessageIterator, provide: () => void) {
  const answer = messages.next();
  provide();
  return answer;
}

describe('next()', () => {
  test('may be called again before it has answered', async () => {
    const { socket, client } = await connected();
    const messages = socket[Symbol.asyncIterator]();
    const answers = [1, 2, 3, 4].map(() => messages.next());
    client.write(texts('a', 'b'), goodbye);
    expect(await Promise.all(answers)).toEqual([some('a'), some('b'), done, done]);
  });

  test('an error goes to the one that has waited longest, the others hear of the end', async () => {
    const { socket, client } = await connected();
    const messages = socket[Symbol.asyncIterator]();
    const answers = [1, 2, 3].map(() => messages.next());
    client.write(text('a'), masked(3));
    const results = await Promise.allSettled(answers);
    expect(results).toEqual([
      { status: 'fulfilled', value: some('a') },
      { status: 'rejected', reason: expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' }) },
      { status: 'fulfilled', value: done },
    ]);
  });
});

describe('leaving the loop', () => {
  test.each<[string, (socket: WebSocket) => Promise<unknown>]>([
    [
      'break',
      async (socket) => {
        for await (const message of socket) if (message === 'a') break;
      },
    ],
    [
      'an exception',
      async (socket) => {
        const error = new Error('mine');
        const loop = async () => {
          for await (const message of socket) if (message === 'a') throw error;
        };
        await expect(loop()).rejects.toBe(error);
      },
    ],
    [
      'throw()',
      async (socket) => {
        const messages = socket[Symbol.asyncIterator]();
        expect(await messages.next()).toEqual(some('a'));
        const error = new Error('mine');
        await expect(messages.throw(error)).rejects.toBe(error);
        expect(await messages.next()).toEqual(done);
      },
    ],
  ])('by %s takes the listeners off and closes nothing', async (_name, leave) => {
    const { socket, client } = await connected();
    const before = listeners(socket);
    const left = leave(socket);
    client.write(text('a'));
    await left;
    expect(listeners(socket)).toEqual(before);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const all = collect(socket);
    client.write(text('c'), goodbye);
    expect(await all).toEqual(['c']);
  });

  test('drops what is kept, and reads on', async () => {
    const pair = await connected();
    const { socket, client } = pair;
    const watch = new Watch(pair.socket);
    const messages = socket[Symbol.asyncIterator]();
    for (let index = 0; index < 200; index++) client.write(masked(BINARY, Buffer.alloc(1000)));
    await watch.stopped(62);
    expect(await messages.return()).toEqual(done);
    expect(await messages.next()).toEqual(done);
    await until(() => watch.told === 200);
    expect([socket.readyState, watch.holds]).toEqual([WebSocket.OPEN, 1]);
  });

  test('answers those who wait with the end', async () => {
    const { socket } = await connected();
    const messages = socket[Symbol.asyncIterator]();
    const answers = [messages.next(), messages.next()];
    expect(await messages.return()).toEqual(done);
    expect(await Promise.all(answers)).toEqual([done, done]);
    expect(await messages.return()).toEqual(done);
  });

  test('before an error that was kept lets it go', async () => {
    const { socket, client } = await connected();
    const messages = socket[Symbol.asyncIterator]();
    client.write(masked(3));
    client.end();
    await socket.closed;
    expect(await messages.return()).toEqual(done);
    expect(await messages.next()).toEqual(done);
  });

  test('leaves a WebSocket paused that the application has paused', async () => {
    const pair = await connected();
    const { socket, client } = pair;
    const watch = new Watch(pair.socket);
    const messages = socket[Symbol.asyncIterator]();
    for (let index = 0; index < 200; index++) client.write(masked(BINARY, Buffer.alloc(1000)));
    await watch.stopped(62);
    socket.pause();
    await messages.return();
    await watch.stopped(62);
    expect(socket.isPaused).toBe(true);
    socket.resume();
    await until(() => watch.told === 200);
  });
});

describe('a consumer that is behind', () => {
  /** A peer that sends 500 messages of 1,000 bytes to an iteration that nobody asks for any. */
  async function behind(): Promise<Connected & { watch: Watch; messages: MessageIterator }> {
    const pair = await connected();
    const watch = new Watch(pair.socket);
    const messages = pair.socket[Symbol.asyncIterator]();
    for (let index = 0; index < 500; index++) {
      pair.client.write(masked(BINARY, Buffer.alloc(1000, index)));
    }
    return { ...pair, watch, messages };
  }

  /** Takes messages, and checks that they are those. */
  async function take(messages: MessageIterator, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) {
      const { value } = await messages.next();
      expect(is(value, index)).toBe(true);
    }
  }

  /** Whether a message is that of the index; comparing by `toEqual` takes too long. */
  const is = (message: unknown, index: number): boolean =>
    Buffer.isBuffer(message) && message.equals(Buffer.alloc(1000, index));

  test('stops the WebSocket above 64 KiB, and lets it read on at 16 KiB', async () => {
    const pair = await behind();
    const { watch, messages, socket } = pair;
    // 62 messages of 1,000 bytes and 64 for each are the first to be more than 64 KiB.
    await watch.stopped(62);
    expect([socket.isPaused, watch.holds]).toEqual([false, 1]);
    await take(messages, 0, 46);
    await watch.stopped(62);
    // 15 of them are the first to be 16 KiB or less.
    await take(messages, 46, 47);
    await watch.stopped(47 + 62);
    expect(watch.holds).toBe(2);
    await take(messages, 47, 500);
    expect(watch.told).toBe(500);
  });

  test('counts empty messages too', async () => {
    const pair = await connected();
    const watch = new Watch(pair.socket);
    const messages = pair.socket[Symbol.asyncIterator]();
    pair.client.write(Buffer.concat(Array.from({ length: 3000 }, () => text(''))));
    await watch.stopped(1025);
    for (let index = 0; index < 3000; index++) {
      const { value } = await messages.next();
      if (value !== '') throw new Error(`${value} came`);
    }
    // Whoever takes without doing anything else has taken all before more can come.
    expect(watch.holds).toBe(2);
  });

  test.each<[BinaryType, number]>([
    ['arraybuffer', 62],
    ['fragments', 62],
    ['blob', 62],
  ])('counts the bytes of binaryType %s', async (type, count) => {
    const pair = await connected({}, (it) => {
      it.binaryType = type;
    });
    const watch = new Watch(pair.socket);
    pair.socket[Symbol.asyncIterator]();
    for (let index = 0; index < 100; index++) {
      pair.client.write(masked(BINARY, Buffer.alloc(1000)));
    }
    await watch.stopped(count);
  });

  test.each<[string, (() => Promise<unknown>) | undefined]>([
    ['at once', undefined],
    ['later', turn],
  ])(
    'counts the bytes of messages that a schema parses %s, and stops them',
    async (_name, later) => {
      const pair = await connected({}, undefined, parsing(later));
      const watch = new Watch(pair.socket);
      const messages = pair.socket[Symbol.asyncIterator]();
      const json = (index: number): string => JSON.stringify([index, 'x'.repeat(990)]).slice(0, -1);
      for (let index = 0; index < 200; index++) {
        pair.client.write(text(`${json(index).padEnd(999)}]`));
      }
      await watch.stopped(62);
      for (let index = 0; index < 47; index++) {
        expect((await messages.next()).value).toEqual([index, 'x'.repeat(990)]);
      }
      await watch.stopped(47 + 62);
    },
  );

  test('one message may be larger than all that may wait', async () => {
    const pair = await connected();
    const watch = new Watch(pair.socket);
    const messages = pair.socket[Symbol.asyncIterator]();
    for (let index = 0; index < 3; index++) {
      pair.client.write(masked(BINARY, Buffer.alloc(200_000, index)));
    }
    for (let index = 0; index < 3; index++) {
      await watch.stopped(index + 1);
      const { value } = await messages.next();
      expect(Buffer.alloc(200_000, index).equals(value as Buffer)).toBe(true);
    }
  });

  test('is let read on neither by resume() of the application', async () => {
    const pair = await behind();
    const { watch, socket } = pair;
    await watch.stopped(62);
    socket.resume();
    await watch.stopped(62);
    expect(socket.isPaused).toBe(false);
  });

  test('nor in spite of its pause()', async () => {
    const pair = await behind();
    const { watch, messages, socket } = pair;
    await watch.stopped(62);
    socket.pause();
    expect(socket.isPaused).toBe(true);
    await take(messages, 0, 62);
    const answer = messages.next();
    await watch.stopped(62);
    expect(socket.isPaused).toBe(true);
    socket.resume();
    expect(is((await answer).value, 62)).toBe(true);
    await take(messages, 63, 500);
  });

  test('sets the pace of all others, and each has every message', async () => {
    const pair = await behind();
    const { watch, messages, socket } = pair;
    const fast: Data[] = [];
    const ended = (async () => {
      for await (const message of socket) fast.push(message);
    })();
    await watch.stopped(62);
    expect(fast).toHaveLength(62);
    await take(messages, 0, 47);
    await watch.stopped(47 + 62);
    expect(fast).toHaveLength(47 + 62);
    await take(messages, 47, 500);
    pair.client.write(goodbye);
    await ended;
    expect(fast).toHaveLength(500);
    expect(fast.every(is)).toBe(true);
    expect(await messages.next()).toEqual(done);
  });

  test('two that are behind have both to catch up', async () => {
    const pair = await behind();
    const { watch, messages, socket } = pair;
    const other = socket[Symbol.asyncIterator]();
    await watch.stopped(62);
    await take(messages, 0, 62);
    await watch.stopped(62);
    await take(other, 0, 62);
    await watch.stopped(124);
  });

  test('has all that was read when the connection ends meanwhile, and in order', async () => {
    const pair = await behind();
    const { watch, messages, socket } = pair;
    await watch.stopped(62);
    socket.terminate();
    await socket.closed;
    const all: Data[] = [];
    for await (const message of messages) all.push(message);
    expect(all).toHaveLength(watch.told);
    expect(all.length).toBeGreaterThanOrEqual(62);
    expect(all.every(is)).toBe(true);
  });

  test('finds the close frame behind what it was behind with', async () => {
    const pair = await behind();
    const { watch, messages, socket, client } = pair;
    client.write(goodbye);
    await watch.stopped(62);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    await take(messages, 0, 500);
    expect(await messages.next()).toEqual(done);
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true });
  });

  test('keeps few of a hundred thousand messages', async () => {
    const pair = await connected();
    const { client, socket } = pair;
    const watch = new Watch(pair.socket);
    const count = 100_000;
    const payloads = Array.from({ length: count }, (_, index) => String(index).padStart(5, '0'));
    client.socket.write(texts(...payloads));
    client.socket.write(goodbye);
    let taken = 0;
    let mostKept = 0;
    for await (const message of socket) {
      if (message !== payloads[taken]) throw new Error(`${message} came for ${payloads[taken]}`);
      taken++;
      mostKept = Math.max(mostKept, watch.told - taken);
      if (taken % 100 === 0) await turn();
    }
    expect(taken).toBe(count);
    // Of 5 characters and 64 bytes each, 950 are the first to be more than 64 KiB.
    expect(mostKept).toBe(950);
    // It reads on with 237 of them, or up to 100 less by the time of the next turn: then more have to come to stop it.
    expect(watch.holds).toBeGreaterThanOrEqual(Math.floor(count / (950 - 137)));
    expect(watch.holds).toBeLessThanOrEqual(Math.ceil(count / (950 - 237)));
  });
});

describe('with compression', () => {
  test('a consumer that is behind stops the peer, and all messages come in order', async () => {
    const server = await startServer({ perMessageDeflate: { threshold: 0 } });
    const connection = once(server, 'connection');
    const client = startClient(`ws://127.0.0.1:${portOf(server)}`);
    const [socket] = (await connection) as [WebSocket];
    const watch = new Watch(socket);
    await client.opened;
    expect(client.extensions).toBe('permessage-deflate');
    // Inflated at once, and on the thread pool.
    const sizes = [10, 2_000, 300_000, 2_000, 60_000];
    const payloads = Array.from({ length: 200 }, (_, index) =>
      `${index} `.repeat(sizes[index % 5] / 5),
    );
    for (const payload of payloads) client.send(payload);
    client.close(1000);
    const all: Data[] = [];
    let mostKept = 0;
    for await (const message of socket) {
      all.push(message);
      mostKept = Math.max(mostKept, watch.told - all.length);
      // Takes nothing as long as more may come.
      await until(() => socket.isHeld || watch.told === payloads.length);
    }
    expect(all).toHaveLength(payloads.length);
    expect(all.every((message, index) => message === payloads[index])).toBe(true);
    // Each of the longest stops it, and there is one among five.
    expect([watch.holds, mostKept]).toEqual([40, 4]);
  });
});

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TransformStream } from 'node:stream/web';
import {
  CompressionStream,
  DecompressionStream,
  ReadableStream,
  TextDecoderStream,
  TextEncoderStream,
  WritableStream,
} from 'node:stream/web';
import { messageCheck } from '../src/message-schema';
import type { BinaryType } from '../src/payload';
import type { ServerOptions } from '../src/server-options';
import { ClosedError } from '../src/web-streams';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { BINARY, CLOSE, frame, TEXT } from './support/frames';
import { portOf } from './support/libraries';
import type { WireFrame } from './support/raw-client';
import { until } from './support/sockets';
import type { Connected } from './support/stage';
import { connected, startClient, startRawServer, startServer, turn } from './support/stage';

const masked = (opcode: number, payload: string | Uint8Array = ''): Buffer =>
  frame({ opcode, payload, key: 0x5eed5eed });
const text = (payload: string): Buffer => masked(TEXT, payload);
const binary = (payload: string | Uint8Array): Buffer => masked(BINARY, payload);
const goodbye = (code = 1000, reason = ''): Buffer =>
  masked(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

/** What a stream has given, and the error it ended with. */
async function collect(readable: ReadableStream<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const chunk of readable) all.push(chunk);
  } catch (error) {
    all.push(error);
  }
  return all;
}

/** What a promise rejects with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'not rejected',
    (error) => error,
  );

/** A close frame in words. */
function words(it: WireFrame | undefined): string {
  if (it === undefined) return 'nothing';
  if (it.first !== 0x88) return `${it.first.toString(16)} ${it.payload}`;
  return it.payload.length === 0
    ? 'close'
    : `close ${it.payload.readUInt16BE()} ${it.payload.subarray(2)}`;
}

/** A server and a client of ours, both ends. */
async function pair(options: ServerOptions = {}): Promise<{ socket: WebSocket; peer: WebSocket }> {
  const server = await startServer(options);
  const connection = once(server, 'connection');
  const peer = startClient(`ws://127.0.0.1:${portOf(server)}`);
  const [[socket]] = await Promise.all([connection, peer.opened]);
  return { socket, peer };
}

/** Fills everything between a writer and a peer that does not read. @returns the write that waits */
async function stall({ socket, client }: Connected) {
  client.socket.pause();
  const writer = socket.streams.writable.getWriter();
  for (;;) {
    let written = false;
    const write = writer.write(Buffer.alloc(1024 * 1024));
    // What becomes of it is for the test to see.
    write.then(
      () => {
        written = true;
      },
      () => undefined,
    );
    for (let turns = 0; turns < 20 && !written; turns++) await turn();
    if (!written) return { writer, write };
  }
}

describe('streams', () => {
  test('are one pair, and each is made when it is asked for', async () => {
    const { socket, client } = await connected();
    const before = ['message', 'error', 'close'].map((event) => socket.listenerCount(event));
    const { streams } = socket;
    expect(socket.streams).toBe(streams);
    expect(streams.writable).toBe(streams.writable);
    expect(streams.writable).toBeInstanceOf(WritableStream);
    expect(socket.listenerCount('message')).toBe(before[0]);
    expect(streams.readable).toBe(streams.readable);
    expect(streams.readable).toBeInstanceOf(ReadableStream);
    expect(socket.listenerCount('message')).toBe(before[0] + 1);
    client.write(goodbye());
    await socket.closed;
    expect(['message', 'error', 'close'].map((event) => socket.listenerCount(event))).toEqual(
      before,
    );
  });
});

describe('readable', () => {
  test('gives text as strings and binary as bytes, and closes', async () => {
    const { socket, client } = await connected();
    const all = collect(socket.streams.readable);
    client.write(text('ü'), binary(Buffer.from([1, 2])), text(''), goodbye());
    expect(await all).toEqual(['ü', Buffer.from([1, 2]), '']);
  });

  test.each<BinaryType>(['arraybuffer', 'fragments', 'blob'])(
    'gives bytes with binaryType %s too, in order',
    async (type) => {
      const { socket, client } = await connected({}, (it) => {
        it.binaryType = type;
      });
      const all = collect(socket.streams.readable);
      client.write(binary('one'), text('two'), binary(''), goodbye());
      const chunks = await all;
      expect(chunks).toEqual([Buffer.from('one'), 'two', Buffer.alloc(0)]);
      expect(chunks[0]).toBeInstanceOf(Uint8Array);
    },
  );

  test('gives what a schema has made of a text, whatever it is', async () => {
    const { socket, client } = await connected({}, undefined, {
      textAsString: true,
      intake: { check: messageCheck((value: unknown) => value ?? undefined) },
    });
    const all = collect(socket.streams.readable);
    client.write(text('{"a":1}'), text('null'), text('[2]'), goodbye());
    expect(await all).toEqual([{ a: 1 }, undefined, [2]]);
  });

  test.each<[string, Buffer]>([
    ['1000', goodbye()],
    ['4000', goodbye(4000, 'bye')],
    ['no code', masked(CLOSE)],
  ])('closes with a clean close: %s', async (_name, bytes) => {
    const { socket, client } = await connected();
    const reader = socket.streams.readable.getReader();
    client.write(bytes);
    expect(await reader.closed).toBe(undefined);
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  test.each<[string, (connection: Connected) => void]>([
    ['a reset', ({ client }) => client.reset()],
    ['an end without a close frame', ({ client }) => client.end()],
    ['terminate()', ({ socket }) => socket.terminate()],
  ])('is errored by %s, though nobody reads', async (_name, end) => {
    const connection = await connected();
    const reader = connection.socket.streams.readable.getReader();
    end(connection);
    const error = await rejection(reader.closed);
    expect(error).toBeInstanceOf(ClosedError);
    expect(error).toMatchObject({
      message: 'The WebSocket has closed: 1006',
      code: 'WS_ERR_CLOSED',
      closeCode: 1006,
      reason: '',
      wasClean: false,
    });
    expect(await rejection(reader.read())).toBe(error);
  });

  test('is errored with what "error" tells, behind the messages before it', async () => {
    const { socket, client } = await connected();
    const { readable } = socket.streams;
    client.write(text('a'), text('b'), masked(3));
    client.end();
    await socket.closed;
    expect(await collect(readable)).toEqual([
      'a',
      'b',
      expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE', closeCode: 1002 }),
    ]);
  });

  test('gives all messages before it ends, however slow its reader', async () => {
    const { socket, client } = await connected();
    const { readable } = socket.streams;
    const payloads = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    client.write(...payloads.map(text), goodbye());
    await socket.closed;
    const all: unknown[] = [];
    for await (const chunk of readable) {
      all.push(chunk);
      await turn();
    }
    expect(all).toEqual(payloads);
  });

  test('fails with the handshake', async () => {
    const server = await startRawServer((request) => request.refuse('404 Not Found'));
    const client = startClient(server.url);
    const { readable, writable } = client.streams;
    const error = expect.objectContaining({ code: 'WS_ERR_UNEXPECTED_RESPONSE', statusCode: 404 });
    const write = rejection(writable.getWriter().write('never'));
    expect(await collect(readable)).toEqual([error]);
    expect(await write).toEqual(error);
    const late = startClient(server.url);
    await rejection(late.opened);
    await late.closed;
    expect(await collect(late.streams.readable)).toEqual([error]);
    expect(await rejection(late.streams.writable.getWriter().closed)).toEqual(error);
  });

  test('stops the WebSocket while nobody reads', async () => {
    const { socket, client } = await connected();
    const { readable } = socket.streams;
    let told = 0;
    socket.on('message', () => told++);
    for (let index = 0; index < 500; index++) client.write(binary(Buffer.alloc(1000, index)));
    const transport = socket._socket as Socket;
    const stopped = async (count: number): Promise<void> => {
      await until(() => told >= count && transport.isPaused());
      for (let turns = 0; turns < 5; turns++) await turn();
      expect([told, transport.isPaused(), socket.isPaused]).toEqual([count, true, false]);
    };
    // One in the stream, and 62 of 1,000 and 64 bytes are the first to be more than 64 KiB.
    await stopped(63);
    const reader = readable.getReader();
    const read = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index++) {
        const { value } = await reader.read();
        expect(Buffer.alloc(1000, index).equals(value as Buffer)).toBe(true);
      }
    };
    await read(0, 46);
    await stopped(63);
    await read(46, 47);
    await stopped(47 + 63);
    await read(47, 500);
    client.write(goodbye());
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });

  test('keeps few of many messages for a slow sink', async () => {
    const { socket, client } = await connected();
    const count = 20_000;
    const payloads = Array.from({ length: count }, (_, index) => String(index).padStart(5, '0'));
    client.socket.write(Buffer.concat([...payloads.map(text), goodbye()]));
    const hold = jest.spyOn(socket, 'hold');
    let told = 0;
    socket.on('message', () => told++);
    let written = 0;
    let mostKept = 0;
    const sink = new WritableStream<unknown>({
      async write(chunk) {
        if (chunk !== payloads[written]) throw new Error(`${chunk} for ${payloads[written]}`);
        written++;
        mostKept = Math.max(mostKept, told - written);
        if (written % 100 === 0) await turn();
      },
    });
    await socket.streams.readable.pipeTo(sink);
    expect(written).toBe(count);
    // 950 of 5 characters and 64 bytes are the first to be more than 64 KiB; a stream and a pipe have one or two more.
    expect(mostKept).toBeGreaterThanOrEqual(950);
    expect(mostKept).toBeLessThanOrEqual(954);
    expect(hold.mock.calls.length).toBeGreaterThan(20);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'close 1000 '],
    ['a text', 'enough', 'close 1000 '],
    ['a code', 4001, 'close 4001 '],
    ['a code and a reason', { code: 4001, reason: 'enough' }, 'close 4001 enough'],
    [
      'a code and a reason that is too long',
      { code: 4001, reason: 'x'.repeat(124) },
      'close 4001 ',
    ],
    ['a code that may not be sent', { code: 1006, reason: 'enough' }, 'close 1000 '],
    ['what another connection has ended with', { closeCode: 3001, reason: 'r' }, 'close 3001 r'],
    ['an error', new Error('full'), 'close 1011 '],
    [
      'an error with a number of its own',
      Object.assign(new Error('x'), { code: 4001 }),
      'close 1011 ',
    ],
    [
      'the error of another connection',
      new ClosedError({ code: 4002, reason: 'r', wasClean: true }),
      'close 4002 r',
    ],
    [
      'the error of a connection that broke',
      new ClosedError({ code: 1006, reason: '', wasClean: false }),
      'close 1011 ',
    ],
  ])('cancel() closes: %s', async (_name, reason, expected) => {
    const { socket, client } = await connected();
    const { readable } = socket.streams;
    client.write(text('unread'));
    await readable.cancel(reason);
    expect(words(await client.frame())).toBe(expected);
    client.write(text('dropped'), goodbye());
    expect(await socket.closed).toMatchObject({ wasClean: true });
    expect(await collect(readable)).toEqual([]);
  });

  test('cancel() lets a WebSocket read on that was stopped, up to the close frame', async () => {
    const { socket, client } = await connected();
    const { readable } = socket.streams;
    const transport = socket._socket as Socket;
    for (let index = 0; index < 500; index++) client.write(binary(Buffer.alloc(1000)));
    await until(() => transport.isPaused());
    await readable.cancel();
    expect(words(await client.frame())).toBe('close 1000 ');
    client.write(goodbye());
    expect(await socket.closed).toEqual({ code: 1000, reason: '', wasClean: true });
  });

  test('leaving the loop cancels, unless told not to', async () => {
    const { socket, client } = await connected();
    client.write(text('a'), text('b'), text('c'));
    for await (const chunk of socket.streams.readable.values({ preventCancel: true })) {
      expect(chunk).toBe('a');
      break;
    }
    for await (const chunk of socket.streams.readable) {
      expect(chunk).toBe('b');
      break;
    }
    expect(words(await client.frame())).toBe('close 1000 ');
  });

  test.each<[string, string]>([
    ['while CONNECTING', ''],
    ['of a handshake that is given up already', ', { signal: AbortSignal.abort() }'],
  ])('cancel() %s throws at nobody', async (_name, options) => {
    const result = await runChild(`
      const server = net.createServer((socket) => socket.on('error', () => {}));
      await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
      const client = new upwire('ws://127.0.0.1:' + server.address().port${options});
      await client.streams.readable.cancel();
      console.log(await client.closed);
      server.close();
    `);
    expect(result).toEqual({
      exit: 0,
      stdout: "{ code: 1006, reason: '', wasClean: false }\n",
      stderr: '',
    });
  });

  test('cancel() hides no fault of the peer from whoever wants to know', async () => {
    const unheard: unknown[] = [];
    const { socket, client } = await connected({}, undefined, {
      hooks: { onUnheardError: (error) => unheard.push(error) },
    });
    await socket.streams.readable.cancel();
    client.write(masked(3));
    client.end();
    await socket.closed;
    expect(unheard).toEqual([expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' })]);
  });

  test('has text decoded, wherever messages cut its characters', async () => {
    const { socket, client } = await connected();
    const bytes = Buffer.from('grüße €');
    const decoded = socket.streams.readable.pipeThrough(
      // Types of Node's own: it takes bytes, and bytes are what this peer sends.
      new TextDecoderStream() as unknown as TransformStream<string | Uint8Array, string>,
    );
    const all = collect(decoded);
    client.write(...[...bytes].map((byte) => binary(Buffer.from([byte]))), goodbye());
    expect((await all).join('')).toBe('grüße €');
  });
});

describe('writable', () => {
  test('sends strings as text and bytes as binary, each chunk a message', async () => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    await writer.write('ü');
    await writer.write('');
    await writer.write(Buffer.from('a'));
    await writer.write(new Uint8Array([0, 98, 0]).subarray(1, 2));
    await writer.write(new DataView(new Uint8Array([99]).buffer));
    await writer.write(new Uint8Array([100]).buffer);
    const frames = [];
    for (let count = 0; count < 6; count++) frames.push(words(await client.frame()));
    expect(frames).toEqual(['81 ü', '81 ', '82 a', '82 b', '82 c', '82 d']);
  });

  test.each<[unknown, string]>([
    [42, '42'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{}, '{}'],
    [new Blob(['x']), '[Blob]'],
    [new SharedArrayBuffer(1), '[SharedArrayBuffer]'],
  ])('refuses any other chunk: %p', async (chunk, shown) => {
    const { socket, client } = await connected();
    const { writable } = socket.streams;
    const writer = writable.getWriter();
    const text = 'A chunk must be a string, an ArrayBuffer or a view of one';
    const error = await rejection(writer.write(chunk as never));
    expect(error).toEqual(new TypeError(`${text}, got ${shown}`));
    expect(await rejection(writer.write('after it'))).toBe(error);
    socket.close(1000);
    expect(words(await client.frame())).toBe('close 1000 ');
  });

  test.each([false, true])(
    'bytes may be used again when they are written (compressed: %p)',
    async (perMessageDeflate) => {
      const { socket, peer } = await pair({ perMessageDeflate });
      const all: Buffer[] = [];
      peer.on('message', (data: Buffer) => all.push(data));
      const writer = socket.streams.writable.getWriter();
      const sizes = [10, 2_000, 16 * 1024, 16 * 1024 + 1, 300_000];
      for (const size of sizes) {
        const bytes = Buffer.alloc(size, 'a');
        await writer.write(bytes);
        bytes.fill('b');
      }
      await writer.close();
      expect(all.map((data) => data.length)).toEqual(sizes);
      expect(all.every((data) => data.equals(Buffer.alloc(data.length, 'a')))).toBe(true);
    },
  );

  test('waits for the socket: ready and desiredSize say so', async () => {
    const connection = await connected();
    const { writer, write } = await stall(connection);
    expect(writer.desiredSize).toBe(0);
    let ready = false;
    void writer.ready.then(() => {
      ready = true;
    });
    await turn();
    expect(ready).toBe(false);
    connection.client.socket.resume();
    await write;
    await writer.ready;
    expect(writer.desiredSize).toBe(1);
  });

  test('goes on without waiting while little waits', async () => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    client.socket.pause();
    await writer.ready;
    const writes = jest.spyOn(socket._socket as Socket, 'write');
    for (let index = 0; index < 100; index++) await writer.write(`message ${index}`);
    expect(socket.bufferedAmount).toBeGreaterThan(100);
    await turn();
    // All of them were sent in one tick, and so in one write.
    expect(writes).toHaveBeenCalledTimes(1);
  });

  test('keeps at most 64 KiB and a message of many', async () => {
    const { socket, peer } = await pair();
    const count = 20_000;
    let received = 0;
    peer.on('message', (data) => {
      if (String(data) !== String(received)) throw new Error(`${data} came for ${received}`);
      received++;
      if (received % 1000 === 0) {
        peer.pause();
        setImmediate(() => peer.resume());
      }
    });
    let sent = 0;
    let mostWaiting = 0;
    const source = new ReadableStream<string>({
      pull(controller) {
        mostWaiting = Math.max(mostWaiting, socket.bufferedAmount);
        if (sent < count) controller.enqueue(String(sent++));
        else controller.close();
      },
    });
    await source.pipeTo(socket.streams.writable);
    expect([received, sent]).toEqual([count, count]);
    expect(mostWaiting).toBeLessThanOrEqual(64 * 1024 + 7);
  });

  test('what is written while CONNECTING is sent when it opens', async () => {
    const server = await startServer();
    const message = new Promise<unknown>((resolve) => {
      server.once('connection', (socket: WebSocket) => socket.once('message', resolve));
    });
    const client = startClient(`ws://127.0.0.1:${portOf(server)}`);
    expect(client.readyState).toBe(WebSocket.CONNECTING);
    await client.streams.writable.getWriter().write('early');
    expect(client.readyState).toBe(WebSocket.OPEN);
    expect(String(await message)).toBe('early');
  });

  test('close() closes with 1000 behind what was written, and waits for the peer', async () => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    void writer.write('last');
    let closed = false;
    const closing = writer.close().then(() => {
      closed = true;
    });
    expect([words(await client.frame()), words(await client.frame())]).toEqual([
      '81 last',
      'close 1000 ',
    ]);
    await turn();
    expect([closed, socket.readyState]).toEqual([false, WebSocket.CLOSING]);
    client.write(goodbye(4000));
    await closing;
    expect(socket.readyState).toBe(WebSocket.CLOSED);
    await turn();
    expect(await writer.closed).toBe(undefined);
  });

  test('close() waits for the one that has begun, too', async () => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    await writer.ready;
    socket.close(4000);
    const closing = writer.close();
    expect(words(await client.frame())).toBe('close 4000 ');
    client.write(goodbye());
    await closing;
  });

  test.each<[string, (connection: Connected) => void]>([
    ['the peer ends otherwise', ({ client }) => client.end()],
    ['the peer does not answer in time', () => undefined],
  ])('close() fails where %s', async (_name, end) => {
    const connection = await connected({ closeTimeout: 50 });
    const writer = connection.socket.streams.writable.getWriter();
    const closing = rejection(writer.close());
    await connection.client.frame();
    end(connection);
    expect(await closing).toMatchObject({
      code: 'WS_ERR_CLOSED',
      closeCode: 1006,
      wasClean: false,
    });
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'nothing'],
    ['an error', new Error('mine'), 'nothing'],
    ['a code that may not be sent', 1005, 'nothing'],
    ['a code', 4001, 'close 4001 '],
    ['a code and a reason', { code: 4001, reason: 'off' }, 'close 4001 off'],
    [
      'the error of another connection',
      new ClosedError({ code: 4002, reason: 'r', wasClean: true }),
      'close 4002 r',
    ],
  ])('abort() ends the connection: %s', async (_name, reason, expected) => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    await writer.write('sent');
    await writer.abort(reason);
    expect([words(await client.frame()), words(await client.frame())]).toEqual([
      '81 sent',
      expected,
    ]);
    expect(await rejection(writer.write('more'))).toBe(reason);
    client.write(goodbye());
    expect((await socket.closed).wasClean).toBe(expected !== 'nothing');
  });

  test('abort() does not wait for a write that waits', async () => {
    const connection = await connected();
    const { writer, write } = await stall(connection);
    const reason = new Error('mine');
    const failed = rejection(write);
    await writer.abort(reason);
    expect(await failed).toBe(reason);
    expect(await connection.socket.closed).toMatchObject({ code: 1006 });
  });

  test('abort() with a code does not wait either', async () => {
    const connection = await connected();
    const { writer, write } = await stall(connection);
    const reason = { code: 4000 };
    const failed = rejection(write);
    await writer.abort(reason);
    expect(await failed).toBe(reason);
    expect(connection.socket.readyState).toBe(WebSocket.CLOSING);
  });

  test('abort() while CONNECTING gives the handshake up, and throws at nobody', async () => {
    const server = await startRawServer(() => undefined);
    const client = startClient(server.url);
    await client.streams.writable.abort(new Error('mine'));
    expect(await client.closed).toMatchObject({ code: 1006 });
  });

  test('abort() during close() ends the waiting', async () => {
    const { socket } = await connected();
    const writer = socket.streams.writable.getWriter();
    const closing = rejection(writer.close());
    await turn();
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    await rejection(writer.abort());
    expect(await closing).toMatchObject({ code: 'WS_ERR_CLOSED', closeCode: 1006 });
  });

  test('is errored by a clean close as well, a turn later', async () => {
    const { socket, client } = await connected();
    const writer = socket.streams.writable.getWriter();
    await writer.ready;
    client.write(goodbye(4000, 'bye'));
    const error = await rejection(writer.closed);
    expect(error).toMatchObject({
      code: 'WS_ERR_CLOSED',
      closeCode: 4000,
      reason: 'bye',
      wasClean: true,
    });
    expect(await rejection(writer.write('late'))).toBe(error);
  });

  test('is errored by an unclean end, and so is the write that waits', async () => {
    const connection = await connected();
    const { writer, write } = await stall(connection);
    const failed = rejection(write);
    connection.client.reset();
    const error = await failed;
    expect(error).toMatchObject({ code: 'WS_ERR_CLOSED', closeCode: 1006, wasClean: false });
    expect((error as Error).cause).toMatchObject({ code: expect.stringMatching(/^(WS_ERR_|E)/) });
    expect(await rejection(writer.closed)).toMatchObject({ code: 'WS_ERR_CLOSED' });
  });

  test('is errored with what "error" tells', async () => {
    const { socket, client } = await connected();
    const { closed } = socket.streams.writable.getWriter();
    client.write(masked(3));
    expect(await rejection(closed)).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
  });

  test('takes nothing when the connection is closing', async () => {
    const { socket } = await connected();
    const writer = socket.streams.writable.getWriter();
    await writer.ready;
    socket.close();
    expect(await rejection(writer.write('late'))).toMatchObject({
      message: 'WebSocket is not open: readyState 2 (CLOSING)',
      code: 'WS_ERR_NOT_OPEN',
    });
  });

  test('is errored from the start where it is made too late', async () => {
    const { socket, client } = await connected();
    client.write(goodbye(4000));
    await socket.closed;
    expect(await rejection(socket.streams.writable.getWriter().closed)).toMatchObject({
      code: 'WS_ERR_CLOSED',
      closeCode: 4000,
    });
    const closing = (await connected()).socket;
    closing.close();
    expect(await rejection(closing.streams.writable.getWriter().closed)).toMatchObject({
      code: 'WS_ERR_NOT_OPEN',
    });
  });

  test('is errored by a message that is not sent', async () => {
    const connection = await connected({ maxBufferedAmount: 2 * 1024 * 1024, overflow: 'drop' });
    const { socket, client } = connection;
    const writer = socket.streams.writable.getWriter();
    await writer.ready;
    client.socket.pause();
    // Somebody else fills the socket.
    while (socket.bufferedAmount < 1024 * 1024) {
      socket.send(Buffer.alloc(1024 * 1024));
      await turn();
    }
    const error = await rejection(writer.write(Buffer.alloc(1024 * 1024)));
    expect(error).toMatchObject({ code: 'WS_ERR_BUFFER_OVERFLOW' });
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('pipes', () => {
  test('an echo ends well when the peer closes', async () => {
    const { socket, peer } = await pair();
    const echo = socket.streams.readable.pipeTo(socket.streams.writable);
    const all: string[] = [];
    for (let index = 0; index < 100; index++) peer.send(`message ${index}`);
    for await (const message of peer) if (all.push(String(message)) === 100) break;
    peer.close(1000, 'enough');
    expect(await echo).toBe(undefined);
    expect(all).toEqual(Array.from({ length: 100 }, (_, index) => `message ${index}`));
    expect(await peer.closed).toEqual({ code: 1000, reason: 'enough', wasClean: true });
  });

  test('an echo ends with the error when the peer breaks off', async () => {
    const { socket, peer } = await pair();
    const echo = rejection(socket.streams.readable.pipeTo(socket.streams.writable));
    peer.terminate();
    expect(await echo).toMatchObject({ code: 'WS_ERR_CLOSED', closeCode: 1006 });
  });

  test('a proxy hands on how the other connection has ended', async () => {
    const [front, back] = [await pair(), await pair()];
    const ways = [
      front.socket.streams.readable.pipeTo(back.socket.streams.writable),
      back.socket.streams.readable.pipeTo(front.socket.streams.writable),
    ].map(rejection);
    const message = once(back.peer, 'message');
    front.peer.send('through');
    expect(String((await message)[0])).toBe('through');
    back.peer.terminate();
    expect(await front.peer.closed).toMatchObject({ code: 1011 });
    for (const error of await Promise.all(ways)) expect(error).toMatchObject({ closeCode: 1006 });
  });

  test('compress a stream of bytes through a chain of transforms', async () => {
    const { socket, peer } = await pair();
    const inflated = collect(
      peer.streams.readable
        // Of Node's own types: they take bytes, and bytes are what this peer sends.
        .pipeThrough(new DecompressionStream('gzip') as unknown as TransformStream)
        .pipeThrough(new TextDecoderStream() as unknown as TransformStream),
    );
    const content = Array.from({ length: 5_000 }, (_, index) => `line ${index} ü\n`);
    await ReadableStream.from(content)
      .pipeThrough(new TextEncoderStream())
      .pipeThrough(new CompressionStream('gzip') as unknown as TransformStream<Uint8Array>)
      .pipeTo(socket.streams.writable);
    expect((await inflated).join('')).toBe(content.join(''));
  });

  test('a source that fails is seen by the peer as an abnormal end', async () => {
    const { socket, peer } = await pair();
    const error = new Error('disk');
    const source = new ReadableStream<string>({
      start(controller) {
        controller.enqueue('half');
      },
      pull(controller) {
        controller.error(error);
      },
    });
    expect(await rejection(source.pipeTo(socket.streams.writable))).toBe(error);
    expect(await peer.closed).toMatchObject({ code: 1006, wasClean: false });
  });

  test('a sink that fails is told to the peer with 1011', async () => {
    const { socket, peer } = await pair();
    const error = new Error('disk');
    const sink = new WritableStream<unknown>({
      write() {
        throw error;
      },
    });
    peer.send('x');
    expect(await rejection(socket.streams.readable.pipeTo(sink))).toBe(error);
    expect(await peer.closed).toMatchObject({ code: 1011, wasClean: true });
  });

  test('a source is cancelled when the connection ends, though it has nothing to write', async () => {
    const { socket, peer } = await pair();
    const cancelled = new Promise<unknown>((resolve) => {
      const source = new ReadableStream<string>({ cancel: resolve });
      source.pipeTo(socket.streams.writable).catch(() => undefined);
    });
    peer.close(1000);
    expect(await cancelled).toMatchObject({ code: 'WS_ERR_CLOSED', wasClean: true });
  });

  test('a signal ends a pipe and the connection', async () => {
    const { socket, peer } = await pair();
    const controller = new AbortController();
    const pipe = rejection(
      new ReadableStream<string>().pipeTo(socket.streams.writable, { signal: controller.signal }),
    );
    await turn();
    controller.abort();
    expect(await pipe).toMatchObject({ name: 'AbortError' });
    expect(await peer.closed).toMatchObject({ code: 1006 });
  });
});

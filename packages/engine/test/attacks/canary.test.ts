// T1: what leaves is what the application gave and nothing else, whatever it was given as (CVE-2016-10518, CVE-2026-45736).
import { inflateRawSync } from 'node:zlib';
import ws from 'ws';
import engine, { broadcast, createWebSocketStream, prepare, WebSocket } from '../../src/index';
import { clientFrames } from '../support/client-frames';
import { RawServer } from '../support/raw-server';
import type { Connected } from '../support/stage';
import { connected } from '../support/stage';

const CANARY = Buffer.from('CANARY-CANARY-CANARY');

/** Leaves the canary in memory that the allocator will hand out again. */
function soil(): void {
  for (let index = 0; index < 64; index++) {
    Buffer.allocUnsafe(1_000).fill(CANARY);
    Buffer.allocUnsafeSlow(16_384).fill(CANARY);
    Buffer.allocUnsafe(Buffer.poolSize >>> 1).fill(CANARY);
  }
}

/** The numbers 1 to `count` as bytes, in the middle of memory that is not to be seen. */
function inside(count: number): ArrayBuffer {
  const memory = new Uint8Array(64).fill(0xee);
  for (let index = 0; index < count; index++) memory[16 + index] = index + 1;
  return memory.buffer;
}

const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** Node 24 has it. */
const Float16 = Reflect.get(globalThis, 'Float16Array') as typeof Float32Array | undefined;

const shared = new SharedArrayBuffer(8);
Buffer.from(shared).set([1, 2, 3, 4, 5, 6, 7, 8]);
const EIGHT = '0102030405060708';

interface Data {
  readonly name: string;
  readonly value: unknown;
  readonly bytes: string;
  /** Sent as text, unless the application says otherwise. */
  readonly text?: boolean;
}

const bytes = (name: string, value: unknown, hex: string): Data => ({ name, value, bytes: hex });
const text = (value: string | number): Data => ({
  name: `the ${typeof value} ${value}`,
  value,
  bytes: Buffer.from(String(value)).toString('hex'),
  text: true,
});

const DATA: readonly Data[] = [
  ...[0, 1, 100, 1_000, 65_536, -1, 0.5, 1e21, Number.NaN].map(text),
  ...['', 'a', 'grüße', '\ud800'].map(text),
  ...[...VIEWS, ...(Float16 === undefined ? [] : [Float16])].map((View) =>
    bytes(View.name, new View(inside(8), 16, 8 / View.BYTES_PER_ELEMENT), EIGHT),
  ),
  ...VIEWS.map((View) => bytes(`an empty ${View.name}`, new View(inside(8), 16, 0), '')),
  bytes('a DataView', new DataView(inside(8), 16, 8), EIGHT),
  bytes('a Buffer', Buffer.from(inside(8), 16, 8), EIGHT),
  bytes('a Buffer of the pool', Buffer.from('abc'), '616263'),
  bytes('an ArrayBuffer', inside(8).slice(16, 24), EIGHT),
  bytes('an empty ArrayBuffer', new ArrayBuffer(0), ''),
  bytes('a SharedArrayBuffer', shared, EIGHT),
  bytes('a view of a SharedArrayBuffer', new Uint8Array(shared, 2, 3), '030405'),
  bytes('a list of numbers', [1, 2, 258, -1], '010202ff'),
  bytes('a list with holes', new Array(4), '00000000'),
  bytes('an object with a length', { length: 4, 1: 7 }, '00070000'),
  bytes('a list of Buffers', [Buffer.from('ab'), Buffer.from('c')], '616263'),
  bytes('nothing', undefined, ''),
  bytes('null', null, ''),
];

const BLOB = bytes('a Blob', new Blob([Buffer.from(inside(8), 16, 8)]), EIGHT);
const short = DATA.filter((data) => data.bytes.length <= 250);

/** What a server's connection sends for one call after the other, each followed by what marks its end. */
async function sent(
  { socket, client }: Connected,
  data: readonly Data[],
  send: (value: never) => void,
): Promise<(readonly [string, string])[]> {
  const seen: [string, string][] = [];
  for (const { name, value } of data) {
    soil();
    // What no type allows is part of what this is about.
    send(value as never);
    socket.pong('end');
    const parts: Buffer[] = [];
    for (;;) {
      const frame = await client.frame();
      if (frame === undefined) throw new Error(`The connection ended behind ${name}`);
      if (frame.first === 0x8a && String(frame.payload) === 'end') break;
      parts.push(frame.payload);
    }
    seen.push([name, Buffer.concat(parts).toString('hex')]);
  }
  return seen;
}

const expected = (data: readonly Data[]) => data.map(({ name, bytes: hex }) => [name, hex]);

describe('a server', () => {
  test('send()', async () => {
    const pair = await connected();
    const all = [...DATA, BLOB];
    expect(await sent(pair, all, (value) => pair.socket.send(value))).toEqual(expected(all));
  });

  test.each([true, false])('send() with binary: %s', async (binary) => {
    const pair = await connected();
    const send = (value: never) => pair.socket.send(value, { binary });
    expect(await sent(pair, DATA, send)).toEqual(expected(DATA));
  });

  test('send() of fragments', async () => {
    const pair = await connected();
    const send = (value: never) => {
      pair.socket.send(value, { fin: false });
      pair.socket.send(value);
    };
    const twice = DATA.map((data) => [data.name, data.bytes + data.bytes]);
    expect(await sent(pair, DATA, send)).toEqual(twice);
  });

  test.each(['ping', 'pong'] as const)('%s()', async (kind) => {
    const pair = await connected();
    const all = [...short, BLOB];
    expect(await sent(pair, all, (value) => pair.socket[kind](value))).toEqual(expected(all));
  });

  test('prepare(), broadcast() and publish()', async () => {
    const pair = await connected();
    const { server, socket } = pair;
    socket.subscribe('topic');
    for (const send of [
      (value: never) => socket.send(prepare(value)),
      (value: never) => broadcast([socket], value),
      (value: never) => server.publish('topic', value),
    ]) {
      expect(await sent(pair, DATA, send)).toEqual(expected(DATA));
    }
  });

  test('what is prepared is a copy, whatever becomes of the memory', async () => {
    const pair = await connected();
    const memory = Buffer.from('before');
    const message = prepare(memory);
    memory.fill(0x21);
    expect(
      await sent(pair, [bytes('prepared', message, '6265666f7265')], (value) =>
        pair.socket.send(value),
      ),
    ).toEqual([['prepared', '6265666f7265']]);
  });

  test('Sender.frame() and sendFrame()', async () => {
    const pair = await connected();
    const framed = DATA.filter(
      ({ value }) => value instanceof Uint8Array || typeof value === 'string',
    );
    const send = (value: never) =>
      pair.socket._sender?.sendFrame(engine.Sender.frame(value, { opcode: 2, fin: true }));
    expect(await sent(pair, framed, send)).toEqual(expected(framed));
    for (const { value } of DATA.filter((data) => !framed.includes(data))) {
      expect(() => engine.Sender.frame(value as never, { opcode: 2 })).toThrow(TypeError);
    }
  });

  test('a stream', async () => {
    const pair = await connected();
    const stream = createWebSocketStream(pair.socket);
    stream.on('error', () => undefined);
    const written = DATA.filter(
      ({ value }) => (value instanceof Uint8Array || typeof value === 'string') && value.length > 0,
    );
    expect(written.length).toBeGreaterThan(4);
    expect(await sent(pair, written, (value) => stream.write(value))).toEqual(expected(written));
  });

  test('compressed', async () => {
    const pair = await connected({ perMessageDeflate: true }, undefined, undefined, {
      'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover',
    });
    const long = (value: unknown) =>
      typeof value === 'string'
        ? value.repeat(2_000)
        : Buffer.alloc(3_000, Buffer.from(inside(8), 16, 8));
    const data = ['a', 'grüße', new Uint8Array(8)].map((value, index) => {
      const repeated = long(value);
      return bytes(String(index), repeated, Buffer.from(repeated).toString('hex'));
    });
    for (const { value, bytes: hex } of data) {
      soil();
      pair.socket.send(value as string);
      const frame = await pair.client.frame();
      if (frame === undefined) throw new Error('The connection ended');
      expect(frame.first & 0x40).toBe(0x40);
      expect(frame.payload.includes(CANARY)).toBe(false);
      const tail = Buffer.from([0, 0, 0xff, 0xff]);
      // All that is in the frame is the message: the stream ends where the frame does.
      const inflated = inflateRawSync(Buffer.concat([frame.payload, tail, Buffer.from([3, 0])]));
      expect(inflated.toString('hex')).toBe(hex);
    }
  });

  test.each(
    DATA.filter(({ value }) => value !== undefined).map((data) => [data.name, data] as const),
  )('close() with %s as reason', async (_name, { value, bytes: hex }) => {
    const { socket, client } = await connected();
    soil();
    const close = () => socket.close(4_000, value as string);
    if (typeof value === 'string' || value instanceof Uint8Array) close();
    else {
      expect(close).toThrow(new TypeError('Second argument must be a string or a Uint8Array'));
      socket.close(4_000, 'fine');
    }
    const taken = typeof value === 'string' || value instanceof Uint8Array;
    const reason = taken ? hex : Buffer.from('fine').toString('hex');
    expect((await client.frame())?.payload.toString('hex')).toBe(`0fa0${reason}`);
  });
});

describe('a client', () => {
  test('masks what the application gave, and leaves its memory as it was', async () => {
    const server = await RawServer.listen((request) => request.upgrade());
    const client = new WebSocket(server.url, { perMessageDeflate: false });
    await new Promise((resolve) => client.once('open', resolve));
    const frames = clientFrames(server.sockets[0]);
    const kept = () => DATA.map(({ value }) => (ArrayBuffer.isView(value) ? hexOf(value) : ''));
    const before = kept();
    for (const { name, value, bytes: hex } of DATA) {
      soil();
      client.send(value as string);
      const { value: frame } = await frames.next();
      expect([name, frame?.masked, frame?.payload.toString('hex')]).toEqual([name, true, hex]);
      if (hex.length > 250) continue;
      client.ping(value as string);
      const { value: ping } = await frames.next();
      expect([name, ping?.masked, ping?.payload.toString('hex')]).toEqual([name, true, hex]);
    }
    expect(kept()).toEqual(before);
    expect(Buffer.from(shared).toString('hex')).toBe(EIGHT);
    client.terminate();
    await server.close();
  });

  test('nor does ws see another message than was sent', async () => {
    const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1' });
    const received: string[] = [];
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => received.push(data.toString('hex')));
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => client.once('open', resolve));
    soil();
    for (const { value } of DATA) client.send(value as string);
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.close();
    await closed;
    expect(received).toEqual(DATA.map((data) => data.bytes));
    await new Promise((resolve) => server.close(resolve));
  });
});

function hexOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('hex');
}

// T6, T7, T11, T21, T24: what is cheap for a peer must not be dear for us (CVE-2026-48779, CVE-2026-1526).
import { once } from 'node:events';
import { constants, deflateRawSync } from 'node:zlib';
import type { FrameSpec } from '../support/frames';
import { BINARY, CONTINUATION, frame, PING, TEXT } from '../support/frames';
import type { Connected } from '../support/stage';
import { connected, turn } from '../support/stage';

const MIB = 1024 * 1024;
const ON = { perMessageDeflate: true };
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

const masked = (spec: FrameSpec): Buffer => frame({ key: 0x0badcafe, ...spec });
const repeated = (count: number, ...specs: FrameSpec[]): Buffer =>
  Buffer.concat(new Array<Buffer>(count).fill(Buffer.concat(specs.map(masked))));
const deflate = (payload: Buffer): Buffer =>
  deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** How the server's end of a connection ends: the code of its own fault, and the close code the peer is told. */
async function end({ socket, client }: Connected): Promise<unknown[]> {
  const failed = once(socket, 'error') as Promise<[Error & { code: string }]>;
  for (;;) {
    const told = await client.frame();
    if (told === undefined) throw new Error('The connection ended without a close frame');
    if (told.first === 0x88) return [(await failed)[0].code, told.payload.readUInt16BE(0)];
  }
}

/** Memory of buffers that has been taken since. */
function memory(): () => number {
  const { arrayBuffers } = process.memoryUsage();
  return () => process.memoryUsage().arrayBuffers - arrayBuffers;
}

describe('fragments without end', () => {
  const FLOODS: [string, FrameSpec, FrameSpec[], object, object][] = [
    ['empty', { opcode: TEXT }, [{ opcode: CONTINUATION }], {}, {}],
    [
      'of one byte',
      { opcode: TEXT, payload: 'a' },
      [{ opcode: CONTINUATION, payload: 'a' }],
      {},
      {},
    ],
    [
      'empty, with pings between them',
      { opcode: BINARY },
      [{ opcode: CONTINUATION }, { opcode: PING }],
      {},
      {},
    ],
    [
      'of a compressed message, empty',
      { opcode: TEXT, rsv: 4, payload: 'a' },
      [{ opcode: CONTINUATION }],
      ON,
      OFFER,
    ],
  ];

  test.each(FLOODS)('%s: cut by what they waste', async (_name, first, next, options, headers) => {
    const pair = await connected(options, undefined, undefined, { ...headers });
    const taken = memory();
    const ended = end(pair);
    pair.client.write(masked({ fin: false, ...first }));
    const flood = repeated(1_000, ...next.map((spec) => ({ fin: spec.opcode === PING, ...spec })));
    for (let count = 0; count < 100 && !pair.client.socket.destroyed; count++) {
      pair.client.write(flood);
      await turn();
    }
    expect(await ended).toEqual(['WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008]);
    expect(taken()).toBeLessThan(16 * MIB);
  });

  test('what is counted is counted anew with each message', async () => {
    const { socket, client } = await connected({ maxFragments: 1_001 });
    let messages = 0;
    socket.on('message', () => messages++);
    const message = Buffer.concat([
      masked({ opcode: TEXT, fin: false }),
      repeated(999, { opcode: CONTINUATION, fin: false }),
      masked({ opcode: CONTINUATION, payload: 'end' }),
    ]);
    // Together these waste more than one message may.
    for (let count = 0; count < 100; count++) client.write(message);
    const pong = client.frame();
    client.write(masked({ opcode: PING, payload: 'all' }));
    expect((await pong)?.payload.toString()).toBe('all');
    expect(messages).toBe(100);
  });
});

describe('pings', () => {
  test('a million without reading the pongs: the peer is cut, and its pongs take no memory', async () => {
    const { socket, client } = await connected();
    client.socket.pause();
    const closed = once(socket, 'close');
    let most = 0;
    socket.on('ping', () => {
      most = Math.max(most, socket.bufferedAmount);
    });
    const taken = memory();
    const pings = repeated(1_000, { opcode: PING, payload: 'x'.repeat(125) });
    for (let count = 0; count < 1_000 && socket.readyState === 1; count++) {
      client.socket.write(pings);
      await turn();
    }
    expect((await closed)[0]).toBe(1006);
    // What the socket had when it would take no more, the pongs to one read, and those that may wait.
    expect(most).toBeLessThan(256 * 1024);
    expect(taken() - client.socket.writableLength).toBeLessThan(16 * MIB);
  });

  test('a hundred thousand of a peer that reads are all answered', async () => {
    const { client } = await connected();
    const count = 100_000;
    let pongs = 0;
    const all = new Promise<void>((resolve) => {
      client.socket.removeAllListeners('data');
      client.socket.on('data', (chunk: Buffer) => {
        pongs += chunk.length / 2;
        if (pongs === count) resolve();
      });
    });
    const pings = repeated(count / 10, { opcode: PING });
    for (let part = 0; part < 10; part++) client.socket.write(pings);
    await all;
    expect(pongs).toBe(count);
  });
});

describe('bombs', () => {
  const bomb = deflate(Buffer.alloc(64 * MIB));

  test('one message', async () => {
    const pair = await connected({ ...ON, maxPayload: MIB }, undefined, undefined, OFFER);
    const taken = memory();
    const ended = end(pair);
    pair.client.write(masked({ opcode: BINARY, rsv: 4, payload: bomb }));
    expect(await ended).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009]);
    expect(taken()).toBeLessThan(16 * MIB);
  });

  test.each([
    [
      'that grows more than maxInflationRatio',
      'maxInflationRatio',
      'WS_ERR_INFLATION_RATIO_EXCEEDED',
    ],
    [
      'of more than maxCompressedPayload',
      'maxCompressedPayload',
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    ],
  ])('one %s', async (_name, limit, code) => {
    const options = { ...ON, maxPayload: 128 * MIB, [limit]: 100 };
    const pair = await connected(options, undefined, undefined, OFFER);
    const ended = end(pair);
    pair.client.write(masked({ opcode: BINARY, rsv: 4, payload: deflate(Buffer.from('fine')) }));
    pair.client.write(masked({ opcode: BINARY, rsv: 4, payload: deflate(Buffer.alloc(MIB)) }));
    expect(await once(pair.socket, 'message')).toEqual([Buffer.from('fine'), true]);
    expect(await ended).toEqual([code, 1009]);
  });

  test('in fragments', async () => {
    const pair = await connected({ ...ON, maxPayload: MIB }, undefined, undefined, OFFER);
    const taken = memory();
    const ended = end(pair);
    const size = 1_000;
    for (let at = 0; at < bomb.length; at += size) {
      pair.client.write(
        masked({
          opcode: at === 0 ? BINARY : CONTINUATION,
          rsv: at === 0 ? 4 : 0,
          fin: at + size >= bomb.length,
          payload: bomb.subarray(at, at + size),
        }),
      );
    }
    expect(await ended).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009]);
    expect(taken()).toBeLessThan(16 * MIB);
  });

  test('many that are just within the limit are just messages', async () => {
    const { socket, client } = await connected(
      { ...ON, maxPayload: MIB },
      undefined,
      undefined,
      OFFER,
    );
    let bytes = 0;
    let messages = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        bytes += data.length;
        if (++messages === 200) resolve();
      });
    });
    const message = masked({ opcode: BINARY, rsv: 4, payload: deflate(Buffer.alloc(MIB)) });
    for (let count = 0; count < 200; count++) client.write(message);
    await all;
    expect(bytes).toBe(200 * MIB);
  });

  test('one by its compressed size', async () => {
    const pair = await connected({ ...ON, maxPayload: 1_000 }, undefined, undefined, OFFER);
    const ended = end(pair);
    pair.client.write(masked({ opcode: BINARY, rsv: 4, form: 64, announce: BigInt(MIB) }));
    expect(await ended).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009]);
  });
});

describe('the closing handshake', () => {
  test('a peer that goes on sending and never answers is cut after closeTimeout', async () => {
    const { socket, client } = await connected({ closeTimeout: 100 });
    let heard = 0;
    socket.on('message', () => heard++);
    const closed = once(socket, 'close');
    let over = false;
    void closed.then(() => {
      over = true;
    });
    socket.close(1000);
    const noise = repeated(100, { opcode: TEXT, payload: 'noise' }, { opcode: PING });
    while (!over) {
      client.socket.write(noise);
      await turn();
    }
    expect((await closed)[0]).toBe(1006);
    // Messages may have been on their way, and are delivered (RFC 6455 7.1.2); pings find nobody to answer.
    expect(heard).toBeGreaterThan(0);
    expect((await client.frames()).map((it) => it.first)).toEqual([0x88]);
  });

  test('a peer that never reads is cut after closeTimeout', async () => {
    const { socket, client } = await connected({ closeTimeout: 100 });
    client.socket.pause();
    const told: string[] = [];
    socket.send(Buffer.alloc(64 * MIB), (error) => told.push(error?.message ?? 'sent'));
    const closed = once(socket, 'close');
    socket.close(1000);
    expect((await closed)[0]).toBe(1006);
    await turn();
    expect(told).toHaveLength(1);
    expect(told).not.toContain('sent');
  });
});

describe('half a message', () => {
  test('that dribbles in is no sign of life: idleTimeout ends it', async () => {
    const { socket, client } = await connected({ idleTimeout: 100, closeTimeout: 50 });
    const closed = once(socket, 'close');
    let over = false;
    void closed.then(() => {
      over = true;
    });
    client.write(masked({ opcode: BINARY, announce: 1_000_000n }));
    while (!over) {
      client.socket.write('x');
      await turn();
    }
    expect((await closed)[0]).toBe(1006);
    const [told] = await client.frames();
    expect([told.payload.readUInt16BE(0), String(told.payload.subarray(2))]).toEqual([
      1001,
      'idle timeout',
    ]);
  });
});

describe('what is kept', () => {
  test('of a hundred thousand small messages is what they hold, not what they came in', async () => {
    const { socket, client } = await connected();
    const count = 100_000;
    const kept: Buffer[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (kept.push(data) === count) resolve();
      });
    });
    const taken = memory();
    const message = { opcode: BINARY, payload: 'sixteen bytes...' };
    const part = repeated(1_000, message, { opcode: PING, payload: 'x' });
    // Nobody looks at the pongs.
    client.socket.removeAllListeners('data').resume();
    for (let sent = 0; sent < count; sent += 1_000) client.socket.write(part);
    await all;
    expect(kept[count - 1].toString()).toBe('sixteen bytes...');
    expect(taken()).toBeLessThan(32 * MIB);
  });
});

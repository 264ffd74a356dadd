import { once } from 'node:events';
import type { Socket } from 'node:net';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { duplexPair } from './support/duplex';
import { BINARY, CLOSE, frame, PING, TEXT } from './support/frames';
import type { Connected } from './support/stage';
import { connected, turn } from './support/stage';
import { useFakeTimeouts } from './support/timeouts';

const text = (payload: string): Buffer => frame({ opcode: TEXT, payload, key: 0x1badcafe });
const closeFrame = frame({ opcode: CLOSE, key: 1 });

const transportOf = (socket: WebSocket): Socket => socket._socket as Socket;

/** Has the client read nothing and sends more than the kernel takes. */
async function blocked(): Promise<Connected> {
  const pair = await connected();
  const { client, socket } = pair;
  client.socket.pause();
  socket.send(Buffer.alloc(64 * 1024 * 1024));
  await turn();
  expect(transportOf(socket).writableNeedDrain).toBe(true);
  return pair;
}

describe('callbacks', () => {
  /** How often each of three callbacks is called, and whether with an error. */
  function watch(socket: WebSocket): { results: string[][]; settled: Promise<void> } {
    const results: string[][] = [[], [], []];
    let count = 0;
    const settled = new Promise<void>((resolve) => {
      const callback = (index: number) => (error?: Error | null) => {
        results[index].push(error ? error.message : 'sent');
        count++;
        if (count === 3) resolve();
      };
      socket.send('a', callback(0));
      socket.ping('b', callback(1));
      socket.pong('c', undefined, callback(2));
    });
    return { results, settled };
  }

  test('in OPEN: each once, when the frames have been written', async () => {
    const { socket } = await connected();
    const { results, settled } = watch(socket);
    await settled;
    await turn();
    expect(results).toEqual([['sent'], ['sent'], ['sent']]);
  });

  test.each([
    ['CLOSING', 2, (socket: WebSocket) => socket.close()],
    ['CLOSING', 2, (socket: WebSocket) => socket.terminate()],
  ])('in %s: each once, with the state', async (name, state, end) => {
    const { socket } = await connected();
    end(socket);
    const { results, settled } = watch(socket);
    await settled;
    await turn();
    const message = `WebSocket is not open: readyState ${state} (${name})`;
    expect(results).toEqual([[message], [message], [message]]);
  });

  test('in CLOSED: each once, never before send() has returned', async () => {
    const { socket } = await connected();
    socket.terminate();
    await once(socket, 'close');
    const { results, settled } = watch(socket);
    expect(results).toEqual([[], [], []]);
    await settled;
    const message = 'WebSocket is not open: readyState 3 (CLOSED)';
    expect(results).toEqual([[message], [message], [message]]);
  });

  test.each<[string, (pair: Connected) => void]>([
    ['terminate() behind a peer that does not read', ({ socket }) => socket.terminate()],
    ['a reset behind a peer that does not read', ({ client }) => client.reset()],
    [
      'the socket’s end behind a peer that does not read',
      ({ socket }) => transportOf(socket).destroy(),
    ],
  ])('%s: each once, with an error', async (_name, end) => {
    const pair = await blocked();
    const { results, settled } = watch(pair.socket);
    end(pair);
    await settled;
    await turn();
    expect(results.map((calls) => calls.length)).toEqual([1, 1, 1]);
    expect(results.flat()).not.toContain('sent');
  });

  test('terminate(): frames that the kernel takes leave, and their callbacks say so or why not', async () => {
    const { client, socket } = await connected();
    const { results, settled } = watch(socket);
    socket.terminate();
    expect((await client.frames()).map((it) => it.payload.toString())).toEqual(['a', 'b', 'c']);
    await settled;
    expect(results.map((calls) => calls.length)).toEqual([1, 1, 1]);
  });

  test('null is as good as none', async () => {
    const { socket, client } = await connected();
    socket.send('a', undefined, null as never);
    socket.send('b', null as never, null as never);
    socket.ping('c', undefined, null as never);
    const frames = [await client.frame(), await client.frame(), await client.frame()];
    expect(frames.map((it) => it?.payload.toString())).toEqual(['a', 'b', 'c']);
  });

  test('what is no function is refused, and nothing sent', async () => {
    const { socket, client } = await connected();
    const error = new TypeError('The callback must be a function, got "x"');
    expect(() => socket.send('a', {}, 'x' as never)).toThrow(error);
    expect(() => socket.ping('a', undefined, 'x' as never)).toThrow(error);
    expect(() => socket.pong('a', undefined, 'x' as never)).toThrow(error);
    socket.terminate();
    expect(await client.frames()).toEqual([]);
  });
});

describe('bufferedAmount', () => {
  test('counts what the peer does not take, and falls to 0 when it does', async () => {
    const { socket, client } = await blocked();
    const before = socket.bufferedAmount;
    expect(before).toBeGreaterThan(0);
    socket.send(Buffer.alloc(100_000));
    expect(socket.bufferedAmount).toBe(before + 10 + 100_000);
    // Nobody looks at the bytes.
    client.socket.removeAllListeners('data').resume();
    await new Promise<void>((resolve) => socket.send('last', () => resolve()));
    expect(socket.bufferedAmount).toBe(0);
  });

  test('counts the frames of this tick, which leave together', async () => {
    const { socket } = await connected();
    const written = new Promise<void>((resolve) => socket.send('abc', () => resolve()));
    expect(socket.bufferedAmount).toBe(5);
    await written;
    expect(socket.bufferedAmount).toBe(0);
  });
});

describe('nothing but what the application gave is on the wire', () => {
  const canary = Buffer.from('CANARY-CANARY-CANARY');

  /** Leaves the canary in memory that the allocator will hand out again. */
  function soil(): void {
    for (let index = 0; index < 64; index++) {
      Buffer.allocUnsafe(1000).fill(canary);
      Buffer.allocUnsafeSlow(16_384).fill(canary);
    }
  }

  test.each<[string, unknown, string]>([
    ['a number', 1_000, Buffer.from('1000').toString('hex')],
    ['a large number', 1e21, Buffer.from('1e+21').toString('hex')],
    ['an empty string', '', ''],
    ['a list', [1, 2, 3], '010203'],
    ['a list with a hole', new Array(3), '000000'],
    ['an object with a length', { length: 4 }, '00000000'],
    ['a fresh ArrayBuffer', new ArrayBuffer(8), '0000000000000000'],
    ['a Float32Array', new Float32Array([1]), '0000803f'],
    ['a DataView of a part', new DataView(new Uint8Array([9, 8, 7, 6]).buffer, 1, 2), '0807'],
    ['a BigUint64Array', new BigUint64Array([1n]), '0100000000000000'],
  ])('send %s', async (_name, data, expected) => {
    const { socket, client } = await connected();
    soil();
    socket.send(data as string);
    expect((await client.frame())?.payload.toString('hex')).toBe(expected);
    if (Buffer.byteLength(expected, 'hex') > 125) return;
    socket.ping(data as string);
    expect((await client.frame())?.payload.toString('hex')).toBe(expected);
  });

  test.each<[string, unknown]>([
    ['a Float32Array', new Float32Array([1.5, 2.5])],
    ['a Uint16Array', new Uint16Array([1, 2])],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a number', 100],
    ['a list', [1, 2]],
  ])('close with %s as reason', async (_name, reason) => {
    const { socket, client } = await connected();
    soil();
    expect(() => socket.close(1000, reason as string)).toThrow(
      new TypeError('Second argument must be a string or a Uint8Array'),
    );
    socket.close(1000, 'fine');
    expect((await client.frame())?.payload.toString('latin1')).toBe('\u0003\u00e8fine');
  });

  test('many frames of many sizes hold just their bytes', async () => {
    const { socket, client } = await connected();
    soil();
    const sizes = [0, 1, 125, 126, 1_000, 16_383, 16_384, 16_385, 65_535, 65_536, 200_000];
    for (const size of sizes) socket.send(Buffer.alloc(size, size));
    socket.terminate();
    const frames = await client.frames();
    expect(frames.map((it) => it.payload.length)).toEqual(sizes);
    for (const { payload } of frames) {
      expect(payload.equals(Buffer.alloc(payload.length, payload.length))).toBe(true);
    }
  });
});

describe('what a message keeps alive', () => {
  test('small messages, pings and reasons are copies that leave the chunk behind', async () => {
    const { socket, client } = await connected();
    const kept: Buffer[] = [];
    socket.on('message', (data: Buffer) => kept.push(data));
    socket.on('ping', (data: Buffer) => kept.push(data));
    socket.on('pong', (data: Buffer) => kept.push(data));
    socket.on('close', (_code: number, reason: Buffer) => kept.push(reason));
    client.write(
      ...Array.from({ length: 1_000 }, (_it, index) => text(`message ${index}`)),
      frame({ opcode: BINARY, payload: 'binary', key: 5 }),
      frame({ opcode: PING, payload: 'ping', key: 5 }),
      frame({ opcode: 10, payload: 'pong', key: 5 }),
      frame({ opcode: CLOSE, payload: Buffer.from('\u0003\u00e8why', 'latin1'), key: 5 }),
    );
    client.end();
    await once(socket, 'close');
    expect(kept).toHaveLength(1_004);
    // Node's own pool is the largest thing that one of them may share.
    for (const { buffer } of kept) expect(buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    expect(kept[999].toString()).toBe('message 999');
  });

  test('an ArrayBuffer is as long as its message', async () => {
    const { socket, client } = await connected();
    socket.binaryType = 'arraybuffer';
    const lengths: number[] = [];
    socket.on('message', (data: ArrayBuffer) => lengths.push(data.byteLength));
    const sizes = [0, 1, 1_000, 70_000];
    for (const size of sizes) {
      client.write(frame({ opcode: BINARY, payload: Buffer.alloc(size), key: 5 }));
    }
    client.write(closeFrame);
    client.end();
    await once(socket, 'close');
    expect(lengths).toEqual(sizes);
  });
});

describe('pause() and resume()', () => {
  test('pause() in a listener holds the rest of the chunk, its pongs included', async () => {
    const { socket, client } = await connected();
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => {
      heard.push(String(data));
      if (heard.length === 1) socket.pause();
    });
    const first = once(socket, 'message');
    client.write(text('a'), frame({ opcode: PING, payload: 'p', key: 1 }), text('b'), closeFrame);
    await first;
    await turn();
    expect([heard, socket.isPaused, socket.readyState]).toEqual([['a'], true, WebSocket.OPEN]);
    socket.resume();
    expect(heard).toEqual(['a']);
    client.end();
    await once(socket, 'close');
    expect(heard).toEqual(['a', 'b']);
    expect((await client.frames()).map((it) => it.first)).toEqual([0x8a, 0x88]);
  });

  test('a listener may pause and resume at each message', async () => {
    const { socket, client } = await connected();
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => {
      heard.push(String(data));
      socket.pause();
      socket.resume();
    });
    client.write(text('a'), text('b'), text('c'), closeFrame);
    client.end();
    await once(socket, 'close');
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  test('resume() and pause() in one tick: nothing is delivered', async () => {
    const { socket, client } = await connected();
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(String(data)));
    socket.pause();
    client.write(text('a'));
    while (transportOf(socket).readableLength === 0) await turn();
    socket.resume();
    socket.pause();
    await turn();
    expect(heard).toEqual([]);
    const message = once(socket, 'message');
    socket.resume();
    await message;
    expect(heard).toEqual(['a']);
  });

  test('what the peer sent before it went is delivered before close, paused or not', async () => {
    const { socket, client } = await connected();
    const events: unknown[] = [];
    socket.on('message', (data: Buffer) => events.push([String(data), socket.readyState]));
    socket.on('close', (code: number) => events.push([code, socket.readyState]));
    socket.pause();
    client.write(text('a'), text('b'));
    while (transportOf(socket).readableLength < 14) await turn();
    client.reset();
    // A paused socket learns of a reset when it writes.
    const closed = once(socket, 'close');
    while (socket.readyState === WebSocket.OPEN) {
      socket.send('are you there?');
      await turn();
    }
    await closed;
    expect(events).toEqual([
      ['a', WebSocket.CLOSING],
      ['b', WebSocket.CLOSING],
      [1006, WebSocket.CLOSED],
    ]);
  });

  test('the closing handshake waits for a paused socket no longer than closeTimeout', async () => {
    const { socket, client } = await connected({ closeTimeout: 20 });
    socket.pause();
    socket.close(1000);
    expect((await client.frame())?.payload.toString('hex')).toBe('03e8');
    client.write(closeFrame);
    const [code] = await once(socket, 'close');
    expect(code).toBe(1005);
  });
});

describe('setSocket()', () => {
  test('takes any duplex stream, and what was read before', async () => {
    const [ours, theirs] = duplexPair();
    const socket = new WebSocket(null);
    socket.setSocket(ours, text('head'), { protocol: 'chat' });
    expect([socket.protocol, socket.readyState, socket._socket]).toEqual(['chat', 1, ours]);
    const [data] = await once(socket, 'message');
    expect(String(data)).toBe('head');
    socket.send('out');
    const [bytes] = await once(theirs, 'data');
    expect(bytes.toString('hex')).toBe('81036f7574');
    const closed = once(socket, 'close');
    theirs.destroy();
    await closed;
  });

  test('comes once', () => {
    const [ours] = duplexPair();
    const socket = new WebSocket(null);
    socket.setSocket(ours, Buffer.alloc(0));
    expect(() => socket.setSocket(ours, Buffer.alloc(0))).toThrow(
      new Error('The WebSocket has a socket already'),
    );
    socket.terminate();
  });

  test('with limits of its own, which win over the constructor’s', async () => {
    const [ours, theirs] = duplexPair();
    const socket = new WebSocket(null, undefined, { maxPayload: 100, autoPong: false });
    socket.setSocket(ours, Buffer.alloc(0), { maxPayload: 3, closeTimeout: undefined });
    const fault = once(socket, 'error');
    theirs.write(frame({ opcode: PING, key: 1 }));
    theirs.write(text('long'));
    const [error] = await fault;
    expect(error.message).toBe('Max payload size exceeded');
    const [bytes] = await once(theirs, 'data');
    expect(bytes.toString('hex')).toBe('880203f1');
    const closed = once(socket, 'close');
    theirs.destroy();
    await closed;
  });

  test('with a wrong limit it throws and stays CONNECTING', () => {
    const [ours] = duplexPair();
    const socket = new WebSocket(null);
    expect(() => socket.setSocket(ours, Buffer.alloc(0), { maxPayload: -1 })).toThrow(RangeError);
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
  });

  test('with a socket that is gone already: close 1006', async () => {
    const [ours] = duplexPair();
    ours.destroy();
    await once(ours, 'close');
    const socket = new WebSocket(null);
    socket.setSocket(ours, Buffer.alloc(0));
    expect(await once(socket, 'close')).toEqual([1006, Buffer.alloc(0)]);
  });
});

describe('what is left when a connection is over', () => {
  beforeEach(useFakeTimeouts);
  afterEach(() => jest.useRealTimers());

  test.each<[string, (pair: Connected) => void]>([
    ['we close', ({ socket }) => socket.close(1000)],
    ['the peer closes', ({ client }) => client.write(closeFrame)],
    ['we terminate', ({ socket }) => socket.terminate()],
    ['the peer resets', ({ client }) => client.reset()],
    ['the peer breaks the protocol', ({ client }) => client.write(frame({ opcode: 3, key: 1 }))],
  ])('no timer and no listener: %s', async (_name, end) => {
    const timers = jest.getTimerCount();
    const pair = await connected();
    const transport = transportOf(pair.socket);
    const closed = new Promise((resolve) => pair.socket.on('close', resolve));
    end(pair);
    const { client } = pair;
    await client.frame();
    client.write(closeFrame);
    client.end();
    await closed;
    expect(jest.getTimerCount()).toBe(timers);
    const ours = ['data', 'end', 'drain', 'close'].map((name) =>
      transport.listeners(name).filter((it) => it.toString().includes('bindingOf')),
    );
    expect(ours).toEqual([[], [], [], []]);
  });
});

describe('the process', () => {
  /** A server and a client that sends `frames`; `prepare` is the server's connection listener. */
  const program = (prepare: string, frames: string): string => `
    const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
      const client = await raw.RawClient.open(server.address().port);
      client.write(${frames});
      for (const frame of await client.frames()) console.log('wire', frame.payload.toString('hex'));
      client.end();
    });
    server.on('connection', (socket) => {
      socket.on('close', (code) => {
        console.log('close', code);
        server.close();
      });
      ${prepare}
    });
  `;
  const say = `(payload) => frames.frame({ opcode: 1, payload, key: 1 })`;

  test('lives when a bad frame comes and nobody listens to errors', async () => {
    const { exit, stdout } = await runChild(program('', 'frames.frame({ opcode: 3, key: 1 })'));
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'wire 03ea\nclose 1006\n' });
  });

  test('lives through every fault of a peer', async () => {
    const faults = `[
      { opcode: 1, rsv: 4 }, { opcode: 1, rsv: 2 }, { opcode: 11 }, { opcode: 0 }, { opcode: 9, fin: false },
      { opcode: 9, payload: 'x'.repeat(126) }, { opcode: 8, payload: 'x' }, { opcode: 1, payload: '\\xff', raw: true },
      { opcode: 2, form: 64, announce: 1n << 62n }, { opcode: 2, form: 16 }, { opcode: 1, key: undefined },
      { opcode: 8, payload: Buffer.from([0, 0]) }, { opcode: 8, payload: Buffer.from([3, 232, 255]) },
      { opcode: 1, payload: Buffer.from([255]) }, { opcode: 2, announce: 1n << 40n, form: 64 },
    ]`;
    const { exit, stdout } = await runChild(`
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
        const codes = [];
        for (const fault of ${faults}) {
          const client = await raw.RawClient.open(server.address().port);
          client.write(frames.frame({ key: 1, ...fault }));
          client.end();
          codes.push((await client.frames()).map((it) => it.payload.toString('hex')).join());
        }
        console.log(codes.join(' '));
        server.close();
      });
    `);
    expect(exit).toBe(0);
    expect(stdout).toBe('03ea 03ea 03ea 03ea 03ea 03ea 03ea  03f1 03ea 03ea 03ea 03ef 03ef 03f1\n');
  });

  test('is told of a listener that throws, as by any emitter; the next messages come', async () => {
    const { exit, stdout } = await runChild(
      `process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      const say = ${say};
      ${program(
        `socket.on('message', (data) => {
          console.log('message', data.toString());
          throw new Error('failed at ' + data);
        });`,
        `say('a'), say('b'), frames.frame({ opcode: 8, key: 1 })`,
      )}`,
    );
    expect(exit).toBe(0);
    expect(stdout.split('\n').sort()).toEqual(
      [
        '',
        'close 1005',
        'message a',
        'message b',
        'uncaught failed at a',
        'uncaught failed at b',
        'wire ',
      ].sort(),
    );
  });

  test('ends by a listener that throws when nobody handles that', async () => {
    const { exit, stderr } = await runChild(
      `const say = ${say};
      ${program(`socket.on('message', () => { throw new Error('not handled'); });`, `say('a')`)}`,
    );
    expect(exit).toBe(1);
    expect(stderr).toContain('Error: not handled');
  });

  test('is told of a listener that rejects, as by any emitter', async () => {
    const { exit, stdout } = await runChild(
      `process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      const say = ${say};
      ${program(
        `socket.on('message', async () => { throw new Error('rejected'); });`,
        `say('a'), frames.frame({ opcode: 8, key: 1 })`,
      )}`,
    );
    expect(exit).toBe(0);
    expect(stdout).toContain('unhandled rejected\n');
  });

  test('is told of a callback that throws, and the other callbacks are called', async () => {
    const { exit, stdout } = await runChild(
      `process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      ${program(
        `socket.send('a', () => { throw new Error('callback'); });
        socket.send('b', () => socket.close());`,
        `frames.frame({ opcode: 8, key: 1 })`,
      )}`,
    );
    expect(exit).toBe(0);
    expect(stdout).toContain('uncaught callback\n');
    expect(stdout).toContain('wire 61\nwire 62\n');
  });

  test('is not kept alive by the time-out of a closing handshake', async () => {
    const { exit, stdout } = await runChild(`
      const server = new upwire.WebSocketServer({ port: 0, host: '127.0.0.1' }, async () => {
        const client = await raw.RawClient.open(server.address().port);
        client.socket.unref();
      });
      server.on('connection', (socket) => {
        socket.close(1000);
        socket._socket.unref();
        server._server.unref();
        console.log('closing', socket.readyState);
      });
    `);
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'closing 2\n' });
  });
});

import type { WebSocket } from 'ws';
import { frame, PING, TEXT } from '../support/frames';
import type { Options } from '../support/libraries';
import type { Differences, Scenario, Scenarios } from './transcript';
import { outcome, scene, wire, wireToClose } from './transcript';

/** Calls that send, then the wire; callbacks and everything thrown are noted. */
export function sent(
  use: (socket: WebSocket, note: (...entry: unknown[]) => void) => void,
  options: Options = {},
  headers?: Record<string, string>,
): Scenario {
  return scene(
    async ({ socket, client, events }) => {
      // Node tells success by `null` or by nothing, and so does `ws`.
      use(socket, (...entry) => events.note(...entry.map((it) => it ?? null)));
      socket.close();
      const frames = await wireToClose(client);
      client.end();
      await events.closed;
      return { frames, events: events.entries };
    },
    options,
    headers,
  );
}

/** Sends one value; what is thrown is part of the outcome. */
const sentValue = (value: unknown): Scenario =>
  sent((socket, note) => {
    note(
      outcome(() => {
        socket.send(value as string);
      }),
    );
  });

const memory = new ArrayBuffer(16);
Buffer.from(memory).set(Buffer.from('0123456789abcdef'));
const sharedMemory = new SharedArrayBuffer(4);
Buffer.from(sharedMemory).set(Buffer.from('wxyz'));

const VALUES: Record<string, unknown> = {
  'a string': 'grüße',
  'an empty string': '',
  'a lone surrogate': 'a\ud800b',
  'a string of 126 bytes': 'x'.repeat(126),
  'a string of 65536 bytes': 'y'.repeat(65_536),
  'a number': 42,
  zero: 0,
  'a fraction': -1.5,
  NaN: Number.NaN,
  undefined: undefined,
  null: null,
  false: false,
  true: true,
  'a BigInt': 1n,
  'a symbol': Symbol('s'),
  'a function': () => 'x',
  'a Buffer': Buffer.from('abc'),
  'an empty Buffer': Buffer.alloc(0),
  'a Buffer of 20000 bytes': Buffer.alloc(20_000, 7),
  'an ArrayBuffer': memory,
  'an empty ArrayBuffer': new ArrayBuffer(0),
  'a SharedArrayBuffer': sharedMemory,
  'a view of a SharedArrayBuffer': new Uint8Array(sharedMemory, 1, 2),
  'an Int8Array': new Int8Array(memory, 3, 4),
  'a Uint8Array': new Uint8Array(memory, 3, 4),
  'a Uint8ClampedArray': new Uint8ClampedArray(memory, 3, 4),
  'an Int16Array': new Int16Array(memory, 2, 3),
  'a Uint16Array': new Uint16Array(memory, 2, 3),
  'an Int32Array': new Int32Array(memory, 4, 2),
  'a Uint32Array': new Uint32Array(memory, 4, 2),
  'a Float32Array': new Float32Array(memory, 4, 2),
  'a Float64Array': new Float64Array(memory, 8, 1),
  'a BigInt64Array': new BigInt64Array(memory, 8, 1),
  'a BigUint64Array': new BigUint64Array(memory, 8, 1),
  'a DataView': new DataView(memory, 5, 6),
  'a list of numbers': [1, 2, 256, -1],
  'an empty list': [],
  'an object with a length': { length: 2, 0: 65, 1: 66 },
  'an object without bytes': {},
  'an object of a Buffer as JSON': { type: 'Buffer', data: [1, 2, 3] },
  'an object whose valueOf is a string': { valueOf: () => 'text' },
  'an object whose valueOf is an ArrayBuffer': { valueOf: () => memory },
  'an object whose valueOf is a number': { valueOf: () => 5 },
  'a String object': new String('boxed'),
  'a Number object': new Number(5),
  'a Date': new Date(0),
};

export const sendings: Scenarios = {
  ...Object.fromEntries(
    Object.entries(VALUES).map(([name, value]) => [`send ${name}`, sentValue(value)]),
  ),
  'send a string as binary': sent((socket) => socket.send('abc', { binary: true })),
  'send bytes as text': sent((socket) => socket.send(Buffer.from('abc'), { binary: false })),
  'send a number as binary': sent((socket) => socket.send(12, { binary: true })),
  'send nothing as text': sent((socket) => socket.send(undefined as never, { binary: false })),
  'options that a server has no use for': sent((socket) =>
    socket.send('abc', { compress: true, mask: false }),
  ),
  'options that are null, or no booleans': sent((socket, note) => {
    socket.send('a', null as never);
    socket.send('b', null as never, (error) => note('told', error));
    socket.send('c', { binary: 1, fin: 1, compress: 0 } as never);
  }),
  'send bytes that are no UTF-8 as text': sent((socket) =>
    socket.send(Buffer.from([0xff, 0xfe]), { binary: false }),
  ),
  'send a File': sent((socket) => socket.send(new File(['abc'], 'a.txt') as never)),
  'send a Blob as text': sent((socket) =>
    socket.send(new Blob(['abc']) as never, { binary: false }),
  ),
  'a Blob that cannot be read': scene(async ({ socket, client, events }) => {
    const blob = new Blob(['abc']);
    blob.arrayBuffer = () => Promise.reject(new Error('It has gone'));
    const told = new Promise<unknown>((resolve) => socket.send(blob as never, resolve));
    events.note(await told);
    client.end();
    await events.closed;
    return events.entries;
  }),
  'send in fragments': sent((socket) => {
    socket.send('a', { fin: false });
    socket.send('b', { fin: false });
    socket.ping('p');
    socket.send(Buffer.from('c'), { fin: true });
    socket.send('d');
  }),
  'send binary in fragments': sent((socket) => {
    socket.send(Buffer.from('a'), { fin: false });
    socket.send('', { fin: true });
  }),
  'callbacks of send': sent((socket, note) => {
    socket.send('a', (error) => note('first', error));
    socket.send('b', {}, (error) => note('second', error));
    socket.send('c', { fin: true }, (error) => note('third', error));
  }),
  'every form of ping and pong': sent((socket, note) => {
    for (const kind of ['ping', 'pong'] as const) {
      socket[kind]();
      socket[kind]('text');
      socket[kind](7);
      socket[kind](0);
      socket[kind]('');
      socket[kind](Buffer.from('bytes'));
      socket[kind](new Uint16Array([258]));
      socket[kind]('masked?', false);
      socket[kind]('x'.repeat(125));
      socket[kind](((error?: Error) => note(kind, 1, error)) as never);
      socket[kind]('b', ((error?: Error) => note(kind, 2, error)) as never);
      socket[kind]('c', undefined, (error) => note(kind, 3, error));
    }
  }),
  'a ping that is too long': sent((socket, note) => {
    note(outcome(() => socket.ping('x'.repeat(126))));
    note(outcome(() => socket.ping('ü'.repeat(63))));
    note(outcome(() => socket.pong(Buffer.alloc(126))));
  }),
  'a ping of no bytes': sent((socket, note) => note(outcome(() => socket.ping({} as never)))),
  'send, ping and pong when it is too late': sent((socket, note) => {
    socket.close();
    for (const data of ['a', Buffer.from('bc'), 1, undefined, new Float64Array(2)]) {
      note(outcome(() => void socket.send(data as string, (error) => note('send', error))));
      note(outcome(() => socket.ping(data, undefined, (error) => note('ping', error))));
      note(outcome(() => socket.pong(data, undefined, (error) => note('pong', error))));
    }
    note(outcome(() => void socket.send('without a callback')));
    note(outcome(() => socket.ping('x'.repeat(126), undefined, (error) => note('long', error))));
    note(outcome(() => socket.send({} as never)));
    socket.on('close', () => {
      socket.send('late', (error) => note('closed', error));
    });
  }),
  'bufferedAmount of what comes too late': scene(async ({ socket, client, events }) => {
    client.write(frame({ opcode: 8, key: 1 }));
    client.end();
    await events.closed;
    const amounts = [socket.bufferedAmount];
    for (const data of ['abc', 'ü', Buffer.alloc(10), 12345, new Float32Array(2), null]) {
      socket.send(data as string);
      amounts.push(socket.bufferedAmount);
    }
    socket.ping('abc');
    socket.pong('abc');
    amounts.push(socket.bufferedAmount);
    return amounts;
  }),
  'before there is a connection': async ({ WebSocketServer }) => {
    let socket: WebSocket | undefined;
    const server = new WebSocketServer({ noServer: true });
    const { WebSocket: Class } = server.options as unknown as {
      WebSocket: new (a: null, b: undefined, options: object) => WebSocket;
    };
    socket = new Class(null, undefined, {});
    const calls = [
      () => socket.send('a'),
      () => socket.send({} as never),
      () => socket.ping(),
      () => socket.pong(),
      () => socket.pause(),
      () => socket.resume(),
      () => [socket.readyState, socket.isPaused, socket.protocol],
      () => [socket.extensions, socket.url, socket.binaryType],
    ];
    return calls.map(outcome);
  },
  'pongs come before the ping is told': scene(async ({ socket, client, events }) => {
    socket.on('ping', () => socket.send('after'));
    client.write(frame({ opcode: PING, payload: 'p', key: 5 }), frame({ opcode: 8, key: 1 }));
    const frames = await wire(client);
    client.end();
    await events.closed;
    return { frames, events: events.entries };
  }),
  'autoPong off': scene(
    async ({ socket, client, events }) => {
      socket.on('ping', (data) => socket.pong(Buffer.concat([data, Buffer.from('!')])));
      client.write(frame({ opcode: PING, payload: 'p', key: 5 }), frame({ opcode: 8, key: 1 }));
      const frames = await wire(client);
      client.end();
      await events.closed;
      return { frames, events: events.entries };
    },
    { autoPong: false },
  ),
  'a callback when the connection breaks': scene(async ({ socket, client, events }) => {
    const told = new Promise<unknown>((resolve) => {
      socket.send(Buffer.alloc(64 * 1024 * 1024), (error) => resolve(error instanceof Error));
    });
    client.reset();
    await events.closed;
    return [await told, events.entries.length];
  }),
  'echoing a message': scene(async ({ socket, client, events }) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    client.write(
      frame({ opcode: TEXT, payload: 'hé', key: 0x01020304 }),
      frame({ opcode: 2, payload: 'bin', key: 0xfffefdfc }),
      frame({ opcode: 8, key: 1 }),
    );
    const frames = await wire(client);
    client.end();
    await events.closed;
    return { frames, events: events.entries };
  }),
};

export const sendingDifferences: Differences = {
  'send() tells whether to go on': {
    run: sent((socket, note) => note(socket.send('a'))),
    ws: { frames: ['81 61', '88 '], events: [[null], ['close', 3, 1005, 'Buffer ']] },
    upwire: { frames: ['81 61', '88 '], events: [[true], ['close', 3, 1005, 'Buffer ']] },
  },
  'whether a frame is masked is not a choice (RFC 6455 5.1)': {
    run: scene(async ({ socket, client }) => {
      socket.send('a', { mask: true });
      socket.ping('b', true);
      return [(await client.frame())?.masked, (await client.frame())?.masked];
    }),
    ws: [true, true],
    upwire: [false, false],
  },
  'bufferedAmount counts what was sent in this tick': {
    run: scene(async ({ socket }) => {
      const written = new Promise((resolve) => socket.send('abc', resolve));
      const now = socket.bufferedAmount;
      await written;
      return [now, socket.bufferedAmount];
    }),
    ws: [0, 0],
    upwire: [5, 0],
  },
  'options that are undefined mean their defaults': {
    run: sent((socket) => socket.send('a', { binary: undefined, fin: undefined })),
    ws: { frames: ['01 61', '88 '], events: [['close', 3, 1005, 'Buffer ']] },
    upwire: { frames: ['81 61', '88 '], events: [['close', 3, 1005, 'Buffer ']] },
  },
  'a list of buffers, as binaryType fragments delivers it, is their bytes': {
    run: sentValue([Buffer.from('ab'), Buffer.from('c')]),
    ws: {
      frames: ['82 0000', '88 '],
      events: [[['returned', undefined]], ['close', 3, 1005, 'Buffer ']],
    },
    upwire: {
      frames: ['82 616263', '88 '],
      events: [[['returned', undefined]], ['close', 3, 1005, 'Buffer ']],
    },
  },
};

import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { CLOSE, frame, PING, TEXT } from '../support/frames';
import type { Library } from '../support/libraries';
import { dispose, listen, portOf } from '../support/libraries';
import { RawClient, request } from '../support/raw-client';
import type { Difference, Differences, Scenario, Scenarios } from './transcript';
import { closeFrame, outcome, scene, show, showFrame, wire } from './transcript';

const text = (payload: string): Buffer => frame({ opcode: TEXT, payload, key: 9 });

/** A turn of the event loop in which what was sent can arrive. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until a paused socket holds `bytes` that nobody has read. */
async function unread(socket: WebSocket, bytes: number): Promise<Socket> {
  const { _socket: transport } = socket as unknown as { _socket: Socket };
  for (let turns = 0; transport.readableLength < bytes; turns++) {
    if (turns > 100_000) throw new Error(`Only ${transport.readableLength} bytes have come`);
    await turn();
  }
  return transport;
}

/** A server that closes: what is on the wire and what it tells, with a client that answers the close frame. */
function closed(close: (socket: WebSocket) => void): Scenario {
  return scene(async ({ socket, client, events }) => {
    events.note(outcome(() => close(socket)));
    events.note(socket.readyState);
    if (socket.readyState === 1) socket.close();
    const first = await client.frame();
    client.write(closeFrame);
    const rest = await wire(client);
    client.end();
    await events.closed;
    return { first: first && showFrame(first), rest, events: events.entries };
  });
}

const CLOSE_ARGUMENTS: Record<string, unknown[]> = {
  'no arguments': [],
  'a code': [1000],
  'a code and a reason': [4000, 'grüße'],
  'a code and an empty reason': [1001, ''],
  'a code and bytes': [3000, Buffer.from('bytes')],
  'a code and a Uint8Array': [3000, new Uint8Array([104, 105])],
  'a code and no bytes': [3000, new Uint8Array(0)],
  'a reason of 123 bytes': [1000, 'x'.repeat(123)],
  'a reason of 124 bytes': [1000, 'x'.repeat(124)],
  'a reason of 124 bytes in fewer characters': [1000, 'ü'.repeat(62)],
  'a reason and no code': [undefined, 'dropped'],
  'a code in a string': ['1000'],
  'a code that is no number': [Number.NaN],
  'the code null': [null],
  'the code 999': [999],
  'the code 1004': [1004],
  'the code 1005': [1005],
  'the code 1006': [1006],
  'the code 1015': [1015],
  'the code 2999': [2999],
  'the code 5000': [5000],
  'a reason that is a Float32Array': [1000, new Float32Array(2)],
};

export const closings: Scenarios = {
  ...Object.fromEntries(
    Object.entries(CLOSE_ARGUMENTS).map(([name, args]) => [
      `close with ${name}`,
      closed((socket) => socket.close(...(args as [number]))),
    ]),
  ),
  'close twice': closed((socket) => {
    socket.close(1000);
    socket.close(1001, 'again');
  }),
  'close with a wrong code when it is too late': closed((socket) => {
    socket.close();
    socket.close(9999, 7 as never);
  }),
  'the peer closes, and what each method does afterwards': scene(
    async ({ socket, client, events }) => {
      client.write(frame({ opcode: CLOSE, payload: Buffer.from([0x0f, 0xa0, 0x62]), key: 4 }));
      const frames = await wire(client);
      client.end();
      await events.closed;
      for (const call of [
        () => socket.close(9999),
        () => socket.terminate(),
        () => socket.pause(),
        () => socket.resume(),
      ]) {
        events.note(outcome(call), socket.readyState, socket.isPaused);
      }
      await turn();
      return { frames, events: events.entries };
    },
  ),
  terminate: scene(async ({ socket, client, events }) => {
    socket.terminate();
    events.note(socket.readyState);
    socket.terminate();
    const frames = await wire(client);
    await events.closed;
    return { frames, events: events.entries };
  }),
  'what was sent before terminate': scene(async ({ socket, client, events }) => {
    socket.send('last words', (error) => events.note(error));
    socket.terminate();
    const frames = await wire(client);
    await events.closed;
    return {
      frames,
      closes: events.entries.filter((entry) => Array.isArray(entry) && entry[0] === 'close'),
    };
  }),
  'terminate in a message listener': scene(async ({ socket, client, events }) => {
    socket.once('message', () => socket.terminate());
    client.write(text('a'), text('b'), frame({ opcode: PING, key: 1 }), text('c'));
    const frames = await wire(client);
    await events.closed;
    return { frames, events: events.entries };
  }),
  'terminate after close': closed((socket) => {
    socket.close(1000);
    setImmediate(() => socket.terminate());
  }),
  'messages that come after close': scene(async ({ socket, client, events }) => {
    socket.close(1000);
    await client.frame();
    client.write(text('late'), frame({ opcode: PING, payload: 'p', key: 3 }), closeFrame);
    const frames = await wire(client);
    client.end();
    await events.closed;
    return { frames, events: events.entries };
  }),
  'a peer that never answers the close frame': scene(
    async ({ socket, client, events }) => {
      socket.close(1000, 'bye');
      const frames = await wire(client);
      await events.closed;
      return { frames, events: events.entries };
    },
    { closeTimeout: 50 },
  ),
  'a peer that ends without a close frame': scene(async ({ client, events }) => {
    client.write(text('a'));
    client.end();
    const frames = await wire(client);
    await events.closed;
    return { frames, events: events.entries };
  }),
  'a peer that ends in the middle of a frame': scene(async ({ client, events }) => {
    client.write(text('whole'), text('a half').subarray(0, 8));
    client.end();
    const frames = await wire(client);
    await events.closed;
    return { frames, events: events.entries };
  }),
  'a reset': scene(async ({ client, events }) => {
    client.reset();
    await events.closed;
    return events.entries;
  }),
  'a bad frame with nobody to hear of it is an error for those who listen': scene(
    async ({ socket, client, events }) => {
      client.write(frame({ opcode: 7, key: 1 }));
      const frames = await wire(client);
      client.end();
      await events.closed;
      return { frames, events: events.entries, state: socket.readyState };
    },
  ),
  'pause and resume': scene(async ({ socket, client, events }) => {
    socket.pause();
    events.note(socket.isPaused);
    client.write(text('a'), text('b'), closeFrame);
    await unread(socket, 20);
    socket.resume();
    events.note(socket.isPaused);
    const frames = await wire(client);
    client.end();
    await events.closed;
    return { frames, events: events.entries };
  }),
  'resume, then a listener': scene(async ({ socket, client, events }) => {
    socket.pause();
    client.write(text('a'), closeFrame);
    await unread(socket, 13);
    socket.removeAllListeners('message');
    socket.resume();
    socket.on('message', (data) => events.note('late', data));
    await wire(client);
    client.end();
    await events.closed;
    return events.entries;
  }),
  'destroyed while paused with messages unread': scene(async ({ socket, client, events }) => {
    socket.pause();
    client.write(text('a'), text('b'));
    (await unread(socket, 14)).destroy();
    await events.closed;
    return events.entries;
  }),
  'terminated while paused with messages unread': scene(async ({ socket, client, events }) => {
    socket.pause();
    client.write(text('a'), text('b'));
    await unread(socket, 14);
    socket.terminate();
    await events.closed;
    return events.entries;
  }),
};

/** The server's close() while clients are connected. */
function serverClosed(
  use: (library: Library, note: (...entry: unknown[]) => void) => Promise<void>,
): Scenario {
  return async (library) => {
    const entries: unknown[] = [];
    await use(library, (...entry) => entries.push(entry.map(show)));
    return entries;
  };
}

export const serverClosings: Scenarios = {
  'port: close waits for the connections': serverClosed(async (library, note) => {
    const server = await listen(library);
    server.on('close', () => note('close event'));
    const connection = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const client = await RawClient.open(portOf(server));
    const socket = await connection;
    const closed = new Promise<void>((resolve) => {
      server.close((error) => {
        note('first', error);
        resolve();
      });
    });
    server.close((error) => note('second', error));
    note(server.address(), server.clients.size, socket.readyState);
    socket.close(1000);
    await client.frame();
    client.write(closeFrame);
    client.end();
    await closed;
    note(server.clients.size);
    await new Promise<void>((resolve) => {
      server.close((error) => {
        note('third', error);
        resolve();
      });
    });
  }),
  'noServer: close without clients': serverClosed(async ({ WebSocketServer }, note) => {
    const server = new WebSocketServer({ noServer: true });
    note(outcome(() => server.address()));
    await new Promise<void>((resolve) => {
      server.close((error) => {
        note('closed', error);
        resolve();
      });
      note('not yet');
    });
  }),
  'upgrades of a server that is closed': serverClosed(async (library, note) => {
    const server = new library.WebSocketServer({ noServer: true });
    const other = await listen(library);
    // The other one's HTTP server brings the request.
    const { _server: http } = other as unknown as { _server: import('node:http').Server };
    http.removeAllListeners('upgrade');
    http.on('upgrade', (incoming, socket, head) => {
      server.close();
      server.handleUpgrade(incoming, socket, head, () => note('called back'));
    });
    const client = await RawClient.connect(portOf(other));
    client.write(request());
    note((await client.rest()).toString());
    await dispose({ server: other, client });
  }),
};

/** Arguments that `ws` takes for something else without a word. */
const refusedArgument = (args: unknown[], error: string): Difference => ({
  run: closed((socket) => socket.close(...(args as [number]))),
  ws: {
    first: '88 03e8',
    rest: [],
    events: [[['returned', undefined]], [2], ['close', 3, 1005, 'Buffer ']],
  },
  upwire: {
    first: '88 ',
    rest: [],
    events: [[['threw', error]], [1], ['close', 3, 1005, 'Buffer ']],
  },
});

const NO_CODE = 'TypeError: First argument must be a valid error code number';
const NO_REASON = 'TypeError: Second argument must be a string or a Uint8Array';

export const closingDifferences: Differences = {
  'a code that is no integer is refused': refusedArgument([1000.5], NO_CODE),
  'a reason that is a number is refused': refusedArgument([1000, 5], NO_REASON),
  'a reason that is an ArrayBuffer is refused': refusedArgument(
    [1000, new ArrayBuffer(2)],
    NO_REASON,
  ),
  'a reason that is a DataView is refused': refusedArgument(
    [1000, new DataView(new ArrayBuffer(2))],
    NO_REASON,
  ),
};

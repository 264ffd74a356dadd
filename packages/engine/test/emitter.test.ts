import { once } from 'node:events';
import type { Socket } from 'node:net';
import { INBOX_BYTES } from '../src/inbox';
import type { WebSocketHooks } from '../src/options';
import { WebSocket } from '../src/websocket';
import type { FrameSpec } from './support/frames';
import { BINARY, CLOSE, frame, PING, PONG, TEXT } from './support/frames';
import { until } from './support/sockets';
import type { Connected } from './support/stage';
import { connected, turn } from './support/stage';
import { useFakeTimeouts } from './support/timeouts';

const masked = (spec: FrameSpec): Buffer => frame({ key: 0x5eed5eed, ...spec });
const text = (payload: string): Buffer => masked({ opcode: TEXT, payload });
const closeFrame = masked({ opcode: CLOSE, payload: Buffer.from([0x03, 0xe8]) });

/** Notes every event that comes from now on. */
function listen(socket: WebSocket, events: unknown[] = []): unknown[] {
  socket.on('message', (data, isBinary) => events.push(isBinary ? data : String(data)));
  socket.on('ping', (data) => events.push(`ping ${data}`));
  socket.on('pong', (data) => events.push(`pong ${data}`));
  socket.on('error', (error) => events.push(Reflect.get(error, 'code')));
  socket.on('close', (code) => events.push(code));
  return events;
}

const holding = (
  prepare?: (socket: WebSocket) => void,
  hooks: WebSocketHooks = {},
): Promise<Connected> => connected({ holdMessages: true }, prepare, { hooks });

/** Waits until the server has read so many bytes behind the handshake, and dealt with them. */
async function read({ socket, client }: Connected, ...frames: Buffer[]): Promise<void> {
  const transport = socket._socket as Socket;
  const bytes = Buffer.concat(frames);
  const goal = transport.bytesRead + bytes.length;
  client.write(bytes);
  await until(() => transport.bytesRead >= goal);
  await turn();
}

describe('text', () => {
  test('is a Buffer, as in ws', async () => {
    const { socket, client } = await connected();
    client.write(text('grüße'));
    expect(await once(socket, 'message')).toEqual([Buffer.from('grüße'), false]);
  });

  test('is a string where the owner wants that; binary stays a Buffer', async () => {
    const { socket, client } = await connected({}, undefined, { textAsString: true });
    client.write(text('grüße'));
    expect(await once(socket, 'message')).toEqual(['grüße', false]);
    client.write(masked({ opcode: BINARY, payload: 'b' }));
    expect(await once(socket, 'message')).toEqual([Buffer.from('b'), true]);
    const heard = new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data);
    });
    client.write(text('ü'));
    expect(await heard).toBe('ü');
  });
});

describe('messages without a listener', () => {
  test('are gone, as in ws', async () => {
    const { socket, client } = await connected();
    client.write(text('a'), masked({ opcode: PING, payload: 'p' }));
    await once(socket, 'ping');
    const events = listen(socket);
    client.write(text('b'), closeFrame);
    client.end();
    await once(socket, 'close');
    expect(events).toEqual(['b', 1000]);
  });
});

describe('messages that are held', () => {
  test('wait for their listener, with whatever comes behind them, in order', async () => {
    const pair = await holding();
    const { socket, client } = pair;
    const bytes = Buffer.concat([
      text('a'),
      masked({ opcode: PING, payload: 'p' }),
      masked({ opcode: BINARY, payload: 'b' }),
      masked({ opcode: PONG, payload: 'q' }),
      closeFrame,
    ]);
    client.write(bytes);
    client.end();
    await until(() => socket.readyState === WebSocket.CLOSED);
    await turn();
    const events = listen(socket);
    expect(events).toEqual([]);
    await once(socket, 'close');
    expect(events).toEqual(['a', 'ping p', Buffer.from('b'), 'pong q', 1000]);
  });

  test('nothing waits before the first message: pings, errors and close come at once', async () => {
    const { socket, client } = await holding();
    client.write(masked({ opcode: PING, payload: 'p' }));
    expect(await once(socket, 'ping')).toEqual([Buffer.from('p')]);
    const error = once(socket, 'error');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    client.write(masked({ opcode: 3 }));
    expect((await error)[0].code).toBe('WS_ERR_INVALID_OPCODE');
    client.end();
    expect(await closed).toBe(1006);
  });

  test('a fault behind a held message waits too', async () => {
    const { socket, client } = await holding();
    client.write(text('good'), masked({ opcode: 3 }));
    expect((await client.frame())?.payload.toString('hex')).toBe('03ea');
    client.end();
    await until(() => socket.readyState === WebSocket.CLOSED);
    const events = listen(socket);
    await new Promise((resolve) => socket.on('close', resolve));
    expect(events).toEqual(['good', 'WS_ERR_INVALID_OPCODE', 1006]);
  });

  test.each<[string, (socket: WebSocket, heard: (data: unknown) => void) => void]>([
    ['on()', (socket, heard) => socket.on('message', heard)],
    ['once()', (socket, heard) => socket.once('message', heard)],
    [
      'addEventListener()',
      (socket, heard) => socket.addEventListener('message', (event) => heard(event.data)),
    ],
    [
      'onmessage',
      (socket, heard) => {
        socket.onmessage = (event) => heard(event.data);
      },
    ],
  ])('are let go by %s', async (_name, attach) => {
    const pair = await holding();
    const { socket } = pair;
    await read(pair, text('held'));
    const heard = new Promise((resolve) => attach(socket, resolve));
    expect(String(await heard)).toBe('held');
  });

  test('a listener that is there from the start gets them as they come', async () => {
    let events: unknown[] = [];
    const { socket, client } = await holding((it) => {
      events = listen(it);
    });
    client.write(text('a'), text('b'), closeFrame);
    client.end();
    await once(socket, 'close');
    expect(events).toEqual(['a', 'b', 1000]);
    expect(socket.listenerCount('newListener')).toBe(0);
  });

  test('nothing is delivered before the listeners of the same tick are attached', async () => {
    const pair = await holding();
    const { socket } = pair;
    await read(pair, text('a'));
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(`first ${data}`));
    socket.on('message', (data) => heard.push(`second ${data}`));
    await turn();
    expect(heard).toEqual(['first a', 'second a']);
  });

  test('stop the reading above 64 KiB; nothing is lost', async () => {
    const pair = await holding();
    const { socket, client } = pair;
    const size = 1_000;
    const count = 3_000;
    for (let index = 0; index < count; index++) {
      client.write(masked({ opcode: BINARY, payload: Buffer.alloc(size, index) }));
    }
    const transport = socket._socket as Socket;
    await until(() => transport.isPaused());
    await turn();
    // What is held, one chunk that was being parsed, and what a paused socket takes at most.
    expect(transport.bytesRead).toBeLessThan(INBOX_BYTES + 4 * 65_536);
    const first: number[] = [];
    const done = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        if (first.push(data[0]) === count) resolve();
      });
    });
    await done;
    expect(first).toEqual(Array.from({ length: count }, (_it, index) => index & 255));
  });

  test('are kept by a pause(), and let go by resume()', async () => {
    const pair = await holding();
    const { socket } = pair;
    await read(pair, text('a'), text('b'));
    socket.pause();
    const events = listen(socket);
    await turn();
    expect(events).toEqual([]);
    socket.resume();
    expect(events).toEqual([]);
    await turn();
    expect(events).toEqual(['a', 'b']);
  });

  test('a listener may pause between two of them', async () => {
    const pair = await holding();
    const { socket } = pair;
    await read(pair, text('a'), text('b'), closeFrame);
    const events = listen(socket);
    socket.once('message', () => socket.pause());
    await turn();
    expect(events).toEqual(['a']);
    socket.resume();
    await turn();
    expect(events).toEqual(['a', 'b']);
  });

  test('the end of the connection lets them go, paused or not', async () => {
    const pair = await holding();
    const { socket, client } = pair;
    await read(pair, text('a'), text('b'));
    const events = listen(socket);
    socket.once('message', () => socket.pause());
    await turn();
    expect(events).toEqual(['a']);
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
    expect(events).toEqual(['a', 'b', 1006]);
    client.end();
  });

  describe('and nobody comes for', () => {
    beforeEach(useFakeTimeouts);
    afterEach(() => jest.useRealTimers());

    test('are gone after 10 s, and close is told', async () => {
      const { socket, client } = await holding();
      const closed = jest.fn();
      socket.on('close', closed);
      client.write(text('a'), closeFrame);
      client.end();
      await until(() => socket.readyState === WebSocket.CLOSED);
      await turn();
      jest.advanceTimersByTime(9_999);
      expect(closed).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(closed.mock.calls).toEqual([[1000, Buffer.alloc(0)]]);
      const late = jest.fn();
      socket.on('message', late);
      await turn();
      expect(late).not.toHaveBeenCalled();
      expect(jest.getTimerCount()).toBe(0);
    });
  });
});

describe('a listener that fails', () => {
  /** A connection whose owner is told of failing listeners, and what it was told. */
  async function watched(
    prepare: (socket: WebSocket) => void,
  ): Promise<Connected & { failures: unknown[] }> {
    const failures: unknown[] = [];
    const hooks: WebSocketHooks = {
      onListenerError: (error, socket) => failures.push([error, socket.readyState]),
    };
    return { ...(await connected({}, prepare, { hooks })), failures };
  }

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('failed');
      },
    ],
    ['rejects', () => Promise.reject(new Error('failed'))],
  ])(
    '%s: told once, the peer gets 1011, no further message, close as ever',
    async (_name, fail) => {
      const events: unknown[] = [];
      const pair = await watched((socket) => {
        socket.on('message', (data) => {
          events.push(String(data));
          return fail();
        });
        socket.on('ping', () => events.push('ping'));
        socket.on('close', (code) => events.push(code));
      });
      const { socket, client, failures } = pair;
      client.write(text('a'));
      expect((await client.frame())?.payload.toString('hex')).toBe('03f3');
      client.write(text('b'), masked({ opcode: PING }), closeFrame);
      client.end();
      await once(socket, 'close');
      expect(events).toEqual(['a', 1000]);
      expect(failures).toEqual([[new Error('failed'), WebSocket.CLOSING]]);
    },
  );

  test('by addEventListener and by attribute', async () => {
    for (const attach of [
      (socket: WebSocket) =>
        socket.addEventListener('message', async () => {
          throw new Error('failed');
        }),
      (socket: WebSocket) => {
        socket.onmessage = () => {
          throw new Error('failed');
        };
      },
    ]) {
      const { client, failures } = await watched(attach);
      client.write(text('a'));
      expect((await client.frame())?.payload.toString('hex')).toBe('03f3');
      expect(failures).toEqual([[new Error('failed'), WebSocket.CLOSING]]);
    }
  });

  test('on close: told, and nothing else is left to happen', async () => {
    const { socket, client, failures } = await watched((it) => {
      it.on('close', () => {
        throw new Error('at the end');
      });
    });
    client.write(closeFrame);
    client.end();
    await until(() => failures.length > 0);
    expect(failures).toEqual([[new Error('at the end'), WebSocket.CLOSED]]);
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  test('hurts no other connection', async () => {
    const failing = await watched((socket) => {
      socket.on('message', () => {
        throw new Error('failed');
      });
    });
    const other = await connected({}, (socket) => {
      socket.on('message', (data) => socket.send(data));
    });
    failing.client.write(text('a'));
    other.client.write(text('b'));
    expect((await other.client.frame())?.payload.toString()).toBe('b');
    expect((await failing.client.frame())?.payload.toString('hex')).toBe('03f3');
  });
});

describe('an error that nobody listens to', () => {
  test('is told to the owner', async () => {
    const told: unknown[] = [];
    const hooks: WebSocketHooks = {
      onUnheardError: (error, socket) => told.push([error.message, socket.readyState]),
    };
    const { socket, client } = await connected({}, undefined, { hooks });
    // Not by once(), which would listen to errors too.
    const closed = new Promise((resolve) => socket.on('close', resolve));
    client.write(masked({ opcode: 3 }));
    client.end();
    expect(await closed).toBe(1006);
    expect(told).toEqual([['Invalid WebSocket frame: invalid opcode 3', WebSocket.CLOSING]]);
  });

  test('is heard by the attribute alone', async () => {
    const told: unknown[] = [];
    const hooks: WebSocketHooks = { onUnheardError: () => told.push('owner') };
    const { socket, client } = await connected({}, undefined, { hooks });
    socket.onerror = ({ message }) => told.push(message);
    client.write(masked({ opcode: 3 }));
    client.end();
    await new Promise((resolve) => socket.on('close', resolve));
    expect(told).toEqual(['Invalid WebSocket frame: invalid opcode 3']);
  });
});

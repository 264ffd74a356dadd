import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { duplexPair } from 'node:stream';
import type { BindingOwner } from '../../src/io/binding';
import { Binding } from '../../src/io/binding';
import type { MessageCompression } from '../../src/protocol/compression';
import type { ConnectionHandler } from '../../src/protocol/connection';
import { Connection } from '../../src/protocol/connection';
import { resolveLimits } from '../../src/protocol/limits';
import { State } from '../../src/protocol/state';
import { cut, hex, pattern, toHex } from '../support/bytes';
import { FakeCompression } from '../support/compression';
import { BINARY, CLOSE, frame, PING, TEXT } from '../support/frames';
import type { SocketPair } from '../support/sockets';
import { socketPair, until } from '../support/sockets';

const KEY = 0x37fa213d;
const CLOSE_TIMEOUT = 30_000;

const text = (payload: string) => frame({ opcode: TEXT, payload, key: KEY });

/** A server's connection on a socket, whose every call is written down. */
class BoundConnection implements BindingOwner, ConnectionHandler {
  readonly log: string[] = [];
  readonly binding: Binding;
  readonly connection: Connection;
  /** Messages to pause at. */
  pauseAt = /never/;

  constructor(
    socket: Duplex,
    head: Buffer = Buffer.alloc(0),
    compression: MessageCompression | undefined = undefined,
  ) {
    this.binding = new Binding(socket, this);
    this.connection = new Connection(
      {
        role: 'server',
        limits: resolveLimits({ maxPayload: 0 }),
        autoPong: true,
        skipUTF8Validation: false,
        compression,
      },
      this.binding,
      this,
    );
    this.binding.start(head);
  }

  send(payload: Uint8Array | string): Promise<Error | null | undefined> {
    return new Promise((resolve) => {
      this.connection.send(payload, typeof payload !== 'string', true, resolve);
    });
  }

  pause(): void {
    this.connection.suspend();
    this.binding.pause();
  }

  /** Until the log has this line. */
  async told(line: string): Promise<void> {
    await until(() => this.log.includes(line));
  }

  onMessage(bytes: Buffer, start: number, end: number): void {
    const message = bytes.toString('utf8', start, end);
    this.log.push(message);
    if (this.pauseAt.test(message)) this.pause();
  }

  onPing(payload: Buffer): void {
    this.log.push(`ping ${payload}`);
  }

  onPong(payload: Buffer): void {
    this.log.push(`pong ${payload}`);
  }

  onFault(error: Error): void {
    this.log.push(error.message);
  }

  onUnsendable(error: Error): void {
    this.log.push(error.message);
  }

  onReadable(): void {
    this.binding.resumeReading();
  }

  onState(state: State): void {
    this.log.push(state === State.CLOSING ? 'CLOSING' : 'CLOSED');
    if (state === State.CLOSING) this.binding.startCloseTimer(CLOSE_TIMEOUT);
  }
}

/** Everything that `stream` sends, as it grows. */
function received(stream: Duplex): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  return () => toHex(Buffer.concat(chunks));
}

let pair: SocketPair;

beforeEach(async () => {
  pair = await socketPair();
});

afterEach(async () => {
  const { ours, theirs } = pair;
  const closed = [ours, theirs]
    .filter((socket) => !socket.closed)
    .map((each) => once(each, 'close'));
  ours.destroy();
  theirs.destroy();
  await Promise.all(closed);
});

describe('reading', () => {
  test('what came with the handshake comes first, also where it ends inside a frame', async () => {
    const bytes = Buffer.concat([text('a'), text('b'), text('c')]);
    for (const place of [1, 7, 9, 14, 20]) {
      const { ours, theirs } = await socketPair();
      const [head, rest] = cut(bytes, place);
      theirs.write(rest);
      const bound = new BoundConnection(ours, head);
      await bound.told('c');
      expect(bound.log).toEqual(['a', 'b', 'c']);
      ours.destroy();
      theirs.destroy();
    }
  });

  test('nothing came with the handshake', async () => {
    const bound = new BoundConnection(pair.ours);
    pair.theirs.write(text('a'));
    await bound.told('a');
  });

  test('the idle time-out of the HTTP server and the delay of small frames are turned off', () => {
    const { ours } = pair;
    ours.setTimeout(5000);
    const setNoDelay = jest.spyOn(ours, 'setNoDelay');
    new BoundConnection(ours);
    expect(ours.timeout).toBe(0);
    expect(setNoDelay).toHaveBeenCalledWith();
  });

  test('stops while a message is inflated, so that what follows waits at the peer', async () => {
    const compression = new FakeCompression();
    compression.slow = true;
    const bound = new BoundConnection(pair.ours, undefined, compression);
    pair.theirs.write(frame({ opcode: TEXT, rsv: 4, payload: 'cba', key: KEY }));
    await until(() => bound.connection.isInflating);
    expect(pair.ours.isPaused()).toBe(true);
    bound.binding.resumeReading();
    expect(pair.ours.isPaused()).toBe(true);
    pair.theirs.write(text('d'));
    compression.finish();
    expect(pair.ours.isPaused()).toBe(false);
    await bound.told('d');
    expect(bound.log).toEqual(['abc', 'd']);
  });

  test('from any Duplex', async () => {
    const [ours, theirs] = duplexPair();
    const bound = new BoundConnection(ours);
    const answer = received(theirs);
    theirs.write(Buffer.concat([text('a'), frame({ opcode: CLOSE, key: KEY })]));
    theirs.end();
    await bound.told('CLOSED');
    expect(bound.log).toEqual(['a', 'CLOSING', 'CLOSED']);
    expect(answer()).toBe('8800');
  });
});

describe('writing', () => {
  test('what one read calls forth is one write', async () => {
    const bound = new BoundConnection(pair.ours);
    const write = jest.spyOn(pair.ours, 'write');
    const answer = received(pair.theirs);
    const pings = ['1', '2', '3', '4'].map((payload) => frame({ opcode: PING, payload, key: KEY }));
    bound.binding.receive(Buffer.concat(pings));
    expect(write).toHaveBeenCalledTimes(1);
    await until(() => answer().length === 24);
    expect(answer()).toBe('8a01318a01328a01338a0134');
  });

  test('frames of one tick are one write, and their callbacks come when they have left', async () => {
    const bound = new BoundConnection(pair.ours);
    const write = jest.spyOn(pair.ours, 'write');
    const answer = received(pair.theirs);
    const sent = Promise.all([bound.send('a'), bound.send('b')]);
    expect(bound.binding.bufferedAmount).toBe(6);
    expect(await sent).toEqual([undefined, undefined]);
    expect(bound.binding.bufferedAmount).toBe(0);
    expect(write).toHaveBeenCalledTimes(1);
    await until(() => answer().length === 12);
    expect(answer()).toBe('810161810162');
  });

  test('frames that were made elsewhere go out with the others', async () => {
    const bound = new BoundConnection(pair.ours);
    const answer = received(pair.theirs);
    bound.connection.send('a', false, true);
    bound.connection.sendFramed([hex('8101'), hex('62')]);
    await until(() => answer().length === 12);
    expect(answer()).toBe('810161810162');
  });

  test('behind a peer that does not read, frames wait; when it reads, all of them come', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    theirs.pause();
    // More than the buffers of the kernel take.
    const payload = pattern(1024 * 1024);
    const sent: Promise<unknown>[] = [];
    while (!bound.binding.blocked || sent.length < 20) {
      sent.push(bound.send(payload));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bound.binding.outbox.queuedBytes).toBeGreaterThan(0);
    expect(bound.binding.bufferedAmount).toBe(
      ours.writableLength + bound.binding.outbox.queuedBytes,
    );

    const expected = frame({ opcode: BINARY, payload });
    let bytes = 0;
    theirs.on('data', (chunk) => {
      bytes += chunk.length;
    });
    theirs.resume();
    expect(new Set(await Promise.all(sent))).toEqual(new Set([undefined]));
    await until(() => bytes === sent.length * expected.length);
    expect(bound.binding.bufferedAmount).toBe(0);
    expect(bound.binding.blocked).toBe(false);
  });
});

describe('pausing', () => {
  test('stops after the message, keeps the rest of the read, and what comes after it', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    bound.pauseAt = /a|b/;
    theirs.write(Buffer.concat([text('a'), text('b'), text('c')]));
    await bound.told('a');
    expect(ours.isPaused()).toBe(true);
    theirs.write(text('d'));
    await until(() => ours.readableLength > 0);
    expect(bound.log).toEqual(['a']);

    bound.binding.resumeReading();
    expect(bound.log).toEqual(['a', 'b']);
    expect(ours.isPaused()).toBe(true);

    bound.binding.resumeReading();
    expect(bound.log).toEqual(['a', 'b', 'c']);
    expect(ours.isPaused()).toBe(false);
    await bound.told('d');
  });

  test('what resuming calls forth is one write', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    bound.pauseAt = /a/;
    const ping = frame({ opcode: PING, key: KEY });
    theirs.write(Buffer.concat([text('a'), ping, ping]));
    await bound.told('a');
    const write = jest.spyOn(ours, 'write');
    bound.binding.resumeReading();
    expect(write).toHaveBeenCalledTimes(1);
    expect(bound.log).toEqual(['a', 'ping ', 'ping ']);
  });
});

describe('the end', () => {
  test('after the closing handshake: we end first, the peer follows', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    const answer = received(theirs);
    theirs.write(frame({ opcode: CLOSE, payload: hex('03e8'), key: KEY }));
    await once(theirs, 'end');
    expect(answer()).toBe('880203e8');
    expect(bound.log).toEqual(['CLOSING']);
    theirs.end();
    await bound.told('CLOSED');
    expect([bound.connection.closeCode, ours.destroyed]).toEqual([1000, true]);
  });

  test('by a FIN without a close frame: we end as well', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    theirs.resume();
    theirs.end(text('last words'));
    await Promise.all([once(theirs, 'end'), bound.told('CLOSED')]);
    expect(bound.log).toEqual(['last words', 'CLOSING', 'CLOSED']);
    expect(bound.connection.closeCode).toBe(1006);
  });

  test('by a reset, which reaches nobody as an error', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    const callback = bound.send(Buffer.alloc(64 * 1024 * 1024));
    await new Promise((resolve) => setImmediate(resolve));
    theirs.resetAndDestroy();
    // Newer Nodes call what they have given up canceled.
    expect(await callback).toMatchObject({
      code: expect.stringMatching(/^(ECONNRESET|EPIPE|ECANCELED)$/),
    });
    await bound.told('CLOSED');
    expect(bound.log).toEqual(['CLOSING', 'CLOSED']);
    expect(bound.connection.closeCode).toBe(1006);
  });

  test('by an error of a stream that does not destroy itself', async () => {
    const bound = new BoundConnection(pair.ours);
    pair.ours.emit('error', new Error('broken'));
    await bound.told('CLOSED');
    expect(pair.ours.destroyed).toBe(true);
  });

  test('on our side: end() sends what waits before the FIN', async () => {
    const bound = new BoundConnection(pair.ours);
    const answer = received(pair.theirs);
    bound.connection.send('a', false, true);
    bound.connection.send('b', false, true);
    bound.binding.end();
    await once(pair.theirs, 'end');
    expect(answer()).toBe('810161810162');
  });

  test('on our side: destroy() is at once', async () => {
    const bound = new BoundConnection(pair.ours);
    bound.binding.destroy();
    expect(pair.ours.destroyed).toBe(true);
    await bound.told('CLOSED');
    expect((await bound.send('late'))?.message).toBe(
      'The socket was closed before the data was written',
    );
  });

  test('in the same tick as the start is told once', async () => {
    const [ours] = duplexPair();
    ours.destroy();
    const bound = new BoundConnection(ours);
    await new Promise((resolve) => setImmediate(resolve));
    expect(bound.log).toEqual(['CLOSING', 'CLOSED']);
  });

  test('before the start is told all the same, once', async () => {
    const early = pair.ours;
    early.destroy();
    const bound = new BoundConnection(early);
    await once(early, 'close');
    await bound.told('CLOSED');

    const late = new BoundConnection(early);
    expect(late.log).toEqual([]);
    await late.told('CLOSED');
    await new Promise((resolve) => setImmediate(resolve));
    const told = ['CLOSING', 'CLOSED'];
    expect([bound.log, late.log]).toEqual([told, told]);
  });

  test('of a paused socket comes after everything it had read, which is told as CLOSING', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    bound.pauseAt = /./;
    theirs.write(Buffer.concat([text('a'), text('b')]));
    await bound.told('a');
    theirs.write(Buffer.concat([text('c'), text('d').subarray(0, 3)]));
    theirs.write(text('d').subarray(3));
    await until(() => ours.readableLength === 14);
    ours.destroy();
    await bound.told('CLOSED');
    expect(bound.log).toEqual(['a', 'CLOSING', 'b', 'c', 'd', 'CLOSED']);
  });

  test('leaves no listener but the one for late errors', async () => {
    const { ours } = pair;
    const names = ['close', 'data', 'drain', 'end', 'error'];
    const count = () => names.map((name) => ours.listenerCount(name));
    const before = count();
    const bound = new BoundConnection(ours);
    ours.destroy();
    await bound.told('CLOSED');
    expect(count().map((after, index) => after - before[index])).toEqual([0, 0, 0, 0, 1]);
    expect(() => ours.emit('error', new Error('late'))).not.toThrow();
  });
});

describe('the close timer', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  test('destroys the socket of a peer that does not finish the closing handshake', async () => {
    const bound = new BoundConnection(pair.ours);
    bound.connection.close(1000);
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(CLOSE_TIMEOUT - 1);
    expect(pair.ours.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    expect(pair.ours.destroyed).toBe(true);
    await bound.told('CLOSED');
    expect(bound.connection.closeCode).toBe(1006);
  });

  test('tells the callbacks of frames that the peer never took', async () => {
    const bound = new BoundConnection(pair.ours);
    const callback = bound.send(Buffer.alloc(64 * 1024 * 1024));
    bound.connection.close();
    await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(CLOSE_TIMEOUT);
    // The first is ours, the second that of newer Nodes.
    expect((await callback)?.message).toMatch(
      /^(The socket was closed before the data was written|write ECANCELED)$/,
    );
  });

  test('counts from its first start', () => {
    const bound = new BoundConnection(pair.ours);
    bound.binding.startCloseTimer(100);
    jest.advanceTimersByTime(99);
    bound.binding.startCloseTimer(100);
    jest.advanceTimersByTime(1);
    expect(pair.ours.destroyed).toBe(true);
  });

  test('does not keep the process alive', () => {
    const start = jest.spyOn(globalThis, 'setTimeout');
    new BoundConnection(pair.ours).connection.close();
    expect(start.mock.results[0].value.hasRef()).toBe(false);
  });

  test('is gone with the socket', async () => {
    const bound = new BoundConnection(pair.ours);
    bound.connection.close();
    pair.ours.destroy();
    await bound.told('CLOSED');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is not started for a close frame that is only found after the end of the socket', async () => {
    const { ours, theirs } = pair;
    const bound = new BoundConnection(ours);
    bound.pause();
    theirs.write(frame({ opcode: CLOSE, payload: hex('03e9'), key: KEY }));
    await until(() => ours.readableLength > 0);
    ours.destroy();
    await bound.told('CLOSED');
    expect(bound.log).toEqual(['CLOSING', 'CLOSED']);
    expect(bound.connection.closeCode).toBe(1001);
    expect(jest.getTimerCount()).toBe(0);
  });
});

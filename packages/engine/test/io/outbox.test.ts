import fc from 'fast-check';
import { Outbox } from '../../src/io/outbox';
import { rethrow } from '../../src/rethrow';
import { hex, pattern, toHex } from '../support/bytes';
import { BINARY, frame, TEXT } from '../support/frames';
import { RecordingTransport } from '../support/transport';

jest.mock('../../src/rethrow', () => ({ rethrow: jest.fn() }));

const KEY = 0x37fa213d;
const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const SHARED_SIZE = 64 * 1024;

let transport: RecordingTransport;
let outbox: Outbox;

beforeEach(() => {
  transport = new RecordingTransport();
  outbox = new Outbox(transport);
});

/** Until the end of this tick. */
function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The memory that small frames of all connections share, and how much of it is free. */
async function sharedMemory(): Promise<{ memory: ArrayBufferLike; free: number }> {
  const probe = new RecordingTransport();
  new Outbox(probe).write(FIN_TEXT, '', undefined);
  await tick();
  const { buffer, byteOffset, length } = probe.chunks[0];
  return { memory: buffer, free: SHARED_SIZE - byteOffset - length };
}

/** Leaves exactly `free` bytes in it, so that a test knows whether its frames lie together. */
async function shareMemory(free: number): Promise<ArrayBufferLike> {
  const filler = new Outbox(new RecordingTransport());
  let shared = await sharedMemory();
  while (shared.free < free + 2) {
    filler.write(FIN_BINARY, pattern(1000), undefined);
    shared = await sharedMemory();
  }
  for (let over = shared.free - free; over > 0; ) {
    const size = over > 127 ? 64 : over;
    filler.write(FIN_BINARY, pattern(size - 2), undefined);
    over -= size;
  }
  await tick();
  return shared.memory;
}

describe('a tick', () => {
  test('gives all its frames to the transport in one write', async () => {
    await shareMemory(50_000);
    const payloads = Array.from({ length: 100 }, (_, index) => pattern(index * 2));
    for (const payload of payloads) outbox.write(FIN_BINARY, payload, undefined);
    expect(transport.calls).toEqual([]);
    await tick();
    expect(transport.calls).toEqual(['write']);
    const frames = payloads.map((payload) => frame({ opcode: BINARY, payload }));
    expect(toHex(transport.bytes)).toBe(toHex(Buffer.concat(frames)));

    outbox.write(FIN_TEXT, 'next', undefined);
    await tick();
    expect(transport.calls).toEqual(['write', 'write']);
    expect(transport.chunks[1]).toEqual(frame({ opcode: TEXT, payload: 'next' }));
  });

  test('of several outboxes gives each its own frames, in order', async () => {
    const transports = [transport, new RecordingTransport(), new RecordingTransport()];
    const outboxes = transports.map((each) => new Outbox(each));
    for (let round = 0; round < 5; round++) {
      outboxes.forEach((each, index) => {
        each.write(FIN_TEXT, `${index}${round}`, undefined);
      });
    }
    await tick();
    transports.forEach((each, index) => {
      const expected = [0, 1, 2, 3, 4].map((round) =>
        frame({ opcode: TEXT, payload: `${index}${round}` }),
      );
      expect(toHex(each.bytes)).toBe(toHex(Buffer.concat(expected)));
      // Their frames lie between each other in the shared memory: five parts, and still one write to the kernel.
      expect(each.calls).toEqual(['cork', ...new Array(5).fill('write'), 'uncork']);
    });
  });

  test('in which one transport throws serves the others all the same', async () => {
    const error = new Error('broken transport');
    transport.write = () => {
      throw error;
    };
    const other = new RecordingTransport();
    outbox.write(FIN_TEXT, 'a', undefined);
    new Outbox(other).write(FIN_TEXT, 'b', undefined);
    await tick();
    expect(other.bytes).toEqual(frame({ opcode: TEXT, payload: 'b' }));
    expect(rethrow).toHaveBeenCalledWith(error);
  });

  test('frames that are written while it ends go out with the next', async () => {
    const other = new Outbox(new RecordingTransport());
    transport.write = (chunk, callback) => {
      if (transport.chunks.length === 0) other.write(FIN_TEXT, 'reply', undefined);
      return RecordingTransport.prototype.write.call(transport, chunk, callback);
    };
    outbox.write(FIN_TEXT, 'a', undefined);
    await tick();
    expect(transport.calls).toEqual(['write']);
    expect(other.queuedBytes).toBe(0);
  });
});

describe('cork', () => {
  test('keeps frames together until uncork, which writes at once', async () => {
    await shareMemory(50_000);
    outbox.cork();
    outbox.write(FIN_TEXT, 'a', undefined);
    await tick();
    outbox.write(FIN_TEXT, 'b', undefined);
    await tick();
    expect(transport.calls).toEqual([]);
    outbox.uncork();
    expect(transport.calls).toEqual(['write']);
    expect(toHex(transport.bytes)).toBe('810161810162');
    await tick();
    expect(transport.calls).toEqual(['write']);
  });

  test('keeps what was written before it in the same tick, too', async () => {
    await shareMemory(50_000);
    outbox.write(FIN_TEXT, 'a', undefined);
    outbox.cork();
    await tick();
    expect(transport.calls).toEqual([]);
    outbox.write(FIN_TEXT, 'b', undefined);
    outbox.uncork();
    expect(toHex(transport.bytes)).toBe('810161810162');
    expect(transport.calls).toEqual(['write']);
  });

  test('with nothing written costs no write', async () => {
    outbox.cork();
    outbox.uncork();
    outbox.drained();
    await tick();
    expect(transport.calls).toEqual([]);
  });

  test('frames after uncork wait for the end of the tick again', async () => {
    outbox.cork();
    outbox.uncork();
    outbox.write(FIN_TEXT, 'a', undefined);
    expect(transport.calls).toEqual([]);
    await tick();
    expect(transport.calls).toEqual(['write']);
  });
});

describe('header and payload', () => {
  test.each([
    ['empty', ''],
    ['short', 'Hello'],
    ['of 125 bytes', 'a'.repeat(125)],
    ['of 126 bytes', 'a'.repeat(126)],
    ['beyond ASCII', '\u20ac\u{1f600}'],
    ['with half a surrogate pair', '\ud83d'],
    ['of 8,192 bytes', 'a'.repeat(8_192)],
    ['of 8,193 bytes', 'a'.repeat(8_193)],
    ['of 65,536 bytes', 'a'.repeat(65_536)],
    ['of 100,002 bytes in 33,334 characters', '\u20ac'.repeat(33_334)],
  ])('text %s goes out in one buffer', async (_name, text) => {
    for (const key of [undefined, KEY]) {
      const each = new RecordingTransport();
      new Outbox(each).write(FIN_TEXT, text, key);
      await tick();
      expect(each.calls).toEqual(['write']);
      expect(each.bytes.equals(frame({ opcode: TEXT, payload: text, key }))).toBe(true);
    }
  });

  test.each([0, 1, 125, 126, 8_192])('%i bytes go out in one buffer', async (length) => {
    for (const key of [undefined, KEY]) {
      const each = new RecordingTransport();
      const payload = pattern(length);
      new Outbox(each).write(FIN_BINARY, payload, key);
      await tick();
      expect(each.calls).toEqual(['write']);
      expect(each.bytes.equals(frame({ opcode: BINARY, payload, key }))).toBe(true);
    }
  });

  test.each([8_193, 65_535, 65_536, 1_000_000])('%i bytes are not copied', async (length) => {
    // A view that does not begin where its memory does.
    const payload = pattern(length + 3).subarray(3);
    outbox.write(FIN_BINARY, payload, undefined);
    await tick();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'uncork']);
    expect(transport.bytes.equals(frame({ opcode: BINARY, payload }))).toBe(true);
    const { buffer, byteOffset, byteLength } = transport.chunks[1];
    expect(buffer === payload.buffer).toBe(true);
    expect([byteOffset, byteLength]).toEqual([payload.byteOffset, length]);
  });

  test.each([8_193, 65_536])(
    '%i masked bytes go out in one buffer of their own',
    async (length) => {
      const payload = pattern(length);
      outbox.write(FIN_BINARY, payload, KEY);
      await tick();
      expect(transport.calls).toEqual(['write']);
      expect(transport.bytes.equals(frame({ opcode: BINARY, payload, key: KEY }))).toBe(true);
      expect(transport.chunks[0].buffer === payload.buffer).toBe(false);
    },
  );

  test('small frames around a large one keep their order', async () => {
    await shareMemory(50_000);
    const large = pattern(20_000);
    outbox.write(FIN_TEXT, 'a', undefined);
    outbox.write(FIN_TEXT, 'b', undefined);
    outbox.write(FIN_BINARY, large, undefined);
    outbox.write(FIN_TEXT, 'c', undefined);
    await tick();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'write', 'uncork']);
    expect(
      transport.bytes.equals(
        Buffer.concat([
          hex('810161 810162'),
          frame({ opcode: BINARY, payload: large }),
          hex('810163'),
        ]),
      ),
    ).toBe(true);
  });

  test.each([5, 8_192, 8_193, 70_000])(
    'masking %i bytes leaves the memory of the caller alone',
    async (length) => {
      const shared = new Uint8Array(new SharedArrayBuffer(length));
      for (const payload of [pattern(length), shared]) {
        const before = Buffer.from(payload);
        outbox.write(FIN_BINARY, payload, KEY);
        await tick();
        expect(before.equals(payload)).toBe(true);
      }
    },
  );

  test.each([
    ['ASCII before the border of a byte', 'x'.repeat(125)],
    ['ASCII behind it', 'x'.repeat(126)],
    ['other text before it', `${'€'.repeat(41)}xx`],
    ['other text behind it', '€'.repeat(42)],
    ['characters of four bytes behind it', '\u{1F600}'.repeat(32)],
    ['halves of characters', '\ud83d'.repeat(42)],
    ['text up to the copied size', '€'.repeat(5461)],
    ['text beyond it', '€'.repeat(5462)],
    ['ASCII that might be longer than is copied', 'x'.repeat(8_192)],
    ['text behind the border of two bytes', '€'.repeat(21_846)],
  ])('%s has the header of its bytes', async (_name, text) => {
    for (const key of [undefined, KEY]) {
      outbox.write(FIN_TEXT, text, key);
      outbox.write(FIN_TEXT, 'next', key);
    }
    await tick();
    const expected = [undefined, KEY].flatMap((key) => [
      frame({ opcode: TEXT, payload: Buffer.from(text), key }),
      frame({ opcode: TEXT, payload: 'next', key }),
    ]);
    expect(transport.bytes.equals(Buffer.concat(expected))).toBe(true);
  });

  test('up to 8 KiB the caller may reuse its memory at once', async () => {
    const payload = pattern(8_192);
    const expected = frame({ opcode: BINARY, payload });
    outbox.write(FIN_BINARY, payload, undefined);
    payload.fill(0);
    await tick();
    expect(transport.bytes.equals(expected)).toBe(true);
  });
});

describe('the shared memory', () => {
  test('takes a frame that just fits, and makes way for one that does not', async () => {
    const fits = await shareMemory(7);
    outbox.write(FIN_TEXT, Buffer.from('Hello'), undefined);
    await tick();
    expect(transport.chunks[0].buffer === fits).toBe(true);

    const full = await shareMemory(6);
    outbox.write(FIN_TEXT, Buffer.from('Hello'), undefined);
    await tick();
    expect(transport.chunks[1].buffer === full).toBe(false);
    expect(toHex(transport.bytes)).toBe('810548656c6c6f'.repeat(2));
  });

  test('ends between two frames: they are still one write to the kernel', async () => {
    await shareMemory(10);
    outbox.write(FIN_TEXT, Buffer.from('Hello'), undefined);
    outbox.write(FIN_TEXT, Buffer.from('Hello'), undefined);
    await tick();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'uncork']);
    expect(toHex(transport.bytes)).toBe('810548656c6c6f'.repeat(2));
  });

  test.each([
    ['fits as long as it can be', 14 + 15, true],
    ['might not', 14 + 14, false],
  ])('text goes where it %s', async (_name, free, shared) => {
    const memory = await shareMemory(free);
    outbox.write(FIN_TEXT, 'Hello', undefined);
    await tick();
    expect(transport.chunks[0].buffer === memory).toBe(shared);
    expect(toHex(transport.bytes)).toBe('810548656c6c6f');
  });

  test('is never written twice: what was handed over stays as it is', async () => {
    const transports: RecordingTransport[] = [];
    const expected: Buffer[] = [];
    for (let round = 0; round < 40; round++) {
      const each = new RecordingTransport();
      const payload = pattern(5000 + round);
      new Outbox(each).write(FIN_BINARY, payload, undefined);
      transports.push(each);
      expected.push(frame({ opcode: BINARY, payload }));
      if (round % 3 === 0) await tick();
    }
    await tick();
    transports.forEach((each, index) => {
      expect(each.bytes.equals(expected[index])).toBe(true);
    });
  });
});

describe('callbacks', () => {
  test('come when the transport has confirmed, in the order of the frames', async () => {
    const order: string[] = [];
    const note = (name: string) => (error?: Error | null) => order.push(`${name} ${error}`);
    outbox.write(FIN_TEXT, 'a', undefined, note('a'));
    outbox.write(FIN_TEXT, 'b', undefined);
    outbox.write(FIN_BINARY, pattern(20_000), undefined, note('c'));
    outbox.write(FIN_TEXT, 'd', undefined, note('d'));
    await tick();
    outbox.write(FIN_TEXT, 'e', undefined, note('e'));
    await tick();
    expect(order).toEqual([]);
    transport.confirm();
    expect(order).toEqual(['a undefined', 'c undefined', 'd undefined', 'e undefined']);
  });

  test('hear of the error of a write that failed, once', async () => {
    const callback = jest.fn();
    const error = new Error('EPIPE');
    outbox.write(FIN_TEXT, 'a', undefined, callback);
    await tick();
    transport.confirm(error);
    outbox.transportClosed();
    expect(callback.mock.calls).toEqual([[error]]);
  });

  test('hear of the error that ended the transport, though Node reports the write that it gave up as done', async () => {
    const callback = jest.fn();
    outbox.write(FIN_TEXT, 'a', undefined, callback);
    await tick();
    transport.errored = new Error('ECONNRESET');
    transport.confirm();
    expect(callback.mock.calls).toEqual([[transport.errored]]);
  });

  test('a write that nobody asks about passes no callback', async () => {
    transport.write = jest.fn(() => true);
    outbox.write(FIN_TEXT, 'a', undefined);
    await tick();
    expect(transport.write).toHaveBeenCalledWith(expect.anything(), undefined);
  });

  test('one that throws does not keep the next from being told', async () => {
    const error = new Error('thrown by a callback');
    const next = jest.fn();
    outbox.write(FIN_TEXT, 'a', undefined, () => {
      throw error;
    });
    outbox.write(FIN_TEXT, 'b', undefined, next);
    await tick();
    transport.confirm();
    expect(next.mock.calls).toEqual([[undefined]]);
    expect(rethrow).toHaveBeenCalledWith(error);
  });

  test('one that writes: its frame goes out with the next tick', async () => {
    outbox.write(FIN_TEXT, 'a', undefined, () => outbox.write(FIN_TEXT, 'b', undefined));
    await tick();
    transport.confirm();
    await tick();
    expect(toHex(transport.bytes)).toBe('810161810162');
  });
});

describe('a transport that takes no more', () => {
  beforeEach(() => {
    transport.writableNeedDrain = true;
  });

  test('is given nothing, until it drains: then everything in one write', async () => {
    expect(outbox.blocked).toBe(true);
    for (let count = 0; count < 100; count++) {
      outbox.write(FIN_TEXT, 'a', undefined);
      if (count % 10 === 0) await tick();
    }
    outbox.cork();
    outbox.uncork();
    expect(transport.calls).toEqual([]);
    expect(outbox.queuedBytes).toBe(300);
    transport.writableNeedDrain = false;
    outbox.drained();
    expect(transport.calls).toEqual(['write']);
    expect(toHex(transport.bytes)).toBe('810161'.repeat(100));
    expect(outbox.queuedBytes).toBe(0);
  });

  test('keeps its frames in memory of its own, not in the one that all share', async () => {
    const { memory } = await sharedMemory();
    outbox.write(FIN_TEXT, 'a', undefined);
    transport.writableNeedDrain = false;
    outbox.drained();
    expect(transport.chunks[0].buffer === memory).toBe(false);
  });

  test('what does not fit into 16 KiB takes more memory, and is still one write to the kernel', () => {
    const payload = pattern(5000);
    for (let count = 0; count < 7; count++) outbox.write(FIN_BINARY, payload, undefined);
    transport.writableNeedDrain = false;
    outbox.drained();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'write', 'uncork']);
    const expected = new Array<Buffer>(7).fill(frame({ opcode: BINARY, payload }));
    expect(transport.bytes.equals(Buffer.concat(expected))).toBe(true);
  });

  test('two of the largest frames that are copied', () => {
    outbox.write(FIN_BINARY, pattern(8_192), undefined);
    outbox.write(FIN_BINARY, pattern(8_192), undefined);
    transport.writableNeedDrain = false;
    outbox.drained();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'uncork']);
  });

  test('what was written before it blocked comes first', async () => {
    transport.writableNeedDrain = false;
    outbox.write(FIN_TEXT, 'a', undefined);
    transport.writableNeedDrain = true;
    outbox.write(FIN_TEXT, 'b', undefined);
    await tick();
    expect(transport.calls).toEqual([]);
    transport.writableNeedDrain = false;
    outbox.write(FIN_TEXT, 'c', undefined);
    outbox.drained();
    expect(toHex(transport.bytes)).toBe('810161810162810163');
  });

  test('drains inside a cork: uncork writes', () => {
    outbox.cork();
    outbox.write(FIN_TEXT, 'a', undefined);
    transport.writableNeedDrain = false;
    outbox.drained();
    expect(transport.calls).toEqual([]);
    outbox.uncork();
    expect(transport.calls).toEqual(['write']);
  });
});

describe('end()', () => {
  const closed = {
    message: 'The socket was closed before the data was written',
    code: 'WS_ERR_SOCKET_CLOSED',
  };

  test.each([
    ['at once', false, false],
    ['inside a cork', true, false],
    ['behind a transport that takes no more, which queues it', false, true],
  ])('writes what waits, then ends: %s', async (_name, corked, blocked) => {
    await shareMemory(50_000);
    transport.writableNeedDrain = blocked;
    if (corked) outbox.cork();
    outbox.write(FIN_TEXT, 'a', undefined);
    outbox.write(FIN_TEXT, 'b', undefined);
    outbox.end();
    outbox.uncork();
    outbox.end();
    await tick();
    expect(transport.calls).toEqual(['write', 'end']);
    expect(toHex(transport.bytes)).toBe('810161810162');
  });

  test('with nothing to write just ends', () => {
    outbox.end();
    expect(transport.calls).toEqual(['end']);
  });

  test('refuses frames that come later: their callbacks hear of it, but not before they are back', async () => {
    outbox.end();
    const callback = jest.fn();
    outbox.write(FIN_TEXT, 'late', undefined, callback);
    outbox.write(FIN_TEXT, 'late', undefined);
    expect(callback).not.toHaveBeenCalled();
    await tick();
    expect(callback.mock.calls).toEqual([[expect.objectContaining(closed)]]);
    expect(callback.mock.calls[0][0]).toBeInstanceOf(Error);
    expect(transport.calls).toEqual(['end']);
    expect(outbox.queuedBytes).toBe(0);
  });

  test('what it wrote is confirmed as ever', () => {
    const callback = jest.fn();
    outbox.write(FIN_TEXT, 'a', undefined, callback);
    outbox.end();
    transport.confirm();
    expect(callback.mock.calls).toEqual([[undefined]]);
  });
});

describe('destroy()', () => {
  test('still hands over what waits', async () => {
    outbox.write(FIN_TEXT, 'a', undefined);
    outbox.destroy();
    await tick();
    expect(transport.calls).toEqual(['write', 'destroy']);
  });

  test('adds nothing to a transport that takes no more; the callbacks hear of the end', async () => {
    const callback = jest.fn();
    transport.writableNeedDrain = true;
    outbox.write(FIN_TEXT, 'a', undefined, callback);
    outbox.destroy();
    await tick();
    expect(transport.calls).toEqual(['destroy']);
    transport.writableNeedDrain = false;
    outbox.drained();
    outbox.transportClosed();
    expect(transport.calls).toEqual(['destroy']);
    expect(callback.mock.calls).toEqual([
      [expect.objectContaining({ code: 'WS_ERR_SOCKET_CLOSED' })],
    ]);
  });
});

describe('what destroy() gives up', () => {
  test.each([
    ['is told as lost, though Node reports it as done', 3, 'WS_ERR_SOCKET_CLOSED'],
    ['does not count where the transport had passed everything on', 0, undefined],
  ])('%s', async (_name, writableLength, code) => {
    const callback = jest.fn();
    outbox.write(FIN_TEXT, 'a', undefined, callback);
    await tick();
    transport.writableLength = writableLength;
    outbox.destroy();
    transport.writableLength = 0;
    outbox.destroy();
    transport.confirm();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(callback.mock.calls[0][0]?.code).toBe(code);
  });
});

describe('the end of the transport', () => {
  test('is told to every callback that waits, once, in the order of the frames', async () => {
    const order: string[] = [];
    const note = (name: string) => (error?: Error | null) =>
      order.push(`${name} ${error?.message}`);
    outbox.write(FIN_TEXT, 'a', undefined, note('in flight'));
    await tick();
    outbox.write(FIN_TEXT, 'b', undefined, note('in flight too'));
    await tick();
    outbox.cork();
    outbox.write(FIN_TEXT, 'c', undefined, note('corked'));
    outbox.write(FIN_BINARY, pattern(20_000), undefined, note('corked too'));
    outbox.transportClosed();
    const text = 'The socket was closed before the data was written';
    const expected = [
      `in flight ${text}`,
      `in flight too ${text}`,
      `corked ${text}`,
      `corked too ${text}`,
    ];
    expect(order).toEqual(expected);

    transport.confirm();
    transport.confirm(new Error('late'));
    outbox.uncork();
    outbox.transportClosed();
    await tick();
    expect(order).toEqual(expected);
    expect(transport.calls).toEqual(['write', 'write']);
    expect(outbox.queuedBytes).toBe(0);
  });

  test('a callback that throws does not keep the next from being told', () => {
    const next = jest.fn();
    outbox.write(FIN_TEXT, 'a', undefined, () => {
      throw new Error('thrown by a callback');
    });
    outbox.write(FIN_TEXT, 'b', undefined, next);
    outbox.transportClosed();
    expect(next).toHaveBeenCalledTimes(1);
  });

  test('before anything was written is nothing to tell', () => {
    outbox.transportClosed();
    expect(transport.calls).toEqual([]);
  });
});

test('frames made elsewhere: one callback, an error after the end, nothing to write for no bytes', async () => {
  const told: unknown[] = [];
  const note = (error?: Error | null) => told.push(error?.message);
  outbox.writeFramed([hex('8101'), hex('61')], note);
  outbox.writeFramed([], note);
  outbox.writeFramed([]);
  await tick();
  transport.confirm();
  expect(transport.calls).toEqual(['write']);
  expect(toHex(transport.bytes)).toBe('810161');
  outbox.end();
  outbox.writeFramed([hex('8100')], note);
  outbox.writeFramed([hex('8100')]);
  await tick();
  const closed = 'The socket was closed before the data was written';
  expect(told).toEqual([undefined, undefined, closed]);
});

describe('shared frames', () => {
  const one = hex('810161');
  const two = hex('810162');

  test('one goes out as it is, and not copied', async () => {
    const note = jest.fn();
    outbox.writeShared(one, note);
    expect(outbox.queuedBytes).toBe(3);
    await tick();
    transport.confirm();
    expect(transport.chunks).toEqual([one]);
    expect(transport.chunks[0]).toBe(one);
    expect(note.mock.calls).toEqual([[undefined]]);
  });

  test('several go out in one write, whose bytes outboxes with the same frames share', async () => {
    const other = new RecordingTransport();
    const third = new RecordingTransport();
    const outboxes = [outbox, new Outbox(other)];
    for (const frame of [one, two]) {
      for (const each of outboxes) each.writeShared(frame);
    }
    const last = new Outbox(third);
    last.writeShared(two);
    last.writeShared(one);
    await tick();
    expect([transport.calls, other.calls, third.calls]).toEqual([['write'], ['write'], ['write']]);
    expect(toHex(transport.bytes)).toBe('810161810162');
    expect(other.chunks[0]).toBe(transport.chunks[0]);
    expect(toHex(third.bytes)).toBe('810162810161');
  });

  test('among frames of its own keep their place', async () => {
    outbox.write(FIN_TEXT, 'x', undefined);
    outbox.writeShared(one);
    outbox.write(FIN_TEXT, 'y', undefined);
    await tick();
    outbox.writeShared(two);
    await tick();
    expect(toHex(transport.bytes)).toBe('810178810161810179810162');
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'write', 'uncork', 'write']);
  });

  test('that are large are not joined', async () => {
    const large = frame({ opcode: BINARY, payload: pattern(40_000) });
    outbox.writeShared(large);
    outbox.writeShared(large);
    await tick();
    expect(transport.calls).toEqual(['cork', 'write', 'write', 'uncork']);
    expect(transport.chunks.every((chunk) => chunk === large)).toBe(true);
  });

  test('are refused after the end', async () => {
    const told: unknown[] = [];
    outbox.end();
    outbox.writeShared(one, (error) => told.push(error?.message));
    outbox.writeShared(one);
    await tick();
    expect(told).toEqual(['The socket was closed before the data was written']);
    expect(transport.chunks).toEqual([]);
  });

  test('that wait for a transport that takes no more are told of its end', () => {
    transport.writableNeedDrain = true;
    const told: unknown[] = [];
    outbox.writeShared(one, (error) => told.push(error?.message));
    outbox.transportClosed();
    expect(told).toEqual(['The socket was closed before the data was written']);
    expect(outbox.queuedBytes).toBe(0);
  });
});

test('queuedBytes counts framing and payload until they are handed over', async () => {
  outbox.write(FIN_TEXT, '\u20ac', undefined);
  expect(outbox.queuedBytes).toBe(2 + 3);
  outbox.write(FIN_BINARY, pattern(126), KEY);
  expect(outbox.queuedBytes).toBe(5 + 8 + 126);
  outbox.write(FIN_BINARY, pattern(70_000), undefined);
  expect(outbox.queuedBytes).toBe(139 + 10 + 70_000);
  await tick();
  expect(outbox.queuedBytes).toBe(0);
});

test('property: whatever is corked, blocked and drained, the bytes come in order and each callback once', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        size: fc.oneof(fc.nat(200), fc.nat(5000), fc.constantFrom(8_192, 8_193, 40_000)),
        masked: fc.boolean(),
        asText: fc.boolean(),
        framed: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.constantFrom('cork', 'uncork', 'block', 'drain', 'tick', 'confirm'),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const transport = new RecordingTransport();
      const outbox = new Outbox(transport);
      const other = new Outbox(new RecordingTransport());
      const expected: Buffer[] = [];
      const told: number[] = [];
      for (const step of steps) {
        if (step === 'cork') outbox.cork();
        else if (step === 'uncork') outbox.uncork();
        else if (step === 'block') transport.writableNeedDrain = true;
        else if (step === 'tick') await tick();
        else if (step === 'confirm') transport.confirm();
        else if (step === 'drain') {
          transport.writableNeedDrain = false;
          outbox.drained();
        } else {
          const number = expected.length;
          const payload = step.asText ? 'x'.repeat(step.size) : pattern(step.size);
          const key = step.masked ? KEY : undefined;
          const bytes = frame({ opcode: BINARY, payload, key });
          expected.push(bytes);
          const note = () => told.push(number);
          if (step.framed) outbox.writeFramed([bytes.subarray(0, 2), bytes.subarray(2)], note);
          else outbox.write(FIN_BINARY, payload, key, note);
          other.write(FIN_BINARY, 'between', undefined);
        }
      }
      transport.writableNeedDrain = false;
      outbox.uncork();
      transport.confirm();
      expect(transport.bytes.equals(Buffer.concat(expected))).toBe(true);
      expect(told).toEqual(expected.map((_, index) => index));
    }),
  );
});

import { resolveLimits } from '../../src/protocol/limits';
import { IncomingMessage, longestWhole } from '../../src/protocol/message';
import { Opcode } from '../../src/protocol/opcodes';
import { hex, pattern, toHex } from '../support/bytes';

const MIB = 1024 * 1024;

function message(limits: Parameters<typeof resolveLimits>[0] = {}): IncomingMessage {
  return new IncomingMessage(resolveLimits(limits));
}

/** A frame of a message, whole: its header, then its payload. @returns the code of the fault it runs into */
function add(message: IncomingMessage, payload: Buffer, last = false): string | undefined {
  const fault =
    message.announce(payload.length, 6, last) ?? message.append(payload, 0, payload.length, 0);
  return fault === undefined ? undefined : `${fault.closeCode} ${fault.code} ${fault.message}`;
}

describe('the life of a message', () => {
  test('opens with its first frame and closes with finish()', () => {
    const incoming = message();
    expect([incoming.open, incoming.opcode, incoming.compressed]).toEqual([false, 0, false]);
    incoming.begin(Opcode.TEXT, true);
    expect([incoming.open, incoming.opcode, incoming.compressed]).toEqual([true, 1, true]);
    incoming.finish();
    expect([incoming.open, incoming.opcode, incoming.compressed]).toEqual([false, 0, false]);
  });

  test('joins the ranges it is given', () => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    incoming.announce(3, 2, false);
    incoming.append(hex('ff 0102 ff'), 1, 3, 0);
    expect(incoming.length).toBe(2);
    incoming.append(hex('03'), 0, 1, 0);
    incoming.announce(0, 2, false);
    incoming.append(hex(''), 0, 0, 0);
    incoming.announce(2, 2, true);
    incoming.append(hex('0405'), 0, 2, 0);
    expect(toHex(incoming.take())).toBe('0102030405');
    expect(incoming.length).toBe(0);
  });

  test('unmasks on the way', () => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    incoming.announce(5, 6, true);
    const chunk = hex('7f9f4d5158');
    incoming.append(chunk, 0, 3, 0x37fa213d);
    incoming.append(chunk, 3, 5, 0x3d37fa21);
    expect(incoming.bytes.toString('latin1', 0, incoming.length)).toBe('Hello');
    expect(toHex(chunk)).toBe('7f9f4d5158');
  });

  test('an empty message', () => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    incoming.announce(0, 2, true);
    incoming.append(hex(''), 0, 0, 0);
    expect(incoming.take()).toHaveLength(0);
  });

  test('what was taken is never written to again', () => {
    const incoming = message();
    const taken = [hex('0102'), hex('030405'), pattern(2000)].map((payload) => {
      incoming.begin(Opcode.BINARY, false);
      add(incoming, payload.subarray(0, 1));
      add(incoming, payload.subarray(1), true);
      const whole = incoming.take();
      incoming.finish();
      return toHex(whole);
    });
    expect(taken).toEqual(['0102', '030405', toHex(pattern(2000))]);
  });

  test('copies: the chunk may be reused', () => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    incoming.announce(2, 2, true);
    const chunk = hex('0102');
    incoming.append(chunk, 0, 2, 0);
    chunk.fill(0);
    expect(toHex(incoming.take())).toBe('0102');
  });
});

describe('memory', () => {
  /** Bytes asked of `Buffer.allocUnsafe` while `work` runs. */
  function allocated(work: () => void): number {
    const spy = jest.spyOn(Buffer, 'allocUnsafe');
    try {
      work();
      return spy.mock.calls.reduce((sum, [size]) => sum + size, 0);
    } finally {
      spy.mockRestore();
    }
  }

  test('nothing is reserved for what is only announced', () => {
    const incoming = message({ maxPayload: 0 });
    incoming.begin(Opcode.BINARY, false);
    const bytes = allocated(() => {
      expect(incoming.announce(2 ** 31 - 1, 14, true)).toBeUndefined();
      incoming.append(pattern(10), 0, 10, 0);
    });
    expect(bytes).toBe(1024);
  });

  test('a fragment costs no more than twice its bytes, however many there are', () => {
    const incoming = message();
    const fragment = pattern(64);
    incoming.begin(Opcode.BINARY, false);
    const bytes = allocated(() => {
      for (let count = 0; count < 65_535; count++) add(incoming, fragment);
      add(incoming, fragment, true);
    });
    expect(incoming.take()).toHaveLength(4 * MIB);
    // 1 KiB, 2 KiB, … 4 MiB.
    expect(bytes).toBe(8 * MIB - 1024);
  });

  test('the last frame tells the size: no spare memory is kept with the message', () => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    add(incoming, pattern(900));
    incoming.announce(700, 4, true);
    const bytes = allocated(() => {
      incoming.append(pattern(200), 0, 200, 0);
      incoming.append(pattern(500), 0, 500, 0);
    });
    expect(bytes).toBe(1600);
    expect(incoming.take()).toHaveLength(1600);
  });

  test.each([
    ['a thirty-second of a message earns memory for all of it', MIB / 32, MIB],
    ['less of it earns twice what is here at most', MIB / 32 - 1, MIB / 32 - 1],
  ])('%s', (_what, first, expected) => {
    const incoming = message();
    incoming.begin(Opcode.BINARY, false);
    incoming.announce(MIB, 14, true);
    const bytes = allocated(() => incoming.append(pattern(first), 0, first, 0));
    expect(bytes).toBe(expected);
    expect(bytes).toBe(incoming.bytes.length);
  });

  test('spare memory never goes beyond maxPayload', () => {
    const incoming = message({ maxPayload: 1500 });
    incoming.begin(Opcode.BINARY, false);
    add(incoming, pattern(1000));
    expect(allocated(() => add(incoming, pattern(100)))).toBe(1500);
  });
});

describe('maxPayload', () => {
  const fault = '1009 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH Max payload size exceeded';

  test('the last byte it allows, and one more', () => {
    expect(add(message({ maxPayload: 1000 }), pattern(1000))).toBeUndefined();
    expect(add(message({ maxPayload: 1000 }), pattern(1001))).toBe(fault);
  });

  test('counts the frames of a message together, by what they announce', () => {
    const incoming = message({ maxPayload: 1000 });
    expect(incoming.announce(999, 4, false)).toBeUndefined();
    expect(incoming.announce(1, 2, false)).toBeUndefined();
    expect(incoming.announce(0, 2, false)).toBeUndefined();
    expect(incoming.announce(1, 2, false)).toMatchObject({ closeCode: 1009 });
  });

  test('begins anew with the next message', () => {
    const incoming = message({ maxPayload: 10 });
    expect(add(incoming, pattern(10), true)).toBeUndefined();
    incoming.take();
    incoming.finish();
    expect(add(incoming, pattern(10), true)).toBeUndefined();
  });

  test('0 still refuses what no buffer can hold', () => {
    expect(message({ maxPayload: 0 }).announce(2 ** 31 - 1, 10, true)).toBeUndefined();
    expect(message({ maxPayload: 0 }).announce(2 ** 31, 10, true)?.message).toBe(
      'Max payload size exceeded',
    );
    const incoming = message({ maxPayload: 0 });
    expect(incoming.announce(2 ** 30, 10, false)).toBeUndefined();
    expect(incoming.announce(2 ** 30, 10, false)).toMatchObject({ closeCode: 1009 });
  });
});

describe('maxFragments', () => {
  test('the last frame it allows, and one more', () => {
    const incoming = message({ maxFragments: 3 });
    const faults = [1, 2, 3, 4].map(() => add(incoming, pattern(1)));
    expect(faults).toEqual([
      undefined,
      undefined,
      undefined,
      '1008 WS_ERR_TOO_MANY_BUFFERED_PARTS Too many message fragments',
    ]);
  });

  test('begins anew with the next message', () => {
    const incoming = message({ maxFragments: 1 });
    expect(add(incoming, pattern(1), true)).toBeUndefined();
    incoming.finish();
    expect(add(incoming, pattern(1), true)).toBeUndefined();
  });
});

describe('maxBufferedChunks', () => {
  test.each([1, 2, 3])('%i reads may make up a frame, and not one more', (maxBufferedChunks) => {
    const incoming = message({ maxBufferedChunks });
    incoming.announce(10, 6, true);
    for (let count = 0; count < maxBufferedChunks; count++) {
      expect(incoming.append(pattern(1), 0, 1, 0)).toBeUndefined();
    }
    expect(incoming.append(pattern(1), 0, 1, 0)).toMatchObject({
      closeCode: 1008,
      code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
      message: 'Too many buffered chunks',
    });
  });

  test('counts each frame by itself', () => {
    const incoming = message({ maxBufferedChunks: 1 });
    for (let count = 0; count < 5; count++) expect(add(incoming, pattern(3))).toBeUndefined();
  });
});

describe('maxFramingOverhead', () => {
  /** Frames that a message takes until it is cut. */
  function framesTaken(headerSize: number, length: number, maxFramingOverhead?: number): number {
    const incoming = message({ maxFramingOverhead });
    for (let count = 0; count < 400_000; count++) {
      const fault = incoming.announce(length, headerSize, false);
      if (fault === undefined) continue;
      expect(`${fault.closeCode} ${fault.code} ${fault.message}`).toBe(
        '1008 WS_ERR_TOO_MANY_BUFFERED_PARTS Too many message fragments',
      );
      return count;
    }
    return Number.POSITIVE_INFINITY;
  }

  test.each([
    ['empty', 6, 0, 43_690],
    ['one-byte', 6, 1, 52_428],
    ['five-byte', 6, 5, 262_144],
    ['six-byte', 6, 6, Number.POSITIVE_INFINITY],
    ['empty, from a server', 2, 0, 131_072],
    ['one-byte, from a server', 2, 1, 262_144],
    ['two-byte, from a server', 2, 2, Number.POSITIVE_INFINITY],
  ])('%s fragments at the default', (_name, headerSize, length, frames) => {
    expect(framesTaken(headerSize, length)).toBe(frames);
  });

  test('16,384 one-byte fragments, the most that `ws` takes, pass', () => {
    expect(framesTaken(6, 1)).toBeGreaterThan(16_384);
  });

  test('0 turns it off', () => {
    expect(framesTaken(6, 0, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('begins anew with the next message', () => {
    const incoming = message({ maxFramingOverhead: 6 });
    expect(incoming.announce(0, 6, true)).toBeUndefined();
    incoming.finish();
    expect(incoming.announce(0, 6, false)).toBeUndefined();
    expect(incoming.announce(0, 6, true)).toMatchObject({ closeCode: 1008 });
  });
});

test.each([
  [{ maxPayload: 1000 }, 1000],
  [{ maxPayload: 0 }, 2 ** 31 - 1],
  [{ maxPayload: 1000, maxFramingOverhead: 14 }, 1000],
  [{ maxPayload: 1000, maxFramingOverhead: 0 }, 1000],
  [{ maxPayload: 1000, maxFramingOverhead: 13 }, -1],
])('with %j, one frame may bring a message of %i bytes unseen', (limits, expected) => {
  expect(longestWhole(resolveLimits(limits))).toBe(expected);
});

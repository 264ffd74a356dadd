import type { LimitOptions } from '../../src/protocol/limits';
import { hex, pattern } from '../support/bytes';
import { BINARY, CONTINUATION, frame, TEXT } from '../support/frames';
import { RecordedConnection } from '../support/peer';

const KEY = 0x37fa213d;
const MIB = 1024 * 1024;

/** The sum of the sizes asked of every way to make a `Buffer`, while `work` runs. */
function allocated(work: () => void): number {
  const spies = (['allocUnsafe', 'allocUnsafeSlow', 'alloc'] as const).map((name) =>
    jest.spyOn(Buffer, name),
  );
  try {
    work();
    return spies.flatMap((spy) => spy.mock.calls).reduce((sum, [size]) => sum + size, 0);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe('a header that announces too much is refused at once, and nothing is allocated for it', () => {
  const tooBig =
    'fault 1009 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH RangeError Max payload size exceeded';
  const unsafe =
    'fault 1009 WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH RangeError Unsupported WebSocket frame: payload length > 2^53 - 1';
  const topBit =
    'fault 1002 WS_ERR_INVALID_DATA_PAYLOAD_LENGTH RangeError Invalid WebSocket frame: the most significant bit of the payload length must be 0';

  const rows: [string, LimitOptions, string, string][] = [
    ['100 MiB + 1', {}, '0000000006400001', tooBig],
    ['2^31 - 1', {}, '000000007fffffff', tooBig],
    ['2^31', {}, '0000000080000000', tooBig],
    ['2^32', {}, '0000000100000000', tooBig],
    ['2^53 - 1', {}, '001fffffffffffff', tooBig],
    ['2^53', {}, '0020000000000000', unsafe],
    ['2^63 - 1', {}, '7fffffffffffffff', unsafe],
    ['2^63', {}, '8000000000000000', topBit],
    ['2^64 - 1', {}, 'ffffffffffffffff', topBit],
    ['2^31, without maxPayload', { maxPayload: 0 }, '0000000080000000', tooBig],
    ['2^53 - 1, without maxPayload', { maxPayload: 0 }, '001fffffffffffff', tooBig],
  ];

  test.each(rows)('%s', (_name, limits, length, fault) => {
    const peer = new RecordedConnection({ role: 'client', limits });
    const bytes = allocated(() => peer.connection.receive(hex(`827f ${length}`)));
    expect(peer.log.at(-1)).toBe(fault);
    // The two bytes of our close code.
    expect(bytes).toBeLessThanOrEqual(64);
  });

  test('the largest frame that is allowed is not reserved either: memory comes with the bytes', () => {
    const peer = new RecordedConnection({ role: 'client' });
    const first = pattern(64 * 1024);
    const bytes = allocated(() => {
      peer.connection.receive(hex('827f 0000000006400000'));
      peer.connection.receive(first);
    });
    expect(peer.log).toEqual([]);
    expect(bytes).toBe(64 * 1024);
  });
});

describe('a message in many fragments', () => {
  /** Receives a message in `count` fragments of `size` bytes, in reads of 64 KiB. */
  function receiveFragments(peer: RecordedConnection, count: number, size: number): void {
    const payload = pattern(size);
    const first = frame({ opcode: BINARY, payload, fin: false, key: KEY });
    const next = frame({ opcode: CONTINUATION, payload, fin: false, key: KEY });
    const last = frame({ opcode: CONTINUATION, payload, key: KEY });
    const bytes = Buffer.concat([first, ...new Array<Buffer>(count - 2).fill(next), last]);
    for (let at = 0; at < bytes.length; at += 65_536) {
      peer.connection.receive(bytes.subarray(at, at + 65_536));
    }
  }

  test('4 MiB in 65,536 fragments of 64 bytes pass at the defaults', () => {
    const peer = new RecordedConnection();
    let message: Buffer | undefined;
    peer.onMessage = (bytes, start, end) => {
      message = bytes.subarray(start, end);
    };
    receiveFragments(peer, 65_536, 64);
    expect(peer.log).toEqual([]);
    const expected = Buffer.concat(new Array<Buffer>(65_536).fill(pattern(64)));
    expect(message?.equals(expected)).toBe(true);
    expect(expected).toHaveLength(4 * MIB);
  });

  test.each([
    ['one-byte', 16_384, 1],
    ['empty', 16_384, 0],
    ['one-byte', 52_428, 1],
    ['empty', 43_690, 0],
  ])('%s fragments: %i pass at the defaults', (_name, count, size) => {
    const peer = new RecordedConnection();
    receiveFragments(peer, count, size);
    expect(peer.log).toHaveLength(1);
    expect(peer.log[0]).toHaveLength('binary '.length + 2 * count * size);
  });

  test.each([
    ['one-byte', 52_429, 1],
    ['empty', 43_691, 0],
  ])(
    '%s fragments: at number %i the flood is cut by what its headers cost',
    (_name, count, size) => {
      const peer = new RecordedConnection();
      receiveFragments(peer, count, size);
      expect(peer.log).toEqual([
        'CLOSING',
        'sent 880203f0',
        'end',
        'fault 1008 WS_ERR_TOO_MANY_BUFFERED_PARTS RangeError Too many message fragments',
      ]);
    },
  );

  test('a flood that never ends is cut as well, and its memory bounded', () => {
    const peer = new RecordedConnection();
    const first = frame({ opcode: TEXT, payload: 'a', fin: false, key: KEY });
    const next = frame({ opcode: CONTINUATION, payload: 'a', fin: false, key: KEY });
    peer.receive(first);
    const bytes = allocated(() => {
      for (let count = 0; count < 100_000; count++) peer.connection.receive(Buffer.from(next));
    });
    expect(peer.connection.closeSent).toBe(true);
    // 2 KiB to 64 KiB, doubling.
    expect(bytes).toBeLessThan(128 * 1024);
  });
});

describe('a message in one-byte reads', () => {
  test('costs no memory beyond its own', () => {
    const peer = new RecordedConnection({ role: 'client' });
    const payload = pattern(100_000);
    const bytes = frame({ opcode: BINARY, payload });
    const reads = Array.from(bytes, (byte) => Buffer.from([byte]));
    peer.onMessage = (message, start, end) => {
      expect(message.subarray(start, end).equals(payload)).toBe(true);
      peer.log.push('message');
    };
    const cost = allocated(() => {
      for (const read of reads) peer.connection.receive(read);
    });
    expect(peer.log).toEqual(['message']);
    // 1 KiB to 64 KiB, doubling, and then what was announced; beside it a few bytes for the header.
    expect(cost).toBeLessThan(127 * 1024 + 100_000 + 64);
  });
});

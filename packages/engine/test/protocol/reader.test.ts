import { resolveLimits } from '../../src/protocol/limits';
import type { ReaderOptions, ReaderOwner } from '../../src/protocol/reader';
import { FrameReader } from '../../src/protocol/reader';
import { slices, toHex } from '../support/bytes';
import { BINARY, CONTINUATION, frame, PING, TEXT } from '../support/frames';

const KEY = 0x37fa213d;

// What a reader makes of whole conversations is in the tests of the connection; here is what it asks of its owner.

/** A reader of a server, and what it tells its owner and handler. */
class Recorded implements ReaderOwner {
  readonly log: string[] = [];
  readonly reader: FrameReader;
  goesOn = true;
  /** The memory of the last message. */
  memory: ArrayBufferLike | undefined;

  constructor(options: Partial<ReaderOptions> = {}) {
    const limits = resolveLimits({ maxPayload: 100_000 });
    const all = { role: 'server', limits, skipUTF8Validation: false, ...options } as const;
    const onMessage = (bytes: Buffer, start: number, end: number, binary: boolean): void => {
      this.memory = bytes.buffer;
      this.log.push(
        `${binary ? 'binary' : 'text'} ${bytes.subarray(start, end).toString().slice(0, 10)}`,
      );
    };
    this.reader = new FrameReader(all, { onMessage }, this);
  }

  inflate(payload: Buffer, binary: boolean): void {
    this.log.push(`inflate ${toHex(payload)} ${binary}`);
  }

  onControl(opcode: number, bytes: Buffer, start: number, end: number): void {
    this.log.push(`control ${opcode} ${bytes.subarray(start, end).toString()}`);
  }

  fail(error: Error): false {
    this.log.push(error.message);
    return false;
  }
}

const hello = frame({ opcode: TEXT, payload: 'hello', key: KEY });
const ping = frame({ opcode: PING, payload: 'p', key: KEY });

describe('FrameReader', () => {
  test.each([
    ['a message', hello],
    ['a control frame', ping],
  ])('stops behind %s where its owner does not go on', (_name, bytes) => {
    const recorded = new Recorded();
    recorded.goesOn = false;
    expect(recorded.reader.read(Buffer.concat([bytes, hello]))).toBe(bytes.length);
    expect(recorded.log).toHaveLength(1);
  });

  test('stops at a fault', () => {
    const recorded = new Recorded();
    const bad = frame({ opcode: TEXT, rsv: 2, payload: 'x', key: KEY });
    expect(recorded.reader.read(Buffer.concat([hello, bad, hello]))).toBeLessThan(
      hello.length + bad.length,
    );
    expect(recorded.log).toEqual(['text hello', expect.stringMatching(/RSV2 and RSV3/)]);
  });

  test('gives control frames between fragments, and cut ones whole', () => {
    const recorded = new Recorded();
    const bytes = Buffer.concat([
      frame({ opcode: BINARY, fin: false, payload: 'a', key: KEY }),
      ping,
      frame({ opcode: CONTINUATION, payload: 'b', key: KEY }),
    ]);
    for (const part of slices(bytes, 1)) expect(recorded.reader.read(part)).toBe(1);
    expect(recorded.log).toEqual(['control 9 p', 'binary ab']);
  });

  test('hands compressed messages to its owner, unmasked', () => {
    const compression = {} as ReaderOptions['compression'];
    const recorded = new Recorded({ compression });
    recorded.reader.read(frame({ opcode: BINARY, rsv: 4, payload: 'ab', key: KEY }));
    expect(recorded.log).toEqual(['inflate 6162 true']);
  });

  test.each([
    ['a small part of the chunk does not keep it alive', 100, false],
    ['a large part lies in it', 40_000, true],
  ])('%s', (_name, size, within) => {
    const recorded = new Recorded();
    const message = frame({ opcode: BINARY, payload: Buffer.alloc(size, 'x'), key: KEY });
    const chunk = Buffer.alloc(65_536);
    message.copy(chunk);
    recorded.reader.read(chunk.subarray(0, message.length));
    expect(recorded.memory === chunk.buffer).toBe(within);
  });
});

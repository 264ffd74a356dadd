import fc from 'fast-check';
import { LengthFault } from '../../src/protocol/frame';
import { maskInPlace } from '../../src/protocol/mask';
import type { FrameSink } from '../../src/protocol/parser';
import { FrameParser } from '../../src/protocol/parser';
import { cut, hex, pattern, slices, toHex } from '../support/bytes';
import type { FrameSpec } from '../support/frames';
import { BINARY, CONTINUATION, frame, PING, TEXT } from '../support/frames';

const KEY = 0x37fa213d;

/** Writes down every call, and stops the parser where it is told to. */
class RecordingSink implements FrameSink {
  readonly calls: string[] = [];
  readonly expectsMask: boolean = true;
  wholeUpTo = -1;
  private readonly stopAt: string | undefined;

  constructor(stopAt?: string) {
    this.stopAt = stopAt;
  }

  onFrameStart(first: number, second: number): boolean {
    return this.record(`start ${toHex(Buffer.from([first, second]))}`);
  }

  onFrameLength(length: number, headerSize: number): boolean {
    return this.record(`length ${length} header ${headerSize}`);
  }

  onPayload(chunk: Buffer, start: number, end: number, remaining: number, key: number): boolean {
    const payload = Buffer.from(chunk.subarray(start, end));
    maskInPlace(payload, 0, payload.length, key);
    return this.record(`payload ${toHex(payload)} left ${remaining}`);
  }

  onWholeMessage(opcode: number, chunk: Buffer, start: number, end: number, key: number): boolean {
    const payload = Buffer.from(chunk.subarray(start, end));
    maskInPlace(payload, 0, payload.length, key);
    return this.record(`whole ${opcode} ${toHex(payload)}`);
  }

  private record(call: string): boolean {
    this.calls.push(call);
    return call !== this.stopAt;
  }
}

function parse(chunks: Buffer[]): string[] {
  const sink = new RecordingSink();
  const parser = new FrameParser();
  for (const chunk of chunks) expect(parser.feed(chunk, 0, sink)).toBe(chunk.length);
  return sink.calls;
}

/** The calls with the parts of each payload joined: what must not depend on how the bytes are cut. */
function join(calls: string[]): string[] {
  const joined: string[] = [];
  let payload = '';
  for (const call of calls) {
    if (!call.startsWith('payload')) {
      joined.push(call);
      continue;
    }
    const [, digits, , left] = call.split(' ');
    payload += digits;
    if (left !== '0') continue;
    joined.push(`payload ${payload}`);
    payload = '';
  }
  return joined;
}

describe('a frame in one chunk', () => {
  test.each([
    ['text', '8105 48656c6c6f', ['start 8105', 'length 5 header 2', 'payload 48656c6c6f left 0']],
    [
      'masked text',
      '8185 37fa213d 7f9f4d5158',
      ['start 8185', 'length 5 header 6', 'payload 48656c6c6f left 0'],
    ],
    [
      'masked with zero',
      '8185 00000000 48656c6c6f',
      ['start 8185', 'length 5 header 6', 'payload 48656c6c6f left 0'],
    ],
    ['empty', '8800', ['start 8800', 'length 0 header 2', 'payload  left 0']],
    ['empty and masked', '8880 37fa213d', ['start 8880', 'length 0 header 6', 'payload  left 0']],
    ['a header alone', '827e 0100', ['start 827e', 'length 256 header 4']],
    [
      'a 64-bit header alone',
      '82ff 0000000100000000 37fa213d',
      ['start 82ff', 'length 4294967296 header 14'],
    ],
  ])('%s', (_name, bytes, calls) => {
    expect(parse([hex(bytes)])).toEqual(calls);
  });

  test('is left as it is, and the key told with each part', () => {
    const chunk = hex('8185 37fa213d 7f9f4d5158');
    const keys: number[] = [];
    const sink = new RecordingSink();
    sink.onPayload = (_chunk, _start, _end, _remaining, key) => keys.push(key) > 0;
    const parser = new FrameParser();
    for (const part of cut(chunk, 7, 9)) parser.feed(part, 0, sink);
    parser.feed(hex('8101 41'), 0, sink);
    expect(toHex(chunk)).toBe('818537fa213d7f9f4d5158');
    expect(keys).toEqual([0x37fa213d, 0xfa213d37 | 0, 0x3d37fa21, 0]);
  });

  test('begins where it is told', () => {
    const sink = new RecordingSink();
    expect(new FrameParser().feed(hex('ffffff 8101 41'), 3, sink)).toBe(6);
    expect(sink.calls).toEqual(['start 8101', 'length 1 header 2', 'payload 41 left 0']);
  });

  test('hands over the chunk itself, not a copy', () => {
    const chunk = hex('8101 41');
    const seen: unknown[] = [];
    const sink = new RecordingSink();
    sink.onPayload = (bytes, start, end) => seen.push(bytes, start, end) > 0;
    new FrameParser().feed(chunk, 0, sink);
    expect(seen[0]).toBe(chunk);
    expect(seen.slice(1)).toEqual([2, 3]);
  });
});

describe('a payload in several chunks', () => {
  test('comes part by part, each with what is left', () => {
    expect(parse(cut(hex('8185 37fa213d 7f9f4d5158'), 7, 9))).toEqual([
      'start 8185',
      'length 5 header 6',
      'payload 48 left 4',
      'payload 656c left 2',
      'payload 6c6f left 0',
    ]);
  });

  test('the next frame follows in the same chunk', () => {
    expect(parse(cut(hex('8103 414243 8a01 44'), 3))).toEqual([
      'start 8103',
      'length 3 header 2',
      'payload 41 left 2',
      'payload 4243 left 0',
      'start 8a01',
      'length 1 header 2',
      'payload 44 left 0',
    ]);
  });

  test('an unmasked frame after a masked one is left as it is', () => {
    expect(parse([hex('8185 37fa213d 7f9f4d5158 8101 41')]).at(-1)).toBe('payload 41 left 0');
  });
});

describe('a header in several chunks', () => {
  const header = '82ff 0000000000010000 37fa213d';

  test.each(Array.from({ length: 13 }, (_, index) => index + 1))('cut after %i bytes', (place) => {
    expect(parse(cut(hex(header), place))).toEqual(['start 82ff', 'length 65536 header 14']);
  });

  test('the first two bytes are told as soon as they are there, and once', () => {
    const sink = new RecordingSink();
    const parser = new FrameParser();
    const progress = slices(hex(header), 1).map((byte) => {
      parser.feed(byte, 0, sink);
      return sink.calls.length;
    });
    expect(progress).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
  });

  test('an empty frame ends with its header', () => {
    expect(parse(cut(hex('8980 37fa213d 8900'), 3))).toEqual([
      'start 8980',
      'length 0 header 6',
      'payload  left 0',
      'start 8900',
      'length 0 header 2',
      'payload  left 0',
    ]);
  });

  test('several cut headers on one connection', () => {
    expect(join(parse(slices(hex('8102 4142 8182 37fa213d 76b8'), 1)))).toEqual([
      'start 8102',
      'length 2 header 2',
      'payload 4142',
      'start 8182',
      'length 2 header 6',
      'payload 4142',
    ]);
  });
});

describe('a sink that says no', () => {
  const two = '8103 414243 8203 444546';

  test.each([
    ['at the start of a frame', 'start 8103', 2, 1],
    ['at its length', 'length 3 header 2', 2, 2],
    ['at its payload', 'payload 414243 left 0', 5, 3],
    ['at the start of the second', 'start 8203', 7, 4],
    ['at the payload of the second', 'payload 444546 left 0', 10, 6],
  ])('%s stops the parser right there', (_name, stopAt, place, calls) => {
    const sink = new RecordingSink(stopAt);
    expect(new FrameParser().feed(hex(two), 0, sink)).toBe(place);
    expect(sink.calls).toHaveLength(calls);
  });

  test('at the start of a frame whose header is cut', () => {
    const parser = new FrameParser();
    const sink = new RecordingSink('start 8103');
    parser.feed(hex('81'), 0, sink);
    expect(parser.feed(hex('03 414243'), 0, sink)).toBe(1);
  });

  test('at the length of a frame whose header is cut', () => {
    const parser = new FrameParser();
    const sink = new RecordingSink('length 126 header 4');
    parser.feed(hex('817e 00'), 0, sink);
    expect(parser.feed(hex('7e 4142'), 0, sink)).toBe(1);
  });

  test('at an empty frame', () => {
    const sink = new RecordingSink('payload  left 0');
    expect(new FrameParser().feed(hex('8900 8900'), 0, sink)).toBe(2);
    expect(sink.calls).toHaveLength(3);
  });

  test('after a payload, the rest of the chunk can be fed later', () => {
    const parser = new FrameParser();
    const chunk = hex(two);
    const sink = new RecordingSink('payload 414243 left 0');
    const place = parser.feed(chunk, 0, sink);
    expect(parser.feed(chunk, place, sink)).toBe(chunk.length);
    expect(sink.calls.slice(3)).toEqual([
      'start 8203',
      'length 3 header 2',
      'payload 444546 left 0',
    ]);
  });
});

test.each([
  ['not minimal', '817e 007d', LengthFault.NON_MINIMAL, 4],
  ['beyond 2^53 - 1', '817f 0020000000000000', LengthFault.UNSAFE, 10],
  ['with the top bit', '81ff 8000000000000000 37fa213d', LengthFault.TOP_BIT, 14],
])('a length that is %s is handed over as a fault', (_name, bytes, fault, size) => {
  const sink = new RecordingSink(`length ${fault} header ${size}`);
  expect(new FrameParser().feed(hex(bytes), 0, sink)).toBe(size);
  expect(sink.calls.at(-1)).toBe(`length ${fault} header ${size}`);
});

describe('any chunking', () => {
  const stream = Buffer.concat([
    frame({ opcode: TEXT, payload: 'Hello', key: KEY }),
    frame({ opcode: BINARY, payload: pattern(130), key: 0xfffefdfc, fin: false }),
    frame({ opcode: PING, payload: '', key: KEY }),
    frame({ opcode: CONTINUATION, payload: pattern(7), key: 0 }),
    frame({ opcode: BINARY, payload: pattern(126) }),
  ]);
  const expected = join(parse([Buffer.from(stream)]));

  test('one byte at a time', () => {
    expect(join(parse(slices(stream, 1)))).toEqual(expected);
  });

  test('cut at every place', () => {
    for (let place = 1; place < stream.length; place++) {
      const calls = join(parse(cut(stream, place)));
      expect({ place, calls }).toEqual({ place, calls: expected });
    }
  });

  test('property: any frames, cut anywhere, come out as they went in', () => {
    const specs = fc.array(
      fc.record({
        opcode: fc.nat(15),
        fin: fc.boolean(),
        rsv: fc.nat(7),
        payload: fc.oneof(
          fc.uint8Array({ maxLength: 20 }),
          fc.uint8Array({ minLength: 120, maxLength: 300 }),
        ),
        key: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
      }) satisfies fc.Arbitrary<FrameSpec>,
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(specs, fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (specs, shares) => {
        const bytes = Buffer.concat(specs.map(frame));
        const places = shares.map((share) => Math.floor(share * bytes.length));
        const calls = join(parse(cut(bytes, ...places.sort((a, b) => a - b))));
        expect(calls.filter((call) => call.startsWith('payload'))).toEqual(
          specs.map((spec) => `payload ${toHex(spec.payload)}`),
        );
      }),
    );
  });
});

describe('a whole message in one chunk is told in one call', () => {
  /** Takes whole messages of up to this many bytes. */
  class WholeSink extends RecordingSink {
    override readonly expectsMask: boolean;

    constructor(wholeUpTo: number, expectsMask = true, stopAt?: string) {
      super(stopAt);
      this.wholeUpTo = wholeUpTo;
      this.expectsMask = expectsMask;
    }
  }

  function told(bytes: Buffer, sink: RecordingSink): string[] {
    expect(new FrameParser().feed(bytes, 0, sink)).toBe(bytes.length);
    return sink.calls;
  }

  test.each([0, 1, 5, 125, 126, 127, 300])('of %i bytes, masked and not', (length) => {
    const payload = pattern(length);
    const masked = frame({ opcode: TEXT, payload, key: KEY });
    const plain = frame({ opcode: BINARY, payload });
    expect(told(masked, new WholeSink(300))).toEqual([`whole 1 ${toHex(payload)}`]);
    expect(told(plain, new WholeSink(300, false))).toEqual([`whole 2 ${toHex(payload)}`]);
  });

  test('and so is the next one, behind frames of other kinds', () => {
    const hello = frame({ opcode: TEXT, payload: hex('48656c6c6f'), key: KEY });
    const ping = frame({ opcode: PING, payload: hex(''), key: KEY });
    expect(told(Buffer.concat([hello, ping, hello]), new WholeSink(5))).toEqual([
      'whole 1 48656c6c6f',
      'start 8980',
      'length 0 header 6',
      'payload  left 0',
      'whole 1 48656c6c6f',
    ]);
  });

  test('the parser stops behind it when it is told to', () => {
    const hello = frame({ opcode: TEXT, payload: hex('48656c6c6f'), key: KEY });
    const sink = new WholeSink(5, true, 'whole 1 48656c6c6f');
    expect(new FrameParser().feed(Buffer.concat([hello, hello]), 0, sink)).toBe(hello.length);
    expect(sink.calls).toEqual(['whole 1 48656c6c6f']);
  });

  test.each([
    ['longer than is taken', 4, true, '8185 00000000 48656c6c6f'],
    ['while none is taken', -1, true, '8180 00000000'],
    ['a fragment', 9, true, '0181 00000000 41'],
    ['the last fragment', 9, true, '8081 00000000 41'],
    ['compressed', 9, true, 'c181 00000000 41'],
    ['a control frame', 9, true, '8980 00000000'],
    ['not masked where it should be', 9, true, '8106 48656c6c6f21'],
    ['masked where it should not be', 9, false, '8180 00000000'],
    ['a length not in its shortest form', 99, true, '81fe007d 00000000', 'length -1 header 8'],
    ['64 bits of length', 99_999, true, '81ff00000000000186a0 00000000', 'length 100000 header 14'],
    ['not all there', 9, true, '8185 00000000 48656c'],
    ['with half a header', 999, true, '81fe0100 0000', 'start 81fe'],
    ['with two bytes of header and nothing behind', 9, true, '8185', 'start 8185'],
  ])('but not where it is %s', (_what, most, masked, digits, ...calls) => {
    const first = told(hex(digits), new WholeSink(most, masked));
    expect(first.join().startsWith('start')).toBe(true);
    for (const call of calls) expect(first).toContain(call);
  });
});

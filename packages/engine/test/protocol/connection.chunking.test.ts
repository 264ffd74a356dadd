import fc from 'fast-check';
import { cut, hex, pattern, slices, toHex } from '../support/bytes';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from '../support/frames';
import { OUR_KEY, RecordedConnection } from '../support/peer';
import { anyText } from '../support/text';

type Role = 'server' | 'client';
const ROLES = ['server', 'client'] as const;

/** Frames as the peer of a `role` sends them, each masked with a key of its own where they are masked. */
function stream(role: Role, specs: FrameSpec[]): Buffer {
  return Buffer.concat(
    specs.map((spec, index) =>
      frame(role === 'server' ? { key: 0x9e3779b9 * (index + 1), ...spec } : spec),
    ),
  );
}

function transcript(role: Role, chunks: Buffer[]): string[] {
  const peer = new RecordedConnection({ role });
  peer.receive(...chunks);
  peer.connection.receiveEnd();
  peer.connection.transportClosed();
  const { closeCode, closeReason } = peer.connection;
  return [...peer.log, `close ${closeCode} ${closeReason}`];
}

const conversation: FrameSpec[] = [
  { opcode: TEXT, payload: 'Hello' },
  { opcode: BINARY, payload: pattern(126) },
  { opcode: TEXT, payload: 'k\u03cc\u03c3', fin: false },
  { opcode: PING, payload: 'are you there' },
  { opcode: CONTINUATION, fin: false },
  { opcode: PONG },
  { opcode: CONTINUATION, payload: hex('f09f'), fin: false },
  { opcode: CONTINUATION, payload: hex('9880') },
  { opcode: TEXT },
  { opcode: PING },
  { opcode: BINARY, fin: false },
  { opcode: CONTINUATION },
  { opcode: TEXT, payload: 'a longer text, so that it is checked by Node: \u20ac' },
  { opcode: CLOSE, payload: Buffer.concat([hex('0fa0'), Buffer.from('bye')]) },
  { opcode: TEXT, payload: 'too late' },
];

describe.each(ROLES)('as a %s: a conversation of some 300 bytes', (role) => {
  const bytes = stream(role, conversation);
  const us = (spec: FrameSpec) =>
    `sent ${toHex(frame(role === 'client' ? { key: OUR_KEY, ...spec } : spec))}`;
  const expected = [
    'text Hello',
    `binary ${toHex(pattern(126))}`,
    us({ opcode: PONG, payload: 'are you there' }),
    `ping ${toHex(Buffer.from('are you there'))}`,
    'pong ',
    'text k\u03cc\u03c3\u{1f600}',
    'text ',
    us({ opcode: PONG }),
    'ping ',
    'binary ',
    'text a longer text, so that it is checked by Node: \u20ac',
    'CLOSING',
    us({ opcode: CLOSE, payload: Buffer.concat([hex('0fa0'), Buffer.from('bye')]) }),
    ...(role === 'server' ? ['end'] : []),
    'end',
    'CLOSED',
    'close 4000 bye',
  ];

  test('at once', () => {
    expect(bytes.length).toBeGreaterThan(240);
    expect(transcript(role, [bytes])).toEqual(expected);
  });

  test('cut at every place', () => {
    for (let place = 1; place < bytes.length; place++) {
      expect({ place, calls: transcript(role, cut(bytes, place)) }).toEqual({
        place,
        calls: expected,
      });
    }
  });

  test('cut at every thirteenth pair of places', () => {
    for (let first = 1; first < bytes.length; first++) {
      for (let second = first + 1 + (first % 13); second < bytes.length; second += 13) {
        const calls = transcript(role, cut(bytes, first, second));
        expect({ first, second, calls }).toEqual({ first, second, calls: expected });
      }
    }
  });

  test.each([1, 2, 3, 5, 7, 11, 64])('in pieces of %i bytes', (size) => {
    expect(transcript(role, slices(bytes, size))).toEqual(expected);
  });
});

describe.each(ROLES)('as a %s: conversations that end in a fault', (role) => {
  const hello: FrameSpec = { opcode: TEXT, payload: 'Hello' };

  test.each<[string, FrameSpec[]]>([
    ['a reserved opcode', [hello, { opcode: 3, payload: 'x' }, hello]],
    ['a length that is not minimal', [hello, { opcode: TEXT, payload: 'x', form: 64 }, hello]],
    ['a length with the top bit', [hello, { opcode: TEXT, announce: 2n ** 63n }]],
    ['too long a message', [hello, { opcode: TEXT, announce: 2n ** 40n }]],
    ['a close code that is not for the wire', [hello, { opcode: CLOSE, payload: hex('03ed') }]],
    ['a close reason that is not UTF-8', [hello, { opcode: CLOSE, payload: hex('03e8ff') }]],
    [
      'text that is not UTF-8',
      [hello, { opcode: TEXT, payload: Buffer.concat([pattern(30), hex('ff'), pattern(30)]) }],
    ],
    [
      'text that is not UTF-8, in fragments',
      [
        hello,
        { opcode: TEXT, payload: hex('cebae1bdb9'), fin: false },
        { opcode: PING },
        { opcode: CONTINUATION, payload: hex('f4'), fin: false },
        { opcode: CONTINUATION, payload: hex('908080656469746564') },
      ],
    ],
  ])('%s, cut at every place', (_name, specs) => {
    const bytes = stream(role, specs);
    const expected = transcript(role, [bytes]);
    expect(expected.at(-4)).toMatch(/^fault 100\d WS_ERR_/);
    for (let place = 1; place < bytes.length; place++) {
      expect({ place, calls: transcript(role, cut(bytes, place)) }).toEqual({
        place,
        calls: expected,
      });
    }
    expect(transcript(role, slices(bytes, 1))).toEqual(expected);
  });
});

describe('text fails at its first bad byte (as the Autobahn cases 6.3 and 6.4 look for)', () => {
  const greek = hex('cebae1bdb9cf83cebcceb5');
  const edited = Buffer.from('edited');

  /** Bad text, and the place of the first byte that no valid text can have there. */
  const rows: [string, Buffer, number][] = [
    ['beyond U+10FFFF', Buffer.concat([greek, hex('f4908080'), edited]), greek.length + 1],
    ['a surrogate', Buffer.concat([greek, hex('eda080'), edited]), greek.length + 1],
    ['an overlong form', Buffer.concat([greek, hex('e08080'), edited]), greek.length + 1],
    ['a lone continuation byte', Buffer.concat([greek, hex('80'), edited]), greek.length],
    [
      'a missing continuation byte',
      Buffer.concat([greek, hex('f09080'), edited]),
      greek.length + 3,
    ],
    ['behind a long text', Buffer.concat([Buffer.alloc(100, 'a'), greek, hex('ff')]), 111],
    ['at the very beginning', Buffer.concat([hex('ff'), edited]), 0],
  ];

  /** Sends byte after byte. @returns how many bytes it took until the peer was failed with 1007 */
  function bytesUntilFault(bytes: Buffer): number {
    const peer = new RecordedConnection({ role: 'client' });
    let taken = 0;
    for (const byte of slices(bytes, 1)) {
      taken++;
      if (peer.receive(byte).length === 0) continue;
      expect(peer.log.at(-1)).toBe(
        'fault 1007 WS_ERR_INVALID_UTF8 Error Invalid WebSocket frame: invalid UTF-8 sequence',
      );
      return taken;
    }
    return Number.POSITIVE_INFINITY;
  }

  test.each(rows)('%s, in one frame', (_name, text, bad) => {
    const bytes = frame({ opcode: TEXT, payload: text });
    expect(bytesUntilFault(bytes)).toBe(bytes.length - text.length + bad + 1);
  });

  test.each(rows)('%s, in two fragments cut at every place', (_name, text, bad) => {
    for (let place = 0; place <= text.length; place++) {
      const first = frame({ opcode: TEXT, payload: text.subarray(0, place), fin: false });
      const second = frame({ opcode: CONTINUATION, payload: text.subarray(place) });
      const headers = bad < place ? 2 : 4;
      expect(bytesUntilFault(Buffer.concat([first, second]))).toBe(headers + bad + 1);
    }
  });

  test.each(rows)('%s, a fragment for each byte', (_name, text, bad) => {
    const frames = Array.from(text, (byte, index) =>
      frame({
        opcode: index === 0 ? TEXT : CONTINUATION,
        payload: Buffer.from([byte]),
        fin: false,
      }),
    );
    expect(bytesUntilFault(Buffer.concat(frames))).toBe(3 * (bad + 1));
  });

  test('at the header of a last fragment that leaves a character open', () => {
    const first = frame({ opcode: TEXT, payload: hex('cebae1bd'), fin: false });
    const last = frame({ opcode: CONTINUATION });
    expect(bytesUntilFault(Buffer.concat([first, last]))).toBe(first.length + 2);
  });

  test('the part of a frame that has come is checked while the rest is on its way', () => {
    const peer = new RecordedConnection({ role: 'client' });
    const bytes = frame({ opcode: TEXT, payload: Buffer.alloc(1000, 'a') });
    bytes[500] = 0xff;
    expect(peer.receive(bytes.subarray(0, 500))).toEqual([]);
    expect(peer.receive(bytes.subarray(500, 501)).at(-1)).toMatch(/^fault 1007/);
  });
});

describe('properties', () => {
  interface Message {
    readonly binary: boolean;
    readonly parts: (string | Uint8Array)[];
    /** A ping before each part but the first. */
    readonly ping: boolean;
  }

  const parts = <T>(part: fc.Arbitrary<T>) => fc.array(part, { minLength: 1, maxLength: 4 });
  const messages: fc.Arbitrary<Message[]> = fc.array(
    fc.oneof(
      fc.record({
        binary: fc.constant(false),
        parts: parts(anyText(50)),
        ping: fc.boolean(),
      }),
      fc.record({
        binary: fc.constant(true),
        parts: parts(fc.uint8Array({ maxLength: 200 })),
        ping: fc.boolean(),
      }),
    ),
    { maxLength: 5 },
  );
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

  function send(from: RecordedConnection, message: Message): void {
    const last = message.parts.length - 1;
    message.parts.forEach((part, index) => {
      if (message.ping && index > 0) from.connection.ping('p');
      from.connection.send(part, message.binary, index === last);
    });
  }

  function received(message: Message): string[] {
    const pings = message.ping ? new Array<string>(message.parts.length - 1).fill('ping 70') : [];
    const whole = Buffer.concat(message.parts.map((part) => Buffer.from(part)));
    return [...pings, message.binary ? `binary ${toHex(whole)}` : `text ${whole}`];
  }

  test.each([
    ['client', 'server'],
    ['server', 'client'],
  ] as const)('what a %s sends is what a %s receives, however it is cut', (sender, receiver) => {
    fc.assert(
      fc.property(messages, shares, (messages, shares) => {
        const from = new RecordedConnection({ role: sender });
        const to = new RecordedConnection({ role: receiver, autoPong: false });
        for (const message of messages) send(from, message);
        from.connection.close(1000, 'done');
        const bytes = Buffer.concat(from.sent);
        const places = shares.map((share) => Math.floor(share * bytes.length));
        to.receive(...cut(bytes, ...places.sort((a, b) => a - b)));
        expect(to.log.slice(0, to.log.indexOf('CLOSING'))).toEqual(messages.flatMap(received));
        expect([to.connection.closeCode, to.connection.closeReason.toString()]).toEqual([
          1000,
          'done',
        ]);
      }),
    );
  });

  test('any bytes at all, cut anywhere, give the same calls, and never an exception', () => {
    const bytes = fc
      .array(
        fc.oneof(
          fc.uint8Array({ maxLength: 30 }),
          fc
            .record({
              opcode: fc.constantFrom(0, 1, 2, 8, 9, 10, 3),
              fin: fc.boolean(),
              rsv: fc.constantFrom(0, 0, 0, 0, 4),
              payload: fc.uint8Array({ maxLength: 130 }),
            })
            .map((spec) => frame({ ...spec, key: 0x01fe02fd })),
        ),
        { maxLength: 6 },
      )
      .map((pieces) => Buffer.concat(pieces));
    fc.assert(
      fc.property(bytes, shares, (bytes, shares) => {
        const places = shares.map((share) => Math.floor(share * bytes.length));
        expect(transcript('server', cut(bytes, ...places.sort((a, b) => a - b)))).toEqual(
          transcript('server', [bytes]),
        );
      }),
      { numRuns: 500 },
    );
  });
});

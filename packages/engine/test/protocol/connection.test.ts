import type { LimitOptions } from '../../src/protocol/limits';
import { State } from '../../src/protocol/state';
import { cut, hex, pattern, slices, toHex } from '../support/bytes';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from '../support/frames';
import { OUR_KEY, RecordedConnection } from '../support/peer';

const KEY = 0x37fa213d;
const ROLES = ['server', 'client'] as const;

/** A frame as the peer of a `role` sends it: a client masks, a server does not (RFC 6455 5.1). */
function fromPeer(role: 'server' | 'client', spec: FrameSpec): Buffer {
  return frame(role === 'server' ? { key: KEY, ...spec } : spec);
}

/** The log's line for a frame that a `role` sends. */
function sent(role: 'server' | 'client', spec: FrameSpec): string {
  return `sent ${toHex(frame(role === 'client' ? { key: OUR_KEY, ...spec } : spec))}`;
}

function closePayload(code: number, reason = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

test.each(ROLES)('as a %s it tells its role, and that nothing is compressed', (role) => {
  const { connection } = new RecordedConnection({ role });
  expect([connection.role, connection.compression]).toEqual([role, false]);
});

describe.each(ROLES)('as a %s: messages', (role) => {
  test.each<[string, FrameSpec[], string[]]>([
    ['text', [{ opcode: TEXT, payload: 'Hello' }], ['text Hello']],
    ['empty text', [{ opcode: TEXT }], ['text ']],
    ['binary', [{ opcode: BINARY, payload: hex('00ff') }], ['binary 00ff']],
    ['empty binary', [{ opcode: BINARY }], ['binary ']],
    [
      '126 bytes, the 16-bit length',
      [{ opcode: BINARY, payload: pattern(126) }],
      [`binary ${toHex(pattern(126))}`],
    ],
    [
      '65,536 bytes, the 64-bit length',
      [{ opcode: BINARY, payload: pattern(65_536) }],
      [`binary ${toHex(pattern(65_536))}`],
    ],
    [
      'one after the other',
      [
        { opcode: TEXT, payload: 'a' },
        { opcode: BINARY, payload: 'b' },
        { opcode: TEXT, payload: '\u20ac' },
      ],
      ['text a', 'binary 62', 'text \u20ac'],
    ],
    [
      'fragments',
      [
        { opcode: TEXT, payload: 'Hel', fin: false },
        { opcode: CONTINUATION, payload: 'l', fin: false },
        { opcode: CONTINUATION, payload: 'o' },
        { opcode: BINARY, payload: 'x', fin: false },
        { opcode: CONTINUATION, payload: 'y' },
      ],
      ['text Hello', 'binary 7879'],
    ],
    [
      'fragments of nothing at all',
      [
        { opcode: TEXT, fin: false },
        { opcode: CONTINUATION, fin: false },
        { opcode: CONTINUATION },
      ],
      ['text '],
    ],
    [
      'empty fragments around the payload',
      [
        { opcode: BINARY, fin: false },
        { opcode: CONTINUATION, payload: 'ab', fin: false },
        { opcode: CONTINUATION },
      ],
      ['binary 6162'],
    ],
    [
      'the payload in the last fragment alone',
      [
        { opcode: TEXT, fin: false },
        { opcode: CONTINUATION, payload: 'late' },
      ],
      ['text late'],
    ],
    [
      'control frames between fragments',
      [
        { opcode: TEXT, payload: 'Hel', fin: false },
        { opcode: PONG, payload: 'p' },
        { opcode: CONTINUATION, fin: false },
        { opcode: PONG },
        { opcode: CONTINUATION, payload: 'lo' },
      ],
      ['pong 70', 'pong ', 'text Hello'],
    ],
  ])('%s', (_name, specs, calls) => {
    const bytes = specs.map((spec) => fromPeer(role, spec));
    expect(new RecordedConnection({ role }).receive(...bytes)).toEqual(calls);
    expect(new RecordedConnection({ role }).receive(Buffer.concat(bytes))).toEqual(calls);
    expect(new RecordedConnection({ role }).receive(...slices(Buffer.concat(bytes), 1))).toEqual(
      calls,
    );
  });

  test.each([
    ['a small part of a read is copied, so that the read can go', BINARY, false, 1_000, false],
    ['a larger part is not', BINARY, false, 1_024, true],
    ['nor is text that is decoded at once', TEXT, true, 10, true],
    ['other text is', TEXT, false, 10, false],
  ])('%s', (_name, opcode, decodesText, length, lent) => {
    const peer = new RecordedConnection({ role, decodesText });
    const bytes = fromPeer(role, { opcode, payload: Buffer.alloc(length, 'x') });
    const chunk = Buffer.from(new ArrayBuffer(65_536)).fill(bytes, 0, bytes.length);
    peer.connection.receive(chunk.subarray(0, bytes.length));
    expect(peer.lastMessage?.buffer === chunk.buffer).toBe(lent);
    expect(peer.lastMessage).toEqual(Buffer.alloc(length, 'x'));
  });

  test('text that is all of a read is looked at where it lies', () => {
    for (const [payload, told] of [
      [hex('e282ac'), 'text \u20ac'],
      [hex('e282'), undefined],
    ] as const) {
      const bytes = fromPeer(role, { opcode: TEXT, payload });
      const read = Buffer.from(new ArrayBuffer(bytes.length)).fill(bytes);
      expect(new RecordedConnection({ role }).receive(read)[0] === told).toBe(told !== undefined);
    }
  });

  test('a message that was put together lies in memory of its own', () => {
    const peer = new RecordedConnection({ role });
    const bytes = fromPeer(role, { opcode: TEXT, payload: 'Hello' });
    const [head, tail] = cut(bytes, bytes.length - 2);
    peer.connection.receive(head);
    peer.connection.receive(tail);
    bytes.fill(0);
    expect(peer.lastMessage).toEqual(Buffer.from('Hello'));
  });

  test('text is not looked at where that was asked for', () => {
    const peer = new RecordedConnection({ role, skipUTF8Validation: true });
    const bad = hex('c0af');
    peer.receive(
      fromPeer(role, { opcode: TEXT, payload: bad }),
      fromPeer(role, { opcode: TEXT, payload: bad, fin: false }),
      fromPeer(role, { opcode: CONTINUATION, payload: bad }),
      fromPeer(role, { opcode: CLOSE, payload: Buffer.concat([hex('03e8'), bad]) }),
    );
    expect(peer.log.slice(0, 3)).toEqual([
      'text \ufffd\ufffd',
      'text \ufffd\ufffd\ufffd\ufffd',
      'CLOSING',
    ]);
    expect(toHex(peer.connection.closeReason)).toBe('c0af');
  });
});

describe.each(ROLES)('as a %s: pings and pongs', (role) => {
  test('a ping is answered with its own payload, then told (RFC 6455 5.5.2)', () => {
    const peer = new RecordedConnection({ role });
    peer.receive(
      fromPeer(role, { opcode: PING, payload: 'Hello' }),
      fromPeer(role, { opcode: PING }),
      fromPeer(role, { opcode: PING, payload: pattern(125) }),
    );
    expect(peer.log).toEqual([
      role === 'server' ? 'sent 8a0548656c6c6f' : 'sent 8a850102030449676f686e',
      'ping 48656c6c6f',
      role === 'server' ? 'sent 8a00' : 'sent 8a8001020304',
      'ping ',
      sent(role, { opcode: PONG, payload: pattern(125) }),
      `ping ${toHex(pattern(125))}`,
    ]);
  });

  test('between the fragments of a message, before it goes on (RFC 6455 5.4)', () => {
    const peer = new RecordedConnection({ role });
    peer.receive(
      fromPeer(role, { opcode: TEXT, payload: 'a', fin: false }),
      fromPeer(role, { opcode: PING, payload: '1' }),
      fromPeer(role, { opcode: PING, payload: '2' }),
      fromPeer(role, { opcode: CONTINUATION, payload: 'b' }),
    );
    expect(peer.log).toEqual([
      sent(role, { opcode: PONG, payload: '1' }),
      'ping 31',
      sent(role, { opcode: PONG, payload: '2' }),
      'ping 32',
      'text ab',
    ]);
  });

  test('payloads that come in pieces', () => {
    const peer = new RecordedConnection({ role });
    const bytes = Buffer.concat([
      fromPeer(role, { opcode: PING, payload: 'abc' }),
      fromPeer(role, { opcode: PONG, payload: 'def' }),
    ]);
    peer.receive(...slices(bytes, 1));
    expect(peer.log).toEqual([
      sent(role, { opcode: PONG, payload: 'abc' }),
      'ping 616263',
      'pong 646566',
    ]);
  });

  test('no answer where none is wanted', () => {
    const peer = new RecordedConnection({ role, autoPong: false });
    expect(peer.receive(fromPeer(role, { opcode: PING, payload: 'a' }))).toEqual(['ping 61']);
  });

  test('no answer once we are closing, but the ping is told', () => {
    const peer = new RecordedConnection({ role });
    peer.connection.close(1000);
    peer.log.length = 0;
    expect(peer.receive(fromPeer(role, { opcode: PING, payload: 'a' }))).toEqual(['ping 61']);
  });

  test.each([
    ['ping', PING],
    ['pong', PONG],
  ] as const)('a %s is kept as a copy', (kind, opcode) => {
    const peer = new RecordedConnection({ role });
    const kept: Buffer[] = [];
    peer.onPing = (payload) => kept.push(payload);
    peer.onPong = (payload) => kept.push(payload);
    const chunk = fromPeer(role, { opcode, payload: kind });
    peer.connection.receive(chunk);
    chunk.fill(0);
    expect(kept.map(String)).toEqual([kind]);
  });
});

describe.each(ROLES)('as a %s: sending', (role) => {
  test('messages, fragments, pings and pongs', () => {
    const peer = new RecordedConnection({ role });
    const { connection } = peer;
    connection.send('Hello', false, true);
    connection.send(hex('0102'), true, true);
    connection.send('Hel', false, false);
    connection.ping('p');
    // The first fragment has decided that it is text.
    connection.send(hex('6c'), true, false);
    connection.pong(hex(''));
    connection.send('o', true, true);
    connection.send('', false, true);
    expect(peer.log).toEqual([
      sent(role, { opcode: TEXT, payload: 'Hello' }),
      sent(role, { opcode: BINARY, payload: hex('0102') }),
      sent(role, { opcode: TEXT, payload: 'Hel', fin: false }),
      sent(role, { opcode: PING, payload: 'p' }),
      sent(role, { opcode: CONTINUATION, payload: 'l', fin: false }),
      sent(role, { opcode: PONG }),
      sent(role, { opcode: CONTINUATION, payload: 'o' }),
      sent(role, { opcode: TEXT }),
    ]);
  });

  test('callbacks go with their frames', () => {
    const peer = new RecordedConnection({ role });
    const callbacks = [jest.fn(), jest.fn(), jest.fn()];
    peer.connection.send('a', false, true, callbacks[0]);
    peer.connection.ping('b', callbacks[1]);
    peer.connection.pong('c', callbacks[2]);
    expect(peer.callbacks).toEqual(callbacks);
  });
});

test('frames that were made elsewhere are sent as they are', () => {
  const peer = new RecordedConnection();
  const callback = jest.fn();
  peer.connection.sendFramed([hex('8102'), hex('6869')], callback);
  expect(peer.log).toEqual(['sent 81026869']);
  expect(peer.callbacks).toEqual([callback]);
});

describe('masking keys', () => {
  test('a client asks for a fresh one for each frame (RFC 6455 5.3)', () => {
    let key = 0;
    const peer = new RecordedConnection({ role: 'client', maskingKey: () => ++key });
    peer.connection.send('', false, true);
    peer.connection.ping('');
    peer.connection.close();
    expect(peer.log).toEqual([
      'sent 818000000001',
      'sent 898000000002',
      'sent 888000000003',
      'CLOSING',
    ]);
  });

  test('a server asks for none', () => {
    const maskingKey = jest.fn(() => 1);
    const peer = new RecordedConnection({ role: 'server', maskingKey });
    peer.connection.send('a', false, true);
    expect(maskingKey).not.toHaveBeenCalled();
  });
});

describe.each(ROLES)('as a %s: the closing handshake', (role) => {
  /** A server ends the transport when both close frames are through, a client waits for it (RFC 6455 7.1.1). */
  const afterBoth = role === 'server' ? ['end'] : [];

  test.each([
    ['nothing', '', 1005, ''],
    ['a code', '03e8', 1000, ''],
    ['a code and a reason', '03e9627965', 1001, 'bye'],
    ['the least code of libraries', '0bb8', 3000, ''],
    ['the last code of applications', '1387', 4999, ''],
    ['the longest reason', `03e8${'61'.repeat(123)}`, 1000, 'a'.repeat(123)],
  ])('the peer closes with %s: we echo it', (_name, digits, code, reason) => {
    const payload = hex(digits);
    const echo = sent(role, { opcode: CLOSE, payload });
    for (const size of [200, 1]) {
      const peer = new RecordedConnection({ role });
      peer.receive(...slices(fromPeer(role, { opcode: CLOSE, payload }), size));
      expect(peer.log).toEqual(['CLOSING', echo, ...afterBoth]);
      const { connection } = peer;
      expect([connection.closeSent, connection.closeReceived]).toEqual([true, true]);
      expect([connection.closeCode, connection.closeReason.toString()]).toEqual([code, reason]);
    }
  });

  test('we close, the peer answers', () => {
    const peer = new RecordedConnection({ role });
    const { connection } = peer;
    connection.close(4000, 'done');
    expect(peer.log).toEqual([
      sent(role, { opcode: CLOSE, payload: closePayload(4000, 'done') }),
      'CLOSING',
    ]);
    expect([connection.closeSent, connection.closeReceived]).toEqual([true, false]);
    expect([connection.closeCode, connection.closeReason.toString()]).toEqual([1006, '']);

    peer.log.length = 0;
    peer.receive(fromPeer(role, { opcode: CLOSE, payload: closePayload(4001, 'ok') }));
    expect(peer.log).toEqual(afterBoth);
    expect([connection.closeCode, connection.closeReason.toString()]).toEqual([4001, 'ok']);

    connection.receiveEnd();
    connection.transportClosed();
    expect(peer.log).toEqual([...afterBoth, 'end', 'CLOSED']);
  });

  test('we close without a code', () => {
    const peer = new RecordedConnection({ role });
    peer.connection.close();
    expect(peer.log[0]).toBe(role === 'server' ? 'sent 8800' : 'sent 888001020304');
  });

  test('what the peer still sends before its close frame is delivered', () => {
    const peer = new RecordedConnection({ role });
    peer.connection.close(1000);
    peer.log.length = 0;
    peer.receive(
      fromPeer(role, { opcode: TEXT, payload: 'late' }),
      fromPeer(role, { opcode: PONG }),
      fromPeer(role, { opcode: CLOSE }),
    );
    expect(peer.log).toEqual(['text late', 'pong ', ...afterBoth]);
  });

  test('what follows a close frame is not looked at (RFC 6455 5.5.1)', () => {
    const close = fromPeer(role, { opcode: CLOSE, payload: hex('03e8') });
    const garbage = hex('ffffffffffff');
    const expected = ['CLOSING', sent(role, { opcode: CLOSE, payload: hex('03e8') }), ...afterBoth];
    expect(new RecordedConnection({ role }).receive(Buffer.concat([close, garbage]))).toEqual(
      expected,
    );
    expect(new RecordedConnection({ role }).receive(close, garbage, close)).toEqual(expected);
  });

  test('both close at once', () => {
    const peer = new RecordedConnection({ role });
    peer.connection.close(1000);
    peer.receive(fromPeer(role, { opcode: CLOSE, payload: hex('03e9') }));
    expect(peer.log).toEqual([
      sent(role, { opcode: CLOSE, payload: hex('03e8') }),
      'CLOSING',
      ...afterBoth,
    ]);
  });

  test('in the middle of a fragmented message, which is never delivered', () => {
    const peer = new RecordedConnection({ role });
    peer.receive(
      fromPeer(role, { opcode: TEXT, payload: 'half', fin: false }),
      fromPeer(role, { opcode: CLOSE }),
      fromPeer(role, { opcode: CONTINUATION, payload: 'other half' }),
    );
    expect(peer.log).toEqual(['CLOSING', sent(role, { opcode: CLOSE }), ...afterBoth]);
  });

  test('the reason is kept as a copy', () => {
    const peer = new RecordedConnection({ role });
    const chunk = fromPeer(role, { opcode: CLOSE, payload: closePayload(1000, 'bye') });
    peer.connection.receive(chunk);
    chunk.fill(0);
    expect(peer.connection.closeReason.toString()).toBe('bye');
  });
});

describe('close()', () => {
  test('sends one close frame, however often it is called', () => {
    const peer = new RecordedConnection();
    peer.connection.close(1000);
    peer.connection.close(1001);
    peer.connection.transportClosed();
    peer.connection.close(1002);
    expect(peer.log).toEqual(['sent 880203e8', 'CLOSING', 'CLOSED']);
  });

  test('changes nothing when its arguments are wrong', () => {
    const peer = new RecordedConnection();
    expect(() => peer.connection.close(1005)).toThrow(
      new TypeError('First argument must be a valid error code number'),
    );
    expect(() => peer.connection.close(1000, 'a'.repeat(124))).toThrow(
      new RangeError('The message must not be greater than 123 bytes'),
    );
    expect(peer.log).toEqual([]);
    expect(peer.connection.state).toBe(State.OPEN);
    expect(peer.connection.closeSent).toBe(false);
  });

  test('is of no effect, arguments and all, once the connection is closing', () => {
    const peer = new RecordedConnection();
    peer.connection.receiveEnd();
    peer.connection.close(1000);
    peer.connection.close(1005, 'a'.repeat(124));
    expect(peer.log).toEqual(['CLOSING', 'end']);
    expect(peer.connection.closeSent).toBe(false);
  });
});

describe('the end of the transport', () => {
  test('without a close frame is abnormal (RFC 6455 7.1.5)', () => {
    const peer = new RecordedConnection();
    const { connection } = peer;
    expect(connection.state).toBe(State.OPEN);
    connection.receiveEnd();
    expect(connection.state).toBe(State.CLOSING);
    connection.transportClosed();
    expect(connection.state).toBe(State.CLOSED);
    expect(peer.log).toEqual(['CLOSING', 'end', 'CLOSED']);
    expect([connection.closeCode, connection.closeSent, connection.closeReceived]).toEqual([
      1006,
      false,
      false,
    ]);
  });

  test('at once: CLOSING, then CLOSED', () => {
    const peer = new RecordedConnection();
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['CLOSING', 'CLOSED']);
  });

  test.each(['receiveEnd', 'transportClosed'] as const)(
    '%s inside a frame: it is dropped',
    (end) => {
      const peer = new RecordedConnection();
      peer.receive(frame({ opcode: TEXT, payload: 'Hello', key: KEY }).subarray(0, 8));
      peer.connection[end]();
      expect(peer.log).not.toContainEqual(expect.stringMatching(/^(text|fault)/));
    },
  );

  test('each state is told once, whatever comes on top', () => {
    const peer = new RecordedConnection();
    const { connection } = peer;
    connection.receiveEnd();
    connection.receiveEnd();
    connection.transportClosed();
    connection.transportClosed();
    connection.receiveEnd();
    peer.receive(frame({ opcode: TEXT, payload: 'a', key: KEY }));
    expect(peer.log.filter((line) => line !== 'end')).toEqual(['CLOSING', 'CLOSED']);
  });
});

describe.each(ROLES)('as a %s: faults of the peer', (role) => {
  const INVALID = 'Invalid WebSocket frame:';
  const open: FrameSpec = { opcode: TEXT, payload: 'a', fin: false };

  const rows: [string, FrameSpec[], string][] = [
    [
      'RSV2',
      [{ opcode: TEXT, rsv: 2 }],
      '1002 WS_ERR_UNEXPECTED_RSV_2_3 RangeError RSV2 and RSV3 must be clear',
    ],
    [
      'RSV3',
      [{ opcode: PING, rsv: 1 }],
      '1002 WS_ERR_UNEXPECTED_RSV_2_3 RangeError RSV2 and RSV3 must be clear',
    ],
    [
      'RSV2 and RSV3 inside a message',
      [open, { opcode: CONTINUATION, rsv: 3 }],
      '1002 WS_ERR_UNEXPECTED_RSV_2_3 RangeError RSV2 and RSV3 must be clear',
    ],
    [
      'RSV1 on text',
      [{ opcode: TEXT, rsv: 4 }],
      '1002 WS_ERR_UNEXPECTED_RSV_1 RangeError RSV1 must be clear',
    ],
    [
      'RSV1 on binary',
      [{ opcode: BINARY, rsv: 4 }],
      '1002 WS_ERR_UNEXPECTED_RSV_1 RangeError RSV1 must be clear',
    ],
    [
      'RSV1 on a continuation',
      [open, { opcode: CONTINUATION, rsv: 4 }],
      '1002 WS_ERR_UNEXPECTED_RSV_1 RangeError RSV1 must be clear',
    ],
    [
      'RSV1 on a ping',
      [{ opcode: PING, rsv: 4 }],
      '1002 WS_ERR_UNEXPECTED_RSV_1 RangeError RSV1 must be clear',
    ],
    [
      'RSV1 on a close frame',
      [{ opcode: CLOSE, rsv: 4 }],
      '1002 WS_ERR_UNEXPECTED_RSV_1 RangeError RSV1 must be clear',
    ],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, FrameSpec[], string] => [
      `opcode ${opcode}`,
      [{ opcode }],
      `1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode ${opcode}`,
    ]),
    [
      'a continuation of nothing',
      [{ opcode: CONTINUATION }],
      '1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode 0',
    ],
    [
      'a continuation after a whole message',
      [{ opcode: CONTINUATION, fin: false }],
      '1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode 0',
    ],
    [
      'text inside a message',
      [open, { opcode: TEXT }],
      '1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode 1',
    ],
    [
      'binary inside a message',
      [open, { opcode: BINARY, fin: false }],
      '1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode 2',
    ],
    [
      'a reserved opcode inside a message',
      [open, { opcode: 3 }],
      '1002 WS_ERR_INVALID_OPCODE RangeError invalid opcode 3',
    ],
    [
      'a fragmented ping',
      [{ opcode: PING, fin: false }],
      '1002 WS_ERR_EXPECTED_FIN RangeError FIN must be set',
    ],
    [
      'a fragmented pong',
      [{ opcode: PONG, fin: false }],
      '1002 WS_ERR_EXPECTED_FIN RangeError FIN must be set',
    ],
    [
      'a fragmented close frame',
      [{ opcode: CLOSE, fin: false }],
      '1002 WS_ERR_EXPECTED_FIN RangeError FIN must be set',
    ],
    [
      'a ping of 126 bytes',
      [{ opcode: PING, payload: pattern(126) }],
      '1002 WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH RangeError invalid payload length 126',
    ],
    [
      'a pong with a 64-bit length',
      [{ opcode: PONG, form: 64 }],
      '1002 WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH RangeError invalid payload length 127',
    ],
    [
      'a close frame of 126 bytes',
      [{ opcode: CLOSE, payload: pattern(126) }],
      '1002 WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH RangeError invalid payload length 126',
    ],
    [
      'a close frame of one byte',
      [{ opcode: CLOSE, payload: 'a' }],
      '1002 WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH RangeError invalid payload length 1',
    ],
    [
      '0 bytes announced in 16 bits',
      [{ opcode: TEXT, form: 16 }],
      '1002 WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH RangeError the payload length is not minimally encoded',
    ],
    [
      '125 bytes announced in 16 bits',
      [{ opcode: TEXT, form: 16, payload: 'a'.repeat(125) }],
      '1002 WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH RangeError the payload length is not minimally encoded',
    ],
    [
      '65,535 bytes announced in 64 bits',
      [{ opcode: BINARY, form: 64, announce: 65_535n }],
      '1002 WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH RangeError the payload length is not minimally encoded',
    ],
    [
      'a length with the top bit',
      [{ opcode: BINARY, announce: 2n ** 63n }],
      '1002 WS_ERR_INVALID_DATA_PAYLOAD_LENGTH RangeError the most significant bit of the payload length must be 0',
    ],
    ...[999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
      (code): [string, FrameSpec[], string] => [
        `close code ${code}`,
        [{ opcode: CLOSE, payload: closePayload(code) }],
        `1002 WS_ERR_INVALID_CLOSE_CODE RangeError invalid status code ${code}`,
      ],
    ),
    [
      'text that is not UTF-8',
      [{ opcode: TEXT, payload: hex('c0af') }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
    [
      'text that ends inside a character',
      [{ opcode: TEXT, payload: hex('e282') }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
    [
      'a fragment that is not UTF-8',
      [{ opcode: TEXT, payload: hex('ff'), fin: false }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
    [
      'a later fragment that is not UTF-8',
      [open, { opcode: CONTINUATION, payload: hex('80'), fin: false }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
    [
      'fragments that end inside a character',
      [{ opcode: TEXT, payload: hex('e282'), fin: false }, { opcode: CONTINUATION }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
    [
      'a close reason that is not UTF-8',
      [{ opcode: CLOSE, payload: hex('03e8c0af') }],
      '1007 WS_ERR_INVALID_UTF8 Error invalid UTF-8 sequence',
    ],
  ];

  test.each(rows)('%s', (_name, specs, expected) => {
    const bytes = Buffer.concat(specs.map((spec) => fromPeer(role, spec)));
    const [closeCode, code, type, ...words] = expected.split(' ');
    const log = [
      'CLOSING',
      sent(role, { opcode: CLOSE, payload: closePayload(Number(closeCode)) }),
      'end',
      `fault ${closeCode} ${code} ${type} ${INVALID} ${words.join(' ')}`,
    ];
    for (const size of [bytes.length, 1]) {
      const peer = new RecordedConnection({ role });
      peer.receive(...slices(bytes, size));
      expect(peer.log).toEqual(log);
      expect(peer.connection.state).toBe(State.CLOSING);
      // What the application is told is 1006: no close frame came.
      expect([peer.connection.closeCode, peer.connection.closeReceived]).toEqual([1006, false]);
    }
  });

  test('a length beyond 2^53 - 1', () => {
    const peer = new RecordedConnection({ role });
    peer.receive(fromPeer(role, { opcode: BINARY, announce: 2n ** 53n }));
    expect(peer.log.at(-1)).toBe(
      'fault 1009 WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH RangeError Unsupported WebSocket frame: payload length > 2^53 - 1',
    );
    expect(peer.log[1]).toBe(sent(role, { opcode: CLOSE, payload: hex('03f1') }));
  });

  test('the wrong masking (RFC 6455 5.1)', () => {
    const peer = new RecordedConnection({ role });
    const key = role === 'server' ? undefined : KEY;
    peer.receive(frame({ opcode: TEXT, payload: 'a', key }));
    const code = role === 'server' ? 'WS_ERR_EXPECTED_MASK' : 'WS_ERR_UNEXPECTED_MASK';
    const must = role === 'server' ? 'MASK must be set' : 'MASK must be clear';
    expect(peer.log).toEqual([
      'CLOSING',
      role === 'server' ? 'sent 880203ea' : 'sent 88820102030402e8',
      'end',
      `fault 1002 ${code} RangeError ${INVALID} ${must}`,
    ]);
  });

  test('are told by the first two bytes alone, where these break a rule', () => {
    const peer = new RecordedConnection({ role });
    expect(peer.receive(hex('83'))).toEqual([]);
    expect(peer.receive(hex('80')).at(-1)).toBe(
      `fault 1002 WS_ERR_INVALID_OPCODE RangeError ${INVALID} invalid opcode 3`,
    );
  });

  test('the first rule broken is the one that is named', () => {
    const wrongMask = role === 'server' ? 0 : 0x80;
    const codes = [0xf3, 0xc3, 0x83, 0x09, 0x89, 0x81].map((first) => {
      const peer = new RecordedConnection({ role });
      peer.receive(Buffer.from([first, wrongMask | (first === 0x81 ? 0 : 126)]));
      return peer.log.at(-1)?.split(' ')[2];
    });
    expect(codes).toEqual([
      'WS_ERR_UNEXPECTED_RSV_2_3',
      'WS_ERR_UNEXPECTED_RSV_1',
      'WS_ERR_INVALID_OPCODE',
      'WS_ERR_EXPECTED_FIN',
      'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
      role === 'server' ? 'WS_ERR_EXPECTED_MASK' : 'WS_ERR_UNEXPECTED_MASK',
    ]);
  });

  test('what came before is delivered, what comes after is not, and one fault is told', () => {
    const peer = new RecordedConnection({ role });
    const good = fromPeer(role, { opcode: TEXT, payload: 'good' });
    const bad = fromPeer(role, { opcode: 3 });
    peer.receive(Buffer.concat([good, bad, good, bad]), good, bad);
    expect(peer.log).toHaveLength(5);
    expect(peer.log[0]).toBe('text good');
    expect(peer.log[4]).toMatch(/^fault/);
    peer.connection.receiveEnd();
    peer.connection.transportClosed();
    expect(peer.log.slice(5)).toEqual(['end', 'CLOSED']);
  });

  test('after our close frame no second one is sent', () => {
    const peer = new RecordedConnection({ role });
    peer.connection.close(1000);
    peer.log.length = 0;
    peer.receive(fromPeer(role, { opcode: 3 }));
    expect(peer.log).toEqual([
      'end',
      `fault 1002 WS_ERR_INVALID_OPCODE RangeError ${INVALID} invalid opcode 3`,
    ]);
  });
});

describe.each(ROLES)('as a %s: limits', (role) => {
  const text = (payload: string, fin = false) => fromPeer(role, { opcode: TEXT, payload, fin });
  const more = (payload: string, fin = false) =>
    fromPeer(role, { opcode: CONTINUATION, payload, fin });

  test.each<[string, LimitOptions, Buffer[], string]>([
    [
      'maxPayload, by what a header announces',
      { maxPayload: 5 },
      [text('123456').subarray(0, role === 'server' ? 6 : 2)],
      '1009 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH RangeError Max payload size exceeded',
    ],
    [
      'maxPayload, by the frames together',
      { maxPayload: 5 },
      [text('123'), more('45'), more(''), more('6').subarray(0, role === 'server' ? 6 : 2)],
      '1009 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH RangeError Max payload size exceeded',
    ],
    [
      'maxFragments',
      { maxFragments: 2 },
      [text('1'), more('2'), more('3', true)],
      '1008 WS_ERR_TOO_MANY_BUFFERED_PARTS RangeError Too many message fragments',
    ],
    [
      'maxFramingOverhead',
      { maxFramingOverhead: 12 },
      [text(''), more(''), more(''), more(''), more(''), more(''), more('')],
      '1008 WS_ERR_TOO_MANY_BUFFERED_PARTS RangeError Too many message fragments',
    ],
    [
      'maxBufferedChunks',
      { maxBufferedChunks: 2 },
      slices(text('abcdefghijkl', true), 4),
      '1008 WS_ERR_TOO_MANY_BUFFERED_PARTS RangeError Too many buffered chunks',
    ],
  ])('%s', (_name, limits, chunks, fault) => {
    const peer = new RecordedConnection({ role, limits });
    expect(peer.receive(...chunks)).toEqual([
      'CLOSING',
      sent(role, { opcode: CLOSE, payload: closePayload(Number(fault.slice(0, 4))) }),
      'end',
      `fault ${fault}`,
    ]);
  });

  test('begin anew with each message, and are no business of control frames', () => {
    const limits = { maxPayload: 3, maxFragments: 2, maxFramingOverhead: 12, maxBufferedChunks: 1 };
    const peer = new RecordedConnection({ role, limits, autoPong: false });
    for (let round = 0; round < 5; round++) {
      peer.receive(text('ab'), fromPeer(role, { opcode: PING, payload: '1234' }), more('c', true));
    }
    expect(new Set(peer.log)).toEqual(new Set(['ping 31323334', 'text abc']));
    expect(peer.log).toHaveLength(10);
  });
});

describe('suspending', () => {
  const text = (payload: string) => frame({ opcode: TEXT, payload, key: KEY });
  const three = Buffer.concat([text('1'), text('2'), text('3')]);

  test('in the middle of a chunk: the rest waits, and what is received meanwhile comes after it', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => peer.connection.suspend();
    peer.receive(three);
    expect(peer.connection.isSuspended).toBe(true);
    peer.receive(text('4'), text('5'));
    expect(peer.log).toEqual(['text 1']);

    peer.connection.resume();
    expect(peer.log).toEqual(['text 1', 'text 2']);
    expect(peer.connection.isSuspended).toBe(true);

    peer.onEachMessage = undefined;
    peer.connection.resume();
    expect(peer.connection.isSuspended).toBe(false);
    expect(peer.log).toEqual(['text 1', 'text 2', 'text 3', 'text 4', 'text 5']);
  });

  test('on the last message of a chunk: nothing is left, the next chunk waits', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => peer.connection.suspend();
    peer.receive(text('1'));
    peer.onEachMessage = undefined;
    peer.receive(text('2'));
    expect(peer.log).toEqual(['text 1']);
    peer.connection.resume();
    expect(peer.log).toEqual(['text 1', 'text 2']);
  });

  test('and resuming before the call returns changes nothing', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => {
      peer.connection.suspend();
      peer.connection.resume();
    };
    expect(peer.receive(three)).toEqual(['text 1', 'text 2', 'text 3']);
  });

  test('inside a frame: its parts wait too', () => {
    const peer = new RecordedConnection();
    const [head, tail] = slices(text('Hello'), 8);
    peer.receive(head);
    peer.connection.suspend();
    peer.receive(tail);
    expect(peer.log).toEqual([]);
    peer.connection.resume();
    expect(peer.log).toEqual(['text Hello']);
  });

  test('on an empty message', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => peer.connection.suspend();
    expect(peer.receive(Buffer.concat([text(''), text('')]))).toEqual(['text ']);
    peer.connection.resume();
    expect(peer.log).toEqual(['text ', 'text ']);
  });

  test('holds a close frame and a fault back as well', () => {
    for (const last of [frame({ opcode: CLOSE, key: KEY }), frame({ opcode: 3, key: KEY })]) {
      const peer = new RecordedConnection();
      peer.onEachMessage = () => peer.connection.suspend();
      expect(peer.receive(Buffer.concat([text('1'), last]))).toEqual(['text 1']);
      peer.connection.resume();
      expect(peer.connection.state).toBe(State.CLOSING);
    }
  });

  test('nothing is held after a close frame, suspended or not', () => {
    const peer = new RecordedConnection();
    peer.receive(frame({ opcode: CLOSE, key: KEY }));
    peer.connection.suspend();
    peer.receive(text('late'));
    peer.connection.resume();
    expect(peer.log).toEqual(['CLOSING', 'sent 8800', 'end']);
  });

  test('resuming what was never suspended does nothing', () => {
    const peer = new RecordedConnection();
    peer.connection.resume();
    expect(peer.receive(text('1'))).toEqual(['text 1']);
  });

  test('the end of the peer comes after everything that was read, though the reader wants to wait', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => peer.connection.suspend();
    peer.receive(three);
    peer.connection.receiveEnd();
    expect(peer.log).toEqual(['text 1', 'text 2', 'text 3', 'CLOSING', 'end']);
  });

  test('so does the end of the transport, but nothing can be sent any more', () => {
    const peer = new RecordedConnection();
    peer.onEachMessage = () => peer.connection.suspend();
    peer.receive(Buffer.concat([three, frame({ opcode: PING, key: KEY })]));
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['text 1', 'CLOSING', 'text 2', 'text 3', 'ping ', 'CLOSED']);
  });

  test('a close frame found after the end of the transport is read, not answered', () => {
    const peer = new RecordedConnection();
    peer.connection.suspend();
    peer.receive(frame({ opcode: CLOSE, payload: hex('03e9'), key: KEY }));
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['CLOSING', 'CLOSED']);
    const { closeCode, closeReceived, closeSent } = peer.connection;
    expect([closeCode, closeReceived, closeSent]).toEqual([1001, true, false]);
  });

  test('a fault found after the end of the transport is told, to the application alone', () => {
    const peer = new RecordedConnection();
    peer.connection.suspend();
    peer.receive(frame({ opcode: 3, key: KEY }));
    peer.connection.transportClosed();
    expect(peer.log).toEqual([
      'CLOSING',
      'end',
      'fault 1002 WS_ERR_INVALID_OPCODE RangeError Invalid WebSocket frame: invalid opcode 3',
      'CLOSED',
    ]);
  });

  test('what is received between the end of the peer and that of the transport is not looked at', () => {
    const peer = new RecordedConnection();
    peer.connection.suspend();
    peer.connection.receiveEnd();
    peer.receive(three);
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['CLOSING', 'end', 'CLOSED']);
  });
});

describe('automatic pongs behind a transport that takes no more', () => {
  const ping = frame({ opcode: PING, key: KEY });

  function flood(peer: RecordedConnection, count: number): void {
    for (let index = 0; index < count; index++) peer.receive(ping);
  }

  test('as many as maxPendingAutoPongs wait; the next ping cuts the peer', () => {
    const peer = new RecordedConnection({ limits: { maxPendingAutoPongs: 3 } });
    peer.blocked = true;
    flood(peer, 3);
    expect(peer.log).toEqual(['sent 8a00', 'ping ', 'sent 8a00', 'ping ', 'sent 8a00', 'ping ']);
    peer.log.length = 0;
    flood(peer, 3);
    expect(peer.log).toEqual(['CLOSING', 'destroy']);
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['CLOSING', 'destroy', 'CLOSED']);
  });

  test('60 by default', () => {
    const peer = new RecordedConnection();
    peer.blocked = true;
    flood(peer, 60);
    expect(peer.log).not.toContain('destroy');
    flood(peer, 1);
    expect(peer.log).toContain('destroy');
  });

  test('the rest of the chunk is not looked at', () => {
    const peer = new RecordedConnection({ limits: { maxPendingAutoPongs: 1 } });
    peer.blocked = true;
    peer.receive(Buffer.concat([ping, ping, ping, frame({ opcode: TEXT, key: KEY })]));
    expect(peer.log).toEqual(['sent 8a00', 'ping ', 'CLOSING', 'destroy']);
  });

  test('a pong that has left counts no more: a slow reader that pings now and then is not cut', () => {
    const peer = new RecordedConnection({ limits: { maxPendingAutoPongs: 2 } });
    peer.blocked = true;
    for (let round = 0; round < 10; round++) {
      flood(peer, 2);
      for (const callback of peer.callbacks.splice(0)) callback?.();
    }
    expect(peer.log).not.toContain('destroy');
    flood(peer, 2);
    peer.callbacks[0]?.();
    flood(peer, 1);
    expect(peer.log).not.toContain('destroy');
    flood(peer, 1);
    expect(peer.log.at(-1)).toBe('destroy');
  });

  test('a transport that takes everything is not counted', () => {
    const peer = new RecordedConnection({ limits: { maxPendingAutoPongs: 1 } });
    flood(peer, 100);
    expect(peer.log).not.toContain('destroy');
    expect(new Set(peer.callbacks)).toEqual(new Set([undefined]));
  });

  test('0 turns the limit off', () => {
    const peer = new RecordedConnection({ limits: { maxPendingAutoPongs: 0 } });
    peer.blocked = true;
    flood(peer, 1000);
    expect(peer.log).not.toContain('destroy');
  });

  test('pings that are not answered are not counted', () => {
    const peer = new RecordedConnection({ autoPong: false, limits: { maxPendingAutoPongs: 1 } });
    peer.blocked = true;
    flood(peer, 100);
    expect(peer.log).not.toContain('destroy');
  });
});

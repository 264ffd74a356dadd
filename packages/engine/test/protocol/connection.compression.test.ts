import { Faults, protocolError } from '../../src/protocol/errors';
import { PreparedMessage } from '../../src/protocol/prepared';
import { State } from '../../src/protocol/state';
import { hex, slices } from '../support/bytes';
import { FakeCompression } from '../support/compression';
import type { FrameSpec } from '../support/frames';
import { BINARY, CLOSE, CONTINUATION, frame, PING, TEXT } from '../support/frames';
import { RecordedConnection } from '../support/peer';

const RSV1 = 4;

let compression: FakeCompression;
let peer: RecordedConnection;

beforeEach(() => {
  compression = new FakeCompression();
  peer = new RecordedConnection({ compression });
});

/** Frames of the peer, in one chunk. */
function from(...specs: FrameSpec[]): Buffer {
  return Buffer.concat(specs.map((spec) => frame({ key: 0x37fa213d, ...spec })));
}

const compressed = (payload: string | Uint8Array, opcode = TEXT): FrameSpec => ({
  opcode,
  rsv: RSV1,
  payload,
});

describe('a compressed message', () => {
  test.each([
    ['whole', [compressed('abc')], ['text cba']],
    ['empty', [compressed('')], ['text ']],
    ['binary', [compressed(hex('0102'), BINARY)], ['binary 0201']],
    [
      'in fragments, of which the first alone is marked',
      [
        { opcode: TEXT, rsv: RSV1, payload: 'ab', fin: false },
        { opcode: CONTINUATION, payload: 'c', fin: false },
        { opcode: CONTINUATION, payload: 'd' },
      ],
      ['text dcba'],
    ],
    [
      'in fragments whose last alone has a payload',
      [
        { opcode: TEXT, rsv: RSV1, fin: false },
        { opcode: CONTINUATION, payload: 'ab' },
      ],
      ['text ba'],
    ],
    [
      'among others that are not (RFC 7692 6)',
      [{ opcode: TEXT, payload: 'abc' }, compressed('abc'), { opcode: TEXT, payload: 'abc' }],
      ['text abc', 'text cba', 'text abc'],
    ],
    [
      'whose bytes are UTF-8 only when they are inflated',
      [compressed(Buffer.from('\u20ac').reverse())],
      ['text \u20ac'],
    ],
  ] as [string, FrameSpec[], string[]][])('%s', (_name, specs, calls) => {
    for (const size of [1000, 1]) {
      const each = new RecordedConnection({ compression });
      expect(each.receive(...slices(from(...specs), size))).toEqual(calls);
    }
  });

  test('that is not UTF-8 when it is inflated', () => {
    peer.receive(from(compressed('\u20ac')));
    expect(peer.log.at(-1)).toBe(
      'fault 1007 WS_ERR_INVALID_UTF8 Error Invalid WebSocket frame: invalid UTF-8 sequence',
    );
  });

  test.each([
    ['a ping', { opcode: PING, rsv: RSV1 }],
    ['a close frame', { opcode: CLOSE, rsv: RSV1 }],
  ])('%s is never compressed', (_name, spec) => {
    peer.receive(from(spec));
    expect(peer.log.at(-1)).toMatch(/^fault 1002 WS_ERR_UNEXPECTED_RSV_1/);
  });

  test('nor is a continuation marked', () => {
    peer.receive(
      from({ opcode: TEXT, rsv: RSV1, fin: false }, { opcode: CONTINUATION, rsv: RSV1 }),
    );
    expect(peer.log.at(-1)).toMatch(/^fault 1002 WS_ERR_UNEXPECTED_RSV_1/);
  });

  test.each([false, true])('that breaks a limit or is bad data is a fault (slow: %s)', (slow) => {
    compression.slow = slow;
    compression.error = protocolError(Faults.MESSAGE_LENGTH);
    peer.receive(from(compressed('abc'), { opcode: TEXT, payload: 'more' }));
    compression.finish();
    expect(peer.log).toEqual([
      'CLOSING',
      'sent 880203f1',
      'end',
      'fault 1009 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH RangeError Max payload size exceeded',
    ]);
  });

  test('whose inflating was given up is dropped, and so is what follows it', () => {
    compression.error = new Error('The connection is over');
    peer.receive(from(compressed('abc'), { opcode: TEXT, payload: 'more' }));
    expect(peer.log).toEqual([]);
    compression.inflate = (_payload, done) => done(null);
    const other = new RecordedConnection({ compression });
    expect(other.receive(from(compressed('abc'), { opcode: TEXT, payload: 'b' }))).toEqual([]);
  });
});

describe('while a message is inflated', () => {
  beforeEach(() => {
    compression.slow = true;
  });

  test('what follows waits, in the same read and in later ones', () => {
    peer.receive(
      from(compressed('abc'), { opcode: PING, payload: 'p' }, { opcode: TEXT, payload: 'd' }),
      from({ opcode: TEXT, payload: 'e' }, compressed('fg')),
      from({ opcode: TEXT, payload: 'h' }),
    );
    expect(peer.log).toEqual([]);
    compression.finish();
    expect(peer.log).toEqual(['text cba', 'sent 8a0170', 'ping 70', 'text d', 'text e']);
    compression.finish();
    expect(peer.log.slice(5)).toEqual(['text gf', 'text h']);
  });

  test('pausing and resuming change nothing of that', () => {
    peer.receive(from(compressed('abc'), { opcode: TEXT, payload: 'd' }));
    peer.connection.suspend();
    peer.connection.resume();
    expect(peer.log).toEqual([]);
    peer.connection.suspend();
    compression.finish();
    expect(peer.log).toEqual(['text cba']);
    peer.connection.resume();
    expect(peer.log).toEqual(['text cba', 'text d']);
  });

  test('reading had better stop, and is told when it may go on', () => {
    peer.receive(from(compressed('abc'), compressed('de')));
    expect([peer.connection.isInflating, peer.readable]).toEqual([true, 0]);
    compression.finish();
    expect([peer.connection.isInflating, peer.readable]).toEqual([true, 0]);
    compression.finish();
    expect([peer.connection.isInflating, peer.readable]).toEqual([false, 1]);
  });

  test('reading does not go on while the reader pauses', () => {
    peer.receive(from(compressed('abc')));
    peer.connection.suspend();
    compression.finish();
    expect(peer.readable).toBe(0);
  });

  test('a close frame waits as well', () => {
    peer.receive(from(compressed('abc'), { opcode: CLOSE, payload: hex('03e8') }));
    expect(peer.connection.state).toBe(State.OPEN);
    compression.finish();
    expect(peer.log).toEqual(['text cba', 'CLOSING', 'sent 880203e8', 'end']);
  });

  test('we may close: the message is delivered all the same', () => {
    peer.receive(from(compressed('abc')));
    peer.connection.close(1000);
    compression.finish();
    expect(peer.log).toEqual(['sent 880203e8', 'CLOSING', 'text cba']);
  });

  test('the end of the peer waits until everything is delivered', () => {
    peer.receive(from(compressed('abc'), compressed('de'), { opcode: TEXT, payload: 'f' }));
    peer.connection.receiveEnd();
    expect(peer.log).toEqual([]);
    compression.finish();
    expect(peer.log).toEqual(['text cba']);
    compression.finish();
    expect(peer.log).toEqual(['text cba', 'text ed', 'text f', 'CLOSING', 'end']);
  });

  test('the end of the transport too: CLOSED comes last, and once', () => {
    peer.receive(from(compressed('abc'), compressed('de')));
    peer.connection.receiveEnd();
    peer.connection.transportClosed();
    expect(peer.log).toEqual(['CLOSING']);
    compression.finish();
    compression.finish();
    expect(peer.log).toEqual(['CLOSING', 'text cba', 'text ed', 'CLOSED']);
    expect(compression.calls.at(-1)).toBe('close');
  });

  test('a fault after it waits for its turn', () => {
    peer.receive(from(compressed('abc'), { opcode: 3 }));
    peer.connection.receiveEnd();
    compression.finish();
    expect(peer.log).toEqual([
      'text cba',
      'CLOSING',
      'sent 880203ea',
      'end',
      'fault 1002 WS_ERR_INVALID_OPCODE RangeError Invalid WebSocket frame: invalid opcode 3',
      'end',
    ]);
  });
});

describe('while a message is compressed', () => {
  beforeEach(() => {
    compression.slow = true;
  });

  test('pongs and our close frame wait for their turn', () => {
    peer.connection.send('abc', false, true);
    peer.receive(from({ opcode: PING, payload: 'p' }));
    peer.connection.close(1000);
    peer.receive(from({ opcode: CLOSE, payload: hex('03e8') }));
    expect(peer.log).toEqual(['ping 70', 'CLOSING']);
    expect(peer.connection.queuedBytes).toBe(3 + 1 + 2);
    compression.finish();
    expect(peer.log.slice(2)).toEqual(['sent c103636261', 'sent 8a0170', 'sent 880203e8', 'end']);
    expect(peer.connection.queuedBytes).toBe(0);
  });

  test('pongs that wait count: a flood of pings is cut', () => {
    const limited = new RecordedConnection({ compression, limits: { maxPendingAutoPongs: 2 } });
    const ping = from({ opcode: PING });
    limited.connection.send('abc', false, true);
    limited.receive(ping, ping);
    expect(limited.log).toEqual(['ping ', 'ping ']);
    compression.finish();
    for (const callback of limited.callbacks) callback?.();
    limited.log.length = 0;
    limited.connection.send('def', false, true);
    limited.receive(ping, ping, ping);
    expect(limited.log).toEqual(['ping ', 'ping ', 'CLOSING', 'destroy']);
  });

  test('one that cannot be compressed ends the connection, and its owner is told', () => {
    compression.error = new Error('no memory');
    compression.slow = false;
    peer.connection.send('abc', false, true);
    expect(peer.log).toEqual(['destroy', 'CLOSING', 'unsendable no memory']);
  });

  test('a prepared message waits for its turn', () => {
    const prepared = new PreparedMessage(Buffer.from('two'), true, false);
    const callback = jest.fn();
    peer.connection.send('abc', false, true);
    peer.connection.sendPrepared(prepared, callback);
    expect(peer.log).toEqual([]);
    compression.finish();
    expect(peer.log).toEqual(['sent c103636261', 'sent 820374776f']);
    expect(peer.callbacks).toEqual([undefined, callback]);
  });

  test('a message that was asked not to be compressed is not', () => {
    peer.connection.send('abc', false, true, undefined, false);
    expect(peer.log).toEqual(['sent 8103616263']);
  });
});

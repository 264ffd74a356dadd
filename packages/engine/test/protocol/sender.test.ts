import { FIN, Opcode } from '../../src/protocol/opcodes';
import type { UnreadPayload, WriteCallback } from '../../src/protocol/sender';
import {
  MessageSender,
  mostPayloadLength,
  payloadLength,
  socketClosed,
} from '../../src/protocol/sender';
import { rethrow } from '../../src/rethrow';
import { FakeCompression } from '../support/compression';
import { LoggingWriter } from '../support/logging-writer';

jest.mock('../../src/rethrow', () => ({ rethrow: jest.fn() }));

const PING = FIN | Opcode.PING;
const CLOSED = 'The socket was closed before the data was written';
const WHILE_COMPRESSING = 'The socket was closed while data was being compressed';

/** A payload that is read when the test says so. */
class SlowPayload implements UnreadPayload {
  readonly size = 4;
  resolve: (bytes: Uint8Array) => void = () => undefined;
  reject: (error: Error) => void = () => undefined;

  read(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

let writer: LoggingWriter;
let compression: FakeCompression;
let told: string[];

beforeEach(() => {
  writer = new LoggingWriter();
  compression = new FakeCompression();
  told = [];
});

/** A callback that writes down what it is told. */
function note(name: string): WriteCallback {
  return (error) => told.push(`${name}: ${error?.message}`);
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('without compression', () => {
  test('messages and fragments: the first fragment decides on the opcode', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    sender.message('a', false, true, true);
    sender.message(Buffer.from('b'), true, true, true);
    sender.message('c', false, false, true);
    sender.message('d', true, false, true);
    sender.frame(PING, 'p');
    sender.message('e', true, true, true);
    sender.message('', true, false, true);
    sender.message('', false, true, true);
    expect(writer.log).toEqual(['81 a', '82 b', '01 c', '00 d', '89 p', '80 e', '02 ', '80 ']);
    expect(new Set(writer.keys)).toEqual(new Set([undefined]));
    expect([sender.idle, sender.queuedBytes]).toEqual([true, 0]);
  });

  test('each frame has a masking key of its own where there are any', () => {
    let key = 0;
    const sender = new MessageSender(writer, () => ++key, undefined);
    sender.message('a', false, true, true);
    sender.frame(PING, '');
    expect(writer.keys).toEqual([1, 2]);
  });

  test('callbacks go with their frames', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    const callback = jest.fn();
    sender.message('a', false, true, true, callback);
    sender.frame(PING, '', callback);
    expect(writer.callbacks).toEqual([callback, callback]);
  });

  test('ends and closes at once', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    sender.end();
    sender.close();
    expect(writer.log).toEqual(['end']);
  });
});

describe('with compression', () => {
  let sender: MessageSender;

  beforeEach(() => {
    sender = new MessageSender(writer, undefined, compression);
  });

  test('a message is marked by RSV1 (RFC 7692 6) and compressed', () => {
    sender.message('abc', false, true, true);
    sender.message(Buffer.from('def'), true, true, true);
    expect(writer.log).toEqual(['c1 cba', 'c2 fed']);
    expect(compression.calls).toEqual([
      'compresses 3',
      'deflate abc',
      'compresses 3',
      'deflate def',
    ]);
    expect(sender.idle).toBe(true);
  });

  test('of fragments, the first alone is marked', () => {
    sender.message('ab', false, false, true);
    sender.frame(PING, 'p');
    sender.message('cd', false, false, true);
    sender.message('ef', false, true, true);
    expect(writer.log).toEqual(['41 ba', '89 p', '00 dc', '80 fe']);
    expect(compression.calls).toEqual(['compresses 2', 'deflate ab…', 'deflate cd…', 'deflate ef']);
  });

  test('the length counts in bytes', () => {
    sender.message('\u20ac', false, true, true);
    expect(compression.calls[0]).toBe('compresses 3');
  });

  test('the first fragment decides: worth it or not, asked for or not', () => {
    compression.threshold = 3;
    sender.message('ab', false, false, true);
    sender.message('cdefgh', false, true, true);
    sender.message('abc', false, false, false);
    sender.message('def', false, true, true);
    sender.message('abc', false, false, true);
    sender.message('d', false, true, false);
    expect(writer.log).toEqual(['01 ab', '80 cdefgh', '01 abc', '80 def', '41 cba', '80 d']);
  });

  test('whatever is sent meanwhile waits for its turn', () => {
    compression.slow = true;
    sender.message('abc', false, true, true, note('abc'));
    sender.frame(PING, 'p');
    sender.message('de', false, true, false);
    sender.message('fgh', false, true, true);
    sender.end();
    expect(writer.log).toEqual([]);
    expect([sender.idle, sender.queuedBytes]).toEqual([false, 3 + 1 + 2 + 3]);

    compression.finish();
    expect(writer.log).toEqual(['c1 cba', '89 p', '81 de']);
    expect([sender.idle, sender.queuedBytes]).toEqual([false, 3]);

    compression.finish();
    expect(writer.log).toEqual(['c1 cba', '89 p', '81 de', 'c1 hgf', 'end']);
    expect([sender.idle, sender.queuedBytes]).toEqual([true, 0]);

    sender.frame(PING, 'q');
    sender.end();
    expect(writer.log.slice(5)).toEqual(['89 q', 'end']);
    // The transport has the callback now.
    expect(told).toEqual([]);
    expect(writer.callbacks[0]).toBeDefined();
  });

  test.each([
    [new Error('Z_BUF_ERROR'), 'Z_BUF_ERROR'],
    [null, 'The message could not be compressed'],
  ])('a message that cannot be compressed ends the connection: %s', (error, message) => {
    compression.deflate = (_payload, _fin, done) => done(error);
    const owner = { onUnsendable: (reason: Error) => told.push(`owner: ${reason.message}`) };
    sender = new MessageSender(writer, undefined, compression, owner);
    sender.message('abc', false, true, true, note('abc'));
    expect(writer.log).toEqual(['destroy']);
    expect(told).toEqual([`abc: ${message}`, `owner: ${message}`]);
  });
});

describe('a payload that has to be read', () => {
  test('is sent when it has been, and what follows waits', async () => {
    const sender = new MessageSender(writer, undefined, undefined);
    const payload = new SlowPayload();
    sender.message(payload, true, true, true);
    sender.message('after', false, true, true);
    expect([writer.log, sender.queuedBytes]).toEqual([[], 4 + 5]);
    payload.resolve(Buffer.from('blob'));
    await settled();
    expect(writer.log).toEqual(['82 blob', '81 after']);
  });

  test('is compressed after that', async () => {
    const sender = new MessageSender(writer, undefined, compression);
    const payload = new SlowPayload();
    sender.message(payload, true, true, true);
    payload.resolve(Buffer.from('blob'));
    await settled();
    expect(writer.log).toEqual(['c2 bolb']);
    expect(compression.calls).toEqual(['compresses 4', 'deflate blob']);
  });

  test('and cannot be ends the connection', async () => {
    const sender = new MessageSender(writer, undefined, undefined);
    const payload = new SlowPayload();
    sender.message(payload, true, true, true, note('blob'));
    payload.reject(new Error('unreadable'));
    await settled();
    expect(writer.log).toEqual(['destroy']);
    expect(told).toEqual(['blob: unreadable']);
    expect(sender.idle).toBe(true);
  });

  test('and stands in a frame of its own, in its turn', async () => {
    const sender = new MessageSender(writer, undefined, undefined);
    const payload = new SlowPayload();
    sender.frame(PING, payload);
    sender.frame(PING, 'after');
    expect([writer.log, sender.queuedBytes]).toEqual([[], 4 + 5]);
    payload.resolve(Buffer.from('blob'));
    await settled();
    expect(writer.log).toEqual(['89 blob', '89 after']);
  });

  test('is not compressed when the transport has closed meanwhile', async () => {
    const sender = new MessageSender(writer, undefined, compression);
    const payload = new SlowPayload();
    sender.message(payload, true, true, true, note('blob'));
    sender.close();
    payload.resolve(Buffer.from('blob'));
    await settled();
    expect(told).toEqual(['blob: The socket was closed while the blob was being read']);
    expect(compression.calls).toEqual(['compresses 4', 'close']);
  });
});

describe('when the transport closes', () => {
  test('everything that waits is told, nothing more begins, and the compression is closed', () => {
    compression.slow = true;
    const sender = new MessageSender(writer, undefined, compression);
    sender.message('abc', false, true, true, note('compressing'));
    sender.frame(PING, 'p', note('ping'));
    sender.message('def', false, true, true, note('next'));
    sender.message('ghi', false, true, true);
    sender.frame(PING, 'q');
    sender.end();
    sender.close();
    expect(told).toEqual([
      `ping: ${CLOSED}`,
      `next: ${CLOSED}`,
      `compressing: ${WHILE_COMPRESSING}`,
    ]);
    expect(compression.calls.filter((call) => call.startsWith('deflate'))).toEqual(['deflate abc']);
    expect(compression.calls.at(-1)).toBe('close');
    expect(writer.log.filter((line) => !['end', 'destroy'].includes(line))).toEqual([]);
    expect([sender.idle, sender.queuedBytes]).toEqual([true, 0]);
  });

  test('a callback that throws does not keep the next from being told', () => {
    compression.slow = true;
    const sender = new MessageSender(writer, undefined, compression);
    const thrown = new Error('thrown by a callback');
    sender.message('abc', false, true, true);
    sender.frame(PING, '', () => {
      throw thrown;
    });
    sender.frame(PING, '', note('next'));
    sender.close();
    expect(told).toEqual([`next: ${CLOSED}`]);
    expect(rethrow).toHaveBeenCalledWith(thrown);
  });

  test('frames made elsewhere keep their turn, and what they compress is told', () => {
    compression.slow = true;
    const sender = new MessageSender(writer, undefined, compression);
    const compressed = Buffer.from('c101', 'hex');
    sender.framed([Buffer.from('8101', 'hex'), Buffer.from('61', 'hex')], note('first'));
    expect(compression.calls).toEqual([]);
    sender.message('abc', false, true, true);
    sender.framed([compressed, Buffer.from('62', 'hex')], note('second'));
    expect([writer.log, sender.queuedBytes]).toEqual([['framed 810161'], 6]);
    compression.finish();
    expect(writer.log).toEqual(['framed 810161', 'c1 cba', 'framed c10162']);
    expect(compression.calls.at(-1)).toBe('sentElsewhere');

    sender.message('def', false, true, true);
    sender.framed([compressed], note('third'));
    sender.close();
    expect(told).toEqual([`third: ${CLOSED}`]);
  });

  test('closing a sender that never had anything to wait for', () => {
    const sender = new MessageSender(writer, undefined, compression);
    sender.close();
    expect(compression.calls).toEqual(['close']);
  });
});

test('socketClosed() has a stable code', () => {
  expect(socketClosed()).toMatchObject({ message: CLOSED, code: 'WS_ERR_SOCKET_CLOSED' });
});

test.each([
  ['text', 'aä€😀', 10, 15],
  ['bytes', Buffer.from('abc'), 3, 3],
  ['what has to be read', new SlowPayload(), 4, 4],
])('the length of %s', (_name, payload, length, most) => {
  expect([payloadLength(payload), mostPayloadLength(payload)]).toEqual([length, most]);
});

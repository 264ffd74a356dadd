import { FIN, Opcode } from '../../src/protocol/opcodes';
import { PreparedMessage } from '../../src/protocol/prepared';
import type { WriteCallback } from '../../src/protocol/sender';
import { MessageSender } from '../../src/protocol/sender';
import { FakeCompression } from '../support/compression';
import { LoggingWriter } from '../support/logging-writer';

const CLOSED = 'The socket was closed before the data was written';
const WHILE_COMPRESSING = 'The socket was closed while data was being compressed';
const frame = (hex: string) => [Buffer.from(hex.replaceAll(' ', ''), 'hex')];

let writer: LoggingWriter;
let compression: FakeCompression;
let told: string[];

beforeEach(() => {
  writer = new LoggingWriter();
  compression = new FakeCompression();
  told = [];
});

const note =
  (name: string): WriteCallback =>
  (error) =>
    told.push(`${name}: ${error?.message}`);

const prepare = (text: string, compress = true) =>
  new PreparedMessage(Buffer.from(text), false, compress);

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a prepared message', () => {
  test('leaves as it is where frames are not masked, and masked where they are', () => {
    new MessageSender(writer, undefined, undefined).prepared(prepare('abc'));
    new MessageSender(writer, () => 7, undefined).prepared(prepare('abc'));
    expect(writer.log).toEqual(['framed 8103616263', '81 abc']);
    expect(writer.keys).toEqual([7]);
  });

  test('is compressed where that was agreed on, and the own window is forgotten', () => {
    const callback = jest.fn();
    new MessageSender(writer, undefined, compression).prepared(prepare('abc'), callback);
    new MessageSender(writer, () => 7, compression).prepared(prepare('abc'));
    expect(writer.log).toEqual(['framed c103636261', 'c1 cba']);
    expect(writer.callbacks[0]).toBe(callback);
    expect(compression.calls).toEqual([
      'deflateAlone abc',
      'sentElsewhere',
      'deflateAlone abc',
      'sentElsewhere',
    ]);
  });

  test('that is short or not to be compressed leaves the compressor alone', () => {
    const sender = new MessageSender(writer, undefined, compression);
    sender.prepared(prepare('abc', false));
    compression.threshold = 4;
    sender.prepared(prepare('abc'));
    expect(writer.log).toEqual(['framed 8103616263', 'framed 8103616263']);
    expect(compression.calls).toEqual([]);
  });

  test('that cannot be compressed leaves uncompressed', async () => {
    const sender = new MessageSender(writer, undefined, compression);
    compression.error = new Error('no memory');
    sender.prepared(prepare('abc'));
    compression.slow = true;
    sender.prepared(prepare('def'));
    compression.finish();
    await settled();
    expect(writer.log).toEqual(['framed 8103616263', 'framed 8103646566']);
    expect(compression.calls).not.toContain('sentElsewhere');
  });

  test('keeps its place while it is being compressed, and behind others', async () => {
    const sender = new MessageSender(writer, undefined, compression);
    compression.slow = true;
    sender.message('one', false, true, true);
    sender.prepared(prepare('two'));
    sender.frame(FIN | Opcode.PING, 'three');
    expect(sender.queuedBytes).toBe(11);
    expect(writer.log).toEqual([]);
    compression.finish();
    compression.finish();
    await settled();
    expect(writer.log).toEqual(['c1 eno', 'framed c1036f7774', '89 three']);
    expect([sender.idle, sender.queuedBytes]).toEqual([true, 0]);
  });

  test('that is ready lines up behind one that is not', () => {
    const sender = new MessageSender(writer, undefined, compression);
    compression.slow = true;
    sender.message('one', false, true, true);
    sender.prepared(prepare('two', false), note('two'));
    expect(writer.log).toEqual([]);
    compression.finish();
    expect(writer.log).toEqual(['c1 eno', 'framed 810374776f']);
  });

  test('is told when the transport ends first', async () => {
    const sender = new MessageSender(writer, undefined, compression);
    compression.slow = true;
    sender.prepared(prepare('one'), note('one'));
    sender.prepared(prepare('two', false), note('two'));
    sender.close();
    await settled();
    expect(writer.log).toEqual([]);
    expect(told.sort()).toEqual([`one: ${CLOSED}`, `two: ${CLOSED}`]);
  });
});

test('prepared messages that wait behind another are told when the transport ends first', async () => {
  const sender = new MessageSender(writer, undefined, compression);
  compression.slow = true;
  sender.message('one', false, true, true, note('one'));
  sender.prepared(prepare('two'), note('two'));
  sender.close();
  await settled();
  expect(writer.log).toEqual([]);
  expect(told.sort()).toEqual([`one: ${WHILE_COMPRESSING}`, `two: ${CLOSED}`]);
});

describe('between the fragments of a message', () => {
  test('prepared messages and frames made elsewhere wait; control frames do not', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    sender.message('a', false, false, true);
    sender.prepared(prepare('whole'), note('whole'));
    sender.framed(frame('82 01 62'), note('binary'));
    sender.framed(frame('89 00'));
    sender.frame(FIN | Opcode.PONG, '');
    sender.message('b', false, false, true);
    expect(sender.queuedBytes).toBe(8);
    sender.message('c', false, true, true);
    expect(writer.log).toEqual([
      '01 a',
      'framed 8900',
      '8a ',
      '00 b',
      '80 c',
      'framed 810577686f6c65',
      'framed 820162',
    ]);
    expect(sender.queuedBytes).toBe(0);
  });

  test('a continuation made elsewhere is part of the message', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    sender.message('a', false, false, true);
    sender.framed(frame('00 01 62'));
    sender.framed([]);
    sender.framed([Buffer.alloc(0)]);
    expect(writer.log).toEqual(['01 a', 'framed 000162', 'framed ', 'framed ']);
  });

  test('what waits goes behind a last fragment that is still being compressed', () => {
    const sender = new MessageSender(writer, undefined, compression);
    compression.slow = true;
    sender.message('a', false, false, true);
    sender.prepared(prepare('x', false));
    sender.message('b', false, true, true);
    compression.finish();
    compression.finish();
    expect(writer.log).toEqual(['41 a', '80 b', 'framed 810178']);
  });

  test('what waits is told when the transport ends first', () => {
    const sender = new MessageSender(writer, undefined, undefined);
    sender.message('a', false, false, true);
    sender.prepared(prepare('x'), note('x'));
    sender.framed(frame('82 01 62'), note('b'));
    sender.close();
    expect(told).toEqual([`x: ${CLOSED}`, `b: ${CLOSED}`]);
  });
});

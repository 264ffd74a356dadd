import { PreparedMessage } from '../../src/protocol/prepared';
import { toHex } from '../support/bytes';
import { FakeCompression } from '../support/compression';

const prepare = (text: string, compress = true) =>
  new PreparedMessage(Buffer.from(text), false, compress);

test('is a whole frame of text or binary, made of a copy', () => {
  const bytes = Buffer.from('abc');
  const message = new PreparedMessage(bytes, true, false);
  bytes.fill(0);

  expect(message.isBinary).toBe(true);
  expect(message.payload).toEqual(Buffer.from('abc'));
  expect(message.plain.first).toBe(0x82);
  expect(toHex(message.plain.unmasked)).toBe('8203616263');
  expect(toHex(prepare('').plain.unmasked)).toBe('8100');
  expect(prepare('').payload).toHaveLength(0);
});

test.each([
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
])('of %i bytes has the shortest header', (length, header) => {
  const message = new PreparedMessage(Buffer.alloc(length, 'x'), false, true);
  const frame = message.plain.unmasked;
  expect(toHex(frame.subarray(0, frame.length - length))).toBe(header);
});

test('is compressed once for each way of compressing', () => {
  const one = new FakeCompression('a');
  const same = new FakeCompression('a');
  const other = new FakeCompression('b');
  const message = prepare('abc');
  const frame = message.compressedBy(one);

  expect(frame).toMatchObject({ first: 0xc1, payload: Buffer.from('cba') });
  expect(message.compressedBy(same)).toBe(frame);
  expect(message.compressedBy(other)).not.toBe(frame);
  expect([one.calls, same.calls, other.calls]).toEqual([
    ['deflateAlone abc'],
    [],
    ['deflateAlone abc'],
  ]);
});

test('is the same promise for all who ask while it is being compressed, then the frame itself', async () => {
  const compression = new FakeCompression();
  compression.slow = true;
  const message = prepare('abc');
  const promise = message.compressedBy(compression);

  expect(message.compressedBy(new FakeCompression())).toBe(promise);
  compression.finish();
  expect(await promise).toMatchObject({ payload: Buffer.from('cba') });
  await new Promise(setImmediate);
  expect(message.compressedBy(compression)).toBe(await promise);
  expect(compression.calls).toEqual(['deflateAlone abc']);
});

test('that could not be compressed is tried again the next time', async () => {
  const compression = new FakeCompression();
  compression.slow = true;
  compression.error = new Error('no memory');
  const message = prepare('abc');
  const promise = message.compressedBy(compression);
  compression.finish();
  await expect(promise).rejects.toThrow('no memory');
  compression.error = null;
  compression.slow = false;
  expect(message.compressedBy(compression)).toMatchObject({ payload: Buffer.from('cba') });
});

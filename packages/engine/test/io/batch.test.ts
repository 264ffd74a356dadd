import { Batch, forgetJoined } from '../../src/io/batch';
import { hex, pattern } from '../support/bytes';
import { BINARY, frame, TEXT } from '../support/frames';

const KEY = 0x37fa213d;
const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;

let batch: Batch;

beforeEach(() => {
  forgetJoined();
  batch = new Batch();
});

describe.each([
  ['not masked', undefined],
  ['masked', KEY],
])('%s', (_name, key) => {
  test.each([0, 1, 125, 126, 8_192, 8_193, 65_536])('%i bytes', (length) => {
    const payload = pattern(length);
    for (const waits of [false, false, true]) batch.add(FIN_BINARY, payload, key, waits);
    const expected = frame({ opcode: BINARY, payload, key });
    const bytes = Buffer.concat([expected, expected, expected]);
    expect(batch.bytes).toBe(bytes.length);
    expect(Buffer.concat(batch.close()).equals(bytes)).toBe(true);
    expect(payload.equals(pattern(length))).toBe(true);
  });

  test.each([
    ['none', ''],
    ['ASCII', 'x'.repeat(125)],
    ['a header that grows with its text', 'é'.repeat(100)],
    ['half a surrogate pair', 'a\ud83d'],
    ['as long as it may be without being counted', 'x'.repeat(2730)],
    ['more, which has to be counted', '€'.repeat(2730)],
    ['as much as is copied', 'x'.repeat(8_192)],
    ['more than is copied', '€'.repeat(2731)],
  ])('text: %s', (_what, payload) => {
    for (const waits of [false, false, true]) batch.add(FIN_TEXT, payload, key, waits);
    const expected = frame({ opcode: TEXT, payload, key });
    const bytes = Buffer.concat([expected, expected, expected]);
    expect(batch.bytes).toBe(bytes.length);
    expect(Buffer.concat(batch.close()).equals(bytes)).toBe(true);
  });
});

test('small frames are one part, large ones parts of their own that are not copied', () => {
  const large = pattern(20_000);
  batch.add(FIN_TEXT, 'a', undefined, true);
  batch.add(FIN_TEXT, 'b', undefined, true);
  batch.add(FIN_BINARY, large, undefined, true);
  batch.add(FIN_TEXT, 'c', undefined, true);
  const parts = batch.close();
  // The header of the large one goes with what is before it.
  expect(parts.map(({ length }) => length)).toEqual([10, 20_000, 3]);
  expect([parts[1].buffer, parts[1].byteOffset]).toEqual([large.buffer, large.byteOffset]);
});

test('what waits has memory of its own, more where 16 KiB are not enough', () => {
  const text = 'x'.repeat(5000);
  for (let count = 0; count < 5; count++) batch.add(FIN_TEXT, text, undefined, true);
  const parts = batch.close();
  expect(parts.map(({ length }) => length)).toEqual([15_012, 10_008]);
  expect(parts.map(({ buffer }) => buffer.byteLength)).toEqual([16_384, 16_384]);
});

describe('frames made elsewhere', () => {
  test('small ones are copied', () => {
    const parts = [hex('8101'), Buffer.from('a')];
    batch.addFramed(parts, 3, false);
    parts[1].fill('z');
    expect(batch.bytes).toBe(3);
    expect(Buffer.concat(batch.close())).toEqual(hex('810161'));
  });

  test('large ones are not', () => {
    const large = pattern(20_000);
    batch.addFramed([hex('827e4e20'), large], 20_004, false);
    const [header, payload] = batch.close();
    expect([header, payload.buffer]).toEqual([hex('827e4e20'), large.buffer]);
  });
});

describe('shared frames', () => {
  const [one, two] = [hex('810131'), hex('810132')];

  /** The parts of a batch of these alone. */
  function partsOf(...frames: Buffer[]): readonly Buffer[] {
    const shared = new Batch();
    for (const each of frames) shared.addShared(each);
    return shared.close();
  }

  test('one goes out as it is', () => {
    expect(partsOf(one)[0]).toBe(one);
  });

  test('several are joined, once for all batches that have the same ones', () => {
    const [joined, ...rest] = partsOf(one, two);
    expect([joined, rest]).toEqual([hex('810131810132'), []]);
    expect(partsOf(one, two)[0]).toBe(joined);
    expect(partsOf(two, one)).toEqual([hex('810132810131')]);
    forgetJoined();
    expect(partsOf(one, two)[0]).not.toBe(joined);
  });

  test('they are not joined among others, nor above 64 KiB', () => {
    batch.addShared(one);
    batch.add(FIN_TEXT, 'a', undefined, true);
    batch.addShared(two);
    expect(batch.bytes).toBe(9);
    expect(batch.close()).toEqual([one, hex('810161'), two]);
    const large = pattern(40_000);
    expect(partsOf(large, large)).toHaveLength(2);
  });
});

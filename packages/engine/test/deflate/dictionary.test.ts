import zlib from 'node:zlib';
import { compressionSettings } from '../../src/deflate/coder';
import { DictionaryDeflater, DictionaryInflater } from '../../src/deflate/dictionary';
import { hex, toHex } from '../support/bytes';
import { expectBytes, inflateStream, text } from '../support/deflate';

const settings = compressionSettings(15, { level: 1, memLevel: 8, strategy: 0 });
const NOTHING = Buffer.alloc(0);

afterEach(() => jest.restoreAllMocks());

describe('DictionaryDeflater', () => {
  test('a lasting one refers to what it has compressed, until it is reset', () => {
    const deflater = new DictionaryDeflater(settings, true);
    const [first, second] = [deflater.deflate(text(3000)), deflater.deflate(text(3000))];
    expect(toHex(first.subarray(-4))).toBe('0000ffff');
    expect(second.length).toBeLessThan(first.length / 5);
    const stream = [first, second].map((bytes) => bytes.subarray(0, -4));
    expectBytes(inflateStream(stream), Buffer.concat([text(3000), text(3000)]));
    deflater.reset();
    expectBytes(deflater.deflate(text(3000)), first);
    deflater.close();
    expectBytes(deflater.deflate(text(3000)), first);
  });

  test('another compresses each message by itself', () => {
    const deflater = new DictionaryDeflater(settings, false);
    const first = deflater.deflate(text(3000));
    expectBytes(deflater.deflate(text(3000)), first);
    deflater.close();
  });
});

describe('DictionaryInflater', () => {
  test('tells where a final block ends', () => {
    const inflater = new DictionaryInflater(15);
    expect(String(inflater.inflate(hex('f348cdc9c90700f348cdc9c9070000'), 0, 100))).toBe('Hello');
    expect([inflater.ended, inflater.end]).toEqual([true, 7]);
    expect(String(inflater.inflate(hex('f348cdc9c90700f348cdc9c9070000'), 7, 100))).toBe('Hello');
    expect([inflater.ended, inflater.end]).toEqual([true, 14]);
    expect(String(inflater.inflate(hex('f248cdc9c90700'), 0, 100))).toBe('Hello');
    expect([inflater.ended, inflater.end]).toEqual([false, 7]);
  });

  test('exactly as many bytes as allowed, and one less', () => {
    const inflater = new DictionaryInflater(15);
    expect(String(inflater.inflate(hex('f248cdc9c90700'), 0, 5))).toBe('Hello');
    expect(inflater.inflate(hex('f248cdc9c90700'), 0, 4)).toBeNull();
    expect(inflater.inflate(hex('f248cdc9c90700'), 0, 0)).toBeNull();
    expect(inflater.inflate(hex('00'), 0, 0)).toEqual(NOTHING);
  });

  test('refers to its window, until it is closed', () => {
    const inflater = new DictionaryInflater(15);
    inflater.reset(Buffer.from('Hello'));
    expect(String(inflater.inflate(hex('f200110000'), 0, 5))).toBe('Hello');
    inflater.close();
    expect(() => inflater.inflate(hex('f200110000'), 0, 5)).toThrow(
      'invalid distance too far back',
    );
  });

  test('a final block that would end within what the sender has cut off is cut short', () => {
    const inflater = new DictionaryInflater(15);
    expect(() => inflater.inflate(hex('022c'), 0, 100)).toThrow('unexpected end of file');
  });

  test('passes on what else goes wrong', () => {
    const error = new RangeError('Array buffer allocation failed');
    jest.spyOn(zlib, 'inflateRawSync').mockImplementation(() => {
      throw error;
    });
    expect(() => new DictionaryInflater(15).inflate(hex('00'), 0, 5)).toThrow(error);
  });
});

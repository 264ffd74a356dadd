import type { SendData } from '../src/payload';
import { toBinary, toBuffer, toPayload } from '../src/payload';
import { payloadLength } from '../src/protocol/sender';
import { pattern } from './support/bytes';

describe('toPayload()', () => {
  const memory = new ArrayBuffer(16);
  const bytes = new Uint8Array(memory).map((_byte, index) => index);
  new Uint8Array(memory).set(bytes);

  test.each<[SendData, string]>([
    ['text', 'text'],
    ['', ''],
    [0, '0'],
    [-1.5, '-1.5'],
    [Number.NaN, 'NaN'],
  ])('%p is text', (data, expected) => {
    expect(toPayload(data)).toBe(expected);
  });

  test.each<[string, SendData | boolean, string]>([
    ['undefined', undefined, ''],
    ['null', null, ''],
    ['false', false, ''],
    ['an ArrayBuffer', memory, '000102030405060708090a0b0c0d0e0f'],
    ['a Uint8Array of a part', new Uint8Array(memory, 3, 4), '03040506'],
    ['a Uint16Array of a part', new Uint16Array(memory, 2, 2), '02030405'],
    ['a DataView of a part', new DataView(memory, 5, 3), '050607'],
    ['an empty DataView', new DataView(memory, 16, 0), ''],
    ['numbers', [1, 2, 255], '0102ff'],
    ['no numbers', [], ''],
    ['buffers', [Buffer.from([1]), new Uint8Array([2, 3])], '010203'],
    ['one empty buffer', [Buffer.alloc(0)], ''],
    ['an object whose valueOf is a string', { valueOf: () => 'ab' }, '6162'],
    ['an object whose valueOf is bytes', { valueOf: () => new Uint8Array([7]) }, '07'],
  ])('%s is bytes', (_name, data, expected) => {
    const payload = toPayload(data);
    expect(payload).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(payload as Uint8Array).toString('hex')).toBe(expected);
  });

  test('views are not copied', () => {
    for (const view of [new Uint16Array(memory, 4, 2), new DataView(memory, 4, 4)]) {
      const payload = toPayload(view) as Uint8Array;
      expect([payload.buffer, payload.byteOffset, payload.byteLength]).toEqual([memory, 4, 4]);
    }
    const shared = new SharedArrayBuffer(4);
    expect((toPayload(shared) as Uint8Array).buffer).toBe(shared);
  });

  test.each<[string, unknown]>([
    ['true', true],
    ['an object', {}],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['a function', () => 'x'],
    ['an object whose valueOf is a number', { valueOf: () => 5 }],
    ['a boxed number', new Number(5)],
  ])('%s has no bytes', (_name, data) => {
    expect(() => toPayload(data as SendData)).toThrow(
      /^The first argument must be of type string /,
    );
  });

  test('a list with a hole is a list of numbers, as Node has it', () => {
    expect(toPayload(new Array(2) as number[])).toEqual(Buffer.from([0, 0]));
  });
});

test('payloadLength() counts bytes, not characters', () => {
  expect(payloadLength('ü€')).toBe(5);
  expect(payloadLength(Buffer.alloc(7))).toBe(7);
});

test('toBuffer() makes a view only where one is needed', () => {
  const bytes = pattern(10);
  expect(toBuffer(bytes, 0, 10)).toBe(bytes);
  const part = toBuffer(bytes, 2, 5);
  expect([part.buffer, part.byteOffset, part.length]).toEqual([
    bytes.buffer,
    bytes.byteOffset + 2,
    3,
  ]);
});

describe('toBinary()', () => {
  const bytes = Buffer.from([1, 2, 3]);

  test('nodebuffer', () => {
    expect(toBinary(bytes, 'nodebuffer')).toBe(bytes);
  });

  test('arraybuffer: of the message and nothing else', () => {
    const whole = Buffer.from(new Uint8Array([4, 5]).buffer);
    expect(toBinary(whole, 'arraybuffer')).toBe(whole.buffer);
    for (const part of [bytes, whole.subarray(1), Buffer.alloc(0)]) {
      const memory = toBinary(part, 'arraybuffer') as ArrayBuffer;
      expect(Buffer.from(memory)).toEqual(part);
    }
  });

  test('fragments: one, or none for an empty message', () => {
    expect(toBinary(bytes, 'fragments')).toEqual([bytes]);
    expect(toBinary(Buffer.alloc(0), 'fragments')).toEqual([]);
  });

  test('blob', async () => {
    const blob = toBinary(bytes, 'blob') as Blob;
    expect(Buffer.from(await blob.arrayBuffer())).toEqual(bytes);
    expect(blob.type).toBe('');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';
import { createSimdMask } from '../../src/protocol/mask-simd';

const folder = join(__dirname, '../../src/protocol');

afterEach(() => jest.restoreAllMocks());

test('the module is what its text assembles to', async () => {
  const { parseWat } = await wabt();
  const text = readFileSync(join(folder, 'mask.wat'), 'utf8');
  const assembled = parseWat('mask.wat', text, { simd: true }).toBinary({}).buffer;
  const source = readFileSync(join(folder, 'mask-simd.ts'), 'utf8');
  const [, lines = ''] = /const MODULE =([^;]+);/.exec(source) ?? [];
  const bytes = [...lines.matchAll(/'([^']+)'/g)].map(([, line]) => line).join('');
  expect(bytes).toBe(Buffer.from(assembled).toString('base64'));
});

test('masks its memory, the key’s first byte the lowest', () => {
  const simd = createSimdMask();
  if (simd === undefined) throw new Error('This process has no vector instructions');
  expect(simd.memory).toHaveLength(65_536);
  simd.memory.fill(0, 0, 128);
  simd.mask(5, 0x04030201);
  expect([...simd.memory.subarray(0, 6)]).toEqual([1, 2, 3, 4, 1, 2]);
  expect([...simd.memory.subarray(64, 68)]).toEqual([0, 0, 0, 0]);
  simd.memory.fill(0xff);
  simd.mask(65_536, -1);
  expect(simd.memory.every((byte) => byte === 0)).toBe(true);
});

test.each([1, 15, 16, 17, 63, 64, 65, 100, 128, 65_535, 65_536])(
  'tells of the first %i bytes whether they are ASCII, and of none behind',
  (end) => {
    const simd = createSimdMask();
    if (simd === undefined) throw new Error('This process has no vector instructions');
    const masked = (at: number): number => {
      simd.memory.fill(0x7f);
      simd.memory[at] = 0x80;
      return simd.mask(end, 0x01020304);
    };
    for (const at of new Set([0, end >> 1, end - 1])) expect(masked(at)).not.toBe(0);
    // Writing behind the memory's end does nothing.
    for (let at = end; at < end + 16; at++) expect(masked(at)).toBe(0);
  },
);

test('is not there where the process cannot have it', () => {
  const global = globalThis as { WebAssembly?: object };
  class Module {
    constructor() {
      throw new Error('no vector instructions');
    }
  }
  jest.replaceProperty(global, 'WebAssembly', { Module });
  expect(createSimdMask()).toBeUndefined();
  jest.restoreAllMocks();
  jest.replaceProperty(global, 'WebAssembly', undefined);
  expect(createSimdMask()).toBeUndefined();
});

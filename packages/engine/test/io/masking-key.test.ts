import { maskingKeySource, randomMaskingKey } from '../../src/io/masking-key';

/** More keys than are drawn at a time. */
const COUNT = 5 * 2048;

describe('random masking keys', () => {
  test('are integers of 32 bits', () => {
    for (let index = 0; index < COUNT; index++) {
      const key = randomMaskingKey();
      expect(key | 0).toBe(key);
    }
  });

  test('do not come again when more are drawn', () => {
    const keys = new Set<number>();
    for (let index = 0; index < COUNT; index++) keys.add(randomMaskingKey());
    // 10,240 of 2^32 values: 0.012 equal pairs are expected, and ten have a chance below 10^-25.
    expect(keys.size).toBeGreaterThan(COUNT - 10);
  });

  test('have each bit set in half of them', () => {
    const counts = new Array<number>(32).fill(0);
    for (let index = 0; index < COUNT; index++) {
      const key = randomMaskingKey();
      for (let bit = 0; bit < 32; bit++) counts[bit] += (key >>> bit) & 1;
    }
    // Ten standard deviations of 50.6 either way.
    for (const count of counts) expect(Math.abs(count - COUNT / 2)).toBeLessThan(506);
  });

  test('cannot be told from the one before', () => {
    const differences = new Set<number>();
    const exclusive = new Set<number>();
    let before = randomMaskingKey();
    for (let index = 0; index < COUNT; index++) {
      const key = randomMaskingKey();
      differences.add((key - before) | 0);
      exclusive.add(key ^ before);
      before = key;
    }
    expect(differences.size).toBeGreaterThan(COUNT - 10);
    expect(exclusive.size).toBeGreaterThan(COUNT - 10);
  });
});

describe('a source of masking keys', () => {
  test('is random by default', () => {
    expect(maskingKeySource()).toBe(randomMaskingKey);
    expect(maskingKeySource(undefined)).toBe(randomMaskingKey);
  });

  test('asks for four bytes each time, the first of them the most significant', () => {
    let next = 0;
    const lengths: number[] = [];
    const source = maskingKeySource((mask) => {
      lengths.push(mask.length);
      for (let index = 0; index < mask.length; index++) mask[index] = ++next;
    });
    expect([source(), source()].map((key) => key.toString(16))).toEqual(['1020304', '5060708']);
    expect(lengths).toEqual([4, 4]);
  });

  test('takes keys of all ones and all zeros', () => {
    let value = 0xff;
    const source = maskingKeySource((mask) => mask.fill(value));
    expect(source()).toBe(-1);
    value = 0;
    expect(source()).toBe(0);
  });

  test('lets through what generateMask throws', () => {
    const source = maskingKeySource(() => {
      throw new Error('no more randomness');
    });
    expect(source).toThrow('no more randomness');
  });
});

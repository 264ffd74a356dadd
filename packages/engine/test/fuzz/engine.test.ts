import { Choices } from './choices';
import { Inputs, shrink, tryInput } from './engine';
import type { Target } from './target';
import { expectSame, Finding } from './target';

/** Finds fault with any input that holds two bytes, one somewhere behind the other. */
const picky: Target = {
  name: 'picky',
  share: 1,
  async run(choices: Choices): Promise<void> {
    const bytes: number[] = [];
    while (choices.more) bytes.push(choices.byte());
    const at = bytes.indexOf(1);
    if (at >= 0 && bytes.includes(2, at)) throw new Finding(`found at ${at}`, bytes.length);
  },
};

test('the same seed and number are the same input, and any other is another', () => {
  const inputs = (seed: number): Uint8Array[] => {
    const made = new Inputs(seed, [Buffer.from('kept'), Buffer.from('another one')]);
    return Array.from({ length: 500 }, (_, number) => made.at(number));
  };
  expect(inputs(7)).toEqual(inputs(7));
  const shown = new Set([...inputs(7), ...inputs(8)].map((bytes) => bytes.join()));
  // Small changes of short inputs may meet.
  expect(shown.size).toBeGreaterThan(900);
});

test('half of the inputs are made of those that were kept', () => {
  const kept = new Uint8Array(100).fill(0xaa);
  const made = new Inputs(1, [kept]);
  const alike = Array.from({ length: 400 }, (_, number) => made.at(number)).filter(
    (bytes) => bytes.filter((byte) => byte === 0xaa).length > 20,
  );
  expect(alike.length).toBeGreaterThan(120);
  expect(alike.length).toBeLessThan(280);
  expect(kept.every((byte) => byte === 0xaa)).toBe(true);
});

test('a finding is made as small as it can be', async () => {
  const input = Buffer.alloc(300, 9);
  input[100] = 1;
  input[222] = 2;
  const found = await tryInput(picky, input);
  expect(String(found)).toBe('Error: found at 100\n300');
  expect(await shrink(picky, input, found)).toEqual(Uint8Array.from([1, 2]));
  expect(await tryInput(picky, Buffer.from([2, 1]))).toBeUndefined();
});

test('choices are plain behind the end', () => {
  const choices = new Choices(Buffer.from([5, 1, 0, 200]));
  expect([choices.byte(), choices.below(0x10000), choices.pick('abc'.split(''))]).toEqual([
    5,
    256,
    'c',
  ]);
  expect([choices.more, choices.byte(), choices.below(2 ** 32), choices.oneIn(2)]).toEqual([
    false,
    0,
    0,
    false,
  ]);
  expect(choices.take(5)).toHaveLength(0);
});

test('what differs is shown', () => {
  expectSame('it', { a: [1] }, { a: [1] });
  expect(() => expectSame('it', 1, 2)).toThrow(new Finding('it differs', 1, 2));
});

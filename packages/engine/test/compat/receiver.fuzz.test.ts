// T17: the same bytes, however they are cut, are the same events as in ws.
import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { ReceiverOptions } from '../../src/compat/receiver';
import type { FrameSpec } from '../support/frames';
import { frame } from '../support/frames';
import { receiveByBoth } from '../support/receivers';

interface Case {
  readonly options: ReceiverOptions;
  readonly compression: boolean;
  readonly bytes: Buffer;
  readonly sizes: readonly number[];
}

/** Pieces of these sizes, one size after the other, over and over. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = sizes[cut.length % sizes.length];
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

async function compare({ options, compression, bytes, sizes }: Case): Promise<void> {
  const { theirs, ours } = await receiveByBoth({
    options,
    compression,
    pieces: pieces(bytes, sizes),
  });
  expect(ours).toEqual(theirs);
}

const payload = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(125, 126, 200, 65_535, 65_536).map((size) => Buffer.alloc(size, 'x')),
);

const compressed = payload.map((bytes) =>
  deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
);

/** Mostly frames that may come; some that may not. */
const spec = (isServer: boolean, compression: boolean): fc.Arbitrary<FrameSpec> =>
  fc
    .record({
      opcode: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(0, 0, 1, 2, 9, 10) },
        { weight: 2, arbitrary: fc.constant(8) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
      ),
      fin: fc.oneof(
        { weight: 3, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.boolean() },
      ),
      rsv: fc.oneof(
        { weight: 40, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 7 }) },
      ),
      key: fc.oneof(
        { weight: 40, arbitrary: isServer ? fc.integer() : fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(undefined, 0, 7) },
      ),
      plain: payload,
      marked: compression ? fc.option(compressed, { nil: undefined }) : fc.constant(undefined),
    })
    .map(({ plain, marked, ...rest }) => {
      const { opcode } = rest;
      const data = opcode === 1 || opcode === 2;
      if (data && marked !== undefined) return { ...rest, rsv: 4, payload: marked };
      return { ...rest, payload: opcode > 7 ? plain.subarray(0, 125) : plain };
    });

const sizes = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5_000 })),
  {
    minLength: 1,
    maxLength: 5,
  },
);

const limits = fc.record(
  {
    maxPayload: fc.constantFrom(0, 10, 1_000),
    maxFragments: fc.constantFrom(0, 1, 3),
    skipUTF8Validation: fc.boolean(),
  },
  { requiredKeys: [] },
);

// Node asks each error of a stream for its stack, and jest looks up the lines of all of it.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

describe.each([
  [true, false],
  [false, false],
  [true, true],
  [false, true],
])('a receiver with isServer: %s, compression: %s', (isServer, compression) => {
  test('any frames', async () => {
    const cases = fc.record({
      options: limits.map((given) => ({ ...given, isServer })),
      compression: fc.constant(compression),
      bytes: fc
        .array(spec(isServer, compression), { maxLength: 12 })
        .map((specs) => Buffer.concat(specs.map(frame))),
      sizes,
    });
    await fc.assert(fc.asyncProperty(cases, compare), { numRuns: 150 });
  });

  test('any bytes', async () => {
    const cases = fc.record({
      options: limits.map((given) => ({ ...given, isServer })),
      compression: fc.constant(compression),
      // Padded, so that no header ends before its masking key: ws judges a length that it has read so far.
      bytes: fc
        .uint8Array({ maxLength: 64 })
        .map((bytes) => Buffer.concat([bytes, Buffer.alloc(16)])),
      sizes,
    });
    await fc.assert(fc.asyncProperty(cases, compare), { numRuns: 150 });
  });
});

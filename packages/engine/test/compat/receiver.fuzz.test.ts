// T17: the same bytes, however they are cut, are the same events as in ws.
import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import ws from 'ws';
import type { ReceiverOptions } from '../../src/compat/receiver';
import { Receiver } from '../../src/compat/receiver';
import { PerMessageDeflate } from '../../src/per-message-deflate';
import type { FrameSpec } from '../support/frames';
import { frame } from '../support/frames';

/** What two libraries have in common of a receiver. */
interface Library {
  readonly Receiver: typeof Receiver;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
}

// `@types/ws` knows neither of the two.
const theirs = ws as unknown as Library;
const ours: Library = { Receiver, PerMessageDeflate };

interface Case {
  readonly options: ReceiverOptions;
  readonly compression: boolean;
  readonly bytes: Buffer;
  readonly sizes: readonly number[];
}

/** Writes pieces one after the other, and down what comes of them up to a fault. */
async function receive(
  library: Library,
  { options, compression, bytes, sizes }: Case,
): Promise<string[]> {
  const log: string[] = [];
  const given = { ...options };
  if (compression) {
    const deflate = new library.PerMessageDeflate({
      isServer: options.isServer,
      maxPayload: options.maxPayload,
    });
    deflate.accept([{}]);
    given.extensions = { 'permessage-deflate': deflate };
  }
  const receiver = new library.Receiver(given);
  for (const name of ['message', 'ping', 'pong', 'conclude']) {
    receiver.on(name, (...values: unknown[]) => {
      const shown = values.map((value) => (Buffer.isBuffer(value) ? value.toString('hex') : value));
      log.push([name, ...shown].join(' '));
    });
  }
  receiver.on('error', () => undefined);
  let at = 0;
  for (let piece = 0; at < bytes.length && !receiver.writableEnded; piece++) {
    const size = sizes[piece % sizes.length];
    // A copy, which the receiver unmasks where it lies.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    at += size;
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) =>
      receiver.write(chunk, resolve),
    );
    if (error) {
      log.push(`error ${error.name}: ${error.message} [${error.code}]`);
      break;
    }
  }
  given.extensions?.['permessage-deflate'].cleanup();
  return log;
}

/** Faults that ws finds later, or not at all. */
const EARLIER = [
  'WS_ERR_INVALID_UTF8',
  'WS_ERR_NON_MINIMAL_PAYLOAD_LENGTH',
  'WS_ERR_INVALID_DATA_PAYLOAD_LENGTH',
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'Z_BUF_ERROR',
];
/** Faults of a compressed message, which ws finds with a fragment of it. */
const LATER = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Z_DATA_ERROR', 'Z_BUF_ERROR'];

const endsIn = (log: readonly string[], codes: readonly string[]): boolean => {
  const last = log.at(-1) ?? '';
  return last.startsWith('error') && codes.some((code) => last.endsWith(`[${code}]`));
};

/** Everything but the fault at the end. */
const events = (log: readonly string[]): readonly string[] =>
  log.filter((line) => !line.startsWith('error'));

async function compare(it: Case): Promise<void> {
  const [expected, told] = [await receive(theirs, it), await receive(ours, it)];
  if (endsIn(told, EARLIER) || (it.compression && endsIn(expected, LATER))) {
    const both = Math.min(events(expected).length, events(told).length);
    expect(events(told).slice(0, both)).toEqual(events(expected).slice(0, both));
  } else expect(told).toEqual(expected);
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

import ws from 'ws';
import type { ReceiverOptions } from '../../src/compat/receiver';
import { Receiver } from '../../src/compat/receiver';
import { PerMessageDeflate } from '../../src/per-message-deflate';
import { frame, TEXT } from '../support/frames';
import { turn } from '../support/stage';

/** What two libraries have in common of a receiver. */
interface Library {
  readonly Receiver: typeof Receiver;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
}

// `@types/ws` knows neither of the two.
const theirs = ws as unknown as Library;
const ours: Library = { Receiver, PerMessageDeflate };

interface Context {
  readonly isServer: boolean;
  readonly compression: boolean;
  readonly inMessage: boolean;
}

const flags = [false, true];
const CONTEXTS: Context[] = flags.flatMap((isServer) =>
  flags.flatMap((compression) => flags.map((inMessage) => ({ isServer, compression, inMessage }))),
);

function receiver(library: Library, { isServer, compression, inMessage }: Context): Receiver {
  const options: ReceiverOptions = { isServer };
  if (compression) {
    const deflate = new library.PerMessageDeflate({ isServer });
    deflate.accept([{}]);
    options.extensions = { 'permessage-deflate': deflate };
  }
  const made = new library.Receiver(options);
  const key = isServer ? 1 : undefined;
  if (inMessage) made.write(frame({ opcode: TEXT, payload: 'a', fin: false, key }));
  return made;
}

/** The length's form, and as many bytes as tell it. */
const LENGTHS: Record<number, Buffer> = {
  0: Buffer.alloc(0),
  1: Buffer.alloc(0),
  126: Buffer.from([0, 126]),
  127: Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]),
};

/** The reserved bits: none, RSV3, RSV1, and all three. */
const RESERVED = [0, 0x10, 0x40, 0x70];

/** Every header there is, but for the length; its payload is not there yet. */
function* headers({ compression }: Context): Generator<Buffer> {
  for (let first = 0; first < 256; first++) {
    if (!RESERVED.includes(first & 0x70)) continue;
    for (const [form, rest] of Object.entries(LENGTHS)) {
      // A compressed message of no bytes at all is nothing DEFLATE knows: see the differences.
      const marked = compression && (first & 0x70) === 0x40 && [1, 2].includes(first & 15);
      if (marked && form === '0') continue;
      for (const mask of [0, 128]) yield Buffer.from([first, mask | Number(form), ...rest]);
    }
  }
}

/** What becomes of every header: its fault, or `none`. */
async function judge(library: Library, context: Context): Promise<Map<string, string>> {
  const faults = new Map<string, string>();
  for (const header of headers(context)) {
    const name = header.toString('hex');
    faults.set(name, 'none');
    const judging = receiver(library, context);
    judging.on('error', (error: NodeJS.ErrnoException) => {
      faults.set(name, `${error.name}: ${error.message} [${error.code}]`);
    });
    judging.write(header);
  }
  // Node tells the errors of a stream in a tick of their own.
  await turn();
  return faults;
}

// Node asks each error of a stream for its stack, and jest looks up the lines of all of it.
const { stackTraceLimit } = Error;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

test.each(CONTEXTS)('every header is judged as in ws: %o', async (context) => {
  const expected = await judge(theirs, context);
  const judged = await judge(ours, context);
  const differing = [...expected].filter(([header, fault]) => judged.get(header) !== fault);
  expect(differing).toEqual([]);
  expect([judged.size, new Set(expected.values()).size > 5]).toEqual([expected.size, true]);
});

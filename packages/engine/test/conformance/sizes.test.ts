// Messages up to 16 MiB, in fragments from 64 B on, in reads of every size, and many of them.
import { pattern } from '../support/bytes';
import { BINARY, CONTINUATION, TEXT } from '../support/frames';
import type { Conversation, FramePart, Role, Step } from './case';
import { ROLES } from './case';
import type { AnyChunking } from './run/chunks';
import { converse } from './run/converse';
import type { Link } from './run/links';
import { memoryLink, socketLink } from './run/links';
import { LONG, LONG_TIMEOUT } from './run/long';
import { showMessage } from './run/show';

if (LONG) jest.setTimeout(LONG_TIMEOUT);

type Kind = 'text' | 'binary';

const KIB = 1024;
const MIB = KIB * KIB;

/** Text of two-byte and four-byte characters, so that fragments cut them. */
const TEXT_UNIT = Buffer.from('a\u00e9\u20ac\u{1f600}');

function content(kind: Kind, size: number): Buffer {
  if (kind === 'binary') return pattern(size);
  const whole = Buffer.alloc(size - (size % TEXT_UNIT.length), TEXT_UNIT);
  return Buffer.concat([whole, Buffer.alloc(size - whole.length, 'z')]);
}

function fragmentsOf(kind: Kind, payload: Buffer, size: number): FramePart[] {
  const frames: FramePart[] = [];
  for (let at = 0; at < payload.length; at += size) {
    frames.push({
      opcode: at > 0 ? CONTINUATION : kind === 'text' ? TEXT : BINARY,
      fin: at + size >= payload.length,
      payload: payload.subarray(at, at + size),
    });
  }
  return frames;
}

function message(kind: Kind, size: number, fragment = size): Step {
  const payload = content(kind, size);
  const shown = showMessage(payload, kind === 'binary');
  return { peer: fragmentsOf(kind, payload, fragment), wire: [shown], told: [shown] };
}

async function expectExchange(
  link: Link,
  role: Role,
  steps: Step[],
  chunking: AnyChunking = 'whole',
): Promise<void> {
  const conversation: Conversation = { id: 'sizes', clauses: [], title: '', steps };
  const { expected, actual } = await converse(link, conversation, role, chunking);
  expect(actual).toEqual(expected);
}

const memory = memoryLink();

const MATRIX: readonly [Role, Kind][] = LONG
  ? ROLES.flatMap((role): [Role, Kind][] => [
      [role, 'text'],
      [role, 'binary'],
    ])
  : [
      ['server', 'text'],
      ['client', 'binary'],
    ];

describe.each(MATRIX)('to a %s, %s', (role, kind) => {
  const sizes = LONG
    ? [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB]
    : [256 * KIB, 16 * MIB];
  test.each(sizes)('of %i bytes in one frame', async (size) => {
    await expectExchange(memory, role, [message(kind, size)]);
  });

  const fragments = LONG
    ? [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB]
    : [64, 4 * KIB, 256 * KIB];
  test.each(fragments)('of 4 MiB in fragments of %i bytes, at default limits', async (size) => {
    await expectExchange(memory, role, [message(kind, 4 * MIB, size)]);
  });

  const reads = LONG ? [64, 128, 256, 512, KIB, 2 * KIB] : [64, 2 * KIB];
  test.each(reads)('of 1 MiB in reads of %i bytes', async (size) => {
    await expectExchange(memory, role, [message(kind, MIB)], size);
  });

  const many = [0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB];
  test.each(many)('a thousand of %i bytes', async (size) => {
    const count = LONG || size <= 256 ? 1_000 : 100;
    const payload = content(kind, size);
    const shown = showMessage(payload, kind === 'binary');
    const frame = { opcode: kind === 'text' ? TEXT : BINARY, payload };
    const repeated = new Array<string>(count).fill(shown);
    const peer = new Array<FramePart>(count).fill(frame);
    await expectExchange(memory, role, [{ peer, wire: repeated, told: repeated }]);
  });

  const large = LONG ? 16 * MIB : MIB;
  test(`of ${large} bytes in fragments of 64 bytes, the headers weighed against the payload`, async () => {
    await expectExchange(memory, role, [message(kind, large, 64)]);
  });
});

const SOCKETS: readonly ['tcp' | 'tls', Role, number][] = LONG
  ? (['tcp', 'tls'] as const).flatMap((name) =>
      ROLES.map((role): ['tcp' | 'tls', Role, number] => [name, role, 4 * MIB]),
    )
  : [
      ['tcp', 'client', MIB],
      ['tls', 'server', MIB],
    ];

test.each(SOCKETS)(
  'over %s, to a %s: 16 MiB in one frame, and %i in fragments of 64',
  async (name, role, size) => {
    const link = await socketLink(name);
    await expectExchange(link, role, [message('binary', 16 * MIB), message('text', size, 64)]);
    await link.close();
  },
);

import ws from 'ws';
import type { ReceiverOptions } from '../../src/compat/receiver';
import { Receiver } from '../../src/compat/receiver';
import { PerMessageDeflate } from '../../src/per-message-deflate';

/** What two libraries have in common of a receiver. */
interface Library {
  readonly Receiver: typeof Receiver;
  readonly PerMessageDeflate: typeof PerMessageDeflate;
}

// `@types/ws` knows neither of the two.
const theirs = ws as unknown as Library;
const ours: Library = { Receiver, PerMessageDeflate };

/** Bytes for a receiver, in pieces. */
export interface ReceiverCase {
  readonly options: ReceiverOptions;
  readonly compression: boolean;
  readonly pieces: readonly Buffer[];
}

/** Writes pieces one after the other, and down what comes of them up to a fault. */
async function receive(
  library: Library,
  { options, compression, pieces }: ReceiverCase,
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
  for (const piece of pieces) {
    if (receiver.writableEnded) break;
    // A copy, which the receiver unmasks where it lies.
    const chunk = Buffer.from(piece);
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
/**
 * Faults of a compressed message: ws finds them with a fragment of it, and none behind a final DEFLATE block, where it
 * takes the message for whole.
 */
const LATER = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Z_DATA_ERROR', 'Z_BUF_ERROR'];

const endsIn = (log: readonly string[], codes: readonly string[]): boolean => {
  const last = log.at(-1) ?? '';
  return last.startsWith('error') && codes.some((code) => last.endsWith(`[${code}]`));
};

/** Everything but the fault at the end. */
const events = (log: readonly string[]): readonly string[] =>
  log.filter((line) => !line.startsWith('error'));

/** Where a message of ws ends with a final block and ours does not, what follows is lost on ws; -1 where none does. */
function cutByFinalBlock(theirs: readonly string[], ours: readonly string[]): number {
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  const [name, bytes] = (theirs[at] ?? '').split(' ');
  return name === 'message' && ours[at].startsWith(`message ${bytes}`) ? at : -1;
}

/**
 * What ws and we make of the same bytes, as far as it has to be the same: everything, but that each finds some faults
 * before the other does (docs/migrating/ws.md).
 */
export async function receiveByBoth(
  it: ReceiverCase,
): Promise<{ theirs: readonly string[]; ours: readonly string[] }> {
  const [expected, told] = [await receive(theirs, it), await receive(ours, it)];
  const cut = it.compression ? cutByFinalBlock(expected, told) : -1;
  if (cut >= 0) return { theirs: expected.slice(0, cut), ours: told.slice(0, cut) };
  const faulty = it.compression && (endsIn(expected, LATER) || endsIn(told, LATER));
  if (faulty || endsIn(told, EARLIER)) {
    const both = Math.min(events(expected).length, events(told).length);
    return { theirs: events(expected).slice(0, both), ours: events(told).slice(0, both) };
  }
  return { theirs: expected, ours: told };
}

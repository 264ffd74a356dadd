import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { createCompression } from '../../../src/deflate/codec';
import { resolveDeflateOptions } from '../../../src/deflate/options';
import { setSynchronousMethod } from '../../../src/deflate/synchronous';
import type { MessageCompression } from '../../../src/protocol/compression';
import { agreed, deflate, deflateSync, inflate, text } from '../../support/deflate';
import type { Choices } from '../choices';
import { expectFault } from '../codes';
import type { Target } from '../target';
import { Finding } from '../target';

const OPTIONS = resolveDeflateOptions();
const MOST = 100_000;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const LONG = text(20_000);
const SAMPLES = [
  LONG.subarray(0, 300),
  LONG.subarray(0, 3000),
  Buffer.alloc(4000),
  Buffer.from('Hello'),
];
const COMPRESSED = SAMPLES.map(deflateSync);

function chooseMessage(choices: Choices): Buffer {
  if (choices.oneIn(3)) return Buffer.from(choices.take(choices.below(200)));
  const start = choices.below(LONG.length);
  return LONG.subarray(start, start + choices.below(choices.pick([100, 5000])));
}

/** Compressed data with bytes changed, lost and added. */
function chooseBytes(choices: Choices): Buffer {
  let bytes = Buffer.from(choices.oneIn(4) ? choices.take(40) : choices.pick(COMPRESSED));
  for (let left = choices.below(4); left > 0; left--) {
    const at = choices.below(bytes.length + 1);
    const noise = choices.take(choices.below(6));
    bytes = choices.oneIn(2)
      ? Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + noise.length)])
      : Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  }
  return choices.oneIn(4) ? bytes.subarray(0, choices.below(bytes.length + 1)) : bytes;
}

/** What zlib makes of a whole message, if that is beyond doubt. */
function reference(payload: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.concat([payload, TAIL]), {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: MOST,
    });
  } catch {
    return undefined;
  }
}

async function tryBadData(server: MessageCompression, payload: Buffer): Promise<void> {
  const before = Buffer.from(payload);
  const bytes = await inflate(server, payload).catch((error: Error) => error);
  if (!payload.equals(before)) throw new Finding('the payload was changed');
  if (bytes instanceof Error) {
    expectFault(bytes);
    return;
  }
  if (bytes.length > MOST) throw new Finding('too long', bytes.length);
  const expected = reference(payload);
  // Where a final block ends, zlib stops; the message goes on (RFC 7692 7.2.3.4).
  if (expected === undefined || !bytes.subarray(0, expected.length).equals(expected)) {
    throw new Finding('zlib reads something else', payload.toString('hex'));
  }
}

/** A message from elsewhere that ends with a final block: behind it, the window stays (RFC 7692 7.2.3.4). */
async function sendElsewhere(
  client: MessageCompression,
  server: MessageCompression,
  message: Buffer,
): Promise<void> {
  const compressed = Buffer.concat([deflateRawSync(message), Buffer.alloc(1)]);
  if (!(await inflate(server, compressed)).equals(message)) throw new Finding('read wrongly');
  client.sentElsewhere();
}

/** Messages of one side as the other reads them, in fragments, with a context that is lost at times; and data that is bad. */
export const codec: Target = {
  name: 'deflate',
  share: 7,
  async run(choices: Choices): Promise<void> {
    setSynchronousMethod(choices.oneIn(8) ? 'dictionary' : 'handle');
    const agreement = agreed({
      clientMaxWindowBits: 8 + choices.below(8),
      clientNoContextTakeover: choices.oneIn(2),
    });
    const limits = { maxPayload: MOST, maxInflationRatio: choices.pick([0, 0, 3]) };
    const client = createCompression(agreement, 'client', OPTIONS, limits);
    const server = createCompression(agreement, 'server', OPTIONS, { maxPayload: MOST });
    try {
      for (let left = choices.below(4); left > 0; left--) {
        const parts = Array.from({ length: 1 + choices.below(3) }, () => chooseMessage(choices));
        const pieces: Buffer[] = [];
        for (const [index, part] of parts.entries()) {
          pieces.push(await deflate(client, part, index === parts.length - 1));
        }
        const read = await inflate(server, Buffer.concat(pieces));
        if (!read.equals(Buffer.concat(parts))) throw new Finding('read something else');
        if (choices.oneIn(3)) await sendElsewhere(client, server, chooseMessage(choices));
      }
      const alone = createCompression(agreed(), 'server', OPTIONS, limits);
      try {
        await tryBadData(alone, chooseBytes(choices));
      } finally {
        alone.close();
      }
    } finally {
      client.close();
      server.close();
    }
  },
};

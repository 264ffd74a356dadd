// Compressed messages of 16 B to 128 KiB through every window, with and without context takeover, for both roles.
import { constants, inflateRawSync } from 'node:zlib';
import { pattern } from '../support/bytes';
import { expectBytes, largestDistance, StreamDeflater, text } from '../support/deflate';
import { BINARY, TEXT } from '../support/frames';
import type { Role } from './case';
import { encode, ROLES } from './case';
import { randomNumbers } from './run/chunks';
import { enterClient, enterServer } from './run/converse';
import { memoryLink } from './run/links';
import { LONG, LONG_TIMEOUT } from './run/long';
import { settled } from './run/wait';

if (LONG) jest.setTimeout(LONG_TIMEOUT);

const SIZES = [16, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072];
const BITS = [8, 9, 10, 11, 12, 13, 14, 15];

/** Messages that are on their way at once. */
const BATCH = 25;
/** A larger window there is not. */
const WINDOW = 32_768;
/** Of so many messages of each size the distances are read one by one. */
const READ_CLOSELY = 3;

function countOf(size: number): number {
  if (LONG) return 1_000;
  if (size <= 1_024) return 50;
  return size <= 16_384 ? 10 : 3;
}

const words = text(1 << 20);
const noise = pattern(1 << 18);

interface Message {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Slices of text, and here and there of bytes that do not repeat soon. */
function* messages(size: number, seed: string): Generator<Message> {
  const random = randomNumbers(seed);
  for (let index = 0; index < countOf(size); index++) {
    const opcode = index % 5 === 4 ? BINARY : TEXT;
    const source = opcode === BINARY ? noise : words;
    const at = Math.floor(random() * (source.length - size));
    yield { opcode, payload: source.subarray(at, at + size) };
  }
}

/** The peer's compressor. */
class Deflater {
  private readonly bits: number;
  private readonly takeover: boolean;
  private stream: StreamDeflater | undefined = undefined;

  constructor(bits: number, takeover: boolean) {
    this.bits = bits;
    this.takeover = takeover;
  }

  async deflate(message: Buffer): Promise<Buffer> {
    this.stream ??= new StreamDeflater(this.bits);
    const bytes = await this.stream.deflate(message);
    if (!this.takeover) this.close();
    return bytes;
  }

  close(): void {
    this.stream?.close();
    this.stream = undefined;
  }
}

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** What the messages inflate to behind `before`, by a window of so many bits. */
function inflated(payloads: Buffer[], before: Buffer, windowBits: number): Buffer {
  return inflateRawSync(Buffer.concat(payloads.flatMap((payload) => [payload, TAIL])), {
    windowBits,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(before.length > 0 ? { dictionary: before } : {}),
  });
}

function agreement(bits: number, takeover: boolean): string {
  const alone = takeover ? '' : '; server_no_context_takeover; client_no_context_takeover';
  return `permessage-deflate${alone}; server_max_window_bits=${bits}; client_max_window_bits=${bits}`;
}

interface Matrix {
  readonly role: Role;
  readonly bits: number;
  readonly takeover: boolean;
}

const MATRIX: Matrix[] = ROLES.flatMap((role) =>
  [true, false].flatMap((takeover) => BITS.map((bits) => ({ role, bits, takeover }))),
);

test.each(MATRIX)(
  '$role, window of $bits bits, takeover $takeover',
  async ({ role, bits, takeover }) => {
    const faults: string[] = [];
    const enter = role === 'server' ? enterServer : enterClient;
    const { peer, wire, webSocket } = await enter(
      memoryLink(),
      { deflate: agreement(bits, takeover) },
      (socket) => {
        socket.on('message', (data: Buffer, binary: boolean) => socket.send(data, { binary }));
        socket.on('error', (error: Error) => faults.push(String(error)));
      },
    );
    const echoes: Buffer[] = [];
    wire.onCompressed = (payload) => echoes.push(payload);
    const deflater = new Deflater(bits, takeover);
    let before: Buffer = Buffer.alloc(0);

    /** Sends messages, and compares what comes back. */
    const exchange = async (batch: Message[], closely: number): Promise<void> => {
      for (const { opcode, payload: plain } of batch) {
        const payload = await deflater.deflate(plain);
        peer.write(encode({ opcode, rsv: 4, payload }, role));
      }
      await settled(() => echoes.length >= batch.length);
      const got = echoes.splice(0);
      expect({ echoes: got.length, faults, wire: wire.log }).toEqual({
        echoes: batch.length,
        faults: [],
        wire: [],
      });
      for (const payload of got.slice(0, closely)) {
        expect(largestDistance(Buffer.concat([payload, TAIL]))).toBeLessThanOrEqual(2 ** bits);
      }
      const all = Buffer.concat(batch.map(({ payload }) => payload));
      const back = takeover
        ? inflated(got, before, bits)
        : Buffer.concat(got.map((one) => inflated([one], before, bits)));
      // Where they differ is only looked for where they do.
      if (!back.equals(all)) expectBytes(back, all);
      if (takeover) before = Buffer.concat([before, all]).subarray(-WINDOW);
    };

    for (const size of SIZES) {
      let batch: Message[] = [];
      let closely = READ_CLOSELY;
      for (const message of messages(size, `${role} ${bits} ${takeover} ${size}`)) {
        if (batch.push(message) < BATCH) continue;
        await exchange(batch, closely);
        closely = 0;
        batch = [];
      }
      await exchange(batch, closely);
    }
    deflater.close();
    webSocket.terminate();
    peer.destroy();
  },
);

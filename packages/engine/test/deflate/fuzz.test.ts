import { constants, createInflateRaw } from 'node:zlib';
import fc from 'fast-check';
import { deflateContexts, inflateContexts } from '../../src/deflate/pool';
import { setSynchronousMethod } from '../../src/deflate/synchronous';
import {
  closeAll,
  connect,
  deflate,
  deflateSync,
  expectBytes,
  inflate,
  NO_TAKEOVER,
  text,
} from '../support/deflate';

afterEach(closeAll);

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** What can happen between two peers: a message in fragments, or something that costs a context. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('message' as const), sizes: sizes() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prepared' as const), sizes: sizes() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'evicted' as const, sizes: [] as number[] }) },
);

function sizes(): fc.Arbitrary<number[]> {
  const size = fc.oneof(fc.nat(300), fc.nat(20_000), fc.constantFrom(0, 16_384, 40_000));
  return fc.array(size, { minLength: 1, maxLength: 3 });
}

describe.each(['handle', 'dictionary'] as const)('by %s', (method) => {
  beforeEach(() => setSynchronousMethod(method));

  test('whatever happens between messages, a plain zlib stream reads them, and so do we', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 8, max: 15 }),
        fc.boolean(),
        async (steps, clientMaxWindowBits, takeover) => {
          const agreement = { clientMaxWindowBits, clientNoContextTakeover: !takeover };
          const client = connect('client', agreement);
          const server = connect('server', agreement);
          const reader = createInflateRaw({ windowBits: clientMaxWindowBits });
          const read: Buffer[] = [];
          const whole: Buffer[] = [];
          reader.on('data', (piece: Buffer) => read.push(piece));
          for (const { kind, sizes: parts } of steps) {
            if (kind === 'evicted') {
              evictAll();
              continue;
            }
            const pieces = parts.map((size, index) => text(size, size + index + 1));
            const message = Buffer.concat(pieces);
            const compressed: Buffer[] = [];
            if (kind === 'prepared') {
              compressed.push(await client.deflateAlone(message));
              client.sentElsewhere();
            } else {
              for (const [index, piece] of pieces.entries()) {
                compressed.push(await deflate(client, piece, index === pieces.length - 1));
              }
            }
            expectBytes(await inflate(server, Buffer.concat(compressed)), message);
            reader.write(Buffer.concat([...compressed, TAIL]));
            whole.push(message);
          }
          await new Promise<void>((resolve) => reader.flush(constants.Z_SYNC_FLUSH, resolve));
          expectBytes(Buffer.concat(read), Buffer.concat(whole));
          reader.destroy();
          client.close();
          server.close();
        },
      ),
      { numRuns: 25 },
    );
  }, 30_000);

  test('bad data ends in a fault of the peer or in a message, and hurts nobody else', async () => {
    const good = deflateSync(text(3000));
    const bystander = connect('server');
    const alone = connect('server', NO_TAKEOVER);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.nat(good.length),
        fc.boolean(),
        async (noise, at, takeover) => {
          const payload = Buffer.concat([good.subarray(0, at), noise, good.subarray(at)]);
          const agreement = takeover ? {} : NO_TAKEOVER;
          const server = connect('server', agreement, { maxPayload: 10_000 });
          try {
            expect((await inflate(server, payload)).length).toBeLessThanOrEqual(10_000);
          } catch (error) {
            expect([1007, 1008, 1009]).toContain((error as { closeCode?: number }).closeCode);
          }
          server.close();
          expectBytes(await inflate(alone, good), text(3000));
          expectBytes(await inflate(bystander, good), text(3000));
        },
      ),
      { numRuns: 100 },
    );
  }, 30_000);
});

/** Makes every connection lose its contexts, as if so many others had needed them. */
function evictAll(): void {
  for (const pool of [deflateContexts, inflateContexts]) {
    const holder = { context: null };
    pool.lend(holder, 'all', 1e9, () => ({
      deflate: () => Buffer.alloc(0),
      inflate: () => null,
      end: 0,
      ended: false,
      reset: () => undefined,
      close: () => undefined,
    }));
    pool.release(holder);
  }
}

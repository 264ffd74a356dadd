import { setImmediate as turn } from 'node:timers/promises';
import { constants, createInflateRaw } from 'node:zlib';
import type { Compression } from '../../src/deflate/codec';
import { createCompression, limiterOf } from '../../src/deflate/codec';
import { resolveDeflateOptions } from '../../src/deflate/options';
import { deflateContexts, inflateContexts } from '../../src/deflate/pool';
import { setSynchronousMethod, sharedDeflaterCount } from '../../src/deflate/synchronous';
import { hex, toHex } from '../support/bytes';
import {
  agreed,
  closeAll,
  connect,
  connectPair,
  deflate,
  expectBytes,
  inflate,
  inflateStream,
  largestDistance,
  NO_LIMITS,
  NO_TAKEOVER,
  StreamDeflater,
  storedBlock,
  text,
} from '../support/deflate';

afterEach(closeAll);

describe.each(['handle', 'dictionary'] as const)('createCompression by %s', (method) => {
  beforeEach(() => setSynchronousMethod(method));

  describe('the examples of RFC 7692 7.2.3', () => {
    test('a message in one block (7.2.3.1)', async () => {
      const server = connect('server');
      expect(toHex(await deflate(server, Buffer.from('Hello')))).toBe('f248cdc9c90700');
      expect(String(await inflate(server, hex('f248cdc9c90700')))).toBe('Hello');
    });

    test('sharing the window (7.2.3.2)', async () => {
      const server = connect('server');
      await deflate(server, Buffer.from('Hello'));
      expect(toHex(await deflate(server, Buffer.from('Hello')))).toBe('f200110000');
      await inflate(server, hex('f248cdc9c90700'));
      expect(String(await inflate(server, hex('f200110000')))).toBe('Hello');
    });

    test('a block without compression (7.2.3.3)', async () => {
      const server = connect('server');
      expect(String(await inflate(server, hex('000500faff48656c6c6f00')))).toBe('Hello');
    });

    test('a final block (7.2.3.4)', async () => {
      const server = connect('server');
      expect(String(await inflate(server, hex('f348cdc9c9070000')))).toBe('Hello');
      expect(String(await inflate(server, hex('f200110000')))).toBe('Hello');
    });

    test('two blocks (7.2.3.5)', async () => {
      const server = connect('server');
      expect(String(await inflate(server, hex('f248050000 00ffff cac9c90700')))).toBe('Hello');
    });

    test('an empty message (7.2.3.6)', async () => {
      const server = connect('server');
      for (const round of [1, 2]) {
        expect([round, toHex(await deflate(server, Buffer.alloc(0)))]).toEqual([round, '00']);
        expect(await inflate(server, hex('00'))).toHaveLength(0);
      }
    });
  });

  describe('sizes and windows', () => {
    const sizes = [0, 1, 2, 125, 1000, 16383, 16384, 16385, 40000, 65535, 65536, 262144];

    test.each([8, 9, 10, 11, 12, 13, 14, 15])('%i bits, context taken over', async (bits) => {
      const [client, server] = connectPair({ clientMaxWindowBits: bits });
      const messages: Buffer[] = [];
      const sent: Buffer[] = [];
      for (const size of [...sizes, ...sizes.toReversed()]) {
        messages.push(text(size, bits + size));
        const compressed = await deflate(client, messages[messages.length - 1]);
        sent.push(compressed, hex('0000ffff'));
        expectBytes(await inflate(server, compressed), messages[messages.length - 1]);
      }
      expect(largestDistance(Buffer.concat(sent))).toBeLessThanOrEqual(2 ** bits);
      expect(
        inflateStream(
          sent.filter((_, index) => index % 2 === 0),
          bits,
        ).equals(Buffer.concat(messages)),
      ).toBe(true);
    });

    test.each([8, 9, 10, 11, 12, 13, 14, 15])('%i bits, each message by itself', async (bits) => {
      const [client, server] = connectPair({ ...NO_TAKEOVER, clientMaxWindowBits: bits });
      for (const size of sizes) {
        const message = text(size, bits);
        const compressed = await deflate(client, message);
        expect(largestDistance(Buffer.concat([compressed, hex('0000ffff')]))).toBeLessThanOrEqual(
          2 ** bits,
        );
        expectBytes(inflateStream([compressed], bits), message);
        expectBytes(await inflate(server, compressed), message);
        // The same again: nothing of the first is referred to.
        expectBytes(await deflate(client, message), compressed);
      }
    });

    test('the server uses its own parameters, and so does the client', async () => {
      const agreement = { serverMaxWindowBits: 9, clientNoContextTakeover: true };
      const server = connect('server', agreement);
      const client = connect('client', agreement);
      expect(server.settings.windowBits).toBe(9);
      expect(client.settings.windowBits).toBe(15);
      const message = text(2000);
      const [first, second] = [await deflate(server, message), await deflate(server, message)];
      expect(second.equals(first)).toBe(false);
      expectBytes(await inflate(client, first), message);
      expectBytes(await inflate(client, second), message);
      const own = await deflate(client, message);
      expectBytes(await deflate(client, message), own);
      expectBytes(await inflate(server, own), message);
    });

    test('what another zlib has compressed with its window', async () => {
      for (const bits of [9, 12, 15]) {
        const server = connect('server', { clientMaxWindowBits: bits });
        const peer = new StreamDeflater(bits);
        for (const size of [100, 3000, 50_000, 20, 200_000, 700]) {
          const message = text(size, size);
          expectBytes(await inflate(server, await peer.deflate(message)), message);
        }
        peer.close();
      }
    });

    test('what does not compress', async () => {
      const [client, server] = connectPair();
      let state = 1;
      const noise = Buffer.from(
        Array.from({ length: 15_000 }, () => {
          state = (state * 48271) % 2147483647;
          return state >>> 16;
        }),
      );
      const compressed = await deflate(client, noise);
      expect(compressed.length).toBeGreaterThan(noise.length);
      expectBytes(await inflate(server, compressed), noise);
    });

    test.each([
      { level: 0 },
      { level: 9, memLevel: 1 },
      { strategy: constants.Z_HUFFMAN_ONLY },
      { strategy: constants.Z_FIXED, memLevel: 9 },
      { chunkSize: 64 },
    ])('zlib set to %j', async (zlibDeflateOptions) => {
      const client = connect('client', {}, NO_LIMITS, { zlibDeflateOptions });
      const server = connect('server', {}, NO_LIMITS, { zlibInflateOptions: { chunkSize: 64 } });
      for (const size of [10, 5000, 15_999, 70_000]) {
        const message = text(size);
        expectBytes(await inflate(server, await deflate(client, message)), message);
      }
    });
  });

  describe('fragments', () => {
    test.each([{}, NO_TAKEOVER])('are one message when put together: %j', async (agreement) => {
      const [client, server] = connectPair(agreement);
      for (const round of [1, 2, 3]) {
        const pieces = [text(300, round), Buffer.alloc(0), text(20_000, 5), text(300, round)];
        const fragments: Buffer[] = [];
        for (const [index, piece] of pieces.entries()) {
          fragments.push(await deflate(client, piece, index === pieces.length - 1));
        }
        expect(toHex(fragments[1])).toBe('000000ffff');
        expect(toHex(fragments[0].subarray(-4))).toBe('0000ffff');
        const whole = await inflate(server, Buffer.concat(fragments));
        expectBytes(whole, Buffer.concat(pieces));
      }
    });

    test('an empty last fragment', async () => {
      const [client, server] = connectPair();
      const first = await deflate(client, Buffer.from('Hello'), false);
      const last = await deflate(client, Buffer.alloc(0), true);
      expect(toHex(last)).toBe('00');
      expect(String(await inflate(server, Buffer.concat([first, last])))).toBe('Hello');
    });

    test('what is handed over belongs to the caller', async () => {
      const [client, server] = connectPair();
      const empty = await deflate(client, Buffer.alloc(0));
      client.deflate(Buffer.alloc(0), true, (_error, bytes) => bytes?.fill(0xff));
      expectBytes(await deflate(client, Buffer.alloc(0)), empty);
      const first = await inflate(server, await deflate(client, text(500)));
      first.fill(0);
      expectBytes(await inflate(server, await deflate(client, text(500))), text(500));
    });
  });

  describe('contexts', () => {
    test('nothing is kept for a connection without context takeover', async () => {
      const [client, server] = connectPair(NO_TAKEOVER);
      await inflate(server, await deflate(client, text(2000)));
      await inflate(server, await deflate(client, text(50_000)));
      expect([deflateContexts.size, inflateContexts.size]).toEqual([0, 0]);
    });

    test('they come with the first message and go with the connection', async () => {
      const [client, server] = connectPair();
      expect([deflateContexts.size, inflateContexts.size]).toEqual([0, 0]);
      const compressed = await deflate(client, text(2000));
      expect([deflateContexts.size, inflateContexts.size]).toEqual([1, 0]);
      await inflate(server, compressed);
      expect(inflateContexts.size).toBe(method === 'handle' ? 1 : 0);
      client.close();
      server.close();
      expect([deflateContexts.size, inflateContexts.size]).toEqual([0, 0]);
      expect([deflateContexts.bytes, inflateContexts.bytes]).toEqual([0, 0]);
    });

    test('more connections than contexts', async () => {
      const pairs = Array.from({ length: 400 }, () => connectPair());
      for (const round of [1, 2, 3]) {
        for (const [index, [client, server]] of pairs.entries()) {
          const message = text(200, index);
          const inflated = await inflate(server, await deflate(client, message));
          expect([round, inflated.equals(message)]).toEqual([round, true]);
        }
      }
      expect(deflateContexts.size).toBe(128);
      expect(deflateContexts.bytes).toBe(32 * 1024 * 1024);
      expect(inflateContexts.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
    });

    test('an inflating context that was lost is made again from the window', async () => {
      const peer = new StreamDeflater();
      const server = connect('server');
      for (const size of [500, 30_000, 500, 60_000, 500]) {
        const message = text(size, 77);
        expectBytes(await inflate(server, await peer.deflate(message)), message);
        // So many others that this one's context goes to one of them.
        const others = Array.from({ length: 420 }, () => connect('server'));
        for (const other of others) await inflate(other, hex('f248cdc9c90700'));
        for (const other of others) other.close();
      }
      peer.close();
    });

    test('shared compressors are as many as sets of settings, up to 16', async () => {
      for (let level = 0; level <= 9; level++) {
        for (const memLevel of [1, 8]) {
          const client = connect('client', NO_TAKEOVER, NO_LIMITS, {
            zlibDeflateOptions: { level, memLevel },
          });
          await deflate(client, text(100));
        }
      }
      expect(sharedDeflaterCount()).toBe(16);
    });
  });

  describe('close', () => {
    test('ends what is on the thread pool, or waits for it, with an error', () => {
      const server = connect('server', {}, NO_LIMITS, { concurrencyLimit: 1 });
      const ends: [string, string | undefined, unknown][] = [];
      server.deflate(text(200_000), true, (error, bytes) =>
        ends.push(['deflate', error?.message, bytes]),
      );
      server.inflate(storedBlock(60_000), (error, bytes) =>
        ends.push(['inflate', error?.message, bytes]),
      );
      expect(ends).toEqual([]);
      server.close();
      expect(ends).toEqual([
        ['deflate', 'The deflate stream was closed while data was being processed', undefined],
        ['inflate', 'The inflate stream was closed while data was being processed', undefined],
      ]);
      server.close();
      expect(ends).toHaveLength(2);
    });

    test('leaves its places on the thread pool to others', async () => {
      const options = resolveDeflateOptions({ concurrencyLimit: 2 });
      const make = (): Compression => createCompression(agreed(), 'server', options, NO_LIMITS);
      const closed = Array.from({ length: 4 }, make);
      const errors: (Error | null)[] = [];
      for (const one of closed) one.deflate(text(100_000), true, (error) => errors.push(error));
      const survivor = make();
      const last = deflate(survivor, text(100_000));
      expect([limiterOf(options).active, limiterOf(options).queued]).toEqual([2, 3]);
      for (const one of closed) one.close();
      expect(errors).toHaveLength(4);
      expectBytes(inflateStream([await last]), text(100_000));
      survivor.close();
    });

    test('nothing is done afterwards', async () => {
      const server = connect('server');
      server.close();
      await expect(deflate(server, Buffer.from('Hello'))).rejects.toThrow(
        'The deflate stream was closed while data was being processed',
      );
      await expect(inflate(server, hex('f248cdc9c90700'))).rejects.toThrow(
        'The inflate stream was closed while data was being processed',
      );
    });

    test('from within a callback', async () => {
      const server = connect('server');
      const ended = new Promise<void>((resolve) => {
        server.inflate(storedBlock(60_000), () => {
          server.close();
          resolve();
        });
      });
      await ended;
      server.inflate(hex('f248cdc9c90700'), () => undefined);
      expect(inflateContexts.size).toBe(0);
    });
  });

  test('a callback that throws leaves everything usable', async () => {
    const [client, server] = connectPair();
    const fail = (): never => {
      throw new Error('listener');
    };
    const compressed = await deflate(client, text(900));
    expect(() => server.inflate(compressed, fail)).toThrow('listener');
    expect(() => client.deflate(text(900, 2), true, fail)).toThrow('listener');
    client.sentElsewhere();
    expectBytes(await inflate(server, await deflate(client, text(900))), text(900));
  });

  test('small messages are done at once, large ones later', async () => {
    // What others have compressed in this turn of the event loop counts.
    await turn();
    const [client, server] = connectPair();
    const sizes: number[] = [];
    for (const size of [0, 1, 16_383, 16_384]) {
      const one = connect('client');
      one.deflate(text(size), true, () => sizes.push(size));
    }
    expect(sizes).toEqual([0, 1, 16_383]);
    const lengths: number[] = [];
    for (const size of [32_700, 32_800]) {
      const message = Buffer.concat([storedBlock(size), hex('00')]);
      server.inflate(message, (_error, bytes) => lengths.push(bytes?.length ?? -1));
    }
    expect(lengths).toEqual([32_700]);
    client.close();
  });
});

test('a reader with a window of 256 bytes and no more', async () => {
  setSynchronousMethod(undefined);
  const client = connect('client', { clientMaxWindowBits: 8 });
  const inflater = createInflateRaw({ windowBits: 8, chunkSize: 64 });
  const pieces: Buffer[] = [];
  inflater.on('data', (piece: Buffer) => pieces.push(piece));
  const messages = [text(2000), text(200), text(200), text(30_000), text(200)];
  for (const message of messages) {
    inflater.write(await deflate(client, message));
    inflater.write(hex('0000ffff'));
  }
  await new Promise<void>((resolve) => inflater.flush(constants.Z_SYNC_FLUSH, resolve));
  expectBytes(Buffer.concat(pieces), Buffer.concat(messages));
  inflater.destroy();
});

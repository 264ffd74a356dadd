import { constants, deflateRawSync } from 'node:zlib';
import { DictionaryInflater } from '../../src/deflate/dictionary';
import { HandleInflater } from '../../src/deflate/handle';
import { setSynchronousMethod, sharedInflater } from '../../src/deflate/synchronous';
import { hex } from '../support/bytes';
import {
  closeAll,
  connect,
  deflateSync,
  expectBytes,
  inflate,
  NO_TAKEOVER,
  storedBlock,
  text,
} from '../support/deflate';

afterEach(() => {
  jest.restoreAllMocks();
  closeAll();
});

/** What zlib compresses when it is told to end the stream after each piece and go on with the same window. */
function finalBlocks(pieces: readonly Buffer[]): Buffer {
  return Buffer.concat(
    pieces.map((piece, index) => {
      const before = Buffer.concat(pieces.slice(0, index));
      return deflateRawSync(piece, before.length > 0 ? { dictionary: before } : {});
    }),
  );
}

describe.each(['handle', 'dictionary'] as const)('Inflation by %s', (method) => {
  beforeEach(() => setSynchronousMethod(method));

  describe('final blocks (RFC 7692 7.2.3.4)', () => {
    const pieces = [text(700, 3), text(700, 3), Buffer.from('Hello'), text(40_000, 3)];

    test.each([
      ['at the end of the message', [pieces[0]], ''],
      ['and the byte that stands for an empty block', [pieces[0]], '00'],
      ['in the middle', pieces.slice(0, 3), '00'],
      ['in the middle, on the thread pool', [...pieces, ...pieces, text(190_000, 8)], '00'],
    ])('%s', async (_name, blocks, ending) => {
      for (const agreement of [{}, NO_TAKEOVER]) {
        const server = connect('server', agreement);
        const message = Buffer.concat([finalBlocks(blocks), hex(ending)]);
        const whole = Buffer.concat(blocks);
        for (const round of [1, 2]) {
          const inflated = await inflate(server, message);
          expect([round, inflated.equals(whole)]).toEqual([round, true]);
        }
      }
    });

    test('the next message refers to what came before and in it', async () => {
      const server = connect('server');
      const [before, within, after] = [text(600, 21), text(600, 22), text(600, 23)];
      const past = Buffer.concat([before, within]);
      await inflate(server, Buffer.concat([deflateRawSync(before), hex('00')]));
      await inflate(
        server,
        Buffer.concat([deflateRawSync(within, { dictionary: before }), hex('00')]),
      );
      const message = Buffer.concat([past, after]);
      const compressed = deflateRawSync(message, {
        dictionary: past,
        finishFlush: constants.Z_SYNC_FLUSH,
      }).subarray(0, -4);
      expect(compressed.length).toBeLessThan(deflateRawSync(message).length);
      expectBytes(await inflate(server, compressed), message);
    });

    test('an empty final block whose end is what the sender has cut off', async () => {
      const server = connect('server');
      await inflate(server, hex('f248cdc9c90700'));
      // BFINAL=1, BTYPE=00, and then 00 00 FF FF.
      expect(await inflate(server, hex('01'))).toHaveLength(0);
      expect(String(await inflate(server, hex('f200110000')))).toBe('Hello');
    });

    test.each([
      ['in place', 0],
      ['on the thread pool', 40_000],
    ])('64 of them are enough, %s', async (_where, size) => {
      // BFINAL=1, BTYPE=01, end of block: two bytes.
      const finals = (count: number): Buffer =>
        Buffer.concat([Buffer.alloc(2 * count, hex('0300')), storedBlock(size), hex('00')]);
      const server = connect('server');
      expect(await inflate(server, finals(64))).toHaveLength(size);
      await expect(inflate(server, finals(66))).rejects.toMatchObject({
        code: 'WS_ERR_TOO_MANY_FINAL_BLOCKS',
        closeCode: 1008,
        message: 'Too many final DEFLATE blocks in one message',
      });
    });
  });

  describe('bad data', () => {
    test.each([
      ['an invalid block type', 'ffff', 'invalid block type', 'Z_DATA_ERROR'],
      [
        'a wrong complement',
        '000500000048656c6c6f00',
        'invalid stored block lengths',
        'Z_DATA_ERROR',
      ],
      [
        'a distance beyond the start',
        'f200110000',
        'invalid distance too far back',
        'Z_DATA_ERROR',
      ],
    ])('%s', async (_name, bytes, message, code) => {
      const server = connect('server', NO_TAKEOVER);
      const lasting = connect('server');
      for (const compression of [server, lasting]) {
        await expect(inflate(compression, hex(bytes))).rejects.toMatchObject({
          message,
          code,
          closeCode: 1007,
          clause: 'RFC 7692 7.2.2',
        });
      }
      // Other connections on the same decompressor go on.
      expect(String(await inflate(connect('server', NO_TAKEOVER), hex('f248cdc9c90700')))).toBe(
        'Hello',
      );
    });

    test('on the thread pool', async () => {
      const server = connect('server');
      await expect(inflate(server, Buffer.alloc(40_000, 0xff))).rejects.toMatchObject({
        message: 'invalid block type',
        code: 'Z_DATA_ERROR',
        errno: -3,
        closeCode: 1007,
      });
    });

    test.each([{}, NO_TAKEOVER])('a message cut short: %j', async (agreement) => {
      const message = deflateSync(text(3000));
      for (const end of [1, 10, 100, 300, message.length - 1]) {
        const server = connect('server', agreement);
        await expect(inflate(server, message.subarray(0, end))).rejects.toMatchObject({
          closeCode: 1007,
        });
      }
      for (const stored of [storedBlock(60_000), storedBlock(100)]) {
        // Neither a byte less nor without the start of the empty block.
        for (const short of [stored.subarray(0, -1), stored]) {
          const server = connect('server', agreement);
          await expect(inflate(server, short)).rejects.toMatchObject({ closeCode: 1007 });
        }
      }
    });
  });

  describe('what is no fault of the peer', () => {
    test.each([
      [
        'zlib has no memory',
        Object.assign(new Error('insufficient memory'), { code: 'Z_MEM_ERROR' }),
      ],
      ['there is none for the message', new RangeError('Array buffer allocation failed')],
    ])('%s: 1011, and the shared decompressor is given up', async (_name, error) => {
      const server = connect('server', NO_TAKEOVER);
      const before = sharedInflater();
      const { prototype } = method === 'handle' ? HandleInflater : DictionaryInflater;
      jest.spyOn(prototype, 'inflate').mockImplementationOnce(() => {
        throw error;
      });
      await expect(inflate(server, hex('f248cdc9c90700'))).rejects.toMatchObject({
        message: error.message,
        code: 'Z_MEM_ERROR',
        closeCode: 1011,
      });
      expect(sharedInflater()).not.toBe(before);
      expect(String(await inflate(server, hex('f248cdc9c90700')))).toBe('Hello');
    });
  });

  describe('limits', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024));

    test('a message may be as large as maxPayload, and no larger', async () => {
      for (const size of [100, 100_000, 200_000, 1_000_000]) {
        const message = deflateRawSync(text(size), { finishFlush: constants.Z_SYNC_FLUSH });
        const compressed = message.subarray(0, -4);
        const exact = connect('server', NO_TAKEOVER, { maxPayload: size });
        expect(await inflate(exact, compressed)).toHaveLength(size);
        const less = connect('server', NO_TAKEOVER, { maxPayload: size - 1 });
        await expect(inflate(less, compressed)).rejects.toMatchObject({
          name: 'RangeError',
          message: 'Max payload size exceeded',
          code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
          closeCode: 1009,
        });
      }
    });

    test('a message that is full before its last blocks', async () => {
      for (const size of [500, 40_000, 400_000]) {
        const blocks = Buffer.concat([deflateRawSync(text(size)), hex('0300 0300 00')]);
        for (const agreement of [{}, NO_TAKEOVER]) {
          const exact = connect('server', agreement, {
            maxPayload: size,
            maxCompressedPayload: 1e6,
          });
          expectBytes(await inflate(exact, blocks), text(size));
          const more = Buffer.concat([deflateRawSync(text(size)), hex('4a0400')]);
          await expect(inflate(exact, more)).rejects.toMatchObject({ closeCode: 1009 });
        }
      }
    });

    test.each([{}, NO_TAKEOVER])('a bomb is stopped early: %j', async (agreement) => {
      expect(bomb.length).toBeGreaterThan(60_000);
      const before = process.memoryUsage();
      for (const payload of [bomb, Buffer.from(bomb.subarray(0, 8000))]) {
        const server = connect('server', agreement, { maxPayload: 1024 * 1024 });
        await expect(inflate(server, payload)).rejects.toMatchObject({ closeCode: 1009 });
      }
      const { external, arrayBuffers } = process.memoryUsage();
      expect(external - before.external).toBeLessThan(16 * 1024 * 1024);
      expect(arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024);
    });

    test('a small message that becomes large is inflated on the thread pool', async () => {
      const server = connect('server');
      const zeros = Buffer.alloc(1024 * 1024);
      const compressed = deflateRawSync(zeros, { finishFlush: constants.Z_SYNC_FLUSH });
      expect(compressed.length).toBeLessThan(2000);
      let inflated: Buffer | undefined;
      const done = new Promise<void>((resolve, reject) => {
        server.inflate(compressed.subarray(0, -4), (error, bytes) => {
          inflated = bytes;
          if (error === null) resolve();
          else reject(error);
        });
      });
      expect(inflated).toBeUndefined();
      await done;
      expect(inflated?.equals(zeros)).toBe(true);
      // The window is kept: here one byte and then 258 of a distance of one.
      expect(await inflate(server, hex('f248cdc9c90700'))).toEqual(Buffer.from('Hello'));
      expect(await inflate(server, hex('f200110000'))).toEqual(Buffer.from('Hello'));
    });

    test('bytes on the wire', async () => {
      const server = connect('server', {}, { maxPayload: 1000, maxCompressedPayload: 10 });
      await expect(inflate(server, Buffer.alloc(11))).rejects.toMatchObject({ closeCode: 1009 });
      const usual = connect('server', {}, { maxPayload: 10 });
      await expect(inflate(usual, Buffer.alloc(11))).rejects.toMatchObject({ closeCode: 1009 });
    });

    test('the ratio, from 64 KiB on', async () => {
      const limits = { maxPayload: 0, maxInflationRatio: 100 };
      const compress = (size: number): Buffer =>
        deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
      const server = connect('server', NO_TAKEOVER, limits);
      expect(await inflate(server, compress(64 * 1024))).toHaveLength(64 * 1024);
      for (const size of [64 * 1024 + 1, 1024 * 1024]) {
        await expect(inflate(server, compress(size))).rejects.toMatchObject({
          code: 'WS_ERR_INFLATION_RATIO_EXCEEDED',
          closeCode: 1009,
          message: 'Max inflation ratio exceeded',
        });
      }
      expect(await inflate(server, Buffer.from(deflateSync(text(300_000))))).toHaveLength(300_000);
    });
  });
});

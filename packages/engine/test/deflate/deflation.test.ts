import zlib from 'node:zlib';
import { DictionaryDeflater } from '../../src/deflate/dictionary';
import { HandleDeflater } from '../../src/deflate/handle';
import { deflateContexts } from '../../src/deflate/pool';
import { setSynchronousMethod, sharedDeflaterCount } from '../../src/deflate/synchronous';
import { closeUnused } from '../../src/deflate/thread-deflater';
import { toHex } from '../support/bytes';
import {
  closeAll,
  connect,
  connectPair,
  deflate,
  expectBytes,
  inflate,
  inflateStream,
  NO_LIMITS,
  NO_TAKEOVER,
  text,
} from '../support/deflate';

// Functions of the real module cannot be replaced.
jest.mock('node:zlib', () => ({ ...jest.requireActual('node:zlib') }));

afterEach(() => {
  jest.restoreAllMocks();
  closeAll();
});

describe.each(['handle', 'dictionary'] as const)('Deflation by %s', (method) => {
  beforeEach(() => setSynchronousMethod(method));

  describe('compresses', () => {
    test.each([
      ['server', {}, {}, 0, true],
      ['server', { serverNoContextTakeover: true }, {}, 1023, false],
      ['server', { serverNoContextTakeover: true }, {}, 1024, true],
      ['server', { clientNoContextTakeover: true }, {}, 0, true],
      ['client', { clientNoContextTakeover: true }, {}, 1023, false],
      ['client', { clientNoContextTakeover: true }, { threshold: 0 }, 0, true],
      [
        'client',
        { clientNoContextTakeover: true },
        { threshold: Number.POSITIVE_INFINITY },
        1e9,
        false,
      ],
    ] as const)('%s %j %j %i', (role, agreement, options, length, expected) => {
      expect(connect(role, agreement, NO_LIMITS, options).compresses(length)).toBe(expected);
    });
  });

  describe('frames compressed elsewhere', () => {
    test('the next message refers to nothing before them', async () => {
      const [client, server] = connectPair();
      const message = text(1000);
      const first = await deflate(client, message);
      await inflate(server, first);
      const prepared = await client.deflateAlone(text(5000, 9));
      expectBytes(await inflate(server, prepared), text(5000, 9));
      client.sentElsewhere();
      const second = await deflate(client, message);
      expectBytes(second, first);
      expectBytes(await inflate(server, second), message);
      expect((await deflate(client, message)).length).toBeLessThan(first.length);
    });

    test('before anything was sent', async () => {
      const [client, server] = connectPair();
      client.sentElsewhere();
      expectBytes(await inflate(server, await deflate(client, text(10))), text(10));
    });

    test('alone, a message is readable with the smallest window and none before', async () => {
      for (const serverMaxWindowBits of [8, 15]) {
        const server = connect('server', { serverMaxWindowBits });
        for (const size of [0, 1, 500, 20_000, 300_000]) {
          const bytes = await server.deflateAlone(text(size));
          expectBytes(inflateStream([bytes], serverMaxWindowBits), text(size));
          expectBytes(await server.deflateAlone(text(size)), bytes);
        }
      }
      expect(toHex(await connect('server').deflateAlone(Buffer.alloc(0)))).toBe('00');
    });

    test('alone, small messages are compressed at once and large ones on a thread', async () => {
      const server = connect('server');
      expect(server.deflateAlone(text(16 * 1024 - 1))).toBeInstanceOf(Buffer);
      const later = server.deflateAlone(text(16 * 1024));
      expect(later).toBeInstanceOf(Promise);
      // The bytes are for others too: the connection that asked for them may be gone.
      server.close();
      expectBytes(inflateStream([await later], 15), text(16 * 1024));
    });

    test('alone, the threshold counts with context takeover too', () => {
      const server = connect('server');
      expect([server.compressesAlone(1023), server.compressesAlone(1024)]).toEqual([false, true]);
    });

    test('connections with the same parameters have the same settings', () => {
      const one = connect('server', { serverMaxWindowBits: 10 });
      expect(connect('server', { serverMaxWindowBits: 10, ...NO_TAKEOVER }).settings).toBe(
        one.settings,
      );
      expect(connect('client', { clientMaxWindowBits: 10 }).settings).toBe(one.settings);
      expect(connect('server', { serverMaxWindowBits: 11 }).settings).not.toBe(one.settings);
      expect(connect('client', { clientMaxWindowBits: 10 }).key).toBe(one.key);
      expect(connect('server', { serverMaxWindowBits: 11 }).key).not.toBe(one.key);
    });
  });

  describe('without memory for it', () => {
    const error = Object.assign(new Error('insufficient memory'), { code: 'Z_MEM_ERROR' });

    /** Has the next message fail. */
    function fail(): void {
      const { prototype } = method === 'handle' ? HandleDeflater : DictionaryDeflater;
      jest.spyOn(prototype, 'deflate').mockImplementationOnce(() => {
        throw error;
      });
    }

    test('a message with context takeover fails, and its compressor is given up', async () => {
      const [client, server] = connectPair();
      const before = deflateContexts.size;
      const first = await deflate(client, text(100));
      expectBytes(await inflate(server, first), text(100));
      expect(deflateContexts.size).toBe(before + 1);
      fail();
      await expect(deflate(client, text(300))).rejects.toBe(error);
      expect(deflateContexts.size).toBe(before);
      expectBytes(await deflate(client, text(100)), first);
    });

    test('a message without it fails, and the shared compressor is given up', async () => {
      const client = connect('client', NO_TAKEOVER);
      const first = await deflate(client, text(100));
      fail();
      await expect(deflate(client, text(300))).rejects.toBe(error);
      expect(sharedDeflaterCount()).toBe(0);
      expectBytes(await deflate(client, text(100)), first);
    });

    test('a message for many fails, and the shared compressor is given up', () => {
      const client = connect('client');
      const first = client.deflateAlone(text(100));
      fail();
      expect(() => client.deflateAlone(text(300))).toThrow(error);
      expect(sharedDeflaterCount()).toBe(0);
      expect(client.deflateAlone(text(100))).toEqual(first);
    });

    test('a large one fails on the thread pool', async () => {
      const create = zlib.createDeflateRaw;
      const client = connect('client');
      closeUnused();
      jest
        .spyOn(zlib, 'createDeflateRaw')
        .mockImplementation((options) => create(options).destroy(error));
      await expect(deflate(client, text(20_000))).rejects.toBe(error);
      await expect(client.deflateAlone(text(20_000))).rejects.toBe(error);
    });
  });
});

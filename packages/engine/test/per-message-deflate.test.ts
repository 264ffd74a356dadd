import { deflateRawSync } from 'node:zlib';
import ws from 'ws';
import { parseExtensions } from '../src/handshake/extensions';
import type { PerMessageDeflateSettings } from '../src/per-message-deflate';
import { PerMessageDeflate } from '../src/per-message-deflate';
import { hex, toHex } from './support/bytes';
import { expectBytes, text } from './support/deflate';

type Deflate = Pick<PerMessageDeflate, 'offer' | 'accept' | 'compress' | 'decompress' | 'cleanup'>;

// `@types/ws` does not know it.
const Reference = (
  ws as unknown as { PerMessageDeflate: new (options: object) => Deflate & { params: object } }
).PerMessageDeflate;

const read = (header: string) => parseExtensions(header)['permessage-deflate'];

function run(
  deflate: Deflate,
  method: 'compress' | 'decompress',
  data: Buffer,
  fin = true,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    deflate[method](data, fin, (error, bytes) => {
      if (bytes === undefined) reject(error);
      else resolve(bytes);
    });
  });
}

function accepted(settings: PerMessageDeflateSettings = {}, header = ''): PerMessageDeflate {
  const deflate = new PerMessageDeflate({ isServer: true, ...settings });
  deflate.accept(read(`permessage-deflate${header}`));
  return deflate;
}

describe('PerMessageDeflate', () => {
  test('extensionName', () => {
    expect(PerMessageDeflate.extensionName).toBe('permessage-deflate');
  });

  test.each([
    {},
    { clientMaxWindowBits: false },
    { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10 },
  ])('offer of %j', (settings) => {
    expect(new PerMessageDeflate(settings).offer()).toEqual(new Reference(settings).offer());
  });

  describe('accept', () => {
    const name = 'permessage-deflate';

    test.each([
      [{ isServer: true }, name],
      [{ isServer: true }, `${name}; client_max_window_bits=10; server_max_window_bits=12`],
      [{ isServer: true, serverMaxWindowBits: 10 }, `${name}; client_max_window_bits`],
      [{ isServer: true, serverMaxWindowBits: 12 }, `${name}; server_max_window_bits=10`],
      [{ isServer: true }, `${name}; foo`],
      [{ isServer: true }, `${name}; server_max_window_bits=7`],
      [{ isServer: true }, `${name}; client_max_window_bits; client_max_window_bits`],
      [{ isServer: false, clientMaxWindowBits: 9 }, name],
      [{ isServer: false }, `${name}; client_max_window_bits`],
      [{ isServer: false, clientMaxWindowBits: 9 }, `${name}; client_max_window_bits=10`],
      [{ isServer: false, clientNoContextTakeover: false }, `${name}; client_no_context_takeover`],
    ])('as ws: %j %j', (settings, header) => {
      const outcome = (deflate: Deflate & { params: object | null }): unknown => {
        try {
          const params = deflate.accept(read(header));
          return [Object.entries(params), params === deflate.params];
        } catch (error) {
          return String(error);
        }
      };
      const own = new PerMessageDeflate(settings);
      expect(own.params).toBeNull();
      expect(outcome(own)).toEqual(outcome(new Reference(settings)));
    });

    test('a malformed offer does not spoil the next', () => {
      const deflate = new PerMessageDeflate({ isServer: true });
      expect(deflate.accept(read(`${name}; foo, ${name}; server_max_window_bits=9`))).toEqual({
        server_max_window_bits: 9,
      });
    });
  });

  test('wrong options', () => {
    expect(() => new PerMessageDeflate({ maxPayload: -1 })).toThrow(RangeError);
    expect(() => new PerMessageDeflate({ isServer: 'yes' } as never)).toThrow(
      'The "isServer" option must be a boolean, got "yes"',
    );
  });

  test('before accept', () => {
    const deflate = new PerMessageDeflate();
    const message = 'The extension has not been negotiated: accept() comes first';
    expect(() => deflate.compress('x', true, () => undefined)).toThrow(message);
    expect(() => deflate.decompress(hex('00'), true, () => undefined)).toThrow(message);
  });

  test('the bytes of RFC 7692, text or Buffer', async () => {
    const deflate = accepted();
    expect(toHex(await run(deflate, 'compress', Buffer.from('Hello')))).toBe('f248cdc9c90700');
    expect(toHex(await run(deflate, 'compress', 'Hello' as never))).toBe('f200110000');
    expect(String(await run(deflate, 'decompress', hex('f248cdc9c90700')))).toBe('Hello');
    expect(String(await run(deflate, 'decompress', hex('f200110000')))).toBe('Hello');
    deflate.cleanup();
  });

  test.each([
    '',
    '; server_no_context_takeover; client_no_context_takeover',
    '; server_max_window_bits=9',
  ])('with the class of ws on the other side: %j', async (parameters) => {
    const header = `permessage-deflate${parameters}`;
    const server = accepted({ threshold: 0 }, parameters);
    const client = new Reference({ isServer: false, threshold: 0 });
    client.accept(read(header));
    for (const size of [0, 5, 700, 20_000, 100_000, 700]) {
      const message = text(size);
      const up = await run(client, 'compress', message);
      expectBytes(await run(server, 'decompress', up), message);
      const down = await run(server, 'compress', message);
      expectBytes(await run(client, 'decompress', down), message);
    }
    server.cleanup();
    client.cleanup();
  });

  test('fragments', async () => {
    const deflate = accepted();
    const first = await run(deflate, 'compress', Buffer.from('Hel'), false);
    const last = await run(deflate, 'compress', Buffer.from('lo'), true);
    expect(await run(deflate, 'decompress', first, false)).toHaveLength(0);
    expect(await run(deflate, 'decompress', Buffer.alloc(0), false)).toHaveLength(0);
    expect(String(await run(deflate, 'decompress', last))).toBe('Hello');
    expect(String(await run(deflate, 'decompress', hex('f248cdc9c90700')))).toBe('Hello');
    deflate.cleanup();
  });

  test('calls wait for each other and never call back at once', async () => {
    const deflate = accepted();
    const sizes = [5, 100_000, 5, 0, 50_000];
    const order: number[] = [];
    const compressed = sizes.map(async (size, index) => {
      const bytes = await run(deflate, 'compress', text(size));
      order.push(index);
      return bytes;
    });
    expect(order).toEqual([]);
    const messages = await Promise.all(compressed);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    const inflated = await Promise.all(messages.map((each) => run(deflate, 'decompress', each)));
    for (const [index, size] of sizes.entries()) expectBytes(inflated[index], text(size));
    deflate.cleanup();
  });

  test('very many calls that wait behind a large one', async () => {
    const deflate = accepted({}, '; server_no_context_takeover');
    const all = [run(deflate, 'compress', text(100_000))];
    for (let call = 0; call < 20_000; call++) all.push(run(deflate, 'compress', hex('61')));
    expect((await Promise.all(all)).map(toHex).at(-1)).toBe('4a0400');
  });

  test.each([false, true])('maxPayload, of compressed bytes as well; fin %s', async (fin) => {
    const deflate = accepted({ maxPayload: 10 });
    await expect(run(deflate, 'decompress', Buffer.alloc(11), fin)).rejects.toMatchObject({
      message: 'Max payload size exceeded',
      code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      closeCode: 1009,
    });
    await expect(run(deflate, 'decompress', deflateRawSync(Buffer.alloc(99)))).rejects.toThrow(
      RangeError,
    );
    deflate.cleanup();
  });

  test('bad data', async () => {
    const deflate = accepted();
    await expect(run(deflate, 'decompress', hex('ffffff'))).rejects.toMatchObject({
      message: 'invalid block type',
      errno: -3,
      code: 'Z_DATA_ERROR',
      closeCode: 1007,
    });
    deflate.cleanup();
  });

  test('cleanup ends what is going on; the next call begins anew', async () => {
    const deflate = accepted();
    await run(deflate, 'compress', Buffer.from('Hello'));
    const pending = run(deflate, 'compress', text(100_000));
    deflate.cleanup();
    await expect(pending).rejects.toThrow(
      'The deflate stream was closed while data was being processed',
    );
    expect(toHex(await run(deflate, 'compress', Buffer.from('Hello')))).toBe('f248cdc9c90700');
    deflate.cleanup();
    deflate.cleanup();
  });
});

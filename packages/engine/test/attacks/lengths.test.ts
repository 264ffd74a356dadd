// T2: a length is no reason to reserve memory, and none overflows (CVE-2016-10542, CVE-2020-27813, CVE-2026-1528).

import { once } from 'node:events';
import { WebSocket } from '../../src/index';
import { BINARY, CONTINUATION, frame } from '../support/frames';
import { request } from '../support/raw-client';
import { RawServer } from '../support/raw-server';
import { afterTest, connected, rawClient, startServer } from '../support/stage';

const LENGTHS: [string, bigint, 'too big' | 'unsafe' | 'top bit'][] = [
  ['2^31', 1n << 31n, 'too big'],
  ['2^32', 1n << 32n, 'too big'],
  ['2^32 + 1', (1n << 32n) + 1n, 'too big'],
  ['2^52', 1n << 52n, 'too big'],
  ['2^53 - 1', (1n << 53n) - 1n, 'too big'],
  ['2^53', 1n << 53n, 'unsafe'],
  ['2^62', 1n << 62n, 'unsafe'],
  ['2^63 - 1', (1n << 63n) - 1n, 'unsafe'],
  ['2^63', 1n << 63n, 'top bit'],
  ['2^63 + 5', (1n << 63n) + 5n, 'top bit'],
  ['2^64 - 1', (1n << 64n) - 1n, 'top bit'],
];

const FAULTS = {
  'too big': ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009],
  unsafe: ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
  'top bit': ['WS_ERR_INVALID_DATA_PAYLOAD_LENGTH', 1002],
} as const;

const closeCode = (payload: Buffer | undefined): number | undefined => payload?.readUInt16BE(0);

describe.each([undefined, 0, 1_000])('with maxPayload %p, a server', (maxPayload) => {
  test.each(LENGTHS)('refuses a frame of %s bytes', async (_name, announce, fault) => {
    const { socket, client } = await connected({ maxPayload });
    const failed = once(socket, 'error');
    client.write(frame({ opcode: BINARY, form: 64, announce, key: 5 }));
    const [code, close] = FAULTS[fault];
    expect(((await failed)[0] as { code?: string }).code).toBe(code);
    expect(closeCode((await client.frame())?.payload)).toBe(close);
  });

  test.each(LENGTHS)(
    'refuses a fragment of %s bytes behind another',
    async (_name, announce, fault) => {
      const { socket, client } = await connected({ maxPayload });
      const failed = once(socket, 'error');
      client.write(
        frame({ opcode: BINARY, payload: 'a', fin: false, key: 5 }),
        frame({ opcode: CONTINUATION, form: 64, announce, key: 5 }),
      );
      const [code, close] = FAULTS[fault];
      expect(((await failed)[0] as { code?: string }).code).toBe(code);
      expect(closeCode((await client.frame())?.payload)).toBe(close);
    },
  );
});

test.each(LENGTHS)('a client refuses a frame of %s bytes', async (_name, announce, fault) => {
  const server = await RawServer.listen((incoming) => {
    incoming.upgrade();
    incoming.socket.write(frame({ opcode: BINARY, form: 64, announce }));
    incoming.socket.once('end', () => incoming.socket.end());
  });
  afterTest(() => server.close());
  const client = new WebSocket(server.url, { maxPayload: 0 });
  const [error] = (await once(client, 'error')) as [{ code?: string }];
  expect(error.code).toBe(FAULTS[fault][0]);
  await once(client, 'close');
});

test('fragments whose lengths sum up beyond 2^53', async () => {
  const { socket, client } = await connected({ maxPayload: 0 });
  const failed = once(socket, 'error');
  const half = (1n << 53n) - 1n;
  client.write(frame({ opcode: BINARY, form: 64, announce: half, key: 5 }));
  expect(((await failed)[0] as { code?: string }).code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
});

test('the memory of the process does not move by what is announced', async () => {
  const server = await startServer({ maxPayload: 0 });
  const connections = 50;
  const begun = frame({
    opcode: BINARY,
    payload: Buffer.alloc(1_000),
    announce: (1n << 31n) - 1n,
    key: 5,
  });
  const before = process.memoryUsage();
  for (let count = 0; count < connections; count++) {
    const connection = once(server, 'connection') as Promise<[WebSocket]>;
    const client = await rawClient(server);
    client.write(request());
    await client.head();
    const [socket] = await connection;
    client.write(begun);
    // A pong behind the beginning of the frame would be part of it: that it has been read is all there is to see.
    while (bytesRead(socket) < begun.length) await new Promise((resolve) => setImmediate(resolve));
  }
  const { arrayBuffers, rss } = process.memoryUsage();
  // Each has brought a kilobyte and announced two gigabytes.
  expect(arrayBuffers - before.arrayBuffers).toBeLessThan(connections * 128 * 1024);
  expect(rss - before.rss).toBeLessThan(64 * 1024 * 1024);
});

/** Bytes of frames that the socket of a server's WebSocket has read. */
function bytesRead(socket: WebSocket): number {
  const { bytesRead: all } = socket._socket as unknown as { bytesRead: number };
  return all - request().length;
}

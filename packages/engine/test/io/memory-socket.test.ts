import { once } from 'node:events';
import type { MemorySocket } from '../../src/io/memory-socket';
import { memorySocketPair } from '../../src/io/memory-socket';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(() => jest.useRealTimers());

/** Everything that comes until the peer ends. */
async function read(socket: MemorySocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks).toString();
}

/** Goes on when everything that is on its way has come. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

test('bytes go both ways, in order', async () => {
  const [client, server] = memorySocketPair();
  client.write('one ');
  client.write('two ');
  client.end('three');
  server.end('four');
  expect(await Promise.all([read(server), read(client)])).toEqual(['one two three', 'four']);
});

test('bytes come in a turn of their own, as a copy', async () => {
  const [client, server] = memorySocketPair();
  const heard: Buffer[] = [];
  server.on('data', (chunk: Buffer) => heard.push(chunk));
  const bytes = Buffer.from('abc');

  client.write(bytes);
  expect(heard).toEqual([]);
  bytes.fill('x');
  await settled();

  // The writer must not change what it has written until it has been told, and here it has.
  expect(heard.map(String)).toEqual(['abc']);
  heard[0].fill('y');
  expect(String(bytes)).toBe('xxx');
});

test('a writer waits for its reader', async () => {
  const [client, server] = memorySocketPair();
  const chunk = Buffer.alloc(16 * 1024, 'x');
  let written = 0;
  const count = 100;
  for (let index = 0; index < count; index++) client.write(chunk, () => written++);
  await settled();

  const limit = server.readableHighWaterMark / chunk.length + 1;
  expect(written).toBeLessThanOrEqual(limit);
  expect(client.writableLength).toBeGreaterThan(chunk.length * (count - limit - 2));

  let received = 0;
  server.on('data', ({ length }: Buffer) => {
    received += length;
  });
  client.end();
  await once(server, 'end');
  expect([received, written]).toEqual([chunk.length * count, count]);
  expect([client.bytesWritten, server.bytesRead]).toEqual([received, received]);
});

test('what fits is written at once, and arrives though its writer is gone', async () => {
  const [client, server] = memorySocketPair();
  const told = jest.fn();
  client.write('last', told);
  expect(client.writableLength).toBe(0);
  client.destroy();
  expect(await read(server)).toBe('last');
  expect(told).toHaveBeenCalledWith(null);
});

test('an empty write is told, and brings nothing', async () => {
  const [client, server] = memorySocketPair();
  server.on('data', () => {
    throw new Error('Nothing was written');
  });
  await new Promise((resolve) => client.write('', resolve));
});

test('the server’s end is half-open: it may answer when the client has ended', async () => {
  const [client, server] = memorySocketPair();
  client.end('question');
  expect(await read(server)).toBe('question');
  server.end('answer');
  expect(await read(client)).toBe('answer');
});

test('the client’s end is not: it ends with the server', async () => {
  const [client, server] = memorySocketPair();
  client.resume();
  server.resume();
  server.end();
  await Promise.all([once(client, 'close'), once(server, 'close')]);
});

test('destroying one end ends the other, behind what was written', async () => {
  const [client, server] = memorySocketPair();
  client.write('last');
  await settled();
  client.destroy();
  expect(await read(server)).toBe('last');
});

test('writing to an end that is destroyed is a broken pipe', async () => {
  const [client, server] = memorySocketPair();
  client.destroy();
  const failed = once(server, 'error');
  server.write('hello');
  expect((await failed)[0]).toMatchObject({ message: 'write EPIPE', code: 'EPIPE' });
  expect(server.destroyed).toBe(true);
});

test('destroying one end lets the other’s writer go', async () => {
  const [client, server] = memorySocketPair();
  const chunk = Buffer.alloc(64 * 1024);
  const told = new Promise((resolve) => client.write(chunk, resolve));
  client.write(chunk, () => undefined);
  client.on('error', () => undefined);
  await settled();
  server.destroy();
  expect(await told).toBeFalsy();
});

test('destroySoon() ends behind what was written', async () => {
  const [client, server] = memorySocketPair();
  server.write('page');
  server.destroySoon();
  expect(await read(client)).toBe('page');
  expect(server.destroyed).toBe(true);
  server.destroySoon();
});

test('each end says where it is, as a socket does', () => {
  const [client, server] = memorySocketPair();
  expect(server).toMatchObject({
    remoteAddress: '127.0.0.1',
    remoteFamily: 'IPv4',
    remotePort: 49_152,
    localAddress: '127.0.0.1',
    localFamily: 'IPv4',
    localPort: 80,
    encrypted: false,
    connecting: false,
    pending: false,
  });
  expect(client).toMatchObject({ remotePort: 80, localPort: 49_152 });
  expect(server.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: 80 });
  const [, other] = memorySocketPair('2001:db8::1');
  expect(other).toMatchObject({ remoteAddress: '2001:db8::1', remoteFamily: 'IPv6' });
});

test('what is only about the network does nothing', () => {
  const [client] = memorySocketPair();
  expect(client.setNoDelay()).toBe(client);
  expect(client.setKeepAlive()).toBe(client);
  expect(client.ref()).toBe(client);
  expect(client.unref()).toBe(client);
});

describe('setTimeout()', () => {
  test('tells of silence, once', () => {
    useFakeTimeouts();
    const [client] = memorySocketPair();
    const told = jest.fn();
    expect(client.setTimeout(100, told)).toBe(client);
    expect(client.timeout).toBe(100);
    jest.advanceTimersByTime(99);
    expect(told).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(told).toHaveBeenCalledTimes(1);
    expect(client.destroyed).toBe(false);
    jest.advanceTimersByTime(1000);
    expect(told).toHaveBeenCalledTimes(1);
  });

  test('begins anew with every byte, whichever way it goes', async () => {
    useFakeTimeouts();
    const [client, server] = memorySocketPair();
    const told = jest.fn();
    server.resume();
    client.setTimeout(100, told);
    server.setTimeout(100, told);
    jest.advanceTimersByTime(99);
    client.write('a');
    await settled();
    jest.advanceTimersByTime(99);
    expect(told).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(told).toHaveBeenCalledTimes(2);
  });

  test('of 0 turns it off, and takes its listener back', () => {
    useFakeTimeouts();
    const [client] = memorySocketPair();
    const told = jest.fn();
    client.setTimeout(100, told);
    client.setTimeout(0, told);
    expect(client.listenerCount('timeout')).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('leaves no timer behind a destroyed socket', () => {
    useFakeTimeouts();
    const [client, server] = memorySocketPair();
    client.setTimeout(100);
    client.destroy();
    server.destroy();
    server.setTimeout(100);
    expect(jest.getTimerCount()).toBe(0);
  });
});

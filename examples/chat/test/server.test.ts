import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';

// The program that `npm start` runs, as a process of its own.

// Compiling the packages' sources takes the child a moment.
jest.setTimeout(30_000);

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function start(env: NodeJS.ProcessEnv) {
  const args = ['--require', join(__dirname, 'source.cjs'), join(__dirname, '..', 'server.js')];
  const { PORT, SESSION_SECRET, ...rest } = process.env;
  const child = spawn(process.execPath, args, {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** Waits for the lines with the addresses, one for each framework. */
async function listening({ stdout }: ReturnType<typeof start>): Promise<URL[]> {
  const urls: URL[] = [];
  for await (const line of createInterface(stdout)) {
    const [url] = /http:\/\/\S+/.exec(line) ?? [];
    if (url !== undefined) urls.push(new URL(url));
    if (urls.length === 3) return urls;
  }
  throw new Error('the program ended and has not printed three addresses');
}

async function login(url: URL, name: string): Promise<string> {
  const body = new URLSearchParams({ name });
  const { headers } = await fetch(new URL('/login', url), {
    method: 'POST',
    body,
    redirect: 'manual',
  });
  return headers
    .getSetCookie()
    .map((header) => header.split(';')[0])
    .join('; ');
}

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s says goodbye to the sockets and ends it',
  async (signal) => {
    const child = start({ PORT: '0' });
    const goodbyes: Promise<unknown[]>[] = [];
    for (const url of await listening(child)) {
      const socket = new WebSocket(`ws://127.0.0.1:${url.port}/chat/lobby`, {
        headers: { cookie: await login(url, `On ${url.port}`) },
      });
      await once(socket, 'message');
      goodbyes.push(once(socket, 'close'));
    }
    const end = once(child, 'exit');
    // Ctrl+C reaches a process twice when the one that started it hands it on.
    child.kill(signal);
    child.kill(signal);
    expect((await Promise.all(goodbyes)).map(([code]) => code)).toEqual([1001, 1001, 1001]);
    expect(await end).toEqual([0, null]);
  },
);

test('connections that nothing was asked on do not keep it, as browsers have them', async () => {
  const child = start({ PORT: '0' });
  const sockets = await Promise.all(
    (await listening(child)).map(async ({ port }) => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    }),
  );
  const ends = sockets.map((socket) => once(socket.resume(), 'close'));
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await end).toEqual([0, null]);
  await Promise.all(ends);
});

test('says that a port is taken', async () => {
  // On all interfaces, as the program does.
  const other = createServer().listen(0);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const child = start({ PORT: String(port) });
  const [[code], complaint] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  other.close();
  expect(code).toBe(1);
  expect(complaint).toBe(
    `Port ${port} is taken by another program. Choose others: PORT=${port + 3} npm start\n`,
  );
});

test.each(['http', '-1', '65534', '80.5'])('refuses PORT=%s', async (PORT) => {
  const child = start({ PORT });
  const [[code], complaint] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  expect(code).toBe(1);
  expect(complaint).toBe(`PORT must be a number from 0 to 65533, and it is "${PORT}".\n`);
});

import { once } from 'node:events';
import { WebSocket } from '../src/websocket';
import { runChild } from './support/child';
import { duplexPair } from './support/duplex';
import { BINARY, CLOSE, frame, TEXT } from './support/frames';
import { until } from './support/sockets';
import { afterTest, connected, startClient, startRawServer, turn } from './support/stage';

const closeFrame = (...bytes: number[]): Buffer =>
  frame({ opcode: CLOSE, payload: Buffer.from(bytes), key: 1 });

/** Events that a promise may listen to. */
const listeners = (socket: WebSocket): number[] =>
  ['open', 'error', 'close', 'message'].map((event) => socket.listenerCount(event));

/** The error that a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('It has not been rejected');
}

/** What a promise has become by now. */
function stateOf(promise: Promise<unknown>): Promise<string> {
  const pending = Promise.resolve('pending');
  return Promise.race([
    promise.then(
      () => 'resolved',
      () => 'rejected',
    ),
    // Two steps later than a promise that is settled.
    pending.then(() => pending),
  ]);
}

const upgrading = () => startRawServer((request) => request.upgrade());
const refusing = () => startRawServer((request) => request.refuse('404 Not Found'));
const silent = () => startRawServer(() => undefined);

describe('opened', () => {
  test('resolves with the WebSocket when it opens, and listens no longer', async () => {
    const client = startClient((await upgrading()).url);
    const { opened } = client;
    expect(client.opened).toBe(opened);
    expect(listeners(client)).toEqual([1, 1, 1, 0]);
    expect(await stateOf(opened)).toBe('pending');
    expect(await opened).toBe(client);
    expect(client.readyState).toBe(WebSocket.OPEN);
    expect(listeners(client)).toEqual([0, 0, 0, 0]);
    expect(client.opened).toBe(opened);
  });

  test('resolves at once when it is OPEN', async () => {
    const { socket } = await connected();
    const before = listeners(socket);
    expect(socket.opened).toBe(socket.opened);
    expect(await stateOf(socket.opened)).toBe('resolved');
    expect(await socket.opened).toBe(socket);
    expect(listeners(socket)).toEqual(before);
  });

  test('waits for the socket of a WebSocket that has none yet', async () => {
    const socket = new WebSocket(null);
    const { opened } = socket;
    expect(await stateOf(opened)).toBe('pending');
    const [ours] = duplexPair();
    afterTest(() => socket.terminate());
    socket.setSocket(ours, Buffer.alloc(0));
    expect(await opened).toBe(socket);
  });

  test('rejects with the error of the handshake, the one that "error" tells', async () => {
    const client = startClient((await refusing()).url);
    const { opened } = client;
    const told: Error[] = [];
    client.on('error', (error) => told.push(error));
    const error = await errorOf(opened);
    expect(error).toMatchObject({
      message: 'Unexpected server response: 404',
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      statusCode: 404,
    });
    expect(told).toEqual([error]);
    expect(told[0]).toBe(error);
    expect(listeners(client)).toEqual([0, 1, 0, 0]);
  });

  test('rejects with an error of the network', async () => {
    const server = await silent();
    const { url } = server;
    await server.close();
    expect(await errorOf(startClient(url).opened)).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each(['close', 'terminate'] as const)('rejects when %s() comes first', async (how) => {
    const client = startClient((await silent()).url);
    const { opened } = client;
    client[how]();
    expect(await errorOf(opened)).toMatchObject({
      message: 'WebSocket was closed before the connection was established',
      code: 'WS_ERR_CLOSED_BEFORE_OPEN',
    });
  });

  test('rejects when the signal aborts', async () => {
    const controller = new AbortController();
    const { url } = await silent();
    const client = startClient(url, { signal: controller.signal });
    const { opened } = client;
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await errorOf(opened)).toMatchObject({
      name: 'AbortError',
      code: 'ABORT_ERR',
      cause: reason,
    });
  });

  test('rejects when the signal has aborted before, asked for or not in the same tick', async () => {
    const { url } = await silent();
    const client = startClient(url, { signal: AbortSignal.abort() });
    expect(client.readyState).toBe(WebSocket.CLOSING);
    expect(await errorOf(client.opened)).toMatchObject({ code: 'ABORT_ERR' });
  });

  test('rejects when the handshake takes too long', async () => {
    const { opened } = startClient((await silent()).url, { handshakeTimeout: 20 });
    expect(await errorOf(opened)).toMatchObject({ code: 'WS_ERR_HANDSHAKE_TIMEOUT' });
  });

  test('keeps the error for those who ask late', async () => {
    const client = startClient((await refusing()).url);
    const late: Promise<WebSocket>[] = [];
    const [error] = await new Promise<[Error]>((resolve) => {
      client.on('error', (it) => {
        late.push(client.opened);
        client.on('close', () => {
          late.push(client.opened);
          resolve([it]);
        });
      });
    });
    late.push(client.opened);
    for (const opened of late) expect(await errorOf(opened)).toBe(error);
    expect(listeners(client)).toEqual([0, 1, 1, 0]);
  });

  test('keeps the error even where nobody has asked before', async () => {
    const client = startClient((await refusing()).url);
    const error = new Promise((resolve) => client.once('error', resolve));
    await until(() => client.readyState === WebSocket.CLOSED);
    expect(await errorOf(client.opened)).toBe(await error);
  });

  test('rejects for one that was open and is so no longer', async () => {
    const { socket } = await connected();
    const { opened } = socket;
    socket.close();
    expect(await errorOf(socket.opened)).toMatchObject({
      message: 'WebSocket is not open: readyState 2 (CLOSING)',
      code: 'WS_ERR_NOT_OPEN',
    });
    socket.terminate();
    await once(socket, 'close');
    expect(await errorOf(socket.opened)).toMatchObject({
      message: 'WebSocket is not open: readyState 3 (CLOSED)',
      code: 'WS_ERR_NOT_OPEN',
    });
    expect(await opened).toBe(socket);
  });

  test('is resolved although an "open" listener closes', async () => {
    const client = startClient((await upgrading()).url);
    client.on('open', () => client.terminate());
    expect(await client.opened).toBe(client);
    expect(client.readyState).toBeGreaterThan(WebSocket.OPEN);
  });

  test('hears the error: nothing is left to the process but an unhandled rejection', async () => {
    const connect = 'const { opened } = new upwire("ws://127.0.0.1:1");';
    expect(await runChild(`${connect} opened.catch((error) => console.log(error.code))`)).toEqual({
      exit: 0,
      stdout: 'ECONNREFUSED\n',
      stderr: '',
    });
    const unhandled = await runChild(`
      process.on('uncaughtException', (error, origin) => console.log(origin, error.code));
      ${connect}
    `);
    expect(unhandled).toEqual({ exit: 0, stdout: 'unhandledRejection ECONNREFUSED\n', stderr: '' });
  });

  test('is rejected although another listener throws', async () => {
    const result = await runChild(`
      process.on('uncaughtException', (error) => console.log(error.message));
      const client = new upwire('ws://127.0.0.1:1');
      client.on('error', () => { throw new Error('mine'); });
      client.opened.catch((error) => console.log(error.code));
    `);
    expect({ ...result, stdout: result.stdout.split('\n').sort() }).toEqual({
      exit: 0,
      stdout: ['', 'ECONNREFUSED', 'mine'],
      stderr: '',
    });
  });
});

describe('closed', () => {
  test.each<[string, number[], { code: number; reason: string }]>([
    ['a code', [0x03, 0xe8], { code: 1000, reason: '' }],
    ['a code and a reason', [0x0f, 0xa0, 0xc3, 0xbc], { code: 4000, reason: 'ü' }],
    ['nothing', [], { code: 1005, reason: '' }],
  ])('resolves with what the peer has said: %s', async (_name, bytes, said) => {
    const { socket, client } = await connected();
    const { closed } = socket;
    expect(socket.closed).toBe(closed);
    expect(await stateOf(closed)).toBe('pending');
    client.write(closeFrame(...bytes));
    expect(await closed).toEqual({ ...said, wasClean: true });
    expect(await socket.closed).toEqual({ ...said, wasClean: true });
    expect(listeners(socket)).toEqual(listeners((await connected()).socket));
  });

  test('comes with "close", and can be asked for then and later', async () => {
    const { socket, client } = await connected();
    const early = socket.closed;
    const details = { code: 1001, reason: 'bye', wasClean: true };
    const inListener = new Promise((resolve) => {
      socket.on('close', () => resolve(stateOf(socket.closed)));
    });
    client.write(closeFrame(0x03, 0xe9, ...Buffer.from('bye')));
    expect(await inListener).toBe('resolved');
    expect(await early).toEqual(details);

    const other = await connected();
    other.client.write(closeFrame(0x03, 0xe9, ...Buffer.from('bye')));
    await once(other.socket, 'close');
    expect(await other.socket.closed).toEqual(details);
  });

  test.each<[string, (pair: Awaited<ReturnType<typeof connected>>) => void]>([
    ['the peer resets', ({ client }) => client.reset()],
    ['the peer ends without a close frame', ({ client }) => client.end()],
    ['we terminate', ({ socket }) => socket.terminate()],
    ['the peer does not answer in time', ({ socket }) => socket.close(1000)],
  ])('resolves when %s', async (_name, end) => {
    const pair = await connected({ closeTimeout: 20 });
    const { closed } = pair.socket;
    end(pair);
    expect(await closed).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  test('resolves when the peer breaks the protocol, with nobody to hear it', async () => {
    const { socket, client } = await connected();
    client.write(frame({ opcode: 3, key: 1 }));
    client.end();
    expect(await socket.closed).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  test('resolves for a handshake that fails, asked for before or after', async () => {
    const client = startClient((await refusing()).url);
    const before = client.closed;
    await errorOf(client.opened);
    const details = { code: 1006, reason: '', wasClean: false };
    expect(await before).toEqual(details);

    const other = startClient((await refusing()).url);
    other.on('error', () => undefined);
    await until(() => other.readyState === WebSocket.CLOSED);
    expect(await other.closed).toEqual(details);
  });

  test('hears no error: one that nobody hears is the process’s, as ever', async () => {
    const result = await runChild(`
      process.on('uncaughtException', (error, origin) => console.log(origin, error.code));
      new upwire('ws://127.0.0.1:1').closed.then((details) => console.log(details.code));
    `);
    expect({ ...result, stdout: result.stdout.split('\n').sort() }).toEqual({
      exit: 0,
      stdout: ['', '1006', 'uncaughtException ECONNREFUSED'],
      stderr: '',
    });
  });

  test('comes behind the messages that are held', async () => {
    const { socket, client } = await connected({ holdMessages: true });
    client.write(frame({ opcode: TEXT, payload: 'held', key: 1 }), closeFrame(0x03, 0xe8));
    await until(() => socket.readyState === WebSocket.CLOSED);
    const { closed } = socket;
    await turn();
    expect(await stateOf(closed)).toBe('pending');
    const message = once(socket, 'message');
    expect(String((await message)[0])).toBe('held');
    expect(await closed).toEqual({ code: 1000, reason: '', wasClean: true });
  });
});

describe('a program written for ws', () => {
  test('may keep something of its own under the names that ws does not have', async () => {
    const { socket, client } = await connected();
    const names = ['opened', 'closed', 'streams', 'topics'] as const;
    for (const name of names) {
      expect(Object.keys(socket)).not.toContain(name);
      expect(Reflect.set(socket, name, `my ${name}`)).toBe(true);
      expect([Reflect.get(socket, name), Object.keys(socket).includes(name)]).toEqual([
        `my ${name}`,
        true,
      ]);
    }
    client.write(frame({ opcode: BINARY, payload: 'x', key: 1 }));
    expect(await once(socket, 'message')).toEqual([Buffer.from('x'), true]);
    const other = (await connected()).socket;
    expect(await other.opened).toBe(other);
  });
});

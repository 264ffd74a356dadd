import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { upgradeOf } from '../../src/upgrade/upgrade';
import { accepting, answerOf, cleanUp, enter, knock, openSite, route } from '../support/site';

afterEach(cleanUp);

setFlagsFromString('--expose-gc');
// Not the test environment's global, which was made before the flag.
const collectGarbage = runInNewContext('gc') as () => void;

/** Whether something is let go of within a few turns of the event loop, each with a collection. */
async function isCollected(reference: WeakRef<object> | undefined): Promise<boolean> {
  // The last to let go of it may be a timer, or the socket's other end.
  for (let turn = 0; turn < 30; turn++) {
    await new Promise((resolve) => setTimeout(resolve, turn));
    collectGarbage();
    if (reference?.deref() === undefined) return true;
  }
  return false;
}

const onlyTold = () => undefined;

describe('while a WebSocket is open', () => {
  test('the engine keeps neither its request nor its response', async () => {
    const references: WeakRef<object>[] = [];
    const { port, gateway } = await openSite((request, response) => {
      references.push(new WeakRef(request), new WeakRef(response));
      upgradeOf(request)?.accept(route((webSocket) => webSocket.send('hello'), onlyTold));
    });
    const client = await enter(port);
    await client.frame();

    expect(await isCollected(references[0])).toBe(true);
    expect(await isCollected(references[1])).toBe(true);
    expect(gateway.server.clients?.size).toBe(1);
  });

  test('the engine keeps the request for onError, and nothing else', async () => {
    const references: WeakRef<object>[] = [];
    const { port } = await openSite(
      (request, response) => {
        const handler = (): void => undefined;
        references.push(new WeakRef(request), new WeakRef(response), new WeakRef(handler));
        // A server's request has no property that leads to its response.
        upgradeOf(request)?.accept(route(handler, onlyTold));
      },
      { onError: onlyTold },
    );
    await enter(port);

    expect(await isCollected(references[2])).toBe(true);
    expect(references[0].deref()).toBeDefined();
  });

  test('the engine keeps no response for an application that keeps the request', async () => {
    const references: WeakRef<object>[] = [];
    const requests: object[] = [];
    const { port } = await openSite((request, response) => {
      const headers = {};
      requests.push(request);
      references.push(new WeakRef(response), new WeakRef(headers));
      const upgrade = upgradeOf(request);
      upgrade?.keepsHeaders(() => headers);
      upgrade?.accept(route(() => undefined, onlyTold));
    });
    await enter(port);

    expect(await isCollected(references[0])).toBe(true);
    expect(await isCollected(references[1])).toBe(true);
    expect(requests.map((request) => upgradeOf(request as never))).toEqual([expect.anything()]);
  });

  test('the bytes that came with the handshake are let go of', async () => {
    const references: WeakRef<object>[] = [];
    const requests: object[] = [];
    const { port, server } = await openSite((request) => {
      requests.push(request);
      upgradeOf(request)?.accept(route(() => undefined, onlyTold));
    });
    const { emit } = server;
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event === 'upgrade') references.push(new WeakRef(args[2] as Buffer));
      return Reflect.apply(emit, server, [event, ...args]);
    };
    const client = await enter(port);
    // A ping of its own, so that something has been read behind the head.
    client.write(Buffer.from([0x89, 0x80, 0, 0, 0, 0]));
    await client.frame();

    expect(requests).toHaveLength(1);
    expect(await isCollected(references[0])).toBe(true);
  });

  test('its socket has the listeners that it needs, and no others', async () => {
    const { port, gateway } = await openSite(accepting(() => undefined));
    await enter(port);
    await new Promise(setImmediate);

    const [webSocket] = gateway.server.clients ?? [];
    const socket = webSocket._socket;
    const counts = ['close', 'data', 'drain', 'end', 'error', 'timeout', 'finish'].map((name) => [
      name,
      socket?.listenerCount(name),
    ]);
    // One of 'end' is Node's own, of every socket that a server has accepted.
    expect(Object.fromEntries(counts)).toEqual({
      close: 1,
      data: 1,
      drain: 1,
      end: 2,
      error: 1,
      timeout: 0,
      finish: 0,
    });
  });
});

test('behind a refusal, the engine keeps neither request nor response', async () => {
  const references: WeakRef<object>[] = [];
  const { port } = await openSite((request, response) => {
    references.push(new WeakRef(request), new WeakRef(response));
    response.writeHead(401).end('no');
  });
  const client = await knock(port);
  expect((await answerOf(client)).status).toBe(401);
  await client.closed;

  expect(await isCollected(references[0])).toBe(true);
  expect(await isCollected(references[1])).toBe(true);
});

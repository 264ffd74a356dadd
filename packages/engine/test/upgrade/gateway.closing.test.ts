import { once } from 'node:events';
import { Gateway } from '../../src/upgrade/gateway';
import { upgradeOf } from '../../src/upgrade/upgrade';
import { CLOSE } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  masked,
  openSite,
  route,
} from '../support/site';

afterEach(cleanUp);

/** The close frame that is next, answered. */
async function farewell(client: RawClient): Promise<[code: number, reason: string]> {
  const frame = await client.frame();
  const payload = frame?.payload ?? Buffer.alloc(2);
  client.write(masked({ opcode: CLOSE, payload }));
  client.end();
  return [payload.readUInt16BE(0), payload.toString('utf8', 2)];
}

describe('closing a gateway', () => {
  test('says 1001 to all, and settles when they have gone', async () => {
    const { port, gateway } = await openSite(accepting(() => undefined));
    const clients = [await enter(port), await enter(port)];
    const injected = await gateway.inject('/');
    const injectedClosed = once(injected, 'close');

    const closed = gateway.close();
    let over = false;
    closed.then(() => {
      over = true;
    });

    expect(await farewell(clients[0])).toEqual([1001, '']);
    expect((await injectedClosed)[0]).toBe(1001);
    expect(over).toBe(false);
    expect(await farewell(clients[1])).toEqual([1001, '']);
    await closed;
    expect(gateway.server.clients.size).toBe(0);
  });

  test('says what it is told to say', async () => {
    const { port, gateway } = await openSite(accepting(() => undefined));
    const client = await enter(port);
    const closed = gateway.close({ code: 1012, reason: 'back in a minute' });
    expect(await farewell(client)).toEqual([1012, 'back in a minute']);
    await closed;
  });

  test('cuts those that do not answer in time', async () => {
    const { port, gateway } = await openSite(accepting(() => undefined));
    const client = await enter(port);
    const started = performance.now();
    await gateway.close({ timeout: 50 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(49);
    expect((await client.frames()).map(({ first }) => first & 15)).toEqual([CLOSE]);
  });

  test('answers new handshakes with 503 before the framework sees them; the server goes on', async () => {
    const seen: unknown[] = [];
    const { port, gateway } = await openSite((request, response) => {
      seen.push(request.url);
      if (upgradeOf(request) === undefined) response.end('a page');
      else accepting(() => undefined)(request, response);
    });
    await gateway.close();

    const { status, headers } = await answerOf(await knock(port));
    expect([status, headers.connection]).toEqual([503, 'close']);
    await expect(gateway.inject('/')).rejects.toMatchObject({ status: 503 });
    expect(seen).toEqual([]);

    const page = await connect(port);
    page.write('GET /page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect((await answerOf(page)).body).toBe('a page');
    expect(seen).toEqual(['/page']);
  });

  test('answers handshakes that are not decided with 503', async () => {
    const waiting = deferred<() => void>();
    const asked = deferred();
    const { port, gateway } = await openSite(
      (request, response) => {
        const accept = () => accepting(() => undefined)(request, response);
        if (request.url === '/slow') waiting.resolve(accept);
        else accept();
      },
      { verifyClient: (_info, _callback) => asked.resolve() },
    );
    const slow = await knock(port, {}, 'GET /slow HTTP/1.1');
    const verified = await knock(port);
    const accept = await waiting.promise;
    await asked.promise;

    await gateway.close();
    accept();

    expect((await answerOf(slow)).status).toBe(503);
    expect((await answerOf(verified)).status).toBe(503);
  });

  test('says 1001 to one whose 101 was on its way', async () => {
    const waiting = deferred<() => void>();
    const { port, gateway } = await openSite((request, response) => {
      const { end } = response;
      // As a session store does.
      response.end = (() => {
        waiting.resolve(() => Reflect.apply(end, response, []));
        return response;
      }) as typeof end;
      accepting(() => undefined)(request, response);
    });
    const client = await knock(port);
    const send = await waiting.promise;
    const closed = gateway.close();
    send();
    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await farewell(client)).toEqual([1001, '']);
    await closed;
  });

  test('leaves to another gateway of the server what is its own', async () => {
    const other = new Gateway({
      dispatch: (request) => upgradeOf(request)?.accept(route((it) => it.send('other'))),
      routes: () => 'maybe',
    });
    const { port, gateway } = await openSite(
      accepting((webSocket) => webSocket.send('first')),
      {
        after: (server) => other.attach(server),
      },
    );
    const first = await enter(port);
    expect((await first.frame())?.payload.toString()).toBe('first');

    const closed = gateway.close();
    expect(await farewell(first)).toEqual([1001, '']);
    await closed;

    const second = await enter(port);
    expect((await second.frame())?.payload.toString()).toBe('other');
  });

  test('may be asked for again, with less time', async () => {
    const { port, gateway } = await openSite(accepting(() => undefined));
    await enter(port);
    const closed = gateway.close({ timeout: 600_000 });
    await gateway.close({ timeout: 0 });
    await closed;
    await gateway.close();
  });

  test.each<[object, string]>([
    [{ code: 1005 }, 'The "code" option must be 1000-1014 without 1004-1006, or 3000-4999'],
    [{ timeout: -1 }, 'The "timeout" option must be an integer from 0 to 2147483647 milliseconds'],
  ])('with %p throws, and closes nothing', async (options, message) => {
    const { port, gateway } = await openSite(accepting((webSocket) => webSocket.send('hello')));
    expect(() => gateway.close(options)).toThrow(RangeError);
    expect(() => gateway.close(options)).toThrow(message);
    expect((await (await enter(port)).frame())?.payload.toString()).toBe('hello');
  });

  test('without clientTracking throws, and closes nothing', async () => {
    const { port, gateway } = await openSite(
      accepting((webSocket) => webSocket.send('hello')),
      { clientTracking: false },
    );
    expect(() => gateway.close()).toThrow('clientTracking: false');
    const client = await enter(port);
    expect((await client.frame())?.payload.toString()).toBe('hello');
    client.socket.destroy();
  });
});

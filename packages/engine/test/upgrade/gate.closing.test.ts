import { once } from 'node:events';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { WebSocket as WsClient } from 'ws';
import { Gateway } from '../../src/upgrade/gateway';
import { startProgram } from '../support/programs';
import { request } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  later,
  masked,
  openSite,
  portOf,
} from '../support/site';

afterEach(cleanUp);

describe('closing the server', () => {
  test('says 1001 to everybody and then calls back', async () => {
    const { port, server } = await openSite(accepting(() => undefined));
    const clients = [await enter(port), await enter(port), await enter(port)];
    const closed = once(server, 'close');

    const called = new Promise((resolve) => server.close(resolve));

    for (const client of clients) {
      expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xe9]));
      client.write(masked({ opcode: 8, payload: Buffer.from([0x03, 0xe9]) }));
      expect(await client.frame()).toBeUndefined();
      client.end();
    }
    expect(await called).toBeUndefined();
    await closed;
  });

  test('calls back when every WebSocket has told its own end', async () => {
    const events: string[] = [];
    const { port, server, gateway } = await openSite(
      accepting((webSocket) => webSocket.on('close', () => events.push('close'))),
    );
    const clients = [await enter(port), await enter(port), await enter(port)];

    const called = new Promise<void>((resolve) =>
      server.close(() => {
        events.push(`called, ${gateway.server.clients?.size} left`);
        resolve();
      }),
    );
    for (const client of clients) client.socket.destroy();
    await called;

    expect(events).toEqual(['close', 'close', 'close', 'called, 0 left']);
  });

  test('waits for no listener of what they have sent', async () => {
    const { port, server, gateway } = await openSite(accepting(() => undefined));
    const client = await enter(port);
    client.write(masked({ opcode: 1, payload: 'for nobody' }), masked({ opcode: 9 }));
    // The message is kept, and with it the ping behind it, which has been answered.
    expect((await client.frame())?.first).toBe(0x8a);

    const called = new Promise((resolve) => server.close(resolve));
    expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xe9]));
    client.write(masked({ opcode: 1, payload: 'nor this' }));
    client.write(masked({ opcode: 8, payload: Buffer.from([0x03, 0xe9]) }));

    // Much less than the 10 s that messages wait.
    const timeout = new Promise((resolve) => setTimeout(resolve, 2_000, 'waiting').unref());
    expect(await Promise.race([called, timeout])).toBeUndefined();
    expect(gateway.server.clients?.size).toBe(0);
  });

  test('terminates those that do not answer after closeTimeout', async () => {
    const { port, server } = await openSite(
      accepting(() => undefined),
      { closeTimeout: 80 },
    );
    const client = await enter(port);
    const started = performance.now();

    await new Promise((resolve) => server.close(resolve));

    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
    expect((await client.frames()).map(({ payload }) => payload.toString('hex'))).toEqual(['03e9']);
  });

  test('refuses upgrades that come while it drains, and those the application has not answered yet', async () => {
    const waiting = deferred<() => void>();
    const { port, server } = await openSite((req, res) => {
      const accept = accepting(() => undefined);
      if (req.url === '/slow') waiting.resolve(() => accept(req, res));
      else accept(req, res);
    });
    const open = await enter(port);
    // A connection that was there before, for a closing server takes no new one.
    const late = await connect(port);
    const slow = await knock(port, {}, 'GET /slow HTTP/1.1');
    const proceed = await waiting.promise;
    late.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    await new Promise(setImmediate);

    const closed = new Promise((resolve) => server.close(resolve));
    proceed();
    late.write(request().split('\r\n').slice(2).join('\r\n'));

    for (const client of [late, slow]) {
      const { status, headers, body } = await answerOf(client);
      expect([status, headers.connection, body]).toEqual([503, 'close', 'Service Unavailable']);
      client.end();
    }
    open.socket.destroy();
    await closed;
  });

  test('says 1001 to one whose 101 was on its way', async () => {
    const waiting = deferred<() => void>();
    const { port, server } = await openSite((req, res) => {
      const { end } = res;
      // As a session store does.
      res.end = (() => {
        waiting.resolve(() => Reflect.apply(end, res, []));
        return res;
      }) as typeof end;
      accepting(() => undefined)(req, res);
    });
    const client = await knock(port);
    const send = await waiting.promise;

    const closed = new Promise((resolve) => server.close(resolve));
    send();

    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xe9]));
    client.socket.destroy();
    await closed;
  });

  test('is undone by listening again', async () => {
    const { server } = await openSite(accepting((webSocket) => webSocket.send('hello')));
    await new Promise((resolve) => server.close(resolve));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const client = await enter(portOf(server));
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('calls back with the error of a server that does not listen', async () => {
    const server = createServer();
    new Gateway({ dispatch: () => undefined, routes: () => 'maybe' }).attach(server);
    const error = await new Promise((resolve) => server.close(resolve));
    expect(error).toMatchObject({ code: 'ERR_SERVER_NOT_RUNNING' });
  });

  test('lets the process end by itself, whatever state its connections are in', async () => {
    const program = startProgram(resolve(__dirname, '../programs/drain.ts'), '300');
    const port = Number(await program.line());
    const polite = new WsClient(`ws://127.0.0.1:${port}/`);
    later(() => polite.terminate());
    await once(polite, 'message');
    const farewell = once(polite, 'close');
    const silent = await enter(port);
    const hanging = await knock(port, {}, 'GET /hanging HTTP/1.1');
    const refused = await knock(port, {}, 'GET /refused HTTP/1.1');
    await refused.head();

    program.send('close');

    expect((await farewell)[0]).toBe(1001);
    expect((await silent.frames()).map(({ payload }) => payload.toString('hex'))).toEqual([
      Buffer.from('hello').toString('hex'),
      '03e9',
    ]);
    expect((await answerOf(hanging)).status).toBe(503);
    expect(await program.line()).toBe('closed');
    expect(await program.ended).toEqual({ code: 0, signal: null, errors: '' });
  });
});

import { resolve } from 'node:path';
import { startProgram } from '../../../engine/test/support/programs';
import { request } from '../../../engine/test/support/raw-client';
import { answerOf, deferred, masked } from '../../../engine/test/support/site';
import { connectTo, enterAt, framesBehind101, knockAt, open } from '../client';
import type { Application, Harness } from '../harness';
import { openSite } from '../site';

const GOING_AWAY = Buffer.from([0x03, 0xe9]);

/** Closing an application, and what its process does in the end. */
export function shutdowns<App extends Application>(harness: Harness<App>): void {
  test('closing says 1001 to everybody and is over when they have gone', async () => {
    const site = await openSite(harness, (app) => app.ws('/chat', () => undefined));
    const clients = [];
    for (let count = 0; count < 3; count++) clients.push(await open(site.address, '/chat'));
    const closed = site.close();
    for (const client of clients) expect((await client.closed)[0]).toBe(1001);
    await closed;
    expect(site.webSockets.clients?.size).toBe(0);
    await expect(open(site.address, '/chat')).rejects.toThrow('ECONNREFUSED');
  });

  test('closing waits for those that take their time', async () => {
    const events: string[] = [];
    const site = await openSite(harness, (app) => {
      app.ws('/chat', (webSocket) => webSocket.on('message', (text) => events.push(`got ${text}`)));
    });
    const client = await enterAt(site.address, '/chat');
    const closed = site.close().then(() => events.push('closed'));
    expect((await client.frame())?.payload).toEqual(GOING_AWAY);
    client.write(masked({ opcode: 1, payload: 'last' }));
    await new Promise((settle) => setTimeout(settle, 50));
    events.push('answering');
    client.write(masked({ opcode: 8, payload: GOING_AWAY }));
    expect(await client.frame()).toBeUndefined();
    client.end();
    await closed;
    expect(events).toEqual(['got last', 'answering', 'closed']);
  });

  test('closing cuts off those that are silent, after closeTimeout', async () => {
    const site = await openSite(harness, (app) => app.ws('/chat', () => undefined), {
      upwire: { closeTimeout: 80 },
    });
    const client = await enterAt(site.address, '/chat');
    const started = performance.now();
    await site.close();
    expect(performance.now() - started).toBeGreaterThanOrEqual(79);
    expect((await client.frames()).map(({ payload }) => payload)).toEqual([GOING_AWAY]);
  });

  test('handshakes that are under way while it closes, or come then, are 503', async () => {
    const held = deferred<() => void>();
    const handler = jest.fn();
    const site = await openSite(harness, (app) => {
      app.ws('/chat', () => undefined);
      app.ws('/slow', handler, {
        guards: [() => new Promise<void>((proceed) => held.resolve(proceed))],
      });
    });
    const client = await enterAt(site.address, '/chat');
    // A connection that was there before, for a closing server takes no new one.
    const late = await connectTo(site.address);
    const slow = await knockAt(site.address, '/slow');
    const proceed = await held.promise;
    late.write('GET /chat HTTP/1.1\r\nHost: localhost\r\n');
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);

    const closed = site.close();
    // Frameworks may do other things first; the WebSockets are told when the closing has come to them.
    expect((await client.frame())?.payload).toEqual(GOING_AWAY);
    proceed();
    late.write(request().split('\r\n').slice(2).join('\r\n'));

    for (const each of [late, slow]) {
      const { status, headers } = await answerOf(each);
      expect([status, headers.connection]).toEqual([503, 'close']);
      each.end();
    }
    expect(handler).not.toHaveBeenCalled();
    client.socket.destroy();
    await closed;
  });

  test('closing without a client is over at once', async () => {
    const site = await openSite(harness, (app) => app.ws('/chat', () => undefined));
    const started = performance.now();
    await site.close();
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  const start = () => startProgram(resolve(__dirname, '../program.ts'), harness.file, harness.name);

  test('a process survives what clients and handlers do, and ends by itself when it is closed', async () => {
    const program = start();
    const port = Number(await program.line());
    const other = await open(port, '/echo');
    for (const path of ['/throws', '/rejects', '/listener', '/async-listener', '/late']) {
      expect(await framesBehind101(port, path)).toEqual(['88 03f3']);
    }
    const bad = await enterAt(port, '/echo');
    bad.write(Buffer.from([0x81, 0x01, 0x61]));
    expect((await bad.frame())?.payload.subarray(0, 2)).toEqual(Buffer.from([0x03, 0xea]));
    bad.socket.destroy();
    for (const path of ['/throws-before', '/rejects-before', '/nowhere', '/%E0%A4%A']) {
      const { status } = await answerOf(await knockAt(port, path));
      expect([400, 404, 500]).toContain(status);
    }
    const gone = await knockAt(port, '/hangs');
    expect(await program.line()).toBe('hanging');
    gone.reset();
    expect(await program.line()).toBe('gone');
    expect(await other.ask('still there')).toBe('got still there');

    program.send('errors');
    const told: string[] = JSON.parse(await program.line());
    for (const text of ['throws', 'rejects', 'listener', 'async listener', 'late']) {
      expect(told.filter((error) => error === `Error: ${text}`)).toHaveLength(1);
    }
    program.send('close');
    expect((await other.closed)[0]).toBe(1001);
    expect(await program.line()).toBe('closed');
    expect(await program.ended).toEqual({ code: 0, signal: null, errors: '' });
  });

  test('a process ends by itself when it is closed, whatever state its connections are in', async () => {
    const program = start();
    const port = Number(await program.line());
    const polite = await open(port, '/echo');
    const silent = await enterAt(port, '/echo');
    const hanging = await knockAt(port, '/hangs');
    expect(await program.line()).toBe('hanging');
    const half = await connectTo(port);
    half.write(request({}, 'GET /echo HTTP/1.1').slice(0, 60));
    const refused = await knockAt(port, '/throws-before');
    await refused.head();
    half.socket.destroy();

    program.send('close');

    expect((await polite.closed)[0]).toBe(1001);
    expect((await silent.frames()).map(({ payload }) => payload)).toEqual([GOING_AWAY]);
    expect((await answerOf(hanging)).status).toBe(503);
    hanging.socket.destroy();
    expect(await program.line()).toBe('gone');
    expect(await program.line()).toBe('closed');
    expect(await program.ended).toEqual({ code: 0, signal: null, errors: '' });
  });
}

import { once } from 'node:events';
import { WebSocketServer } from '../../src/server';
import type { WebSocket } from '../../src/websocket';
import { WebSocket as Client } from '../../src/websocket';
import { frame, PING, PONG, TEXT } from '../support/frames';
import { portOf } from '../support/libraries';
import { socketPair } from '../support/sockets';

const KEY = 0x37fa213d;

/** Frames in one read, told by a server's WebSocket with `allowSynchronousEvents` off. */
async function deliver(frames: Buffer[], prepare: (webSocket: WebSocket, log: string[]) => void) {
  const { ours, theirs } = await socketPair();
  const webSocket = new Client(null, undefined, { allowSynchronousEvents: false });
  const log: string[] = [];
  webSocket.on('message', (data) => log.push(`message ${data}`));
  webSocket.on('ping', (data) => log.push(`ping ${data}`));
  webSocket.on('pong', (data) => log.push(`pong ${data}`));
  webSocket.on('error', (error) => log.push(`error ${error.message}`));
  webSocket.on('close', (code) => log.push(`close ${code}`));
  prepare(webSocket, log);
  const closed = new Promise((resolve) => webSocket.on('close', resolve));
  webSocket.setSocket(ours, Buffer.concat(frames));
  let over = false;
  closed.then(() => {
    over = true;
  });
  theirs.resume();
  theirs.end();
  const most: number[] = [];
  while (!over) {
    const before = log.length;
    await new Promise((resolve) => setImmediate(resolve));
    most.push(log.slice(before).filter((line) => /^(message|ping|pong)/.test(line)).length);
  }
  theirs.destroy();
  return { log, most: Math.max(...most) };
}

describe('allowSynchronousEvents: false', () => {
  const text = (payload: string) => frame({ opcode: TEXT, payload, key: KEY });
  const frames = [
    text('one'),
    frame({ opcode: PING, payload: 'two', key: KEY }),
    frame({ opcode: PONG, payload: 'three', key: KEY }),
    text('four'),
    text('five'),
  ];
  const told = ['message one', 'ping two', 'pong three', 'message four', 'message five'];

  test('at most one event in a turn, in order, the end last', async () => {
    const { log, most } = await deliver(frames, () => undefined);
    expect(log).toEqual([...told, 'close 1006']);
    expect(most).toBe(1);
  });

  test('what a message settles is heard before the next', async () => {
    const { log } = await deliver(frames, (webSocket, written) => {
      once(webSocket, 'message')
        .then(() => once(webSocket, 'ping'))
        .then(([data]) => written.push(`heard ping ${data}`));
    });
    expect(log[2]).toBe('heard ping two');
  });

  test('a fault comes behind the messages before it', async () => {
    const bad = frame({ opcode: 3, payload: '', key: KEY });
    const { log } = await deliver([text('one'), text('two'), bad], () => undefined);
    expect(log).toEqual([
      'message one',
      'message two',
      'error Invalid WebSocket frame: invalid opcode 3',
      'close 1006',
    ]);
  });

  test('pausing and resuming loses and doubles nothing', async () => {
    const { log, most } = await deliver(frames, (webSocket, written) => {
      webSocket.on('message', () => {
        webSocket.pause();
        written.push('paused');
        webSocket.resume();
      });
    });
    expect(log.filter((line) => line !== 'paused')).toEqual([...told, 'close 1006']);
    expect(most).toBe(1);
  });

  test('hundreds of large messages both ways, with a server that has the option', async () => {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      allowSynchronousEvents: false,
      maxPayload: 100_000,
    });
    await once(server, 'listening');
    expect(server.options.allowSynchronousEvents).toBe(false);
    server.on('connection', (webSocket: WebSocket) => {
      webSocket.on('message', (data: Buffer) => webSocket.send(data));
    });
    const client = new Client(`ws://127.0.0.1:${portOf(server)}`, {
      allowSynchronousEvents: false,
      perMessageDeflate: false,
    });
    await once(client, 'open');
    const sizes: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: Buffer) => {
        sizes.push(data.length);
        if (sizes.length === 300) resolve();
      });
    });
    for (let index = 0; index < 300; index++) client.send(Buffer.alloc(index * 100));
    await all;
    expect(sizes).toEqual(Array.from({ length: 300 }, (_, index) => index * 100));
    client.close();
    await once(client, 'close');
    const closed = once(server, 'close');
    server.close();
    await closed;
  });

  test('must be a boolean', () => {
    const given: unknown = 'no';
    expect(() => new Client(null, undefined, { allowSynchronousEvents: given as boolean })).toThrow(
      new TypeError('The "allowSynchronousEvents" option must be a boolean, got "no"'),
    );
  });
});

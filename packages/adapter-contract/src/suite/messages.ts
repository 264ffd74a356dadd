import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../../../engine/test/support/frames';
import type { RawClient, WireFrame } from '../../../engine/test/support/raw-client';
import { request } from '../../../engine/test/support/raw-client';
import { deferred, masked } from '../../../engine/test/support/site';
import type { Target } from '../client';
import { connectTo, enterAt, open } from '../client';
import type { Application, Handler, Harness } from '../harness';
import { openSite } from '../site';

const HANDSHAKE = Buffer.from(request({}, 'GET /chat HTTP/1.1'));

/** A text, one in fragments with a ping between them, and a binary message. */
const MESSAGES = Buffer.concat([
  masked({ opcode: TEXT, payload: 'one' }),
  masked({ opcode: TEXT, fin: false, payload: 'tw' }),
  masked({ opcode: PING, payload: '?' }),
  masked({ opcode: CONTINUATION, payload: 'o' }),
  masked({ opcode: BINARY, payload: 'three' }),
]);
const FAREWELL = masked({ opcode: CLOSE, payload: Buffer.from([0x0f, 0xa1]) });

/** What a handler that echoes answers to it; a pong may come before any message that waits for its listener. */
const ECHOES = ['81 one', '81 two', '82 three'];
const PONG = '8a ?';
const CLOSED = '88 \u000f\u00a1';

/** Echoes from a listener that comes late, or at once. */
const echoAfter =
  (milliseconds: number): Handler =>
  async (webSocket) => {
    if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
    webSocket.on('message', (data) => webSocket.send(data));
  };

/** Messages: none that comes early is lost, and they are what they were sent as. */
export function messages<App extends Application>(harness: Harness<App>): void {
  const openEcho = (listenAfter: number, guardFor: number) =>
    openSite(harness, (app) => {
      if (guardFor > 0) app.use(() => new Promise((resolve) => setTimeout(resolve, guardFor)));
      app.ws('/chat', echoAfter(listenAfter));
    });

  describe('frames that come with the handshake', () => {
    test.each([
      ['at once, behind middleware that is fast', 0, 0],
      ['late', 30, 0],
      ['at once, behind slow middleware', 0, 30],
      ['late, behind slow middleware', 30, 30],
    ])('reach a listener that comes %s', async (_when, listenAfter, guardFor) => {
      const { address } = await openEcho(listenAfter, guardFor);
      const client = await connectTo(address);
      client.write(HANDSHAKE, MESSAGES);
      await expectEchoes(client);
    });

    test.each([
      ['at once', 0, 0],
      ['late, behind slow middleware', 5, 5],
    ])(
      'reach a listener that comes %s, wherever they are cut',
      async (_when, listenAfter, guardFor) => {
        const { address } = await openEcho(listenAfter, guardFor);
        const bytes = Buffer.concat([HANDSHAKE, MESSAGES]);
        const places = Array.from({ length: bytes.length - 1 }, (_, index) => index + 1);
        for (let start = 0; start < places.length; start += 40) {
          const batch = places.slice(start, start + 40);
          await Promise.all(
            batch.map(async (place) => expectEchoes(await writeCut(address, bytes, place))),
          );
        }
      },
    );

    test('reach it byte by byte', async () => {
      const { address } = await openEcho(5, 30);
      const client = await connectTo(address);
      client.socket.setNoDelay();
      for (const byte of Buffer.concat([HANDSHAKE, MESSAGES])) {
        await new Promise((resolve) => client.socket.write(Buffer.from([byte]), resolve));
      }
      await expectEchoes(client);
    });

    test.each([
      ['fast', 0],
      ['slow', 30],
    ])(
      'are answered although the client closes at once, behind middleware that is %s',
      async (_how, guardFor) => {
        const { address } = await openEcho(0, guardFor);
        const client = await connectTo(address);
        client.write(HANDSHAKE, MESSAGES, FAREWELL);
        expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
        const answers = shown(await framesOf(client));
        expect(answers.filter((it) => it !== PONG)).toEqual([...ECHOES, CLOSED]);
      },
    );

    test('reach it although there are a hundred, and then it hears of the end', async () => {
      const events: unknown[] = [];
      const ended = deferred();
      const { address } = await openSite(harness, (app) => {
        app.ws('/chat', async (webSocket) => {
          await new Promise((resolve) => setTimeout(resolve, 50));
          webSocket.on('message', (data) => events.push(data));
          webSocket.on('close', (code) => {
            events.push(code);
            ended.resolve();
          });
        });
      });
      const client = await connectTo(address);
      const texts = Array.from({ length: 100 }, (_, index) => `number ${index}`);
      client.write(
        HANDSHAKE,
        ...texts.map((payload) => masked({ opcode: TEXT, payload })),
        FAREWELL,
      );
      await ended.promise;
      expect(events).toEqual([...texts, 4001]);
    });
  });

  test('text arrives as a string, binary as a Buffer', async () => {
    const { address } = await openSite(harness, (app) => {
      app.ws('/chat', (webSocket) =>
        webSocket.on('message', (data: unknown, isBinary: boolean) =>
          webSocket.send(`${typeof data} ${Buffer.isBuffer(data)} ${isBinary} ${data}`),
        ),
      );
    });
    const client = await open(address, '/chat');
    expect(await client.ask('é')).toBe('string false false é');
    client.webSocket.send(Buffer.from('bytes'));
    expect(await client.message()).toBe('object true true bytes');
    expect(await client.ask('')).toBe('string false false ');
  });

  test('what the handler sends at once comes right behind the 101', async () => {
    const { address } = await openSite(harness, (app) => {
      app.ws('/chat', (webSocket) => {
        webSocket.send('one');
        webSocket.send(Buffer.from('two'));
        webSocket.close(4000, 'bye');
      });
    });
    const client = await enterAt(address, '/chat');
    expect(shown(await framesOf(client))).toEqual(['81 one', '82 two', '88 \u000f\u00a0bye']);
  });

  test('each WebSocket has its own messages', async () => {
    const { address, webSockets } = await openSite(harness, (app) => {
      app.ws('/chat/:name', (webSocket, { params }) =>
        webSocket.on('message', (text) => webSocket.send(`${params.name}: ${text}`)),
      );
    });
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    const clients = await Promise.all(names.map((name) => open(address, `/chat/${name}`)));
    expect(webSockets.clients?.size).toBe(20);
    const replies = await Promise.all(clients.map((client) => client.ask('hi')));
    expect(replies).toEqual(names.map((name) => `${name}: hi`));
  });
}

async function writeCut(target: Target, bytes: Buffer, place: number): Promise<RawClient> {
  const client = await connectTo(target);
  client.socket.setNoDelay();
  await new Promise((resolve) => client.socket.write(bytes.subarray(0, place), resolve));
  await new Promise(setImmediate);
  client.write(bytes.subarray(place));
  return client;
}

/** Takes the 101 and the echoes, says farewell and takes that of the server. */
async function expectEchoes(client: RawClient): Promise<void> {
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
  const answers = [];
  for (let count = 0; count <= ECHOES.length; count++) answers.push(await client.frame());
  const texts = shown(answers.filter((it) => it !== undefined));
  expect(texts.filter((it) => it !== PONG)).toEqual(ECHOES);
  expect(texts).toContain(PONG);
  client.write(FAREWELL);
  expect(shown(await framesOf(client))).toEqual([CLOSED]);
}

/** All frames until the server ends the connection. */
async function framesOf(client: RawClient): Promise<WireFrame[]> {
  const frames = [];
  for (let frame = await client.frame(); frame !== undefined; frame = await client.frame()) {
    frames.push(frame);
    if (frame.first === 0x88) client.end();
  }
  return frames;
}

function shown(frames: WireFrame[]): string[] {
  return frames.map(({ first, payload }) => `${first.toString(16)} ${payload.toString('latin1')}`);
}

import { Server as SocketIoServer } from 'socket.io';
import { WebSocketServer as WsServer } from 'ws';
import { later } from '../../../engine/test/support/site';
import { connectTo, dial, get, open } from '../client';
import type { Application, Harness, Server } from '../harness';
import { openSite } from '../site';

/** A bare `ws` server for one path; it answers 400 to all others. */
function bareWs(server: Server): void {
  const foreign = new WsServer({ server, path: '/bare' });
  foreign.on('connection', (webSocket) => {
    webSocket.send('hello from ws');
    webSocket.on('message', (data) => webSocket.send(`ws: ${data}`));
  });
  later(() => {
    for (const webSocket of foreign.clients) webSocket.terminate();
  });
}

function socketIo(server: Server): void {
  const io = new SocketIoServer(server, { serveClient: false });
  io.on('connection', (socket) => {
    socket.emit('news', 'hello');
    socket.on('ask', (text, answer) => answer(`io: ${text}`));
  });
  later(() => io.engine.close());
}

/** Other listeners for upgrades on the same server. */
export function neighbours<App extends Application>(harness: Harness<App>): void {
  async function openBeside(
    neighbour: (server: Server) => void,
    order: 'before' | 'after',
    otherwise = false,
  ) {
    return openSite(
      harness,
      (app) => {
        app.ws('/chat/:room', (webSocket, { params }) => {
          webSocket.send(`chat ${params.room}`);
          webSocket.on('message', (text) => webSocket.send(`ours: ${text}`));
        });
        app.ws('/guarded', () => undefined, { guards: [(context) => context.answer(401, 'no')] });
        app.ws('/slow', (webSocket) => webSocket.send('slow'), {
          guards: [() => new Promise((resolve) => setTimeout(resolve, 1_200))],
        });
        for (const kind of harness.facts.groups) {
          app.group(
            `/in/${kind}`,
            (outer) =>
              outer.group(
                '/deep',
                (inner) => inner.ws('/:x', (webSocket, { url }) => webSocket.send(url)),
                kind,
              ),
            kind,
          );
        }
        app.page('GET', '/page', (context) => context.answer(200, 'page'));
        if (otherwise) app.otherwise((context) => context.answer(200, '<div id="app">'));
      },
      { [order]: neighbour },
    );
  }

  describe.each(['before', 'after'] as const)('beside another listener that came %s', (order) => {
    const ALL = harness.facts.knowsRoutes ? [false, true] : [false];

    test.each(ALL)('each gets what is its own; with a catch-all: %p', async (otherwise) => {
      const { address, webSockets } = await openBeside(bareWs, order, otherwise);
      const groups = harness.facts.groups.map((kind) => `/in/${kind}/deep/7`);
      for (const path of groups) {
        expect(await (await open(address, path)).message()).toBe(path);
      }
      const ours = await open(address, '/chat/red');
      const theirs = await open(address, '/bare');
      expect(await ours.message()).toBe('chat red');
      expect(await theirs.message()).toBe('hello from ws');
      expect(await ours.ask('hi')).toBe('ours: hi');
      expect(await theirs.ask('hi')).toBe('ws: hi');
      expect(webSockets.clients?.size).toBe(1 + groups.length);
      expect((await get(address, '/page')).body).toBe('page');
    });

    test('a guard of ours refuses as ever', async () => {
      const { address } = await openBeside(bareWs, order);
      expect(await dial(address, '/guarded')).toMatchObject({ status: 401, body: 'no' });
    });

    test('what is nobody’s is the other’s to answer, as without us', async () => {
      const { address } = await openBeside(bareWs, order);
      expect((await dial(address, '/neither')).status).toBe(400);
    });

    test('frames that come with the handshake are the other’s, too', async () => {
      const { address } = await openBeside(bareWs, order);
      const client = await connectTo(address);
      client.write(
        'GET /bare HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
        // "hi", masked with zeros.
        Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]),
      );
      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect((await client.frame())?.payload.toString()).toBe('hello from ws');
      expect((await client.frame())?.payload.toString()).toBe('ws: hi');
    });

    test('a handshake may take longer than socket.io allows, and socket.io works', async () => {
      const { address } = await openBeside(socketIo, order);
      const slow = open(address, '/slow');
      const client = await open(address, '/socket.io/?EIO=4&transport=websocket');
      expect(await client.message()).toMatch(/^0\{"sid":/);
      client.send('40');
      expect(await client.message()).toMatch(/^40\{"sid":/);
      expect(await client.message()).toBe('42["news","hello"]');
      expect(await client.ask('421["ask","hi"]')).toBe('431["io: hi"]');
      expect(await (await slow).message()).toBe('slow');
    });
  });
}

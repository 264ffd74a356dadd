import { clientLibraries } from '../support/clients';
import { frame, PING, PONG, TEXT } from '../support/frames';
import { RawServer } from '../support/raw-server';

const EVENTS = [
  'open',
  'message',
  'ping',
  'pong',
  'error',
  'close',
  'upgrade',
  'redirect',
  'unexpected-response',
];

describe.each(clientLibraries)('events of a client of $name', ({ WebSocket }) => {
  let server: RawServer;

  afterEach(() => server.close());

  /** Each event with how many values it came with. */
  function counted(options: object): Promise<[event: string, values: number][]> {
    const client = new WebSocket(`${server.url}/first`, { perMessageDeflate: false, ...options });
    const counts: [string, number][] = [];
    for (const event of EVENTS) {
      client.on(event, (...values: unknown[]) => {
        counts.push([event, values.length]);
        if (event === 'unexpected-response') client.terminate();
      });
    }
    return new Promise((resolve) => client.on('close', () => resolve(counts)));
  }

  test('have their values and no others', async () => {
    server = await RawServer.listen((request, index) => {
      if (index === 0) {
        request.refuse('302 Found', 'Location: /second');
        return;
      }
      request.upgrade();
      request.socket.write(
        Buffer.concat([
          frame({ opcode: TEXT, payload: 'text' }),
          frame({ opcode: PING, payload: 'ping' }),
          frame({ opcode: PONG, payload: 'pong' }),
          frame({ opcode: 3 }),
        ]),
      );
      request.socket.once('end', () => request.socket.end());
    });
    const counts = await counted({ followRedirects: true, closeTimeout: 50 });
    expect(counts).toStrictEqual([
      ['redirect', 2],
      ['upgrade', 1],
      ['open', 0],
      ['message', 2],
      ['ping', 1],
      ['pong', 1],
      ['error', 1],
      ['close', 2],
    ]);
  });

  test('have them where the handshake fails, too', async () => {
    server = await RawServer.listen((request) => request.refuse('404 Not Found'));
    expect(await counted({})).toStrictEqual([
      ['unexpected-response', 2],
      ['error', 1],
      ['close', 2],
    ]);
  });
});

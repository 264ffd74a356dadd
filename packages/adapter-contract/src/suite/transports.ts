import { request } from '../../../engine/test/support/raw-client';
import { masked } from '../../../engine/test/support/site';
import type { Transport } from '../address';
import { connectTo, dial, get, open } from '../client';
import type { Application, Harness } from '../harness';
import { openSite } from '../site';

const TRANSPORTS: Transport[] = ['http', 'https', 'unix'];

/** What servers listen on. */
export function transports<App extends Application>(harness: Harness<App>): void {
  describe.each(TRANSPORTS)('over %s', (transport) => {
    const openShop = () =>
      openSite(
        harness,
        (app) => {
          app.use((context) => {
            if (context.header('X-Token') === 'bad') context.answer(401, 'who?');
          });
          app.ws('/chat/:room', (webSocket, { params }) => {
            webSocket.on('message', (text) => webSocket.send(`${params.room}: ${text}`));
          });
          app.page('GET', '/page', (context) => context.answer(200, 'page'));
        },
        { transport },
      );

    test('routes answer, accept and refuse', async () => {
      const { address, log } = await openShop();
      expect((await get(address, '/page')).body).toBe('page');
      expect((await get(address, '/chat/red')).status).toBe(426);
      const client = await open(address, '/chat/red');
      expect(await client.ask('hi')).toBe('red: hi');
      const headers = { 'X-Token': 'bad' };
      expect(await dial(address, '/chat/red', { headers })).toMatchObject({
        status: 401,
        body: 'who?',
      });
      expect((await dial(address, '/none')).status).toBe(404);
      client.webSocket.close(1000, 'bye');
      expect(await client.closed).toEqual([1000, 'bye']);
      expect(log).toContain('GET /chat/red 101');
    });

    test('messages that come with the handshake, and large ones, arrive', async () => {
      const { address } = await openShop();
      const client = await connectTo(address);
      client.write(
        request({}, 'GET /chat/red HTTP/1.1'),
        masked({ opcode: 1, payload: 'early' }),
        masked({ opcode: 1, payload: 'x'.repeat(500_000) }),
      );
      expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
      expect((await client.frame())?.payload.toString()).toBe('red: early');
      expect((await client.frame())?.payload.length).toBe(500_005);
    });

    test('the origin is the scheme’s', async () => {
      const { address } = await openShop();
      const host = transport === 'unix' ? 'localhost' : `127.0.0.1:${address.port}`;
      const own = transport === 'https' ? 'https' : 'http';
      const other = transport === 'https' ? 'http' : 'https';
      const statusOf = async (origin: string) =>
        (await dial(address, '/chat/red', { origin, headers: { Host: host } })).status;
      expect(await statusOf(`${own}://${host}`)).toBe(101);
      expect(await statusOf(`${other}://${host}`)).toBe(403);
    });

    test('closing says 1001', async () => {
      const site = await openShop();
      const client = await open(site.address, '/chat/red');
      const closed = site.close();
      expect((await client.closed)[0]).toBe(1001);
      await closed;
    });
  });
}

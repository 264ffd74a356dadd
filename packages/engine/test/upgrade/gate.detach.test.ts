import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { WebSocketServer as WsServer } from 'ws';
import { Gateway } from '../../src/upgrade/gateway';
import {
  accepting,
  answerOf,
  cleanUp,
  deferred,
  enter,
  knock,
  later,
  openSite,
} from '../support/site';

afterEach(cleanUp);

describe('a gateway that is detached', () => {
  test('leaves the server as it was: upgrades are ordinary requests again', async () => {
    const { port, server, gateway } = await openSite(accepting(() => undefined));
    expect(server.listenerCount('upgrade')).toBe(1);

    gateway.detach(server);

    expect(server.listenerCount('upgrade')).toBe(0);
    const { status, body } = await answerOf(await knock(port, { Connection: 'Upgrade, close' }));
    expect([status, body]).toEqual([404, 'nothing here']);
    const [response] = await once(httpRequest({ port, host: '127.0.0.1' }).end(), 'response');
    expect(response.resume().statusCode).toBe(404);
  });

  test('leaves all that comes to another listener', async () => {
    const { port, server, gateway } = await openSite(accepting(() => undefined));
    const foreign = new WsServer({ server });
    foreign.on('connection', (webSocket) => webSocket.send('foreign'));
    later(() => {
      for (const webSocket of foreign.clients) webSocket.terminate();
    });

    gateway.detach(server);

    expect((await (await enter(port)).frame())?.payload.toString()).toBe('foreign');
  });

  test('leaves what it has to the other gateways', async () => {
    const { port, server, gateway } = await openSite(
      accepting((webSocket) => webSocket.send('one')),
    );
    const other = new Gateway({
      dispatch: accepting((webSocket) => webSocket.send('two')),
      routes: () => 'maybe',
    });
    other.attach(server);
    later(() => {
      for (const webSocket of other.server.clients ?? []) webSocket.terminate();
    });
    expect((await (await enter(port)).frame())?.payload.toString()).toBe('one');

    gateway.detach(server);
    gateway.detach(server);

    expect((await (await enter(port)).frame())?.payload.toString()).toBe('two');
    gateway.attach(server);
    other.detach(server);
    expect((await (await enter(port)).frame())?.payload.toString()).toBe('one');
  });

  test('still has what is open and what is under way, and the server closes those', async () => {
    const waiting = deferred<() => void>();
    const accept = accepting((webSocket) => webSocket.send('hello'));
    const { port, server, gateway } = await openSite((req, res) => {
      if (req.url === '/slow') waiting.resolve(() => accept(req, res));
      else accept(req, res);
    });
    const open = await enter(port);
    const slow = await knock(port, {}, 'GET /slow HTTP/1.1');
    const proceed = await waiting.promise;

    gateway.detach(server);
    proceed();

    expect(await slow.head()).toMatch(/^HTTP\/1\.1 101 /);
    const closed = new Promise((resolve) => server.close(resolve));
    for (const client of [open, slow]) {
      expect((await client.frame())?.payload.toString()).toBe('hello');
      expect((await client.frame())?.payload).toEqual(Buffer.from([0x03, 0xe9]));
      client.socket.destroy();
    }
    await closed;
  });

  test('was never attached, and nothing happens', async () => {
    const { server, gateway } = await openSite(accepting(() => undefined));
    new Gateway({ dispatch: () => undefined, routes: () => 'maybe' }).detach(server);
    expect(server.listenerCount('upgrade')).toBe(1);
    gateway.detach(server);
  });
});

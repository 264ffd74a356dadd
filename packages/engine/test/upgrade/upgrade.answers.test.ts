import type { ServerResponse } from 'node:http';
import { Gateway } from '../../src/upgrade/gateway';
import { answerOf, cleanUp, deferred, knock, openSite, route, withUpgrade } from '../support/site';

afterEach(cleanUp);

describe('a framework with hooks in front of its responses', () => {
  test('sends the 101 itself', async () => {
    const { port } = await openSite(
      withUpgrade((upgrade, response) => {
        const respond = (): void => {
          setImmediate(() => response.writeHead(101, { 'X-Hook': '1' }).end());
        };
        upgrade.accept({ ...route((webSocket) => webSocket.send('hello')), respond });
      }),
    );
    const client = await knock(port);

    expect((await client.head()).replace(/Date: [^\r]*/, 'Date')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nX-Hook: 1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nDate\r\n\r\n',
    );
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('answers refusals itself', async () => {
    const { port } = await openSite(
      withUpgrade((upgrade, response) =>
        upgrade.accept({
          ...route(() => undefined),
          refuse: (status, headers, body) => {
            setImmediate(() => {
              response.writeHead(status, Object.fromEntries(headers));
              response.end(String(body).toUpperCase());
            });
          },
        }),
      ),
      { origins: [], verifyClient: () => false },
    );
    const foreign = await answerOf(await knock(port, { Origin: 'http://a.example' }));
    const unverified = await answerOf(await knock(port));

    expect([foreign.status, foreign.body.slice(0, 30)]).toEqual([
      403,
      'THE ORIGIN "HTTP://A.EXAMPLE" ',
    ]);
    expect([unverified.status, unverified.body]).toEqual([401, 'UNAUTHORIZED']);
    expect(unverified.headers).toMatchObject({ connection: 'close', 'content-length': '12' });
  });

  test('keeps headers elsewhere, which go with an answer in its place as far as they can be sent', async () => {
    const warnings: unknown[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => {
      warnings.push(warning);
    });
    try {
      const kept: Record<string, unknown>[] = [{ 'X-Rule': '1' }, { 'X-Rule': 'a\nb' }];
      const { port } = await openSite(
        withUpgrade((upgrade) => upgrade.keepsHeaders(() => kept.shift() ?? {})),
        { handshakeTimeout: 20 },
      );
      const [first, second] = [
        await answerOf(await knock(port)),
        await answerOf(await knock(port)),
      ];
      expect([first.status, first.headers['x-rule']]).toEqual([503, '1']);
      expect([second.status, second.headers['x-rule']]).toEqual([503, undefined]);
      expect(warnings.map(String)).toEqual([expect.stringContaining('ERR_INVALID_CHAR')]);
    } finally {
      warn.mockRestore();
    }
  });
});

test('accepting is the business of the gateway that the route belongs to', async () => {
  const dispatch = () => undefined;
  const other = new Gateway({ dispatch, routes: () => 'maybe' }, { origins: ['http://a.example'] });
  const { port, gateway } = await openSite(
    withUpgrade((upgrade) =>
      upgrade.accept(
        route(() => undefined),
        other,
      ),
    ),
  );

  const refused = await answerOf(await knock(port, { Origin: 'http://b.example' }));
  const client = await knock(port, { Origin: 'http://a.example' });

  expect(refused.status).toBe(403);
  expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
  expect([gateway.server.clients?.size, other.server.clients?.size]).toEqual([0, 1]);
});

test.each<[string, (response: ServerResponse) => unknown]>([
  ['writes a head and a body', (it) => it.writeHead(401, { 'X-Late': '1' }).end('late')],
  ['writes piece by piece', (it) => it.write('la') && it.end('te')],
  ['sets headers', (it) => it.setHeader('X-Late', '1').appendHeader('X-Late', '2')],
  ['takes headers back', (it) => it.removeHeader('Connection')],
])('an answer that is late harms nobody: it %s', async (_what, answer) => {
  const settled = deferred<unknown>();
  const { port } = await openSite(
    withUpgrade((_upgrade, response) => {
      response.once('finish', () => {
        response.once('error', settled.resolve);
        try {
          answer(response);
          setImmediate(settled.resolve, 'well');
        } catch (error) {
          settled.resolve(error);
        }
      });
    }),
    { handshakeTimeout: 20 },
  );
  const client = await answerOf(await knock(port));
  expect([client.status, client.body]).toEqual([503, 'The handshake took too long']);
  expect(await settled.promise).toBe('well');
});

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { GatewayOptions } from '../../src/upgrade/options';
import type { Handshake } from '../../src/upgrade/upgrade';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { App } from '../support/site';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  enter,
  knock,
  openSite,
  route,
  withUpgrade,
} from '../support/site';
import { useFakeTimeouts } from '../support/timeouts';

afterEach(async () => {
  jest.useRealTimers();
  await cleanUp();
});

/** Goes on when everything that is on its way has come. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
}

test('an ordinary request is no handshake', async () => {
  const seen: unknown[] = [];
  const { port } = await openSite((request, response) => {
    seen.push(upgradeOf(request));
    response.end();
  });
  const client = await connect(port);
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await client.rest();
  expect(seen).toEqual([undefined]);
});

describe('a handshake that breaks the rules is refused before the framework sees it', () => {
  test.each<[string, number, Record<string, string | null>, string | undefined, object]>([
    ['POST', 405, {}, 'POST / HTTP/1.1', { allow: 'GET' }],
    ['HTTP/1.0', 400, {}, 'GET / HTTP/1.0', {}],
    ['no Host', 400, { Host: null }, undefined, {}],
    ['a Host that is none', 400, { Host: 'a b' }, undefined, {}],
    ['a body', 400, { 'Content-Length': '4' }, undefined, {}],
    ['chunks', 400, { 'Transfer-Encoding': 'chunked' }, undefined, {}],
    [
      'version 8',
      426,
      { 'Sec-WebSocket-Version': '8' },
      undefined,
      { upgrade: 'websocket', 'sec-websocket-version': '13', connection: 'close, Upgrade' },
    ],
    [
      'version 0x0d',
      426,
      { 'Sec-WebSocket-Version': '0x0d' },
      undefined,
      { connection: 'close, Upgrade' },
    ],
    [
      'no version',
      426,
      { 'Sec-WebSocket-Version': null },
      undefined,
      { connection: 'close, Upgrade' },
    ],
    ['no key', 400, { 'Sec-WebSocket-Key': null }, undefined, {}],
    ['a key of 15 bytes', 400, { 'Sec-WebSocket-Key': 'MTIzNDU2Nzg5MDEyMzQ1' }, undefined, {}],
  ])('%s: %i', async (_what, status, headers, line, expected) => {
    const seen = jest.fn();
    const { port } = await openSite(seen);

    const answer = await answerOf(await knock(port, headers, line));

    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ connection: 'close', ...expected });
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(seen).not.toHaveBeenCalled();
  });
});

describe('accepting', () => {
  test('sends the 101 with what the application has set', async () => {
    const { port } = await openSite(
      withUpgrade((upgrade, response) => {
        response.setHeader('Set-Cookie', ['a=1', 'b=2']);
        response.setHeader('X-Powered-By', 'tests');
        response.setHeader('Content-Type', 'text/html');
        upgrade.accept(route((webSocket) => webSocket.send('hello')));
      }),
    );
    const client = await knock(port);

    expect((await client.head()).replace(/Date: [^\r]*/, 'Date')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
        'X-Powered-By: tests\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nDate\r\n\r\n',
    );
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('may wait as long as the application likes', async () => {
    const { port } = await openSite(
      withUpgrade((upgrade) => {
        setTimeout(() => upgrade.accept(route((webSocket) => webSocket.send('late'))), 30);
      }),
    );
    const client = await enter(port);
    expect((await client.frame())?.payload.toString()).toBe('late');
  });

  test('happens once', async () => {
    const handler = jest.fn();
    const { port, gateway } = await openSite(
      withUpgrade((upgrade) => {
        upgrade.accept(route(handler));
        upgrade.accept(route(handler));
      }),
    );
    await enter(port);
    await settled();
    expect(handler).toHaveBeenCalledTimes(1);
    expect(gateway.server.clients?.size).toBe(1);
  });

  test('is too late when the application has answered', async () => {
    const handler = jest.fn();
    const { port } = await openSite(
      withUpgrade((upgrade, response) => {
        response.writeHead(401, { 'X-Why': 'test' }).end('no');
        upgrade.accept(route(handler));
      }),
    );

    const { status, headers, body } = await answerOf(await knock(port));

    expect([status, headers['x-why'], headers.connection, body]).toEqual([
      401,
      'test',
      'close',
      'no',
    ]);
    expect(handler).not.toHaveBeenCalled();
  });

  test('is too late when the client has gone', async () => {
    const handler = jest.fn();
    const waiting = deferred<[Handshake, ServerResponse]>();
    const { port } = await openSite(withUpgrade((...both) => waiting.resolve(both)));
    const client = await knock(port);
    const [upgrade, response] = await waiting.promise;
    const closed = once(response, 'close');
    client.reset();
    await closed;

    upgrade.accept(route(handler));
    await settled();

    expect(handler).not.toHaveBeenCalled();
  });

  test('is not the framework’s 101, which nobody would take the socket of', async () => {
    const { port } = await openSite(
      withUpgrade((_upgrade, response) => response.writeHead(101, { Upgrade: 'mine' }).end()),
    );
    const client = await knock(port);
    expect((await client.rest()).toString()).toMatch(/^HTTP\/1\.1 101 /);
  });
});

describe('the origin', () => {
  const origins = (value: GatewayOptions['origins']) => ({ origins: value });

  test.each<[string, GatewayOptions, string | null, number]>([
    ['of nobody', {}, null, 101],
    ['of the application itself', {}, 'http://localhost', 101],
    ['of another site', {}, 'http://evil.example', 403],
    ['of another port', {}, 'http://localhost:8080', 403],
    ['of a sandboxed frame', {}, 'null', 403],
    ['that is listed', origins(['https://app.example']), 'https://app.example', 101],
    ['that is not listed', origins(['https://app.example']), 'http://localhost', 403],
    ['that a function allows', origins(() => true), 'http://evil.example', 101],
    ['that a function forbids', origins(() => false), 'http://localhost', 403],
    ['that a function allows later', origins(async () => true), 'http://evil.example', 101],
    ['that a function forbids later', origins(async () => false), 'http://localhost', 403],
    ['of anybody', origins('*'), 'http://evil.example', 101],
  ])('%s', async (_what, options, origin, status) => {
    const { port } = await openSite(
      accepting(() => undefined),
      options,
    );
    const client = await knock(port, { Origin: origin });

    const head = await client.head();

    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status === 403) {
      expect(head).toContain('Connection: close\r\n');
      expect((await client.rest()).toString()).toContain('The option "origins" allows others');
    }
  });

  test.each<[string, GatewayOptions['origins']]>([
    [
      'throws',
      () => {
        throw new Error('database down');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('database down'))],
  ])('where the function %s, the framework answers the error', async (_how, decide) => {
    const handler = jest.fn();
    const { port } = await openSite(
      withUpgrade((upgrade, response) =>
        upgrade.accept(
          route(handler, (error) => response.writeHead(500).end(`sorry: ${String(error)}`)),
        ),
      ),
      origins(decide),
    );

    const { status, body } = await answerOf(await knock(port, { Origin: 'http://localhost' }));

    expect([status, body]).toEqual([500, 'sorry: Error: database down']);
    expect(handler).not.toHaveBeenCalled();
  });

  test('where the function answers neither true nor false, the framework answers that', async () => {
    const { port } = await openSite(
      withUpgrade((upgrade, response) =>
        upgrade.accept(route(jest.fn(), (error) => response.writeHead(500).end(String(error)))),
      ),
      // What a program in JavaScript may do.
      origins((() => 'yes') as unknown as () => boolean),
    );
    const { status, body } = await answerOf(await knock(port, { Origin: 'http://localhost' }));
    expect(status).toBe(500);
    expect(body).toContain('it must be true or false');
  });

  test('is decided too late when the time is up, also while middleware still holds the 503', async () => {
    const handler = jest.fn();
    const decision = deferred<boolean>();
    const asked = deferred();
    const held = deferred<() => void>();
    const { port } = await openSite(
      withUpgrade((upgrade, response) => {
        const { end } = response;
        response.end = ((...args: unknown[]) => {
          held.resolve(() => Reflect.apply(end, response, args));
          return response;
        }) as typeof end;
        upgrade.accept(route(handler));
      }),
      {
        handshakeTimeout: 5_000,
        origins: () => {
          asked.resolve();
          return decision.promise;
        },
      },
    );
    useFakeTimeouts();
    const client = await knock(port, { Origin: 'http://localhost' });
    await asked.promise;
    jest.advanceTimersByTime(5_000);
    const release = await held.promise;
    decision.resolve(true);
    await settled();
    release();

    const { status, body } = await answerOf(client);
    expect([status, body]).toEqual([503, 'The handshake took too long']);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe('the time-out of the handshake', () => {
  /** A handshake that the application has seen and not answered. */
  async function pending(prepare: (response: ServerResponse) => void = () => undefined) {
    const waiting = deferred<[Handshake, ServerResponse]>();
    const { port } = await openSite(
      withUpgrade((upgrade, response) => {
        prepare(response);
        waiting.resolve([upgrade, response]);
      }),
      { handshakeTimeout: 5_000 },
    );
    useFakeTimeouts();
    const client = await knock(port);
    const [upgrade, response] = await waiting.promise;
    return { client, upgrade, response };
  }

  test('answers 503, with what the application has set', async () => {
    const { client, response } = await pending();
    response.setHeader('X-Powered-By', 'tests');
    jest.advanceTimersByTime(4_999);
    await settled();
    expect(response.headersSent).toBe(false);

    jest.advanceTimersByTime(1);

    const { status, headers, body } = await answerOf(client);
    expect([status, body]).toEqual([503, 'The handshake took too long']);
    expect(headers).toMatchObject({ 'x-powered-by': 'tests', connection: 'close' });
  });

  test('after it, accepting does nothing', async () => {
    const { client, upgrade } = await pending();
    const handler = jest.fn();
    jest.advanceTimersByTime(5_000);

    upgrade.accept(route(handler));

    expect((await answerOf(client)).status).toBe(503);
    await settled();
    expect(handler).not.toHaveBeenCalled();
  });

  test('after it, accepting does nothing while middleware still holds the 503', async () => {
    const release = deferred<() => void>();
    const { client, upgrade } = await pending((response) => {
      const { end } = response;
      response.end = ((...args: unknown[]) => {
        release.resolve(() => Reflect.apply(end, response, args));
        return response;
      }) as typeof end;
    });
    const handler = jest.fn();
    jest.advanceTimersByTime(5_000);
    upgrade.accept(route(handler));
    (await release.promise)();

    const { status, body } = await answerOf(client);
    expect([status, body]).toEqual([503, 'The handshake took too long']);
    expect(handler).not.toHaveBeenCalled();
  });

  test.each(['the 101', 'the 503'])(
    'cuts the connection where middleware never lets go of %s',
    async (what) => {
      const { client, upgrade, response } = await pending((it) => {
        it.end = (() => it) as ServerResponse['end'];
      });
      const handler = jest.fn();
      if (what === 'the 101') upgrade.accept(route(handler));
      else jest.advanceTimersByTime(5_000);
      expect(response.destroyed).toBe(false);

      jest.advanceTimersByTime(5_000);

      expect(await client.rest()).toEqual(Buffer.alloc(0));
      expect(handler).not.toHaveBeenCalled();
    },
  );

  test('is over when the application has answered, or the client has gone', async () => {
    const { client, response } = await pending();
    expect(jest.getTimerCount()).toBe(1);
    const closed = once(response, 'close');
    client.reset();
    await closed;
    expect(jest.getTimerCount()).toBe(0);
  });

  test('is over when the WebSocket is open', async () => {
    const { client, upgrade } = await pending();
    upgrade.accept(route(() => undefined));
    await client.head();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('lets a long answer go on as long as it moves', async () => {
    const { port } = await openSite(
      (_request, response) => {
        response.writeHead(200, { 'Content-Length': '12' });
        let sent = 0;
        const timer = setInterval(() => {
          response.write('.');
          sent += 1;
          if (sent < 12) return;
          clearInterval(timer);
          response.end();
        }, 50);
      },
      { handshakeTimeout: 300 },
    );
    expect((await answerOf(await knock(port))).body).toBe('............');
  });

  test('cuts a long answer that stands still', async () => {
    const { port } = await openSite(
      (_request, response) => {
        response.writeHead(200, { 'Content-Length': '12' });
        response.write('...');
      },
      { handshakeTimeout: 50 },
    );
    const client = await knock(port);
    expect(await client.head()).toMatch(/^HTTP\/1\.1 200/);
    expect((await client.rest()).toString()).toBe('...');
  });
});

describe.each<[string, App]>([
  [
    'throws',
    () => {
      throw new Error('not today');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('not today'))],
])('a framework that %s', (_how, app) => {
  test('costs that one client a 500, and the process is told', async () => {
    const warned = deferred<Error>();
    const emitWarning = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => warned.resolve(warning as Error));
    try {
      const { port } = await openSite(app);

      const { status, headers } = await answerOf(await knock(port));

      expect([status, headers.connection]).toEqual([500, 'close']);
      expect(await warned.promise).toEqual(new Error('not today'));
    } finally {
      emitWarning.mockRestore();
    }
  });
});

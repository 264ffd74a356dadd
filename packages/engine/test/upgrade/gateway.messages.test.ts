import { once } from 'node:events';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import type { GatewayOptions } from '../../src/upgrade/options';
import { checkRouteOptions } from '../../src/upgrade/options';
import { upgradeOf } from '../../src/upgrade/upgrade';
import type { WebSocket } from '../../src/websocket';
import { BINARY, CLOSE, PING, TEXT } from '../support/frames';
import type { RawClient } from '../support/raw-client';
import { request } from '../support/raw-client';
import {
  accepting,
  cleanUp,
  connect,
  deferred,
  enter,
  masked,
  openSite,
  route,
} from '../support/site';

afterEach(cleanUp);

/** Answers each message with what its listener was given. */
const mirror = accepting((webSocket) => {
  webSocket.on('message', (data: unknown, isBinary: boolean) =>
    webSocket.send(JSON.stringify([data, isBinary])),
  );
});

const text = (payload: string) => masked({ opcode: TEXT, payload });
const bye = masked({ opcode: CLOSE });

/** The texts that come, and code and reason of the close behind them. */
async function told(client: RawClient): Promise<unknown[]> {
  return (await client.frames()).map(({ first, payload }) => {
    if ((first & 15) !== CLOSE) return payload.toString();
    return payload.length === 0 ? 1005 : [payload.readUInt16BE(0), payload.toString('utf8', 2)];
  });
}

/** What becomes of messages of a gateway with these options. */
async function tell(options: GatewayOptions, ...messages: Buffer[]): Promise<unknown[]> {
  const { port } = await openSite(mirror, options);
  const client = await enter(port);
  client.write(...messages, bye);
  return told(client);
}

describe('a schema of', () => {
  test.each<[string, GatewayOptions['message']]>([
    ['zod', z.object({ room: z.string(), count: z.number().default(1) })],
    ['valibot', v.object({ room: v.string(), count: v.optional(v.number(), 1) })],
    ['arktype', type({ room: 'string', count: 'number = 1' })],
    [
      'zod, asynchronous',
      z.object({ room: z.string(), count: z.number().default(1) }).refine(async () => true),
    ],
    [
      'valibot, asynchronous',
      v.objectAsync({ room: v.string(), count: v.optional(v.number(), 1) }),
    ],
    [
      'our own, a function',
      (value: unknown) => ({ ...z.object({ room: z.string() }).parse(value), count: 1 }),
    ],
    [
      'our own, an asynchronous function',
      async (value: unknown) => ({ ...z.object({ room: z.string() }).parse(value), count: 1 }),
    ],
  ])(
    '%s: what it makes of a text is the data, and what is wrong closes with 1007',
    async (_name, message) => {
      const options = { message };
      expect(await tell(options, text('{"room":"red"}'), text('{"room":"blue"}'))).toEqual([
        '[{"room":"red","count":1},false]',
        '[{"room":"blue","count":1},false]',
        1005,
      ]);
      expect(await tell(options, text('{"room":"red"}'), text('{"room":5}'), text('{}'))).toEqual([
        '[{"room":"red","count":1},false]',
        [1007, 'The message is not valid'],
      ]);
      expect(await tell(options, text('{"room"'))).toEqual([[1007, 'The message is not valid']]);
      expect(await tell(options, masked({ opcode: BINARY, payload: '{"room":"red"}' }))).toEqual([
        [1003, 'Binary messages are not taken here'],
      ]);
    },
  );
});

describe('messages that are checked later', () => {
  test('stay in order, with what comes between them', async () => {
    const events: unknown[] = [];
    const done = deferred();
    const { port } = await openSite(
      accepting((webSocket) => {
        webSocket.on('message', (data: unknown) => events.push(data));
        webSocket.on('ping', (data: Buffer) => events.push(`ping ${data}`));
        webSocket.on('close', (code: number) => {
          events.push(code);
          done.resolve();
        });
      }),
      {
        message: async (value) => {
          // The later, the faster.
          await new Promise((resolve) => setTimeout(resolve, 12 - 3 * Number(value)));
          return value;
        },
      },
    );
    const client = await connect(port);
    const ping = (payload: string) => masked({ opcode: PING, payload });
    client.write(request(), text('1'), ping('a'), text('2'), text('3'), ping('b'), bye);
    await done.promise;
    expect(events).toEqual([1, 'ping a', 2, 3, 'ping b', 1005]);
  });

  test('are told before the end of a connection that is lost', async () => {
    const events: unknown[] = [];
    const ended = deferred();
    const check = deferred();
    const asked = deferred();
    const { port, gateway } = await openSite(
      accepting((webSocket) => {
        webSocket.on('message', (data: unknown) => events.push(data));
        webSocket.on('close', (code: number) => {
          events.push(code);
          ended.resolve();
        });
      }),
      {
        message: async (value) => {
          asked.resolve();
          await check.promise;
          return value;
        },
      },
    );
    const client = await enter(port);
    client.write(text('1'), text('2'));
    await asked.promise;
    const [{ _socket: socket }] = gateway.server.clients ?? [];
    socket?.destroy();
    await new Promise((resolve) => socket?.once('close', resolve));
    expect(events).toEqual([]);
    check.resolve();
    await ended.promise;
    expect(events).toEqual([1, 2, 1006]);
  });

  test('wait for a late listener as any other', async () => {
    const heard: unknown[] = [];
    const done = deferred();
    const { port } = await openSite(
      accepting(async (webSocket) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        webSocket.on('message', (data: unknown) => {
          heard.push(data);
          if (heard.length === 2) done.resolve();
        });
      }),
      { message: async (value) => value },
    );
    const client = await connect(port);
    client.write(request(), text('1'), text('2'));
    await done.promise;
    expect(heard).toEqual([1, 2]);
  });

  test('wait while the WebSocket is paused', async () => {
    const opened = deferred<WebSocket>();
    const asked = deferred();
    const check = deferred();
    const { port } = await openSite(accepting(opened.resolve), {
      message: async (value) => {
        asked.resolve();
        await check.promise;
        return value;
      },
    });
    const client = await enter(port);
    const webSocket = await opened.promise;
    const heard: unknown[] = [];
    webSocket.on('message', (data: unknown) => heard.push(data));
    client.write(text('1'));
    await asked.promise;
    webSocket.pause();
    check.resolve();
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    expect(heard).toEqual([]);
    const message = once(webSocket, 'message');
    webSocket.resume();
    expect(await message).toEqual([1, false]);
  });

  test('stop the reading of others', async () => {
    let checks = 0;
    const asked = deferred();
    const app = accepting((webSocket) => webSocket.on('message', () => undefined));
    const { port, gateway } = await openSite(app, {
      message: () => {
        checks += 1;
        asked.resolve();
        return new Promise(() => undefined);
      },
    });
    const client = await enter(port);
    const large = text(JSON.stringify('x'.repeat(64 * 1024)));
    for (let count = 0; count < 500; count++) client.write(large);
    await asked.promise;
    const [webSocket] = gateway.server.clients ?? [];
    while (webSocket._socket?.isPaused() !== true) await new Promise(setImmediate);
    const { _socket: socket } = webSocket as unknown as { _socket: { bytesRead: number } };
    let before = -1;
    while (before !== socket.bytesRead) {
      before = socket.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(socket.bytesRead).toBeLessThan(1024 * 1024);
    expect(checks).toBe(1);
  });
});

describe('onInvalidMessage', () => {
  test('answers in place of the close, and the connection goes on', async () => {
    const seen: unknown[] = [];
    const { port } = await openSite(mirror, {
      message: z.object({ n: z.number() }),
      onInvalidMessage: (issues, webSocket, { url }) => {
        seen.push(url);
        webSocket.send(`error: ${issues.length} ${issues[0].path?.join('.') ?? 'no path'}`);
      },
    });
    const client = await enter(port, 'GET /chat HTTP/1.1');
    client.write(
      text('{"n":"1"}'),
      text('no json'),
      masked({ opcode: BINARY, payload: '{}' }),
      text('{"n":1}'),
      bye,
    );
    expect(await told(client)).toEqual([
      'error: 1 n',
      'error: 1 no path',
      'error: 1 no path',
      '[{"n":1},false]',
      1005,
    ]);
    expect(seen).toEqual(['/chat', '/chat', '/chat']);
  });

  test('may close with a code of its own', async () => {
    const onInvalidMessage: GatewayOptions['onInvalidMessage'] = (issues, webSocket) =>
      webSocket.close(4000, issues[0].message);
    const message = z.object({ n: z.number('a number, please') });
    expect(await tell({ message, onInvalidMessage }, text('{"n":"1"}'))).toEqual([
      [4000, 'a number, please'],
    ]);
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('that %s is a handler that has failed', async (_what, onInvalidMessage) => {
    const errors: unknown[] = [];
    const onError = (error: unknown): unknown => errors.push(error);
    const { port } = await openSite(mirror, {
      message: (value) => value,
      onInvalidMessage,
      onError,
    });
    const client = await enter(port);
    client.write(text('no json'));
    const frame = await client.frame();
    expect([frame?.first, frame?.payload]).toEqual([0x88, Buffer.from([0x03, 0xf3])]);
    expect(errors).toEqual([new Error('broken')]);
  });

  test('that throws is told once, whatever comes behind', async () => {
    const errors: unknown[] = [];
    let calls = 0;
    const told = await tell(
      {
        message: z.number(),
        onInvalidMessage: () => {
          calls += 1;
          throw new Error('broken');
        },
        onError: (error) => errors.push(error),
      },
      ...Array.from({ length: 10 }, () => text('"no number"')),
    );
    expect(told).toEqual([[1011, '']]);
    expect([calls, errors]).toEqual([1, [new Error('broken')]]);
  });

  test('of a route goes before that of the gateway, and holds for the gateway’s schema', async () => {
    const options = checkRouteOptions({
      onInvalidMessage: (_issues: unknown, webSocket: WebSocket) => webSocket.send('route'),
    });
    const { port } = await openSite(
      (request) =>
        upgradeOf(request)?.accept({
          ...route((webSocket) => webSocket.on('message', () => webSocket.send('heard'))),
          options: request.url === '/own' ? options : undefined,
        }),
      {
        message: z.number(),
        onInvalidMessage: (_issues, webSocket) => webSocket.send('gateway'),
      },
    );
    for (const [path, answer] of [
      ['/own', 'route'],
      ['/none', 'gateway'],
    ]) {
      const client = await enter(port, `GET ${path} HTTP/1.1`);
      client.write(text('"1"'), bye);
      expect(await told(client)).toEqual([answer, 1005]);
    }
  });
});

describe('a validator that fails itself', () => {
  const broken = new Error('no database');

  test.each<[string, GatewayOptions['message']]>([
    [
      'throws',
      () => {
        throw broken;
      },
    ],
    ['rejects', () => Promise.reject(broken)],
    [
      'throws, in a schema',
      z.unknown().transform(() => {
        throw broken;
      }),
    ],
    [
      'rejects, in a schema',
      v.pipeAsync(
        v.unknown(),
        v.checkAsync(() => Promise.reject(broken)),
      ),
    ],
  ])('because it %s is told once, and the client gets 1011', async (_what, message) => {
    const errors: unknown[] = [];
    const seen: unknown[] = [];
    const told = await tell(
      {
        message,
        onError: (error) => errors.push(error),
        onInvalidMessage: (issues) => seen.push(issues),
      },
      text('1'),
      text('2'),
    );
    expect(told).toEqual([[1011, '']]);
    expect(errors).toEqual([broken]);
    expect(seen).toEqual([]);
  });
});

test('a route may have a schema of its own, or none', async () => {
  const own = checkRouteOptions({ message: z.array(z.number()) });
  const none = checkRouteOptions({ message: false });
  const { port } = await openSite(
    (request) =>
      upgradeOf(request)?.accept({
        ...route((webSocket) =>
          webSocket.on('message', (data: unknown) => webSocket.send(JSON.stringify(data))),
        ),
        options: { '/own': own, '/none': none }[request.url ?? ''],
      }),
    { message: z.string() },
  );
  const answers = async (path: string, message: string) => {
    const client = await enter(port, `GET ${path} HTTP/1.1`);
    client.write(text(message), bye);
    return (await told(client))[0];
  };
  expect(await answers('/own', '[1,2]')).toBe('[1,2]');
  expect(await answers('/own', '"a"')).toEqual([1007, 'The message is not valid']);
  expect(await answers('/other', '"a"')).toBe('"a"');
  expect(await answers('/other', '[1]')).toEqual([1007, 'The message is not valid']);
  expect(await answers('/none', 'no json')).toBe('"no json"');
});

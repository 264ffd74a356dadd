import { EarlyWebSocket } from '../../src/upgrade/early';
import { upgradeOf } from '../../src/upgrade/upgrade';
import { WebSocket } from '../../src/websocket';
import { CLOSE, PING, TEXT } from '../support/frames';
import type { SiteOptions } from '../support/site';
import {
  answerOf,
  cleanUp,
  deferred,
  enter,
  knock,
  masked,
  openSite,
  route,
} from '../support/site';

afterEach(cleanUp);

/** A site that gives its WebSocket to `early` before it answers, with the function that accepts. */
async function openEarly(
  early: (webSocket: EarlyWebSocket, accept: () => void) => void,
  handle: (webSocket: EarlyWebSocket) => unknown = (webSocket) => webSocket.begin(),
  options: SiteOptions = {},
  onError?: (error: unknown) => void,
) {
  return openSite((request) => {
    const upgrade = upgradeOf(request);
    const webSocket = upgrade?.giveEarly(undefined);
    if (upgrade === undefined || webSocket === undefined) throw new Error('No handshake');
    const accepted = route((it) => {
      expect(it).toBe(webSocket);
      return handle(webSocket);
    }, onError);
    early(webSocket, () => upgrade.accept({ ...accepted, webSocket }));
  }, options);
}

describe('an early WebSocket', () => {
  test('is a WebSocket on its way', async () => {
    const seen: unknown[] = [];
    const { port, gateway } = await openEarly((webSocket, accept) => {
      seen.push(webSocket instanceof WebSocket, webSocket.readyState, webSocket.bufferedAmount);
      accept();
    });
    await enter(port);
    const [webSocket] = gateway.server.clients;
    expect(seen).toEqual([true, WebSocket.CONNECTING, 0]);
    expect(webSocket).toBeInstanceOf(EarlyWebSocket);
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
  });

  test('does what it was told when there is a connection, in order', async () => {
    const told: unknown[] = [];
    const { port } = await openEarly((webSocket, accept) => {
      expect(webSocket.send('one', (error) => told.push(error))).toBe(true);
      webSocket.ping('two');
      webSocket.send(Buffer.from('three'), { binary: false });
      accept();
      webSocket.pong('four');
    });
    const client = await enter(port);
    const frames = [];
    for (let count = 0; count < 4; count++) frames.push(await client.frame());
    expect(frames.map((frame) => [(frame?.first ?? 0) & 15, String(frame?.payload)])).toEqual([
      [TEXT, 'one'],
      [PING, 'two'],
      [TEXT, 'three'],
      [10, 'four'],
    ]);
    expect(told).toEqual([undefined]);
  });

  test('goes on like any other', async () => {
    const { port } = await openEarly((webSocket, accept) => {
      // A listener that is there before the connection is.
      webSocket.on('message', (text) => webSocket.send(`got ${text}`));
      accept();
    });
    const client = await enter(port);
    client.write(masked({ opcode: TEXT, payload: 'hi' }));
    expect(String((await client.frame())?.payload)).toBe('got hi');
  });

  test('gives text as a string, and keeps the limits of the gateway', async () => {
    const seen: unknown[] = [];
    const { port } = await openEarly(
      (webSocket, accept) => {
        webSocket.on('message', (text) => seen.push(text));
        accept();
      },
      undefined,
      { maxPayload: 5 },
    );
    const client = await enter(port);
    client.write(masked({ opcode: TEXT, payload: 'hello' }));
    client.write(masked({ opcode: TEXT, payload: 'too long' }));
    expect((await client.frame())?.payload.readUInt16BE(0)).toBe(1009);
    expect(seen).toEqual(['hello']);
  });

  test('may be closed before it is open', async () => {
    const closed = deferred<unknown[]>();
    const { port } = await openEarly((webSocket, accept) => {
      webSocket.on('close', (...details) => closed.resolve(details));
      webSocket.send('bye');
      webSocket.close(4001, 'not you');
      accept();
    });
    const client = await enter(port);
    expect(String((await client.frame())?.payload)).toBe('bye');
    const frame = await client.frame();
    expect([frame?.first, frame?.payload.readUInt16BE(0)]).toEqual([0x80 | CLOSE, 4001]);
    client.write(masked({ opcode: CLOSE, payload: frame?.payload ?? '' }));
    expect(await closed.promise).toEqual([4001, Buffer.from('not you')]);
  });

  test('may be terminated before it is open', async () => {
    const { port } = await openEarly((webSocket, accept) => {
      webSocket.terminate();
      accept();
    });
    const client = await enter(port);
    expect(await client.rest()).toEqual(Buffer.alloc(0));
  });

  test('may be paused before it is open', async () => {
    const seen: unknown[] = [];
    const early = deferred<EarlyWebSocket>();
    const { port } = await openEarly((webSocket, accept) => {
      webSocket.on('message', (text) => seen.push(text));
      webSocket.on('ping', () => seen.push('ping'));
      webSocket.pause();
      early.resolve(webSocket);
      accept();
    });
    const client = await enter(port);
    const webSocket = await early.promise;
    client.write(masked({ opcode: TEXT, payload: 'hi' }));
    await new Promise(setImmediate);
    expect([webSocket.isPaused, seen]).toEqual([true, []]);
    const heard = new Promise((resolve) => webSocket.once('message', resolve));
    webSocket.resume();
    await heard;
    expect(seen).toEqual(['hi']);
  });

  test('an action that is wrong is the handler’s failure; the others are done', async () => {
    const failed = deferred<unknown>();
    const { port } = await openEarly(
      (webSocket, accept) => {
        webSocket.send('one');
        Reflect.apply(webSocket.send, webSocket, [{}]);
        webSocket.send('two');
        accept();
      },
      undefined,
      undefined,
      failed.resolve,
    );
    const client = await enter(port);
    expect(String((await client.frame())?.payload)).toBe('one');
    expect(String((await client.frame())?.payload)).toBe('two');
    expect((await client.frame())?.payload.readUInt16BE(0)).toBe(1011);
    expect(await failed.promise).toMatchObject({ name: 'TypeError' });
  });
});

describe('an early WebSocket that is not accepted', () => {
  const OUTCOMES: [string, Record<string, string>, SiteOptions, boolean, number][] = [
    ['because of its origin', { Origin: 'http://evil.example' }, {}, true, 403],
    ['by verifyClient', {}, { verifyClient: () => false }, true, 401],
    ['because the time is over', {}, { handshakeTimeout: 20 }, false, 503],
  ];

  test.each(OUTCOMES)('%s is told so', async (_why, headers, options, accepts, status) => {
    const events: unknown[] = [];
    const closed = deferred();
    const { port } = await openEarly(
      (webSocket, accept) => {
        webSocket.on('open', () => events.push('open'));
        webSocket.on('error', () => events.push('error'));
        webSocket.on('close', (code, reason) => {
          events.push([code, String(reason), webSocket.readyState]);
          closed.resolve();
        });
        webSocket.send('never', (error) => events.push(error?.message));
        webSocket.close(1000);
        if (accepts) accept();
      },
      undefined,
      options,
    );
    expect((await answerOf(await knock(port, headers))).status).toBe(status);
    await closed.promise;
    expect(events).toEqual([
      'WebSocket is not open: readyState 3 (CLOSED)',
      [1006, '', WebSocket.CLOSED],
    ]);
  });

  test('nor is one that is asked for too late', async () => {
    const closed = deferred<unknown[]>();
    const { port } = await openSite((request, response) => {
      const upgrade = upgradeOf(request);
      response.writeHead(404).end();
      response.once('close', () => {
        const webSocket = upgrade?.giveEarly(undefined);
        webSocket?.on('close', (...details: unknown[]) => closed.resolve(details));
      });
    });
    expect((await answerOf(await knock(port))).status).toBe(404);
    expect(await closed.promise).toEqual([1006, Buffer.alloc(0)]);
  });

  test('an action that is wrong is a warning', async () => {
    const warned = deferred<unknown>();
    const emitWarning = jest
      .spyOn(process, 'emitWarning')
      .mockImplementation((warning) => warned.resolve(warning));
    try {
      const webSocket = new EarlyWebSocket({});
      Reflect.apply(webSocket.send, webSocket, [{}]);
      webSocket.abandon();
      webSocket.abandon();
      expect(String(await warned.promise)).toContain('TypeError');
      expect(emitWarning).toHaveBeenCalledTimes(1);
    } finally {
      emitWarning.mockRestore();
    }
  });
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import { HandshakeError } from '../../src/handshake/error';
import { Gateway } from '../../src/upgrade/gateway';
import { InjectionRefused } from '../../src/upgrade/inject';
import type { GatewayOptions } from '../../src/upgrade/options';
import type { WebSocket } from '../../src/websocket';
import { pattern } from '../support/bytes';
import { startProgram } from '../support/programs';
import type { App } from '../support/site';
import { accepting, cleanUp, deferred, enter, openSite } from '../support/site';

afterEach(cleanUp);

/** A gateway that no server knows of. */
function gatewayOf(app: App, options?: GatewayOptions): Gateway {
  return new Gateway({ dispatch: app, routes: () => 'maybe' }, options);
}

/** The next message, as text. */
const message = async (webSocket: WebSocket) => String((await once(webSocket, 'message'))[0]);

/** What a promise rejects with. */
async function reason(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'not rejected',
    (error: unknown) => error,
  );
}

const echo = accepting((webSocket) => {
  webSocket.on('message', (data: Buffer) => webSocket.send(data));
});

describe('a WebSocket that is injected', () => {
  test('is open, and messages go both ways', async () => {
    const gateway = gatewayOf(echo);
    const client = await gateway.inject('/');
    expect(client.readyState).toBe(1);
    client.send('hello');
    expect(await message(client)).toBe('hello');
    expect(gateway.server.clients?.size).toBe(1);
    client.close(4000, 'bye');
    expect(await once(client, 'close')).toEqual([4000, Buffer.from('bye')]);
    while (gateway.server.clients?.size !== 0) await new Promise(setImmediate);
  });

  test('loses nothing that comes before its listener', async () => {
    const gateway = gatewayOf(
      accepting((webSocket) => {
        for (const text of ['one', 'two', 'three']) webSocket.send(text);
        webSocket.close(4001);
      }),
    );
    const client = await gateway.inject('/');
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    const events: unknown[] = [];
    client.on('message', (data: Buffer) => events.push(String(data)));
    client.on('close', (code: number) => events.push(code));
    await once(client, 'close');
    expect(events).toEqual(['one', 'two', 'three', 4001]);
  });

  test('is a handshake as the framework knows it', async () => {
    const seen = deferred<IncomingMessage>();
    const gateway = gatewayOf((request, response) => {
      seen.resolve(request);
      response.setHeader('Set-Cookie', 'a=1');
      echo(request, response);
    });
    const answer = deferred<IncomingMessage>();
    await gateway.inject('/chat/red?token=1', {
      headers: { cookie: 'session=2', 'X-Forwarded-For': '192.0.2.1' },
      onInit: (webSocket) => webSocket.on('upgrade', answer.resolve),
    });
    const { method, url, httpVersion, headers, socket } = await seen.promise;
    expect({ method, url, httpVersion }).toEqual({
      method: 'GET',
      url: '/chat/red?token=1',
      httpVersion: '1.1',
    });
    expect(headers).toMatchObject({
      host: 'localhost',
      cookie: 'session=2',
      'x-forwarded-for': '192.0.2.1',
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
    });
    expect(headers).not.toHaveProperty('sec-websocket-extensions');
    expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', encrypted: false });
    expect((await answer.promise).headers['set-cookie']).toEqual(['a=1']);
  });

  test('has the address that it is given', async () => {
    const gateway = gatewayOf(
      accepting((webSocket, { socket }) => webSocket.send(String(socket.remoteAddress))),
    );
    const client = await gateway.inject('/', { remoteAddress: '192.0.2.7' });
    expect(await message(client)).toBe('192.0.2.7');
  });

  test('asks for subprotocols and compression where it is told to', async () => {
    const gateway = gatewayOf(echo, { subprotocols: ['b'], perMessageDeflate: true });
    const client = await gateway.inject('/', {
      subprotocols: ['a', 'b'],
      perMessageDeflate: true,
    });
    expect([client.protocol, client.extensions]).toEqual(['b', 'permessage-deflate']);
    const text = 'compress me '.repeat(10_000);
    client.send(text);
    expect(await message(client)).toBe(text);
    expect((await gateway.inject('/')).extensions).toBe('');
  });

  test('carries more than a stream keeps, both ways', async () => {
    const gateway = gatewayOf(echo, { maxPayload: 0 });
    const client = await gateway.inject('/');
    const payload = pattern(3 * 1024 * 1024);
    client.send(payload);
    client.send('end');
    const received: Buffer[] = [];
    client.on('message', (data: Buffer) => received.push(data));
    while (received.length < 2) await once(client, 'message');
    expect(received[0].equals(payload)).toBe(true);
    expect(String(received[1])).toBe('end');
  });

  test('shares no memory with the other side', async () => {
    const sent = Buffer.alloc(64 * 1024, 'x');
    const gateway = gatewayOf(accepting((webSocket) => void webSocket.send(sent)));
    const client = await gateway.inject('/');
    const [received]: Buffer[] = await once(client, 'message');
    received.fill('y');
    expect(sent.equals(Buffer.alloc(64 * 1024, 'x'))).toBe(true);
  });

  test('that is terminated is 1006 on the other side', async () => {
    const opened = deferred<WebSocket>();
    const gateway = gatewayOf(accepting(opened.resolve));
    const client = await gateway.inject('/');
    const server = await opened.promise;
    client.terminate();
    expect((await once(server, 'close'))[0]).toBe(1006);

    const again = deferred<WebSocket>();
    const other = await gatewayOf(
      accepting((webSocket) => {
        again.resolve(webSocket);
      }),
    ).inject('/');
    (await again.promise).terminate();
    expect((await once(other, 'close'))[0]).toBe(1006);
  });

  test('stands beside those of a server that listens', async () => {
    const { port, gateway, server } = await openSite(
      accepting((webSocket) => webSocket.send('hello')),
    );
    const injected = await gateway.inject('/');
    const dialled = await enter(port);
    expect(await message(injected)).toBe('hello');
    expect((await dialled.frame())?.payload.toString()).toBe('hello');
    expect(gateway.server.clients?.size).toBe(2);

    // Injecting goes on when the server has stopped.
    dialled.socket.destroy();
    await new Promise((settle) => server.close(settle));
    expect(await message(await gateway.inject('/'))).toBe('hello');
  });

  test('keeps no process alive', async () => {
    const program = startProgram(resolve(__dirname, '../programs/inject.ts'));
    expect(await program.line()).toBe('hello');
    expect(await program.ended).toEqual({ code: 0, signal: null, errors: '' });
  });
});

describe('onInit and onOpen', () => {
  test('are given the WebSocket before its handshake, and before its first message', async () => {
    const events: unknown[] = [];
    const gateway = gatewayOf((request, response) => {
      events.push('handshake');
      accepting((webSocket) => webSocket.send('hello'))(request, response);
    });
    const seen: unknown[] = [];
    const client = await gateway.inject('/', {
      onInit: (webSocket) => {
        seen.push(webSocket);
        events.push(`init ${webSocket.readyState}`);
        webSocket.on('message', (data: Buffer) => events.push(String(data)));
      },
      onOpen: (webSocket) => {
        seen.push(webSocket);
        events.push(`open ${webSocket.readyState}`);
      },
    });
    await once(client, 'message');
    expect(events).toEqual(['init 0', 'handshake', 'open 1', 'hello']);
    expect(seen).toEqual([client, client]);
  });

  test.each(['onInit', 'onOpen'] as const)('what %s throws is the answer', async (name) => {
    const gateway = gatewayOf(echo);
    const error = new Error('broken');
    let webSocket: WebSocket | undefined;
    const rejected = gateway.inject('/', {
      [name]: (it: WebSocket) => {
        webSocket = it;
        throw error;
      },
    });
    expect(await reason(rejected)).toBe(error);
    if (webSocket?.readyState !== 3) await once(webSocket as WebSocket, 'close');
  });
});

describe('a handshake that is refused', () => {
  test('is an error with the whole answer', async () => {
    const body = 'no '.repeat(100_000);
    const gateway = gatewayOf((_request, response) => {
      response.writeHead(401, { 'X-Reason': 'token', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end(body);
    });
    const events: unknown[] = [];
    const error = await reason(
      gateway.inject('/', {
        onInit: (webSocket) =>
          webSocket
            .on('error', (it: unknown) => events.push(it))
            .on('close', (code: number) => events.push(code)),
      }),
    );
    expect(error).toBeInstanceOf(InjectionRefused);
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({
      message: 'Unexpected server response: 401',
      code: 'WS_ERR_UNEXPECTED_RESPONSE',
      status: 401,
      statusCode: 401,
      headers: { 'x-reason': 'token', 'set-cookie': ['a=1', 'b=2'], connection: 'close' },
      body,
    });
    expect(events).toEqual([error, 1006]);
  });

  test.each<[string, number, string]>([
    ['POST', 405, 'A WebSocket handshake is a GET request (RFC 6455 4.2.1)'],
    ['DELETE', 405, 'A WebSocket handshake is a GET request (RFC 6455 4.2.1)'],
  ])('as %s is, before the framework sees it', async (method, status, body) => {
    const seen = jest.fn();
    const error = await reason(gatewayOf(seen).inject('/', { method }));
    expect(error).toMatchObject({ status, body, headers: { allow: 'GET' } });
    expect(seen).not.toHaveBeenCalled();
  });

  test('as a page of someone else’s is', async () => {
    const gateway = gatewayOf(echo);
    expect(await reason(gateway.inject('/', { origin: 'https://a.example' }))).toMatchObject({
      status: 403,
    });
    await gateway.inject('/', { origin: 'http://localhost' });
  });

  test('because the application took too long', async () => {
    const gateway = gatewayOf(() => undefined, { handshakeTimeout: 20 });
    expect(await reason(gateway.inject('/'))).toMatchObject({
      status: 503,
      body: 'The handshake took too long',
    });
  });

  test('without an answer is the connection’s error', async () => {
    const gateway = gatewayOf((request) => request.socket.destroy());
    expect(await reason(gateway.inject('/'))).toMatchObject({ code: 'ECONNRESET' });
  });

  test('with half an answer is the connection’s error', async () => {
    const gateway = gatewayOf((request, response) => {
      response.writeHead(401, { 'Content-Length': 10 });
      response.write('half');
      setImmediate(() => request.socket.destroy());
    });
    expect(await reason(gateway.inject('/'))).toMatchObject({
      message: 'aborted',
      code: 'ECONNRESET',
    });
  });

  test('is over when the client has given up', async () => {
    const gateway = gatewayOf((_request, response) => {
      response.writeHead(401);
      response.write('half');
    });
    const rejected = gateway.inject('/', {
      onInit: (webSocket) => webSocket.once('unexpected-response', () => webSocket.close()),
    });
    expect(await reason(rejected)).toMatchObject({ code: 'WS_ERR_CLOSED_BEFORE_OPEN' });
  });
});

describe('what can be no handshake throws', () => {
  test.each<[unknown]>([['chat'], [''], [undefined], [5], ['http://localhost/']])(
    'the path %p',
    async (path) => {
      const error = await reason(gatewayOf(echo).inject(path as string));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(
        /^The path must be a string that begins with a slash, got /,
      );
    },
  );

  test.each<[object, string]>([
    [{ method: 'A B' }, 'The "method" option must be the name of a method, got "A B"'],
    [{ method: 5 }, 'The "method" option must be the name of a method, got 5'],
    [{ headers: [] }, 'The "headers" option must be a plain object, got []'],
    [{ headers: { a: 'b\r\nc: d' } }, 'Invalid character in header content ["a"]'],
  ])('%p', async (options, message) => {
    const error = await reason(gatewayOf(echo).inject('/', options));
    // Node's own come from another realm than jest's.
    expect(error).toMatchObject({ name: 'TypeError', message });
  });
});

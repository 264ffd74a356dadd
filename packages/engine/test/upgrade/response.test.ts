import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { upgradeOf } from '../../src/upgrade/upgrade';
import { pattern } from '../support/bytes';
import { TEXT } from '../support/frames';
import { request } from '../support/raw-client';
import {
  accepting,
  answerOf,
  cleanUp,
  connect,
  deferred,
  knock,
  masked,
  openSite,
  parseAnswer,
} from '../support/site';

afterEach(cleanUp);

const MIB = 1024 * 1024;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** `size` bytes of text in which no two places close to each other look alike. */
function longText(size: number): string {
  return pattern(size).toString('base64').slice(0, size);
}

/** An app that greets WebSockets and leaves plain requests to the test. */
function greeting(plain: (response: ServerResponse, url: string) => void) {
  const accept = accepting((webSocket) => webSocket.send('hello'));
  return (...[req, res]: Parameters<typeof accept>) =>
    upgradeOf(req) === undefined ? plain(res, req.url ?? '') : accept(req, res);
}

describe('behind a pipelined request', () => {
  test('an upgrade waits for its turn', async () => {
    const waiting = deferred<ServerResponse>();
    const { port } = await openSite(greeting((response) => waiting.resolve(response)));
    const client = await connect(port);

    client.write(get('/page'), request());
    const response = await waiting.promise;
    // A later turn of the loop, so that the upgrade has been seen for certain.
    await new Promise(setImmediate);
    response.end('the page');

    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK/);
    const rest = await client.head();
    expect(rest).toMatch(/^the pageHTTP\/1\.1 101 Switching Protocols/);
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('an upgrade waits for all that came before it, in whatever order they are answered', async () => {
    const responses = new Map<string, ServerResponse>();
    const all = deferred<void>();
    const { port } = await openSite(
      greeting((response, url) => {
        responses.set(url, response);
        if (responses.size === 3) all.resolve();
      }),
    );
    const client = await connect(port);

    client.write(get('/1'), get('/2'), get('/3'), request());
    await all.promise;
    for (const url of ['/3', '/2', '/1']) responses.get(url)?.end(`body of ${url}.`);

    expect(await client.head()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(await client.head()).toMatch(/^body of \/1\.HTTP\/1\.1 200 OK/);
    expect(await client.head()).toMatch(/^body of \/2\.HTTP\/1\.1 200 OK/);
    expect(await client.head()).toMatch(/^body of \/3\.HTTP\/1\.1 101 /);
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('a long answer is sent to its end first', async () => {
    const body = longText(2 * MIB);
    const { port } = await openSite(
      greeting((response) => {
        response.setHeader('Content-Length', body.length);
        Readable.from(body.match(/.{1,65536}/g) ?? []).pipe(response);
      }),
    );
    const client = await connect(port);

    client.write(get('/long'), request());

    expect(await client.head()).toContain('Content-Length: 2097152');
    const second = await client.head();
    expect(second.slice(0, body.length) === body).toBe(true);
    expect(second.slice(body.length)).toMatch(/^HTTP\/1\.1 101 /);
    expect((await client.frame())?.payload.toString()).toBe('hello');
  });

  test('nobody answers an upgrade whose client has gone before its turn', async () => {
    const waiting = deferred<ServerResponse>();
    const seen: (string | undefined)[] = [];
    const { port } = await openSite((req, response) => {
      seen.push(req.url);
      waiting.resolve(response);
    });
    const client = await connect(port);

    client.write(get('/page'), request({}, 'GET /socket HTTP/1.1'));
    const response = await waiting.promise;
    const closed = once(response, 'close');
    client.reset();
    await closed;
    response.end('too late');
    await new Promise(setImmediate);

    expect(seen).toEqual(['/page']);
  });
});

describe('behind an upgrade', () => {
  test('a second one is taken for the first WebSocket’s frames, and no answer is written among them', async () => {
    const { port } = await openSite(accepting(() => undefined));
    const client = await connect(port);

    client.write(request(), request());

    expect(await client.head()).toMatch(/^HTTP\/1\.1 101 /);
    const frames = await client.frames();
    // "GE" is the start of a frame with a reserved bit.
    expect(frames).toEqual([{ first: 0x88, masked: false, payload: Buffer.from([0x03, 0xea]) }]);
  });

  test('nothing is answered where the upgrade was refused', async () => {
    const seen: (string | undefined)[] = [];
    const { port } = await openSite((req, response) => {
      seen.push(req.url);
      response.writeHead(401).end('no');
    });
    const client = await connect(port);

    client.write(request({}, 'GET /socket HTTP/1.1'), get('/smuggled'));
    const { status, headers, body } = await answerOf(client);

    expect([status, headers.connection, body]).toEqual([401, 'close', 'no']);
    expect(seen).toEqual(['/socket']);
  });
});

describe('a large refusal arrives whole, although the client has sent frames already', () => {
  const body = longText(MIB);
  const early = Buffer.concat(
    Array.from({ length: 2_000 }, (_, index) =>
      masked({ opcode: TEXT, payload: `early ${index} ${'x'.repeat(100)}` }),
    ),
  );

  test.each<[string, (response: ServerResponse) => void]>([
    ['written at once', (response) => response.end(body)],
    ['piped', (response) => Readable.from(body.match(/.{1,10000}/g) ?? []).pipe(response)],
    [
      'through pipeline()',
      (response) =>
        void pipeline(Readable.from([body.slice(0, 500_000), body.slice(500_000)]), response),
    ],
    [
      'written, and piped behind',
      (response) => {
        response.write(body.slice(0, 500_000));
        response.once('drain', () => Readable.from([body.slice(500_000)]).pipe(response));
      },
    ],
  ])('%s', async (_how, send) => {
    const { port } = await openSite((_req, response) => {
      response.writeHead(403, { 'X-Rule': 'test' });
      send(response);
    });
    const client = await connect(port);
    client.write(request(), early);

    const answer = await answerOf(client);

    expect(answer.status).toBe(403);
    expect(answer.headers).toMatchObject({ 'x-rule': 'test', connection: 'close' });
    expect(answer.body === body).toBe(true);
  });
});

describe('the response of an upgrade', () => {
  test('tells by writableNeedDrain what the socket tells', async () => {
    const seen: unknown[] = [];
    const { port } = await openSite((_req, response) => {
      seen.push(response.writableNeedDrain, response.write('x'.repeat(MIB)));
      seen.push(response.writableNeedDrain);
      response.once('drain', () => {
        seen.push('drain', response.writableNeedDrain);
        response.end();
        seen.push(response.writableNeedDrain);
      });
    });
    const client = await knock(port);
    await client.rest();

    expect(seen).toEqual([false, false, true, 'drain', false, false]);
  });

  test('closes, and its request too, when the client goes away', async () => {
    const started = deferred();
    const closed = deferred<unknown>();
    const { port } = await openSite((req, response) => {
      started.resolve();
      closed.resolve(Promise.all([once(response, 'close'), once(req, 'close')]));
    });
    const client = await knock(port);

    await started.promise;
    client.reset();

    await closed.promise;
  });

  test('closes when it has been sent', async () => {
    const events: string[] = [];
    const { port } = await openSite((req, response) => {
      req.on('aborted', () => events.push('aborted'));
      response.on('finish', () => events.push('finish')).on('close', () => events.push('close'));
      response.end('page');
    });
    const client = await knock(port);

    expect(
      parseAnswer(Buffer.concat([Buffer.from(await client.head()), await client.rest()])).body,
    ).toBe('page');
    expect(events).toEqual(['finish', 'close']);
  });

  test('is answered once: what comes after the end of the client’s side still finds its way', async () => {
    const { port } = await openSite((_req, response) => {
      setImmediate(() => response.writeHead(404).end('nothing'));
    });
    const client = await knock(port);
    client.end();

    expect((await answerOf(client)).body).toBe('nothing');
  });
});

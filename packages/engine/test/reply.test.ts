import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { createRefusal } from '../src/handshake/refusal';
import { ResponseReply, releaseSocket, SocketReply } from '../src/reply';
import { answerOf, cleanUp, connect, later, listen } from './support/site';
import { socketPair } from './support/sockets';

afterEach(cleanUp);

const HEADERS = [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
] as const;

/** A response on a socket that no server knows of. */
async function respond() {
  const { ours, theirs } = await socketPair();
  later(() => theirs.destroy());
  const request = new IncomingMessage(ours);
  const response = new ServerResponse(request);
  response.assignSocket(ours);
  const received = new Promise<string>((resolve) => {
    let text = '';
    theirs.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    theirs.once('close', () => resolve(text));
    theirs.once('end', () => theirs.end());
  });
  return { ours, theirs, request, response, received };
}

describe('SocketReply', () => {
  test('accepts: writes the 101 and gives the socket in the same tick', async () => {
    const { ours, theirs } = await socketPair();
    later(() => theirs.destroy());
    const accepted = jest.fn();

    new SocketReply(ours).accept([...HEADERS, ['X-Name', 'caf\u00e9']], accepted);

    expect(accepted.mock.calls).toEqual([[ours]]);
    const [chunk] = await new Promise<[Buffer]>((resolve) =>
      theirs.once('data', (...data: [Buffer]) => resolve(data)),
    );
    expect(chunk.toString('latin1')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\n' +
        'Upgrade: websocket\r\nConnection: Upgrade\r\nX-Name: caf\u00e9\r\n\r\n',
    );
    ours.destroy();
  });

  test('refuses: writes the whole answer and ends the connection', async () => {
    const { ours, theirs } = await socketPair();
    later(() => ours.destroy());

    new SocketReply(ours).refuse(createRefusal(403, 'no', '', [['X-Rule', '1']]));

    let text = '';
    for await (const chunk of theirs) text += chunk;
    expect(text).toBe(
      'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/html\r\n' +
        'Content-Length: 2\r\nX-Rule: 1\r\n\r\nno',
    );
  });

  test('destroys a socket that takes no answer any more', async () => {
    const { ours, theirs } = await socketPair();
    later(() => theirs.destroy());
    ours.end();

    new SocketReply(ours).refuse(createRefusal(403));

    expect(ours.destroyed).toBe(true);
  });
});

describe('ResponseReply accepts', () => {
  test('by the response, which is over then and free of its socket', async () => {
    const { ours, response, received } = await respond();
    response.setHeader('Set-Cookie', 'a=1');
    const seen: string[] = [];
    response.on('finish', () => seen.push('finish'));
    response.on('close', () => seen.push('close'));

    await new Promise<void>((resolve) => {
      new ResponseReply(response).accept(HEADERS, (socket) => {
        expect(socket).toBe(ours);
        expect(response.socket).toBeNull();
        seen.push('accepted');
        resolve();
      });
    });
    await new Promise(setImmediate);
    ours.end('frames');

    expect(seen).toEqual(['finish', 'accepted', 'close']);
    expect(response.destroyed).toBe(true);
    expect((await received).replace(/Date: .*\r\n/, '')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1\r\n' +
        'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes',
    );
    expect(ours.listenerCount('close')).toBe(0);
  });

  test('with the cookies of middleware beside those that are added, each on its line', async () => {
    const { response, received, ours } = await respond();
    response.setHeader('Set-Cookie', 'session=1');
    response.setHeader('Connection', 'close');

    new ResponseReply(response).accept(
      [...HEADERS, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']],
      () => ours.end(),
    );

    const lines = (await received).split('\r\n');
    expect(lines.filter((line) => /^set-cookie|^connection/i.test(line))).toEqual([
      'Set-Cookie: session=1',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Connection: Upgrade',
    ]);
  });

  test('without what earlier middleware said of a body', async () => {
    const { ours, response, received } = await respond();
    for (const [name, value] of [
      ['Content-Length', '5'],
      ['Content-Type', 'text/html'],
      ['Content-Encoding', 'gzip'],
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'Expires'],
      ['ETag', '"1"'],
      ['Last-Modified', 'Sun, 22 Nov 2026 16:00:00 GMT'],
    ] as const) {
      response.setHeader(name, value);
    }

    await new Promise((resolve) => new ResponseReply(response).accept(HEADERS, resolve));
    ours.end();

    expect((await received).replace(/Date: .*\r\n/, '')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    );
  });

  test('and makes the response deaf: whatever is written to it later fails not and reaches nobody', async () => {
    const { ours, response, received } = await respond();
    await new Promise((resolve) => new ResponseReply(response).accept(HEADERS, resolve));

    expect(response.headersSent).toBe(false);
    response.statusCode = 500;
    response.setHeader('Content-Type', 'text/plain').appendHeader('Vary', '*');
    response.removeHeader('Vary');
    response.flushHeaders();
    expect(response.writeHead(500, { 'X-Late': '1' })).toBe(response);
    expect(response.write('late')).toBe(true);
    expect(response.end('later')).toBe(response);
    response.writeContinue();
    response.destroy();

    expect(ours.destroyed).toBe(false);
    ours.end('frames');
    expect(await received).toMatch(/Connection: Upgrade\r\nDate: [^\r]*\r\n\r\nframes$/);
  });

  test('never where the client has gone', async () => {
    const { ours, response } = await respond();
    const accepted = jest.fn();
    ours.destroy();
    await new Promise((resolve) => response.once('close', resolve));

    new ResponseReply(response).accept(HEADERS, accepted);
    await new Promise(setImmediate);

    expect(accepted).not.toHaveBeenCalled();
  });

  test('never where the client goes while middleware holds the response', async () => {
    const { ours, response } = await respond();
    const accepted = jest.fn();
    const { end } = response;
    // As a session store does.
    response.end = (() => {
      setImmediate(() => {
        ours.destroy();
        Reflect.apply(end, response, []);
      });
      return response;
    }) as typeof end;

    new ResponseReply(response).accept(HEADERS, accepted);
    await new Promise((resolve) => response.once('close', resolve));
    await new Promise(setImmediate);

    expect(accepted).not.toHaveBeenCalled();
  });

  test('never where something else has been answered', async () => {
    const { response, received, ours } = await respond();
    const accepted = jest.fn();
    response.writeHead(200, { Connection: 'close' }).end('page');

    new ResponseReply(response).accept(HEADERS, accepted);
    response.once('finish', () => ours.end());

    expect(await received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*page/);
    expect(accepted).not.toHaveBeenCalled();
  });

  test('never where a hook has made another answer of the 101', async () => {
    const { response, received, ours } = await respond();
    const accepted = jest.fn();
    const { writeHead } = response;
    response.writeHead = ((_status: number, ...rest: []) => {
      response.statusCode = 204;
      return writeHead.call(response, 204, ...rest);
    }) as typeof writeHead;
    response.once('finish', () => ours.end());

    new ResponseReply(response).accept(HEADERS, accepted);

    expect(await received).toMatch(/^HTTP\/1\.1 204 No Content/);
    expect(accepted).not.toHaveBeenCalled();
  });
});

describe('ResponseReply refuses', () => {
  const refusal = createRefusal(403, 'na\u00efve', '', [['X-Rule', '1']]);

  test('with the headers that middleware has set, but not those of another body', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('X-Powered-By', 'tests');
      response.setHeader('Content-Encoding', 'gzip');
      response.setHeader('Trailer', 'Expires');
      response.setHeader('Transfer-Encoding', 'chunked');
      new ResponseReply(response).refuse(refusal);
    });
    const client = await connect(await listen(server));
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');

    const { status, headers, body } = await answerOf(client);

    expect([status, body]).toEqual([403, 'na\u00efve']);
    expect(headers).toMatchObject({
      'x-powered-by': 'tests',
      'x-rule': '1',
      connection: 'close',
      'content-type': 'text/html',
      'content-length': '6',
    });
    for (const name of ['content-encoding', 'trailer', 'transfer-encoding']) {
      expect(headers).not.toHaveProperty(name);
    }
  });

  test.each(['headers sent', 'ended'])('nothing that has been answered: %s', async (how) => {
    const { ours, response, received } = await respond();
    response.writeHead(200, { 'Content-Length': 4, Connection: 'close' });
    if (how === 'ended') response.end('page');
    else response.write('page');

    new ResponseReply(response).refuse(refusal);
    ours.end();

    expect(await received).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\npage$/);
  });
});

describe('releaseSocket', () => {
  test('gives the socket, and the response is closed in the next tick', async () => {
    const { ours, response } = await respond();
    const closed = jest.fn();
    response.on('close', closed);

    expect(releaseSocket(response)).toBe(ours);
    expect(closed).not.toHaveBeenCalled();
    await new Promise(process.nextTick);

    expect(closed).toHaveBeenCalledTimes(1);
    ours.destroy();
    await new Promise((resolve) => ours.once('close', resolve));
    expect(closed).toHaveBeenCalledTimes(1);
  });

  test('gives nothing twice', async () => {
    const { ours, response } = await respond();
    releaseSocket(response);
    expect(releaseSocket(response)).toBeNull();
    ours.destroy();
  });
});

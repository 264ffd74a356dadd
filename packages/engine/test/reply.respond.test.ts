import { IncomingMessage, ServerResponse } from 'node:http';
import { ResponseReply } from '../src/reply';
import { cleanUp, later } from './support/site';
import { socketPair } from './support/sockets';

afterEach(cleanUp);

const HEADERS = [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Set-Cookie', 'added=1'],
] as const;

type Respond = (response: ServerResponse) => void;

/** Has a 101 sent by a framework in miniature. @returns what the client has received, and whether the socket was taken */
async function accept(respond: Respond) {
  const { ours, theirs } = await socketPair();
  later(() => theirs.destroy());
  let text = '';
  theirs.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  theirs.once('end', () => theirs.end());
  const response = new ServerResponse(new IncomingMessage(ours));
  response.sendDate = false;
  response.assignSocket(ours);
  const accepted = jest.fn();
  const finished = new Promise((resolve) => response.once('finish', resolve));
  new ResponseReply(response, { respond: () => respond(response) }).accept(HEADERS, accepted);
  await finished;
  ours.end();
  await new Promise((resolve) => theirs.once('close', resolve));
  return { text, taken: accepted.mock.calls.length === 1 };
}

const HANDSHAKE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSet-Cookie: added=1\r\n\r\n' as const;

describe('a framework that sends the 101 itself', () => {
  test.each<[string, Respond, string]>([
    ['ends the response', (response) => response.end(), ''],
    [
      'sets headers',
      (response) => {
        expect(response.statusCode).toBe(101);
        response.setHeader('X-Rule', '1');
        response.end();
      },
      'X-Rule: 1\r\n',
    ],
    [
      'gives them with the head, as an object',
      (response) => {
        response.setHeader('X-Rule', '1');
        response.writeHead(101, { 'x-rule': '2', 'x-number': 3, 'x-list': ['a', 'b'] }).end();
      },
      'x-rule: 2\r\nx-number: 3\r\nx-list: a\r\nx-list: b\r\n',
    ],
    [
      'gives them with the head, as a list, and a reason',
      (response) => {
        response.setHeader('X-Rule', '1');
        response.writeHead(101, 'Yes', ['x-rule', '2', 'x-rule', '3']).end();
      },
      'x-rule: 2\r\nx-rule: 3\r\n',
    ],
    [
      'takes its time',
      (response) =>
        void setImmediate(() => {
          response.setHeader('X-Late', '1');
          response.end();
        }),
      'X-Late: 1\r\n',
    ],
  ])('%s', async (_what, respond, lines) => {
    expect(await accept(respond)).toEqual({
      text: `HTTP/1.1 101 Switching Protocols\r\n${lines}${HANDSHAKE}`,
      taken: true,
    });
  });

  test('has its cookies beside those of the handshake, and nothing of a body or another upgrade', async () => {
    const { text, taken } = await accept((response) =>
      response
        .writeHead(101, {
          'set-cookie': ['a=1', 'b=2'],
          'content-type': 'text/html',
          'content-length': '0',
          connection: 'keep-alive',
          upgrade: 'h2c',
        })
        .end(),
    );
    expect(taken).toBe(true);
    expect(text).toBe(
      'HTTP/1.1 101 Switching Protocols\r\n' +
        'set-cookie: a=1\r\nset-cookie: b=2\r\nset-cookie: added=1\r\n' +
        'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
  });

  test('may make another answer of it, which says nothing of an upgrade', async () => {
    const { text, taken } = await accept((response) => {
      response.statusCode = 503;
      response.setHeader('Connection', 'close');
      response.end('sorry');
    });
    expect(taken).toBe(false);
    expect(text).toBe('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nsorry');
  });

  test('may fail with a header that cannot be sent, and answer otherwise', async () => {
    const { text, taken } = await accept((response) => {
      expect(() => response.writeHead(101, { 'x-rule': 'a\nb' })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_CHAR' }),
      );
      response.writeHead(500, { Connection: 'close', 'Content-Length': '0' }).end();
    });
    expect(taken).toBe(false);
    expect(text).toBe(
      'HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });

  test('has what hooks into its head work on the 101 as on any other', async () => {
    const { text } = await accept((response) => {
      const { writeHead } = response;
      response.writeHead = ((status: number, ...rest: []) => {
        response.setHeader('X-Hooked', String(status));
        return writeHead.call(response, status, ...rest);
      }) as typeof writeHead;
      response.end();
    });
    expect(text).toBe(`HTTP/1.1 101 Switching Protocols\r\nX-Hooked: 101\r\n${HANDSHAKE}`);
  });
});
